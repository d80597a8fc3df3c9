//! `report` writes one file that needs nothing else, whatever the workspace contains.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use query_budget_tests::Scratch;
use scraper::{ElementRef, Html, Node, Selector};
use sha2::{Digest, Sha256};

use crate::{commit, run};

const MIGRATION: &str = "CREATE TABLE users (id BIGSERIAL PRIMARY KEY, name TEXT NOT NULL);\n\
    CREATE TABLE logs (id BIGSERIAL PRIMARY KEY, event_id BIGINT NOT NULL, output TEXT);\n\
    CREATE TABLE spare (id BIGSERIAL PRIMARY KEY);\n";

const SOURCE: &str = r#"
pub async fn page(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        logs_of(db, *id).await?;
    }
    user(db, 1).await
}

async fn logs_of(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("SELECT output FROM logs WHERE event_id = $1", id).fetch_all(db).await?;
    Ok(())
}

async fn user(db: &PgPool, id: i64) -> sqlx::Result<()> {
    sqlx::query!("SELECT name FROM users WHERE id = $1", id).fetch_one(db).await?;
    sqlx::query!("INSERT INTO logs (event_id) VALUES ($1)", id).execute(db).await?;
    Ok(())
}
"#;

fn workspace() -> Scratch {
    Scratch::with([
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("migrations/1_t.sql", MIGRATION),
        ("src/lib.rs", SOURCE),
    ])
}

fn page(scratch: &Scratch, more: &[&str]) -> Html {
    let arguments: Vec<&str> = ["report", "--output", "-"].iter().chain(more).copied().collect();
    let text = run(scratch.path(), &arguments).exits_with(0).stdout;
    let page = Html::parse_document(&text);
    // The parser repairs invalid HTML, and lists the errors.
    assert!(page.errors.is_empty(), "{:?}", page.errors);
    page
}

fn all<'p>(page: &'p Html, selector: &str) -> Vec<ElementRef<'p>> {
    page.select(&Selector::parse(selector).expect("a selector")).collect()
}

