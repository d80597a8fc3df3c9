//! Determines the database: the given URL, else `DATABASE_URL`, as sqlx finds it.

use std::path::Path;

use query_budget_analysis::project::URL_VARIABLE;

use crate::failure::Failure;

/// The file with environment variables.
const FILE: &str = ".env";

/// The URL to use for a check at `scope`: the given one, else that of the environment, else that of the
/// nearest `.env`.
pub(crate) fn url(given: Option<&str>, scope: &Path) -> Result<String, Failure> {
    if let Some(given) = given {
        return Ok(given.to_owned());
    }
    if let Some(set) = std::env::var(URL_VARIABLE).ok().filter(|set| !set.is_empty()) {
        return Ok(set);
    }
    for dir in scope.ancestors() {
        let path = dir.join(FILE);
        if path.is_file() {
            return in_file(&path)?.ok_or_else(|| none(&format!("nor does `{}` set it", path.display())));
        }
    }
    Err(none("nor is there a `.env`"))
}

/// The URL set in a file of variables. The environment of this process does not change.
fn in_file(path: &Path) -> Result<Option<String>, Failure> {
    let failed = || Failure::new(format!("read `{}`", path.display()));
    let entries = dotenvy::from_path_iter(path).map_err(|_| failed())?;
    for entry in entries {
        // The invalid line may contain a password, so it is not shown.
        let (name, value) = entry.map_err(|_| failed().because("a line is not `NAME=value`"))?;
        if name == URL_VARIABLE && !value.is_empty() {
            return Ok(Some(value));
        }
    }
    Ok(None)
}

fn none(why: &str) -> Failure {
    Failure::new(format!("find a database to ask: `{URL_VARIABLE}` is not set, {why}"))
        .help("name one: `--database-url postgres://..`; `explain <lint>` prints a lint's page")
}
