//! On which occasions the functions of small workspaces run.

use super::*;

fn of(files: &[(&str, &str)]) -> Vec<(String, Vec<Occasion>)> {
    let externs = Arc::default();
    let named: Vec<NamedFile<'_>> = files
        .iter()
        .map(|(path, text)| NamedFile {
            path,
            text,
            crate_name: "app",
            externs: &externs,
            is_undeclared: false,
            is_test_support: path.starts_with("db-test/"),
            in_test: path.starts_with("tests/"),
            is_command: false,
        })
        .collect();
    let by_hand = |file: &str, name: &str| file.contains("cli/") || name == "seed";
    let mut found: Vec<(String, Vec<Occasion>)> = Vec::new();
    for ((file, line), occasions) in Occasions::of(&named, &by_hand).functions {
        let text = files.iter().find(|(path, _)| *path == file).map_or("", |(_, text)| text);
        let line = text.lines().nth(line as usize - 1).unwrap_or_default();
        let name = line.split("fn ").nth(1).and_then(|it| it.split(['(', '<']).next()).unwrap_or(line);
        found.push((name.to_owned(), occasions));
    }
    found.sort();
    found
}

#[track_caller]
fn check(files: &[(&str, &str)], expected: &[(&str, &[Occasion])]) {
    let expected: Vec<(String, Vec<Occasion>)> =
        expected.iter().map(|(name, occasions)| ((*name).to_owned(), occasions.to_vec())).collect();
    assert_eq!(of(files), expected);
}

use Occasion::{ByHand, ForAdmins, ForCopy, ForTests, InTests, Never, OnRequest};

const MAIN: &str = "use axum::Router;\nfn main() { run(list) }\nfn run(f: F) {}\n";

#[test]
fn what_nothing_that_runs_names_never_runs() {
    check(
        &[
            ("src/main.rs", MAIN),
            (
                "src/store.rs",
                "fn list() { shared(); get_it(); }\nfn shared() {}\nfn dead() { deader() }\nfn deader() {}\n\
                 #[get(\"/a\")]\nfn route() {}\n#[serde(default = \"limit\")]\nstruct A;\nfn limit() {}\n\
                 impl Display for A {\nfn fmt() {}\n}\ntrait Own {\nfn own();\n}\nimpl Own for A {\nfn own() {}\n}\n\
                 #[cfg(test)]\nmod tests {\n#[test]\nfn t() { tested() }\n}\n#[instrument]\nfn tested() {}\n\
                 macro_rules! m {\n() => { by_macro() };\n}\nfn by_macro() {}\nuse crate::imported;\nfn imported() {}\nfn get_it() {}\n",
            ),
            ("tests/all.rs", "fn t() { tested_elsewhere() }"),
        ],
        &[
            ("dead", &[Never]),
            ("deader", &[Never]),
            ("imported", &[Never]),
            ("own", &[Never]),
            ("route", &[OnRequest]),
            ("tested", &[InTests]),
        ],
    );
    // What something else names as well runs.
    let both = "fn list() { kept() }\nfn kept() {}\n#[cfg(test)]\nmod tests { #[test] fn t() { kept() } }";
    check(&[("src/main.rs", MAIN), ("src/store.rs", both)], &[]);
    // What tests reach through other functions.
    let through = "fn outer() { inner() }\nfn inner() {}";
    check(
        &[("src/main.rs", MAIN), ("src/store.rs", through), ("tests/all.rs", "fn t() { outer() }")],
        &[("inner", &[InTests]), ("outer", &[InTests])],
    );
    // A library is used by others, and names that are made of parts are not seen.
    check(&[("src/lib.rs", "pub fn dead() {}")], &[]);
    check(&[("src/main.rs", "fn main() { paste! { [<get_ x>]() } }\nfn get_x() {}")], &[]);
}

#[test]
fn what_only_commands_and_administrators_reach_is_theirs() {
    check(
        &[
            ("src/main.rs", "use axum::Router;\nfn main() { list(); upgrade(); page(); save(); }\n"),
            ("src/cli/upgrade.rs", "fn upgrade() { all_rows(); shared(); }\n"),
            ("src/admin.rs", "fn page() { users_page(); }\n"),
            (
                "src/store.rs",
                "fn all_rows() {}\nfn shared() {}\nfn list() { shared() }\nfn users_page() {}\n\
                 fn save() { export_users(); backup_codes(); }\nfn export_users() { read_out() }\nfn read_out() {}\nfn backup_codes() {}\n",
            ),
        ],
        &[
            ("all_rows", &[ByHand]),
            ("export_users", &[ForCopy]),
            ("page", &[ForAdmins]),
            ("read_out", &[ForCopy]),
            ("upgrade", &[ByHand]),
            ("users_page", &[ForAdmins]),
        ],
    );
}

#[test]
fn a_guard_lets_administrators_through_alone() {
    let asks = |body: &str| {
        let main = format!("use axum::Router;\nfn main() {{ f() }}\nfn f(x: X) {{ {body} }}");
        of(&[("src/main.rs", main.as_str())]).iter().any(|(name, _)| name == "f")
    };
    assert!(asks("if !user.is_admin { return Err(Forbidden); } list()"));
    assert!(asks("if user.role != Role::Admin { return Err(Forbidden); } list()"));
    assert!(asks("if user.role != \"admin\" { bail!(\"no\") } list()"));
    assert!(asks("require_admin(&user)?; list()"));
    assert!(!asks("if !user.is_admin && post.author != user.id { return Err(Forbidden); } list()"));
    assert!(!asks("if user.is_admin { return all(); } list()"));
    assert!(!asks("if !user.is_admin { hide(); } list()"));
}

