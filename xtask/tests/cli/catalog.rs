//! What types are derived from is what a real server says.

use std::path::Path;

use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgPool, Row};

use crate::run;

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn files_are_what_the_server_says() {
    with_postgres(|pool: PgPool| async move {
        let version = pool.fetch_one("SHOW server_version_num").await.expect("a version").get::<String, _>(0);
        // Each version has functions of its own; the files are of this one.
        if !version.starts_with("15") {
            return;
        }
        let root =
            Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the command stands in the workspace");
        let files = std::fs::read_dir(root.join("analysis/src/types/postgres/catalog")).expect("the files");
        for file in files.flatten() {
            let name = file.path().file_stem().expect("a name").to_string_lossy().into_owned();
            // They have releases of their own, and the file is of one of them.
            if ["postgis", "vector"].contains(&name.as_str()) {
                continue;
            }
            let create = format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE");
            // The server may lack an extension; its file is left alone then.
            let _ = pool.execute(AssertSqlSafe(create)).await;
        }
        let url = pool.connect_options().to_url_lossy();
        run(root, &["catalog", "--check", "--database-url", url.as_str()]).exits_with(0);
    })
    .await;
}
