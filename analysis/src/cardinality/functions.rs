//! How many rows a function in FROM returns.

use super::Rows;
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal};
use crate::sql::functions::{is_declared_set_returning, is_set_returning};

/// Functions that expand their argument, one row per element.
const UNFOLDING: [&str; 32] = [
    "unnest",
    "generate_subscripts",
    "regexp_matches",
    "regexp_split_to_table",
    "string_to_table",
    "json_array_elements",
    "jsonb_array_elements",
    "json_array_elements_text",
    "jsonb_array_elements_text",
    "json_each",
    "jsonb_each",
    "json_each_text",
    "jsonb_each_text",
    "json_tree",
    "jsonb_tree",
    "json_object_keys",
    "jsonb_object_keys",
    "jsonb_path_query",
    "jsonb_path_query_tz",
    "json_populate_recordset",
    "jsonb_populate_recordset",
    "json_to_recordset",
    "jsonb_to_recordset",
    "json_table",
    "xmltable",
    "each",
    "skeys",
    "svals",
    "aclexplode",
    "ts_debug",
    "ts_parse",
    "ts_token_type",
];

/// How many rows a function returns per call; `None` if nothing bounds them.
pub(super) fn rows(name: &str, args: &[Expr], schema: Option<&Schema>) -> Option<Rows> {
    let dialect = schema.map(|schema| schema.dialect);
    if let Some(schema) = schema
        && let Some((_, made)) = schema.functions_named(name).next()
    {
        let returns_set = made.iter().any(|statement| is_declared_set_returning(statement));
        return (!returns_set).then_some(Rows::One);
    }
    match name {
        // Constant arguments bound the number of rows; parameters do not.
        "generate_series" => args.iter().all(is_written).then_some(Rows::Bounded),
        "rows_from" => {
            let of_call = |arg: &Expr| match arg {
                Expr::Call(call) => rows(&call.name, &call.args, schema),
                _ => None,
            };
            let rows: Option<Vec<Rows>> = args.iter().map(of_call).collect();
            rows?.into_iter().max()
        }
        name if UNFOLDING.contains(&name) => Some(Rows::Bounded),
        // SQLite's pragmas on a table's columns and indexes.
        name if name.starts_with("pragma_") => Some(Rows::Bounded),
        name if dialect == Some(Dialect::Postgres)
            && is_scalar(name)
            && !is_set_returning(name, Dialect::Postgres) =>
        {
            Some(Rows::One)
        }
        _ => None,
    }
}

/// Whether this is a scalar function that people call in FROM.
fn is_scalar(name: &str) -> bool {
    matches!(
        name,
        "now"
            | "current_database"
            | "current_setting"
            | "set_config"
            | "version"
            | "nextval"
            | "currval"
            | "setval"
            | "to_tsquery"
            | "plainto_tsquery"
            | "phraseto_tsquery"
            | "websearch_to_tsquery"
            | "to_tsvector"
            | "to_jsonb"
            | "to_json"
            | "jsonb_build_object"
            | "json_build_object"
            | "string_to_array"
            | "coalesce"
            | "lower"
            | "upper"
            | "date_trunc"
            | "json_populate_record"
            | "jsonb_populate_record"
            | "json_to_record"
            | "jsonb_to_record"
            | "current_user"
            | "session_user"
            | "current_schema"
            | "gen_random_uuid"
            | "md5"
            | "length"
            | "to_regclass"
            | "to_regtype"
            | "txid_current"
            | "json_array_length"
            | "jsonb_array_length"
            | "array_length"
            | "cardinality"
            | "random"
            | "clock_timestamp"
            | "inet_server_addr"
            | "inet_client_addr"
            | "pg_notify"
            | "pg_sleep"
            | "pg_backend_pid"
            | "pg_is_in_recovery"
            | "pg_current_xact_id"
            | "pg_current_wal_lsn"
            | "pg_postmaster_start_time"
            | "pg_get_serial_sequence"
            | "pg_terminate_backend"
            | "pg_cancel_backend"
            | "pg_typeof"
    ) || ["pg_try_advisory_", "pg_advisory_"].iter().any(|start| name.starts_with(start))
        || name.starts_with("pg_") && name.ends_with("_size")
}

fn is_written(expr: &Expr) -> bool {
    match expr.without_casts() {
        Expr::Literal(literal) => *literal != Literal::Null,
        Expr::Unary { expr, .. } => is_written(expr),
        Expr::Other { what, parts } if what == "interval" => parts.first().is_some_and(is_written),
        _ => false,
    }
}
