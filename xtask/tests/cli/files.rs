//! Files that cannot be read or written, that change, and symbolic links in circles: each is named and
//! skipped.

use std::fs::File;
use std::process::Stdio;

use query_budget_tests::Scratch;

use crate::{command, run};

const MANIFEST: (&str, &str) =
    ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n");
const MIGRATION: (&str, &str) = ("migrations/1_t.sql", "CREATE TABLE t (id BIGSERIAL PRIMARY KEY, a INT);\n");
const SOURCE: (&str, &str) = (
    "src/lib.rs",
    "pub async fn all(db: &sqlx::PgPool) { sqlx::query(\"SELECT id FROM t WHERE a = $1\").fetch_all(db).await; }\n",
);

fn project() -> Scratch {
    Scratch::with([MANIFEST, MIGRATION, SOURCE])
}

/// Writing to `/dev/full` behaves like writing to a full disk.
#[test]
#[cfg(target_os = "linux")]
fn a_report_that_cannot_be_written_is_an_error() {
    let scratch = project();
    for arguments in [
        &["check"][..],
        &["check", "--format", "json"],
        &["check", "--format", "sarif"],
        &["budgets"],
        &["schema", "--output", "-"],
    ] {
        let full = File::options().write(true).open("/dev/full").expect("the device is there");
        let output =
            command(scratch.path(), arguments).stdout(full).stderr(Stdio::piped()).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {said}");
        assert!(said.contains("failed to write the report"), "{arguments:?}: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
    // If errors cannot be printed either, the exit code still reports them.
    let full = || File::options().write(true).open("/dev/full").expect("the device is there");
    let status = command(scratch.path(), &["check", "nowhere"])
        .stdout(full())
        .stderr(full())
        .status()
        .expect("it runs");
    assert_eq!(status.code(), Some(2), "{status}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_named_where_a_file_is_written() {
    let scratch = project();
    let arguments = ["schema", "--migrations", "migrations", "--force", "--output", "/dev/full"];
    run(scratch.path(), &arguments).exits_with(2).says(&["/dev/full"]);
    let arguments = ["check", "--baseline", "/dev/full", "--write-baseline"];
    run(scratch.path(), &arguments).exits_with(2).says(&["/dev/full"]);
}

/// A concurrent reader of `schema.sql` sees the old text or the new one, and never a part.
#[test]
fn a_snapshot_that_is_written_meanwhile_is_whole() {
    let scratch = project();
    let mut tables = String::new();
    for number in 0..400 {
        tables.push_str(&format!("CREATE TABLE t{number} (id BIGINT PRIMARY KEY, a INT);\n"));
    }
    scratch.write("migrations/2_more.sql", tables);
    run(scratch.path(), &["schema"]).exits_with(0);
    let path = scratch.path().join("schema.sql");
    let writers: Vec<_> = (0..2)
        .map(|_| command(scratch.path(), &["schema"]).stdout(Stdio::null()).spawn().expect("it runs"))
        .collect();
    for mut writer in writers {
        loop {
            let text = std::fs::read_to_string(&path).expect("it is always there");
            assert!(text.ends_with("-- end of schema\n"), "a part of it: {} bytes", text.len());
            if let Some(status) = writer.try_wait().expect("it can be waited for") {
                assert!(status.success());
                break;
            }
        }
    }
    // No temporary file remains.
    let names =
        std::fs::read_dir(scratch.path()).expect("the folder").flatten().map(|entry| entry.file_name());
    let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with(".query-budget")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
#[cfg(unix)]
fn a_link_stays_one_and_what_it_leads_to_is_replaced() {
    let scratch = project();
    scratch.write("elsewhere/schema.sql", "");
    std::fs::remove_file(scratch.path().join("elsewhere/schema.sql")).expect("it is there");
    run(scratch.path(), &["schema", "--output", "elsewhere/schema.sql"]).exits_with(0);
    std::os::unix::fs::symlink("elsewhere/schema.sql", scratch.path().join("schema.sql")).expect("a link");
    scratch.write("migrations/2_more.sql", "CREATE TABLE u (id BIGINT PRIMARY KEY);\n");
    run(scratch.path(), &["schema"]).exits_with(0);
    assert!(scratch.path().join("schema.sql").is_symlink());
    assert!(scratch.read("elsewhere/schema.sql").contains("CREATE TABLE u"));
}

#[test]
#[cfg(unix)]
fn links_in_a_circle_end() {
    let scratch = project();
    for (at, to) in [
        ("src/again", "../src"),
        ("src/itself.rs", "itself.rs"),
        ("migrations/again", "../migrations"),
        (".sqlx", ".sqlx"),
    ] {
        std::os::unix::fs::symlink(to, scratch.path().join(at)).expect("a link");
    }
    run(scratch.path(), &["check"]).says(&["checked 1 query"]);
    run(scratch.path(), &["schema"]).exits_with(0).says(&["read 1 migration", "1 table"]);
}

#[test]
#[cfg(unix)]
fn what_may_not_be_read_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = project();
    scratch.write("src/secret.rs", "pub fn f() { sqlx::query(\"SELECT 1\"); }");
    scratch.write("src/closed/mod.rs", "pub fn f() { sqlx::query(\"SELECT 1\"); }");
    let set = |path: &str, mode| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(scratch.path().join(path), permissions).expect("they are set");
    };
    set("src/secret.rs", 0o000);
    set("src/closed", 0o000);
    if std::fs::read(scratch.path().join("src/secret.rs")).is_ok() {
        eprintln!("this user may read everything: what may not be read is not tested");
    } else {
        run(scratch.path(), &["check"]).says(&["secret.rs", "permission denied"]);
    }
    set("src/closed", 0o700);
    set("src/secret.rs", 0o600);
}

/// Files disappear between being listed and being read.
#[test]
fn files_that_change_meanwhile_break_nothing() {
    let scratch = project();
    for number in 0..300 {
        scratch.write(&format!("src/m{number}.rs"), SOURCE.1.repeat(20));
    }
    let mut children: Vec<_> = (0..3)
        .map(|_| {
            command(scratch.path(), &["check"])
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn()
                .expect("it runs")
        })
        .collect();
    for number in 0..300 {
        match number % 3 {
            0 => std::fs::remove_file(scratch.path().join(format!("src/m{number}.rs"))).expect("it is there"),
            1 => scratch.write(&format!("src/m{number}.rs"), "fn f( {"),
            _ => scratch.write(&format!("src/m{number}.rs"), b"\xff\xfe"),
        }
    }
    for child in children.drain(..) {
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(matches!(output.status.code(), Some(0 | 1)), "{:?}\n{said}", output.status);
        assert!(!said.contains("panicked"), "{said}");
    }
}

/// A manifest may name any path on the machine; the files around that path are not part of the crate.
#[test]
fn a_target_elsewhere_is_a_file_alone() {
    let outside = Scratch::with([("lib.rs", SOURCE.1), ("other.rs", SOURCE.1), ("deep/more.rs", SOURCE.1)]);
    let scratch = project();
    let manifest = format!("{}[lib]\npath = \"{}/lib.rs\"\n", MANIFEST.1, outside.path().display());
    scratch.write("Cargo.toml", manifest);
    run(scratch.path(), &["check"]).says(&["read 1 file, checked 1 query"]);
}

#[test]
fn a_bad_entry_of_sqlx_costs_itself() {
    let scratch = project();
    scratch.write(".sqlx/query-1.json", "{\"query\": \"SELECT a FROM t WHERE a = 1\"}");
    scratch.write(".sqlx/query-2.json", "{\"query\": 1}");
    scratch.write(".sqlx/query-3.json", "\u{feff}{\"query\": \"SELECT a FROM t WHERE a = 2\"}");
    scratch.write(".sqlx/query-4.json", b"\xff");
    for arguments in [&["check"][..], &["check", "--queries", ".sqlx", "--migrations", "migrations"]] {
        let ran = run(scratch.path(), arguments).exits_with(0);
        // Queries of the same form give one finding.
        ran.says(&["query-2.json", "query-4.json", "SELECT a FROM t WHERE a = 1", "query-3.json"]);
    }
}