#[test]
fn a_program_that_reads_arguments_and_serves_nothing_is_run_by_hand() {
    let by_hand = |text: &str| of(&[("src/main.rs", text)]).iter().any(|(_, it)| it.contains(&ByHand));
    assert!(by_hand("use clap::Parser;\nfn main() { Args::parse(); }"));
    assert!(by_hand("fn main() { std::env::args().nth(1); }"));
    assert!(!by_hand("use clap::Parser;\nfn main() { axum::serve(a, b) }"));
    assert!(!by_hand("use clap::Parser;\nfn main() { loop { work() } }"));
    assert!(!by_hand("fn main() { work() }"));
}

#[test]
fn imports_under_another_name_name_the_function() {
    let sync = ("src/sync.rs", "pub fn sync_blocks() { fill() }\nfn fill() {}\nfn lost() {}");
    for library in [
        "mod sync;\npub use sync::sync_blocks as sync_execution;",
        "mod sync;\npub use sync::{other, sync_blocks as sync_execution};",
        "mod sync;\npub use sync::sync_blocks as sync;\npub use self::sync as sync_execution;",
    ] {
        let main =
            ("src/main.rs", "use axum::Router;\nuse app::sync_execution;\nfn main() { sync_execution() }");
        check(&[("src/lib.rs", library), sync, main], &[("lost", &[Never])]);
    }
}

#[test]
fn a_module_of_the_same_name_is_no_mention() {
    let main = ("src/main.rs", "use axum::Router;\nmod heal;\nuse heal::heal;\nfn main() { heal::other() }");
    let heal = ("src/heal.rs", "pub fn heal() {}\npub fn other() { by_type::<i64>() }\nfn by_type<T>() {}");
    check(&[main, heal], &[("heal", &[Never])]);
}

#[test]
fn administrators_of_one_thing_are_many() {
    let of_type = |ty: &str| {
        let text = format!("{MAIN}struct Campaign;\nasync fn list(admin: {ty}) {{}}");
        of(&[("src/main.rs", &text)]).iter().any(|(_, it)| it.contains(&ForAdmins))
    };
    for ty in ["AdminUser", "RequireAdmin", "SuperAdmin", "Admin", "Extension<Admin>"] {
        assert!(of_type(ty), "{ty}");
    }
    assert!(!of_type("CampaignAdmin"));
}

#[test]
fn a_module_of_a_change_that_is_made_once_is_run_by_hand_unless_a_service_uses_it() {
    let by_hand = |file: &str, user: &str| {
        let files = [
            (file, "fn run() { each_row() }\n"),
            ("src/store.rs", "fn each_row() {}\n"),
            ("src/main.rs", user),
        ];
        let found = of(&files);
        ["run", "each_row"].iter().all(|name| found.iter().any(|(of, it)| of == name && it.contains(&ByHand)))
    };
    for file in ["src/migrate.rs", "src/commands/backfill.rs", "src/backfill/mod.rs"] {
        assert!(
            by_hand(file, "use axum::Router;\nfn main() { migrate::run(); commands::backfill::run() }\n"),
            "{file}"
        );
        let route =
            "use axum::Router;\nfn main() { serve(login) }\nfn login() { migrate::run(); backfill::run() }\n";
        assert!(!by_hand(file, route), "{file}");
    }
    assert!(!by_hand("src/fill.rs", "use axum::Router;\nfn main() { fill::run() }\n"));
}

#[test]
fn what_answers_requests_is_no_code_that_runs_once() {
    let of_handler = |file: &str, head: &str| {
        let text = format!("{head} {{ rows() }}\nfn rows() {{}}\n");
        let main = "use axum::Router;\nfn main() { serve(restore_orders); serve(seed) }\n";
        let mut found = of(&[("src/main.rs", main), (file, &text)]);
        found.retain(|(name, _)| name != "rows");
        found.pop().map(|(_, occasions)| occasions).unwrap_or_default()
    };
    for (file, head) in [
        ("src/orders.rs", "async fn restore_orders(State(db): State<PgPool>, Json(ids): Json<Vec<i64>>)"),
        ("src/orders.rs", "async fn restore_orders(db: web::Data<PgPool>)"),
        ("src/orders.rs", "async fn seed(request: HttpRequest)"),
        ("src/migrate.rs", "async fn seed(db: Db) -> impl IntoResponse"),
    ] {
        assert_eq!(of_handler(file, head), [OnRequest], "{file} {head}");
    }
    assert_eq!(of_handler("src/orders.rs", "async fn restore_orders(db: &PgPool)"), [ForCopy]);
    assert_eq!(of_handler("src/orders.rs", "async fn seed(state: &State)"), [ByHand]);
    assert_eq!(of_handler("src/orders.rs", "async fn load_snapshot(db: &PgPool)"), [Never, ForCopy]);
    assert_eq!(
        of_handler("src/orders.rs", "async fn load_snapshot(State(db): State<PgPool>)"),
        [Never, OnRequest]
    );
    assert_eq!(of_handler("src/cli/seed.rs", "async fn list(State(db): State<PgPool>)"), [Never, OnRequest]);
}

#[test]
fn a_crate_that_only_tests_are_built_with_is_for_tests() {
    check(
        &[
            ("src/main.rs", "use axum::Router;\nfn main() { list() }\nfn list() {}\n"),
            ("db-test/src/lib.rs", "pub fn empty() { list() }\n"),
            ("tests/all.rs", "fn t() { empty() }"),
        ],
        &[("empty", &[InTests, ForTests])],
    );
}