/// The text of an element, with spaces between blocks and cells.
fn text(element: ElementRef<'_>) -> String {
    let mut said = String::new();
    for node in element.descendants() {
        match node.value() {
            Node::Text(text) => said.push_str(text),
            Node::Element(inner) if ["td", "p", "li", "ul", "pre", "div"].contains(&inner.name()) => {
                said.push(' ')
            }
            _ => {}
        }
    }
    said.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The text of an element, including its white space.
fn raw(element: ElementRef<'_>) -> String {
    element.text().collect()
}

/// The text of the first row that contains all `words`.
#[track_caller]
fn row(page: &Html, selector: &str, words: &[&str]) -> String {
    let rows: Vec<String> = all(page, selector).into_iter().map(text).collect();
    let found = rows.iter().find(|row| words.iter().all(|word| row.contains(word)));
    found.unwrap_or_else(|| panic!("no row has {words:?}: {rows:#?}")).clone()
}

/// Checks that the page loads nothing, and allows only its own style and script.
fn assert_alone(page: &Html) {
    for attribute in ["src", "srcset", "data", "action", "style", "onclick", "onload", "onerror"] {
        assert_eq!(all(page, &format!("[{attribute}]")).len(), 0, "{attribute}");
    }
    assert_eq!(all(page, "link, iframe, img, object, embed, form, base").len(), 0);
    for link in all(page, "a[href]") {
        let href = link.attr("href").unwrap_or_default();
        let id = href.strip_prefix('#').unwrap_or_else(|| panic!("a link leads outside: {href}"));
        let target = format!("[id=\"{id}\"]");
        assert_eq!(all(page, &target).len(), 1, "{href}");
    }
    let scripts = all(page, "script");
    assert_eq!(scripts.len(), 2, "the figures and the script");
    let figures: serde_json::Value = serde_json::from_str(&raw(scripts[0])).expect("JSON");
    assert!(figures["query_budget"].is_string());
    let policy = all(page, "meta[http-equiv]")[0].attr("content").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    for (element, text) in [("style", raw(all(page, "style")[0])), ("script", raw(scripts[1]))] {
        let digest = STANDARD.encode(Sha256::digest(text.as_bytes()));
        assert!(policy.contains(&format!("{element}-src 'sha256-{digest}'")), "{element}: {policy}");
    }
}

#[test]
fn a_page_shows_queries_functions_tables_and_advice() {
    let page = page(&workspace(), &[]);
    assert_alone(&page);
    let scan = row(&page, "#queries tr", &["event_id = $1", "logs_of"]);
    assert!(scan.starts_with("scan "), "{scan}");
    let one = row(&page, "#queries tr", &["FROM users"]);
    assert!(one.starts_with("one row ") && one.contains("served users by users_pkey"), "{one}");
    let none = row(&page, "#queries tr", &["INSERT INTO"]);
    assert!(none.starts_with("no table "), "{none}");

    // One entry point, with its callees below it and their queries.
    let roots = all(&page, "ul.tree > li");
    assert_eq!(roots.len(), 1, "{:?}", roots.into_iter().map(text).collect::<Vec<_>>());
    let tree = text(roots[0]);
    assert!(tree.starts_with("page 1..∞ src/lib.rs:2:14 no bound: "), "{tree}");
    assert!(tree.contains("logs_of 1..1 for each of ids"), "{tree}");
    assert!(tree.contains("user 1..2 src/lib.rs:14:10"), "{tree}");

    let logs = row(&page, "#tables tr", &["logs_pkey"]);
    assert!(logs.contains("unserved logs_of") && logs.contains("insert user"), "{logs}");
    let spare = text(all(&page, "#tables")[0]);
    assert!(spare.contains("Of no query that could be read: spare."), "{spare}");
    let advice = row(&page, "#indexes tr", &["CREATE INDEX ON logs (event_id);"]);
    assert!(advice.contains("logs_of"), "{advice}");
    row(&page, "#findings tr", &["unindexed_filter", "filter on logs.event_id has no index"]);
    let coverage = text(all(&page, "#coverage")[0]);
    assert!(coverage.contains("checked 3 queries: 0 not parsed, 0 built at run time"), "{coverage}");
}

#[test]
fn names_from_outside_are_text() {
    let hostile = "</script><img src=x onerror=alert(1)>";
    let table = format!("CREATE TABLE \"{hostile}\" (id BIGINT, \"a'b&amp;c\" TEXT);\n");
    let source = format!(
        "async fn f(db: &PgPool) {{\n    sqlx::query(r#\"SELECT \"a'b&amp;c\" FROM \"{hostile}\" WHERE id = 1 -- --> ]]> <!--\"#).fetch_all(db).await;\n}}\n"
    );
    let scratch = Scratch::with([
        ("Cargo.toml", "[package]\nname = \"app\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        ("migrations/1_t.sql", table.as_str()),
        ("src/<b>'&quot;.rs", source.as_str()),
        ("src/broken.rs", "fn f( { <script> \"\n"),
    ]);
    let page = page(&scratch, &[]);
    assert_alone(&page);
    row(&page, "#queries tr", &[hostile, "a'b&amp;c", "src/<b>'&quot;.rs:2"]);
    row(&page, "#tables tr", &[hostile]);
    row(&page, "#findings tr", &[hostile]);

    let folder = Scratch::new();
    folder.write("<i>x/src/lib.rs", SOURCE);
    let named = run(&folder.path().join("<i>x"), &["report", "--output", "-"]).exits_with(0).stdout;
    assert_alone(&Html::parse_document(&named));
    assert!(named.contains("<title>&lt;i&gt;x · query-budget</title>"), "{}", &named[..900]);
}

#[test]
fn a_file_of_someone_else_stays() {
    let scratch = workspace();
    run(scratch.path(), &["report"]).exits_with(0).says(&["wrote `query-budget-report.html` ("]);
    run(scratch.path(), &["report"]).exits_with(0);
    scratch.write("notes.html", "<p>mine</p>");
    run(scratch.path(), &["report", "-o", "notes.html"]).exits_with(2).says(&[
        "failed to write `notes.html`: it was not written by this command",
        "or replace it with `--force`",
    ]);
    run(scratch.path(), &["report", "-o", "notes.html", "--force"]).exits_with(0);
    run(scratch.path(), &["report", "-o", "notes.html"]).exits_with(0);
    run(scratch.path(), &["report", "-o", "src"]).exits_with(2).says(&["it is not a file"]);
    run(scratch.path(), &["report", "-o", "no/such.html"]).exits_with(2).says(&["its folder does not exist"]);
    run(scratch.path(), &["report", "--format", "markdown"])
        .exits_with(2)
        .says(&["name a revision: `--diff <rev>`"]);
}

#[test]
fn a_broken_configuration_is_told_and_no_page_is_written() {
    let scratch = workspace();
    scratch.write("query-budget.toml", "[lints\n");
    run(scratch.path(), &["report"]).exits_with(2).says(&["query-budget.toml"]);
    assert!(!scratch.path().join("query-budget-report.html").exists());
}

/// A workspace that has gained an index since its first commit, and another query.
fn changed() -> Scratch {
    let scratch = workspace();
    commit(scratch.path());
    scratch.write("migrations/2_i.sql", "CREATE INDEX logs_event ON logs (event_id);\n");
    let more = "\nasync fn quiet(db: &PgPool) {\n    sqlx::query!(\"SELECT count(*) FROM logs WHERE output = '@all | <b>'\").fetch_one(db).await;\n}\n";
    let source =
        SOURCE.replace("    user(db, 1).await\n", "    user(db, 1).await?;\n    user(db, 2).await\n");
    scratch.write("src/lib.rs", format!("// A line more.\n{source}{more}"));
    scratch
}

#[test]
fn a_diff_shows_what_a_change_does() {
    let scratch = workspace();
    commit(scratch.path());
    scratch.write("src/lib.rs", format!("// Lines alone have moved.\n\n{SOURCE}"));
    let same = page(&scratch, &["--diff", "HEAD"]);
    assert!(
        text(all(&same, "main")[0])
            .contains("Nothing has changed for queries, bounds and indexes since HEAD")
    );

    let page = page(&changed(), &["--diff", "HEAD"]);
    assert_alone(&page);
    assert_eq!(
        row(&page, "#queries tr", &["event_id = $1"]).split(" SELECT").next(),
        Some("better scan growing")
    );
    assert!(row(&page, "#queries tr", &["count(*)"]).starts_with("added scan "));
    assert!(row(&page, "#functions tr", &["quiet"]).starts_with("added quiet"));
    assert!(row(&page, "#indexes tr", &["logs_event"]).starts_with("added logs logs_event (event_id) 1"));
    row(&page, "#new tr", &["unindexed_filter", "logs.output"]);
    row(&page, "#gone tr", &["unindexed_filter", "logs.event_id"]);
    run(changed().path(), &["report", "--diff", "no-such"]).exits_with(2).says(&["read revision `no-such`"]);
}

#[test]
fn entries_belong_to_their_revision() {
    let scratch = workspace();
    let entry = "{\"db_name\": \"PostgreSQL\", \"query\": \"SELECT output FROM logs WHERE output = $1\", \"describe\": {}}";
    scratch.write(".sqlx/query-1.json", entry);
    commit(scratch.path());
    let ran = run(scratch.path(), &["report", "--diff", "HEAD", "--format", "markdown"]).exits_with(0);
    assert!(ran.stdout.contains("Nothing has changed"), "{}", ran.stdout);
}

#[test]
fn an_entry_whose_query_has_changed_is_not_new() {
    let scratch = workspace();
    let entry = "{\"db_name\": \"PostgreSQL\", \"query\": \"SELECT output FROM logs WHERE event_id = $1\", \"describe\": {}}";
    scratch.write(".sqlx/query-1.json", entry);
    commit(scratch.path());
    scratch.write("src/lib.rs", SOURCE.replace("SELECT output FROM logs", "SELECT id FROM logs"));
    let ran = run(scratch.path(), &["report", "--diff", "HEAD", "--format", "markdown"]).exits_with(0);
    ran.says(&["**1** query added · **1** query removed", "| added |  | scan | `SELECT id FROM logs"]);
}

#[test]
fn functions_of_one_path_are_told_apart() {
    let scratch = workspace();
    let of = |name: &str, queries: usize| {
        let query = "sqlx::query!(\"SELECT name FROM users WHERE id = 1\").fetch_one(db).await;";
        format!("impl Page<{name}> {{ async fn load(db: &PgPool) {{ {} }} }}\n", query.repeat(queries))
    };
    scratch.write("src/lib.rs", format!("struct Page<T>(T);\n{}{}", of("A", 1), of("B", 2)));
    commit(scratch.path());
    let page = page(&scratch, &["--diff", "HEAD"]);
    assert!(text(all(&page, "main")[0]).contains("Nothing has changed"), "{}", text(all(&page, "main")[0]));
    run(scratch.path(), &["budgets", "--diff", "HEAD"])
        .exits_with(0)
        .says(&["0 functions changed since `HEAD`"]);
}

#[test]
fn a_diff_as_markdown_is_a_comment() {
    let ran = run(changed().path(), &["report", "--diff", "HEAD", "--format", "markdown"]).exits_with(0);
    ran.says(&[
        "<!-- query-budget report -->\n### query-budget: changes since `HEAD`\n",
        "**1** query added · **1** query better · ",
        "| warn | `unindexed_filter` | filter on `logs.output` has no index<br>help: ",
        "| added |  | scan | `SELECT count(*) FROM logs WHERE output = '@all \\| <b>'` | `src/lib.rs:",
        "| added | `logs` | `logs_event (event_id)` | 1 access |",
    ]);
}

#[test]
fn json_has_the_same() {
    let scratch = workspace();
    let ran = run(scratch.path(), &["report", "--format", "json"]).exits_with(0);
    let page: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(page["queries"][0]["cost"], "scan");
    assert_eq!(page["functions"][0]["calls"][0]["over"], "ids");
    assert_eq!(page["entry_points"], serde_json::json!([0]));
    run(scratch.path(), &["report", "--format", "json", "-o", "a.json"]).exits_with(0);
    run(scratch.path(), &["report", "--format", "json", "-o", "a.json"]).exits_with(0);
}

#[test]
fn what_subqueries_read_is_in_the_class() {
    let cost = |sql: &str| {
        let scratch = workspace();
        scratch.write("migrations/2_i.sql", "CREATE INDEX logs_event ON logs (event_id);\n");
        let source = format!("async fn f(db: &PgPool) {{ sqlx::query!(\"{sql}\").execute(db).await; }}\n");
        scratch.write("src/lib.rs", source);
        let ran = run(scratch.path(), &["report", "--format", "json"]).exits_with(0);
        let page: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        page["queries"][0]["cost"].as_str().unwrap_or_default().to_owned()
    };
    let of_key = "INSERT INTO users (name) SELECT output FROM logs WHERE id = 1";
    assert_eq!(cost(of_key), "one_row");
    let exists = "SELECT EXISTS (SELECT 1 FROM logs WHERE event_id = 1)";
    assert_eq!(cost(exists), "one_row");
    let first = "SELECT name, (SELECT output FROM logs WHERE event_id = 1 LIMIT 1) FROM users WHERE id = 1";
    assert_eq!(cost(first), "bounded");
    for sql in [
        "INSERT INTO users (name) SELECT output FROM logs WHERE event_id = 1",
        "INSERT INTO users (name) SELECT output FROM logs WHERE event_id = 1 UNION ALL SELECT 'a'",
        "INSERT INTO users (name) VALUES ((SELECT max(output) FROM logs WHERE event_id = 1))",
        "WITH d AS (DELETE FROM logs WHERE event_id = 1) INSERT INTO users (name) VALUES ('a')",
        "WITH l AS (SELECT output FROM logs WHERE event_id = 1) INSERT INTO users (name) SELECT output FROM l",
        "SELECT (SELECT count(*) FROM logs WHERE event_id = 1)",
        "UPDATE users SET name = 'a' WHERE id IN (SELECT id FROM logs WHERE event_id = 1)",
    ] {
        assert_eq!(cost(sql), "growing", "{sql}");
    }
}
