//! Five systems that had the same kind of trouble: their tables without indexes and their queries, in
//! `fixtures/seeds`. The advice serves every pattern with fewer indexes than were created by hand; the audit
//! names those created by hand that another one makes redundant.

use std::path::PathBuf;

use query_budget_analysis::Place;
use query_budget_analysis::check::Checker;
use query_budget_analysis::config::Config;
use query_budget_analysis::index::Verdict;
use query_budget_analysis::project::{read, read_migrations};
use query_budget_analysis::schema::{Schema, replay};
use query_budget_analysis::sql::Dialect;
use query_budget_tests::rows::distinct;
use query_budget_tests::with_postgres;
use sqlx::{AssertSqlSafe, Connection, Executor, SqliteConnection};

use crate::proof::{Proof, Workload};

/// A system.
#[derive(Clone, Copy)]
struct System {
    /// Its folder.
    name: &'static str,
    dialect: Dialect,
    /// The number of advised indexes.
    advised: usize,
    /// The number of indexes created by hand.
    by_hand: usize,
    /// Those of them that another one makes redundant.
    redundant: &'static [&'static str],
}

const SYSTEMS: [System; 5] = [
    System {
        name: "job_runner",
        dialect: Dialect::Postgres,
        advised: 8,
        by_hand: 15,
        redundant: &["idx_inbox_key", "idx_step_run_id"],
    },
    System {
        name: "agent_chat",
        dialect: Dialect::Sqlite,
        advised: 8,
        by_hand: 16,
        redundant: &[
            "idx_agents_type",
            "idx_messages_channel_id",
            "idx_workflow_tasks_workflow_id",
            "idx_workflows_status",
        ],
    },
    System { name: "language_lessons", dialect: Dialect::Postgres, advised: 6, by_hand: 7, redundant: &[] },
    System {
        name: "social_feed",
        dialect: Dialect::Postgres,
        advised: 12,
        by_hand: 20,
        redundant: &["idx_avees_owner_user_id", "idx_profiles_user_id", "idx_update_read_user_update"],
    },
    System {
        name: "event_scheduler",
        dialect: Dialect::Postgres,
        advised: 12,
        by_hand: 17,
        redundant: &["idx_event_servers_event_id", "idx_events_user_id", "idx_workflow_events_workflow_id"],
    },
];

impl System {
    fn path(&self, file: &str) -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/seeds").join(self.name).join(file)
    }

    /// The statements that create its tables.
    fn tables(&self) -> String {
        read(&self.path("migrations/1_tables.sql")).expect("the tables")
    }

    /// Its schema, from one or both of the folders of migrations.
    fn schema(&self, folders: &[&str]) -> Schema {
        let migrations = folders.iter().flat_map(|folder| {
            let dir = self.path(folder);
            read_migrations(&dir, &dir, None).expect("the migrations").migrations
        });
        let replayed = replay(&migrations.collect::<Vec<_>>(), self.dialect);
        assert_eq!(replayed.problems, [], "{}", self.name);
        replayed.schema
    }

    fn queries(&self) -> Vec<String> {
        let text = read(&self.path("queries.sql")).expect("the queries");
        let code = text.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        code.split(';').map(str::trim).filter(|sql| !sql.is_empty()).map(str::to_owned).collect()
    }

    fn workload(&self) -> Workload {
        let queries = self.queries();
        let workload = Workload::new(self.schema(&["migrations"]), queries.clone());
        assert_eq!(workload.sql, queries, "{}: every query parses", self.name);
        workload
    }

    /// Fails if a pattern is not served, or one of the indexes is useless.
    fn check(&self, proof: &Proof) {
        let name = self.name;
        assert_eq!(proof.left_unserved, Vec::<String>::new(), "{name}: patterns that are not served");
        assert_eq!(proof.claimed, proof.unserved, "{name}: {proof:#?}");
        assert_eq!(proof.served, proof.claimed, "{name}: {:#?}", proof.missed);
        assert_eq!((&proof.unused, &proof.redundant), (&Vec::new(), &Vec::new()), "{name}");
        assert_eq!(proof.advised, self.advised, "{name}");
    }
}

#[test]
fn fewer_indexes_are_advised_than_were_made_by_hand() {
    for system in SYSTEMS {
        let by_hand = system.schema(&["migrations", "report"]);
        let count = |schema: &Schema| schema.tables.values().map(|table| table.indexes.len()).sum::<usize>();
        assert_eq!(
            count(&by_hand) - count(&system.schema(&["migrations"])),
            system.by_hand,
            "{}",
            system.name
        );
        assert!(system.workload().advice.len() < system.by_hand, "{}", system.name);
    }
}

#[test]
fn the_audit_names_what_was_made_for_nothing() {
    for system in SYSTEMS {
        let schema = system.schema(&["migrations", "report"]);
        let config = Config::default();
        let checker = Checker::new(&config, Some(&schema), system.dialect);
        let findings = checker.schema(&[], &|made| Place { file: made.name.into(), ..Place::default() });
        let mut named: Vec<&str> = findings
            .iter()
            .filter(|finding| finding.lint == "redundant_index")
            .map(|finding| &*finding.place.file)
            .collect();
        named.sort_unstable();
        assert_eq!(named, system.redundant, "{}", system.name);
    }
}

/// The indexes created by hand serve the same patterns, so the advice is compared on equal terms.
#[test]
fn what_was_made_by_hand_serves_the_patterns_as_well() {
    for system in SYSTEMS {
        let workload = Workload::new(system.schema(&["migrations", "report"]), system.queries());
        let unserved = workload.count(Verdict::Unserved);
        println!("{}: {unserved} accesses are unserved with the indexes made by hand", system.name);
        assert!(unserved <= system.workload().count(Verdict::Unserved) / 4, "{}", system.name);
    }
}

#[tokio::test]
#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]
async fn every_pattern_is_served_on_postgres() {
    for system in SYSTEMS.into_iter().filter(|system| system.dialect == Dialect::Postgres) {
        with_postgres(move |pool| async move {
            let mut connection = pool.acquire().await.expect("a connection").detach();
            connection.execute(sqlx::raw_sql(AssertSqlSafe(system.tables()))).await.expect("make the tables");
            let empty = distinct::postgres(&mut connection).await.expect("fill the tables");
            assert_eq!(empty, Vec::<String>::new(), "{}", system.name);
            let proof = system.workload().prove_on_postgres(&mut connection).await;
            println!("{}\n{}", Proof::heading(), proof.line(system.name));
            system.check(&proof);
            connection.close().await.expect("close the connection");
        })
        .await;
    }
}

#[tokio::test]
async fn every_pattern_is_served_on_sqlite() {
    for system in SYSTEMS.into_iter().filter(|system| system.dialect == Dialect::Sqlite) {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.expect("open a database");
        connection.execute(sqlx::raw_sql(AssertSqlSafe(system.tables()))).await.expect("make the tables");
        distinct::sqlite(&mut connection).await.expect("fill the tables");
        let proof = system.workload().prove_on_sqlite(&mut connection).await;
        println!("{}\n{}", Proof::heading(), proof.line(system.name));
        system.check(&proof);
    }
}
