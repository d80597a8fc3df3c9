//! `--config KEY=VALUE`: keys of `query-budget.toml` for one run.

use query_budget_analysis::Config;
use query_budget_analysis::config;

use super::Batch;

/// The settings of one option.
#[derive(Debug, Clone)]
pub(crate) struct Override(Config);

/// Parses an option; the value is TOML, or a string without its quotes.
pub(crate) fn parse(option: &str) -> Result<Override, String> {
    let (key, value) = option.split_once('=').ok_or("a key and a value are written `KEY=VALUE`")?;
    let (key, value) = (key.trim(), value.trim());
    let as_text = format!("{key} = {value:?}");
    let is_toml = toml::from_str::<toml::Table>(&format!("{key} = {value}")).is_ok();
    let text = if is_toml { format!("{key} = {value}") } else { as_text };
    match key.split('.').next().unwrap_or_default() {
        "lints" | "tables" | "types" => {}
        known @ ("schema" | "migrations" | "dialect") => {
            return Err(format!("`{known}` has an option of its own: `--{known}`"));
        }
        _ => return Err("the keys are `lints.<lint>`, `tables.<table>.rows` and `types.<type>`".to_owned()),
    }
    let parsed = config::parse(&text, "--config").map_err(|notice| {
        let help: Vec<String> = notice.help.iter().map(|help| format!("; {help}")).collect();
        format!("{}{}", notice.message, help.concat())
    })?;
    let unknown =
        parsed.lint_keys.iter().find(|key| query_budget_analysis::lints::by_name(&key.lint).is_none());
    match unknown {
        Some(key) => Err(format!("no lint is named `{}`", key.lint)),
        None => Ok(Override(parsed.config)),
    }
}

/// Applies the options over the configuration files.
pub(super) fn apply(overrides: &[Override], batches: &mut [Batch]) {
    for batch in batches {
        let config = &mut batch.project.config;
        for Override(set) in overrides {
            config.lints.extend(set.lints.clone());
            config.tables.extend(set.tables.clone());
            config.types.extend(set.types.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use query_budget_analysis::Level;

    #[test]
    fn a_value_is_toml_or_a_text() {
        for option in ["lints.missing_limit=deny", "lints.missing_limit = \"deny\""] {
            let Override(config) = parse(option).expect("it is one");
            assert_eq!(config.lints.get("missing_limit"), Some(&Level::Deny), "{option}");
        }
        let Override(config) = parse("tables.countries.rows=250").expect("it is one");
        assert_eq!(config.tables["countries"].rows, Some(250));
        let Override(config) = parse("types.mood=crate::Mood").expect("it is one");
        assert_eq!(config.types["mood"], "crate::Mood");
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_way_out() {
        for (option, why) in [
            ("lints.missing_limit", "`KEY=VALUE`"),
            ("lints.missing_limit=loud", "`\"allow\"`, `\"warn\"` or `\"deny\"`"),
            ("lints.mising_limit=deny", "no lint is named `mising_limit`"),
            ("schema=a.sql", "`--schema`"),
            ("colour=red", "the keys are"),
            ("tables.t.rows=many", "expected u64"),
        ] {
            let error = parse(option).expect_err("it is none");
            assert!(error.contains(why), "{option}: {error}");
        }
    }
}
