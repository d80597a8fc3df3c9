//! The snapshot of every folder, loaded into an empty real database, compared with the same database after
//! the migrations.

use query_budget_analysis::schema::{replay, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::{catalog, with_postgres};
use sqlx::{AssertSqlSafe, Connection, PgPool, SqliteConnection, SqlitePool};
use tokio::sync::{Mutex, MutexGuard};

use super::folder::{Folder, show};

/// The snapshot's text, which parses to an equal schema.
fn written(folder: &Folder) -> String {
    let migrations = folder.migrations();
    let replayed = replay(&migrations, folder.dialect).schema;
    let text = snapshot::write(&replayed, Some(&snapshot::digest(&migrations)));
    let read = snapshot::read(&text, "schema.sql", None);
    assert_eq!(read.problems, [], "{}", folder.name);
    let again = snapshot::write(&read.schema, Some(&snapshot::digest(&migrations)));
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(catalog::difference(&lines(&text), &lines(&again)), Vec::<String>::new(), "{}", folder.name);
    assert!(
        again == text,
        "{}: the order of lines changes when the snapshot is read and written again",
        folder.name
    );
    text
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
fn snapshots_read_back_equal() {
    for folder in Folder::all() {
        written(&folder);
    }
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
async fn snapshots_load_into_sqlite() {
    for folder in Folder::all().into_iter().filter(|folder| folder.dialect == Dialect::Sqlite) {
        let (migrated, loaded) = (memory().await, memory().await);
        migrate_sqlite(&folder, &mut migrated.acquire().await.expect("a connection")).await;
        sqlx::raw_sql(AssertSqlSafe(written(&folder))).execute(&loaded).await.expect("load the snapshot");
        let difference =
            catalog::difference(&catalog::sqlite(&migrated).await, &catalog::sqlite(&loaded).await);
        show(&format!("{}: the loaded snapshot differs in {} lines", folder.name, difference.len()));
        assert_eq!(difference, Vec::<String>::new(), "{}", folder.name);
    }
}

/// Applies the migrations of a folder to a database of SQLite, each in a transaction.
pub(super) async fn migrate_sqlite(folder: &Folder, connection: &mut SqliteConnection) {
    for migration in folder.migrations() {
        let mut transaction = connection.begin().await.expect("begin");
        let applied = sqlx::raw_sql(AssertSqlSafe(migration.sql)).execute(&mut *transaction).await;
        applied.unwrap_or_else(|error| panic!("{}: {error}", migration.file));
        transaction.commit().await.expect("commit");
    }
}

async fn memory() -> SqlitePool {
    let options = sqlx::sqlite::SqlitePoolOptions::new().max_connections(1).idle_timeout(None);
    options.connect("sqlite::memory:").await.expect("open a database in memory")
}

#[tokio::test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
#[cfg_attr(all(has_corpus, not(has_postgres)), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn snapshots_load_into_postgres() {
    let test = |folder: Folder| {
        with_postgres(move |migrated| async move {
            with_postgres(move |loaded| async move { compare(&folder, &migrated, &loaded).await }).await;
        })
    };
    Folder::each_on_postgres(test).await;
}

async fn compare(folder: &Folder, migrated: &PgPool, loaded: &PgPool) {
    let roles = Roles::before(folder, migrated).await;
    migrate(folder, migrated).await;
    let snapshot = AssertSqlSafe(written(folder));
    if let Err(error) = sqlx::raw_sql(snapshot).execute(loaded).await {
        panic!("{}: the snapshot does not load: {error}", folder.name);
    }
    let difference =
        catalog::difference(&catalog::postgres(migrated).await, &catalog::postgres(loaded).await);
    show(&format!("{}: the loaded snapshot differs in {} lines", folder.name, difference.len()));
    roles.drop_new(migrated).await;
    assert_eq!(difference, Vec::<String>::new(), "{}", folder.name);
}

/// Applies the migrations as sqlx does, on one connection, after creating its own table.
pub(crate) async fn migrate(folder: &Folder, pool: &PgPool) {
    let mut connection = pool.acquire().await.expect("a connection");
    let ledger = "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL,
        installed_on TIMESTAMPTZ NOT NULL DEFAULT now(), success BOOLEAN NOT NULL, checksum BYTEA NOT NULL,
        execution_time BIGINT NOT NULL)";
    sqlx::raw_sql(ledger).execute(&mut *connection).await.expect("make sqlx's own table");
    let database: String =
        sqlx::query_scalar("SELECT current_database()::text").fetch_one(pool).await.expect("a name");
    for migration in folder.migrations() {
        let file = migration.file;
        // Grants on the database name it, and here it has another name.
        let sql = migration.sql.replace("ON DATABASE remote", &format!("ON DATABASE {database}"));
        let applied = sqlx::raw_sql(AssertSqlSafe(sql)).execute(&mut *connection).await;
        applied.unwrap_or_else(|error| panic!("{}: {file}: {error}", folder.name));
    }
}

/// Roles belong to the server: those that migrations create are dropped at the end, and only one folder at a time creates any.
pub(crate) struct Roles(Option<(MutexGuard<'static, ()>, Vec<String>)>);

impl Roles {
    /// To be called before the migrations run.
    pub(crate) async fn before(folder: &Folder, pool: &PgPool) -> Roles {
        static ALONE: Mutex<()> = Mutex::const_new(());
        let creates = |sql: &str| {
            let sql = sql.to_ascii_uppercase();
            ["CREATE ROLE", "CREATE USER", "CREATE GROUP"].iter().any(|words| sql.contains(words))
        };
        if !folder.migrations().iter().any(|migration| creates(&migration.sql)) {
            return Roles(None);
        }
        let alone = ALONE.lock().await;
        Roles(Some((alone, Roles::of_server(pool).await)))
    }

    pub(crate) async fn drop_new(self, pool: &PgPool) {
        let Some((_alone, known)) = self.0 else { return };
        for role in Roles::of_server(pool).await.iter().filter(|role| !known.contains(role)) {
            let drop = AssertSqlSafe(format!("DROP OWNED BY \"{role}\"; DROP ROLE \"{role}\""));
            sqlx::raw_sql(drop).execute(pool).await.expect("drop a role that a migration made");
        }
    }

    async fn of_server(pool: &PgPool) -> Vec<String> {
        sqlx::query_scalar("SELECT rolname::text FROM pg_roles")
            .fetch_all(pool)
            .await
            .expect("read the roles")
    }
}
