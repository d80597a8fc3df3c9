//! The catalog that types are derived from, and that of operator classes, agree with a real server.

use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, ConnectOptions, Executor, PgPool, Row};

use crate::{root, run};

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn files_are_what_the_server_says() {
    with_postgres(|pool: PgPool| async move {
        let version = pool.fetch_one("SHOW server_version_num").await.expect("a version").get::<String, _>(0);
        // Functions differ between versions; the files are from this one.
        if !version.starts_with("15") {
            return;
        }
        let folders = ["analysis/src/types/postgres/catalog", "analysis/src/index/classes"];
        let files = folders.map(|folder| std::fs::read_dir(root().join(folder)).expect("the files"));
        for file in files.into_iter().flatten().flatten() {
            let name = file.path().file_stem().expect("a name").to_string_lossy().into_owned();
            // These have releases of their own, and the file is from one of them.
            if ["postgis", "vector"].contains(&name.as_str()) {
                continue;
            }
            let create = format!("CREATE EXTENSION IF NOT EXISTS \"{name}\" CASCADE");
            // The server may lack an extension; its file is then skipped.
            let _ = pool.execute(AssertSqlSafe(create)).await;
        }
        let url = pool.connect_options().to_url_lossy();
        run(root(), &["catalog", "--check", "--database-url", url.as_str()]).exits_with(0);
    })
    .await;
}
