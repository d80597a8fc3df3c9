//! Which findings are shown and which are only counted: those about code that runs once, or matters of taste.

use super::Checker;
use crate::finding::{Finding, Level, Tier};
use crate::lints::{self, Group, Trait};

/// Directories and files of code that runs once, or by hand.
const FOLDERS: &[&str] = &[
    "examples",
    "benches",
    "bench",
    "migration",
    "migrations",
    "seed",
    "seeds",
    "seeder",
    "fixtures",
    "scripts",
    "generator",
    "generators",
    "codegen",
    "xtask",
    "cli",
    "testing",
    "integration_test",
    "integration_tests",
    "e2e",
    "e2e_tests",
    "testutils",
    "test_utils",
    "test_util",
    "test_helpers",
    "test_support",
    "testkit",
];

/// Prefixes of the names of functions that run once.
const FUNCTIONS: &[&str] =
    &["seed", "migrate", "backfill", "bootstrap", "import_legacy", "create_tables", "init_db"];

impl Checker<'_> {
    /// Lists a finding in code that runs once, rather than showing it; `is_raw` is whether the query was
    /// written without this crate's macros. What the configuration denies, and what the database would
    /// reject, is always shown.
    pub(super) fn set_tier(&self, finding: &mut Finding, is_raw: bool) {
        let Some(lint) = lints::by_name(finding.lint) else { return };
        let is_wanted = self.config.lints.get(lint.name) == Some(&Level::Deny);
        let is_broken = lint.is(Trait::Refused) || matches!(lint.group, Group::Budget | Group::Governance);
        if is_wanted || is_broken || !is_raw {
            finding.tier = Tier::Shown;
        } else if runs_once(&finding.place.file, &finding.function) {
            finding.tier = Tier::Listed;
        }
    }
}

/// Whether code runs once or by hand: set-up, Rust migrations, generators, shared test code, examples.
fn runs_once(file: &str, function: &str) -> bool {
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut parts = stem.split('/');
    let name = function.rsplit("::").next().unwrap_or_default();
    parts.any(|part| FOLDERS.contains(&part.replace('-', "_").as_str()))
        || stem.split('/').chain([name]).any(converts_old_data)
        || stem.ends_with("/build")
        || stem == "build"
        // The first state of a chain.
        || name.split('_').any(|word| word == "genesis")
        || FUNCTIONS.iter().any(|start| is_word_of(name, start))
        || (name == "main" && stem.ends_with("main"))
}

/// Whether the name of a file or function says that it converts old data: `legacy_converter`,
/// `import_legacy_users`.
fn converts_old_data(name: &str) -> bool {
    let starts = |word: &str| ["convert", "import", "migrat"].iter().any(|verb| word.starts_with(verb));
    name.split(['_', '-']).any(|word| word == "legacy") && name.split(['_', '-']).any(starts)
}

/// Whether a name begins with the words of `start`: `seed` and `seed_users`, but not `seedling`.
fn is_word_of(name: &str, start: &str) -> bool {
    name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with('_'))
}

#[cfg(test)]
mod tests {
    use super::runs_once;

    #[test]
    fn code_that_runs_once_is_known_by_its_place() {
        for (file, function) in [
            ("examples/demo/src/lib.rs", "list"),
            ("migration/src/m0001.rs", "up"),
            ("crates/test-utils/src/db.rs", "fill"),
            ("integration-tests/src/checks.rs", "Checks::state"),
            ("crates/cli/src/sync.rs", "sync"),
            ("src/state/legacy_converter.rs", "upsert_group"),
            ("src/main.rs", "main"),
            ("src/store.rs", "Store::seed_users"),
            ("src/supply.rs", "add_genesis_supply"),
        ] {
            assert!(runs_once(file, function), "{file} {function}");
        }
        for (file, function) in [
            ("src/main.rs", "list"),
            ("src/legacy_api.rs", "list"),
            ("src/store.rs", "seedling"),
            ("src/examples_of.rs", "list"),
            ("src/lib.rs", ""),
        ] {
            assert!(!runs_once(file, function), "{file} {function}");
        }
    }
}
