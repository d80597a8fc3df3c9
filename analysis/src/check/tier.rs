//! Which findings are shown and which are only counted: those about code that runs once, or matters of taste.

use super::Checker;
use crate::finding::{Finding, Level, Tier};
use crate::lints::{self, Group, Lint, Trait};
use crate::rust::{Loop, Occasion, above_source};

/// Directories and files of code that runs once, or by hand.
const FOLDERS: &[&str] = &[
    "examples",
    "benches",
    "bench",
    "demo",
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
    "tools",
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
    /// written without this crate's macros, `loops` are those around it, and `occasions` those on which alone it runs. What the
    /// configuration denies, and what the database would reject, is always shown.
    pub(super) fn set_tier(
        &self,
        finding: &mut Finding,
        is_raw: bool,
        loops: &[Loop],
        occasions: &[Occasion],
    ) {
        let Some(lint) = lints::by_name(finding.lint) else { return };
        let is_wanted = self.config.lints.get(lint.name) == Some(&Level::Deny);
        let is_broken = lint.is(Trait::Refused) || matches!(lint.group, Group::Budget | Group::Governance);
        if !is_wanted && is_raw && occasions.contains(&Occasion::Uncompiled) {
            finding.notes.push("no `mod` declares its file, so that it is not compiled".to_owned());
            finding.tier = Tier::Listed;
        } else if is_wanted || is_broken || !is_raw {
            finding.tier = Tier::Shown;
        } else if is_of_one_run(finding, loops, occasions)
            || self.is_command_line && is_command(&finding.place.file)
            || lint.is(Trait::OfRequests) && !answers_requests(&finding.place.file, &finding.function)
        {
            finding.tier = Tier::Listed;
        } else if let Some(why) = occasions.iter().find_map(|it| why_seldom(lint, finding, *it)) {
            finding.notes.push(why.to_owned());
            finding.tier = Tier::Listed;
        }
    }
}

/// Whether a finding is in code that runs once or by hand. What answers requests is not, unless the folders above its crate's source
/// say so: `examples`.
fn is_of_one_run(finding: &Finding, loops: &[Loop], occasions: &[Occasion]) -> bool {
    match occasions.contains(&Occasion::OnRequest) {
        true => is_by_hand(above_source(&finding.place.file), ""),
        false => runs_once(&finding.place.file, &finding.function, loops.iter().any(Loop::serves)),
    }
}

/// Why a finding in code that runs on one occasion alone is seldom worth a change.
fn why_seldom(lint: &Lint, finding: &Finding, occasion: Occasion) -> Option<&'static str> {
    let first = finding.sql.as_deref().and_then(|sql| sql.split_whitespace().next()).unwrap_or_default();
    let reads = first.eq_ignore_ascii_case("select");
    let is_of_many = lint.is(Trait::OfMany) && (reads || !lint.is(Trait::OnLoop));
    // What an administrator changes, a page has shown before; what is inserted may be an import.
    let changes = ["update", "delete"].iter().any(|verb| first.eq_ignore_ascii_case(verb));
    let is_of_admins = is_of_many || lint.is(Trait::OnLoop) && changes;
    // How fast rows are found matters little in what runs once; what destroys them, or is wrong, does.
    let is_of_rows = is_of_many || matches!(lint.group, Group::Index | Group::Shape);
    match occasion {
        Occasion::Uncompiled | Occasion::OnRequest => None,
        Occasion::ForTests => Some("only tests are built with its crate"),
        Occasion::Never => Some("nothing that runs names its function"),
        Occasion::InTests if is_of_rows || lint.is(Trait::OnLoop) => Some("only tests name its function"),
        Occasion::ByHand => Some("only commands that are run by hand, or once, reach it"),
        Occasion::AtStart if is_of_rows && !lint.is(Trait::OnLoop) => Some("it runs once, at a start"),
        Occasion::ForAdmins if is_of_admins => Some("only administrators call it, and they are few"),
        Occasion::ForCopy if lint.is(Trait::OfCopies) => {
            Some("a copy takes everything, and is seldom made or read back")
        }
        Occasion::InTests | Occasion::AtStart | Occasion::ForAdmins | Occasion::ForCopy => None,
    }
}

/// Whether code runs once or by hand, judging by the path of its file and the name of its function.
pub fn is_by_hand(file: &str, function: &str) -> bool {
    runs_once(file, function, true)
}

