//! The types of a query's columns and parameters; a script before it, separated by `;;`, changes the schema.

use query_budget_analysis::cardinality;
use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Known, RustTypes, describe};

use super::{DIALECTS, SCHEMAS, replayed};
use crate::features::Features;

pub(super) fn run(text: &str) -> Features {
    let mut features = Features::default();
    let (script, sql) = text.split_once(";;").unwrap_or(("", text));
    let rust = RustTypes::default();
    for (dialect, schema) in DIALECTS.into_iter().zip(SCHEMAS.iter()) {
        let replay = (!script.is_empty()).then(|| replayed(dialect, script));
        let schema = replay.as_ref().map_or(schema, |replay| &replay.schema);
        let Ok(query) = resolve(sql, dialect, Some(schema)) else { continue };
        features.said("rows", &cardinality::of(&query, Some(schema)).reason);
        let described = describe(&query, schema, dialect);
        for column in &described.columns {
            let ty = match &column.ty {
                Known::Is(ty) => &ty.name,
                Known::Unknown(why) => why,
            };
            features.said((dialect.as_str(), column.nullable), ty);
            features.said("why", &column.why);
            let _ = rust.of_column(dialect, column);
            // What is proven is stricter than what sqlx reports, never looser.
            assert!(
                !(column.proven_not_null && column.nullable == Some(true) && column.why.is_empty()),
                "a column is both, without a reason"
            );
        }
        for parameter in &described.parameters {
            if let Known::Is(ty) = &parameter.ty {
                features.said("parameter", &ty.name);
                let _ = rust.of_parameter(dialect, ty);
            }
        }
        for error in &described.errors {
            features.said("error", &error.message);
            let inside = error.span.is_none_or(|span| sql.get(span.range()).is_some());
            assert!(inside, "a place outside of the query");
        }
        features.said("unknown", described.unknown.as_deref().unwrap_or_default());
        if dialect == Dialect::Postgres && described.unknown.is_none() && described.errors.is_empty() {
            assert!(described.parameters.len() <= query.parameters, "more parameters than the query has");
        }
    }
    features
}
