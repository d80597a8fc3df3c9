//! The body of a PL/pgSQL block, run directly and as the body of a function that migrations call.

use query_budget_analysis::schema::snapshot;
use query_budget_analysis::sql::Dialect;

use super::replayed;
use crate::features::Features;

pub(super) fn run(body: &str) -> Features {
    let mut features = Features::default();
    let block = format!("DO $fuzz$ {body} $fuzz$;");
    let function = format!(
        "CREATE FUNCTION f(p text, n int) RETURNS void AS $fuzz$ {body} $fuzz$ LANGUAGE plpgsql; SELECT f('t', 3); SELECT f('u', 2);"
    );
    for script in [block, function] {
        let replay = replayed(Dialect::Postgres, &script);
        for problem in &replay.problems {
            features.said("problem", &problem.message);
        }
        for gap in snapshot::write(&replay.schema, None).lines().filter(|line| line.starts_with("--")) {
            features.said("line", gap);
        }
        features.counted("tables", replay.schema.tables.len());
    }
    features
}
