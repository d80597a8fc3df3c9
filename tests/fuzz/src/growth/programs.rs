//! Programs with long chains of calls, or much in one place.

use super::{File, calls, each, project};

/// A program whose last function serves, at the end of a chain of calls.
pub(super) fn services(n: usize) -> Vec<File> {
    program("#[tokio::main]\nasync fn main() { f0(db).await; }\n", "axum::serve(db).await;", n)
}

/// A service with a chain of calls that only administrators start.
pub(super) fn admins(n: usize) -> Vec<File> {
    let main = "#[tokio::main]\nasync fn main() { reset_as_admin(db).await; axum::serve(x).await; }\n\
        async fn reset_as_admin(db: &sqlx::PgPool) { f0(db).await; }\n";
    program(main, "", n)
}

fn program(main: &str, last: &str, n: usize) -> Vec<File> {
    let mut files = calls(n);
    if let Some((path, source)) = files.last_mut() {
        *path = "src/main.rs".to_owned();
        let end = source.rfind('}').unwrap_or(source.len());
        source.insert_str(end, last);
        source.insert_str(0, main);
    }
    files
}

/// Many queries in one iteration.
pub(super) fn one_loop(n: usize) -> Vec<File> {
    let query = |i: usize| {
        format!(
            "        sqlx::query(\"SELECT b FROM t WHERE a = {i} AND id = $1\").bind(x).fetch_all(db).await;\n"
        )
    };
    let source = format!(
        "pub async fn all(db: &sqlx::PgPool, xs: Vec<i64>) {{\n    for x in &xs {{\n{}    }}\n}}\n",
        each(n, "", query)
    );
    project("CREATE TABLE t (id bigint PRIMARY KEY, a int, b text);", &source)
}