/// Whether code runs once or by hand: set-up, Rust migrations, generators, shared test code, examples.
fn runs_once(file: &str, function: &str, serves: bool) -> bool {
    let file = inside(file);
    let stem = file.strip_suffix(".rs").unwrap_or(file);
    let mut parts = stem.split('/');
    let name = function.rsplit("::").next().unwrap_or_default();
    parts.any(is_folder)
        || function.rsplit("::").skip(1).any(is_folder)
        || stem.split('/').chain([name]).any(converts_old_data)
        || stem.ends_with("/build")
        || stem == "build"
        // The first state of a chain.
        || name.split('_').any(|word| word == "genesis")
        || FUNCTIONS.iter().any(|start| is_word_of(name, start))
        || runs_migration(name)
        // A program that waits for work does it again and again.
        || (name == "main" && !serves && (stem.ends_with("main") || is_binary(stem)))
        || is_binary(stem) && stem.rsplit('/').next().is_some_and(|last| is_word_of(last, "generate"))
        || binary(stem).is_some_and(|name| FUNCTIONS.iter().any(|start| is_word_of(name, start)))
        || stem.split('/').any(leads_from_version_to_version)
}

/// Whether a file is a program other than the crate's own.
fn is_binary(stem: &str) -> bool {
    stem.rsplit('/').nth(1) == Some("bin")
}

/// Whether a name says that its code brings data from one version to another: `from_v1_0_0_to_v2_0_0`.
fn leads_from_version_to_version(name: &str) -> bool {
    let is_version =
        |word: &str| word.trim_start_matches(['v', 'V']).starts_with(|c: char| c.is_ascii_digit());
    let is_to_version = |pair: (&str, &str)| matches!(pair.0, "from" | "to") && is_version(pair.1);
    let words: Vec<&str> = name.split(['_', '-']).collect();
    let pairs = words.iter().copied().zip(words.iter().copied().skip(1));
    pairs.filter(|pair| is_to_version(*pair)).count() == 2
}

/// Whether the name of a function says that it does a migration: `run_migrations`, `perform_json_migration`. Others may be
/// about migrations as data: `list_migrations`.
fn runs_migration(name: &str) -> bool {
    let words: Vec<&str> = name.split('_').collect();
    matches!(words.as_slice(), ["apply" | "execute" | "perform" | "run", .., "migration" | "migrations"])
}

/// The path of a file inside its package, if it is known from the root on: the path above the package says
/// nothing about it.
fn inside(file: &str) -> &str {
    match file.rfind("/src/") {
        Some(at) if file.starts_with('/') => &file[at + 1..],
        _ => file,
    }
}

/// Whether a file holds a command of a command line, judging by its folders.
fn is_command(file: &str) -> bool {
    inside(file).split('/').any(|part| matches!(part, "command" | "commands" | "cmd" | "subcommands"))
}

/// Whether code in a folder, file or module of this name runs once; `users_generator` is a generator as well, and `app-cli` a
/// command line.
fn is_folder(name: &str) -> bool {
    let name = name.replace('-', "_");
    let is_word = |word: &str| matches!(word, "generator" | "migration" | "migrations");
    let is_command = name.rsplit('_').next().is_some_and(|last| matches!(last, "cli" | "ctl"));
    FOLDERS.contains(&name.as_str()) || is_command || name.split('_').any(is_word)
}

/// Words in the paths of files that answer requests.
const ENDPOINTS: &[&str] = &[
    "api",
    "apis",
    "controller",
    "controllers",
    "endpoint",
    "endpoints",
    "graphql",
    "grpc",
    "handler",
    "handlers",
    "http",
    "pages",
    "resolver",
    "resolvers",
    "rest",
    "route",
    "router",
    "routes",
    "rpc",
    "view",
    "views",
    "web",
    "webserver",
];

/// Whether a function answers requests, judging by its name and the path of its file inside the crate.
fn answers_requests(file: &str, function: &str) -> bool {
    let inside = file.rsplit_once("src/").map_or(file, |(_, inside)| inside);
    let stem = inside.strip_suffix(".rs").unwrap_or(inside);
    let name = function.rsplit("::").next().unwrap_or_default();
    let is_word = |word: &str| ENDPOINTS.contains(&word.to_ascii_lowercase().as_str());
    // `get_endpoints` reads what is called so.
    let reads = ["all", "count", "fetch", "find", "get", "list", "load", "read"];
    let names_what_it_reads =
        name.ends_with('s') && name.split('_').next().is_some_and(|first| reads.contains(&first));
    stem.split(['/', '_', '-']).any(is_word)
        || !names_what_it_reads && name.rsplit('_').next().is_some_and(is_word)
}

/// The name of a program other than the crate's own, which may be a folder: `src/bin/backfill/main.rs`.
fn binary(stem: &str) -> Option<&str> {
    stem.rsplit_once("src/bin/").and_then(|(_, inside)| inside.split('/').next())
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
    use super::{answers_requests, runs_once, why_seldom};
    use crate::finding::Finding;
    use crate::lints;
    use crate::rust::Occasion;

    #[test]
    fn what_administrators_read_or_change_is_little_and_what_they_insert_may_be_an_import() {
        for (lint, sql, is_seldom) in [
            ("query_in_loop", "SELECT a FROM t WHERE id = $1", true),
            ("row_by_row_write", "update t set a = $1 where id = $2", true),
            ("row_by_row_write", "DELETE FROM t WHERE id = $1", true),
            ("row_by_row_write", "INSERT INTO t (a) VALUES ($1)", false),
            ("querying_call_in_loop", "UPDATE t SET a = $1 WHERE id = $2", true),
            ("querying_call_in_loop", "INSERT INTO t (a) VALUES ($1)", false),
            ("unbounded_write", "DELETE FROM t", false),
        ] {
            let mut finding = Finding::new(lint, "");
            finding.sql = Some(sql.into());
            let why = why_seldom(lints::by_name(lint).expect("it exists"), &finding, Occasion::ForAdmins);
            assert_eq!(why.is_some(), is_seldom, "{lint} {sql}");
        }
    }

    #[test]
    fn a_program_that_waits_for_work_runs_again() {
        assert!(!runs_once("src/bin/worker.rs", "main", true));
        assert!(runs_once("src/bin/worker.rs", "seed", true));
    }

    #[test]
    fn what_answers_requests_is_known_by_its_place() {
        for (file, function) in [
            ("src/handlers/users.rs", "list"),
            ("crates/server/src/graphql_api/users.rs", "Query::users"),
            ("src/routes.rs", "list"),
            ("src/main.rs", "list_handler"),
        ] {
            assert!(answers_requests(file, function), "{file} {function}");
        }
        for (file, function) in [
            ("src/db/users.rs", "list"),
            ("crates/api/src/db/users.rs", "list"),
            ("src/users.rs", "handler_names"),
            ("src/users.rs", "get_ingest_endpoints"),
            ("src/lib.rs", ""),
        ] {
            assert!(!answers_requests(file, function), "{file} {function}");
        }
    }

    #[test]
    fn code_that_runs_once_is_known_by_its_place() {
        for (file, function) in [
            ("examples/demo/src/lib.rs", "list"),
            ("migration/src/m0001.rs", "up"),
            ("src/demo/mod.rs", "insert_accounts"),
            ("crates/test-utils/src/db.rs", "fill"),
            ("integration-tests/src/checks.rs", "Checks::state"),
            ("crates/cli/src/sync.rs", "sync"),
            ("crates/app-cli/src/sync.rs", "sync"),
            ("app_ctl/src/ctl.rs", "sync"),
            ("src/state/legacy_converter.rs", "upsert_group"),
            ("src/main.rs", "main"),
            ("src/store.rs", "Store::seed_users"),
            ("src/supply.rs", "add_genesis_supply"),
            ("src/storage.rs", "Storage::perform_json_migration"),
            ("src/storage.rs", "Storage::run_migrations"),
            ("src/storage.rs", "Storage::migrate_users"),
            ("src/store.rs", "test_helpers::cleanup"),
            ("src/store.rs", "v3_migration::Store::fill"),
            ("src/sqlite_migration.rs", "fill"),
            ("tools/probe/src/store.rs", "list"),
            ("/srv/a/src/migrations/one.rs", "list"),
            ("tools/user-generator/src/users.rs", "users"),
            ("src/bin/backfill.rs", "main"),
            ("src/bin/generate_demo_data.rs", "users"),
            ("src/bin/backfill_projects.rs", "next_page"),
            ("jobs/src/bin/backfill_access/main.rs", "next_page"),
            ("src/upgrades/from_v1_0_0_to_v2_0_0/users.rs", "transfer"),
        ] {
            assert!(runs_once(file, function, false), "{file} {function}");
        }
        for (file, function) in [
            ("src/main.rs", "list"),
            ("src/legacy_api.rs", "list"),
            ("src/store.rs", "seedling"),
            ("src/store.rs", "list_migrations"),
            ("src/store.rs", "migration_of"),
            ("src/store.rs", "run_migration_report"),
            ("src/store.rs", "debug_symbols"),
            ("src/examples_of.rs", "list"),
            ("src/generators_of.rs", "list"),
            ("src/bin/server.rs", "list"),
            ("src/bin/seedling.rs", "list"),
            ("src/backfill_of/pages.rs", "list"),
            ("src/upgrades/vm.rs", "upgrade"),
            ("src/from_row_to_json.rs", "list"),
            ("/srv/tools/a_migration/src/lib.rs", "list"),
            ("crates/clients/src/sync.rs", "sync"),
            ("src/lib.rs", ""),
        ] {
            assert!(!runs_once(file, function, false), "{file} {function}");
        }
    }
}
