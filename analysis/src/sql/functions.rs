//! Knowledge about built-in functions.

use super::dialect::Dialect;

/// MySQL and MariaDB: whether a function returns a different value for each row, so that a query with it is not merged into
/// another.
pub(crate) fn is_drawn(name: &str) -> bool {
    matches!(name, "rand" | "uuid" | "uuid_short" | "random_bytes" | "encrypt" | "sys_guid")
}

/// Whether a function is an aggregate, unless called over a window.
pub(crate) fn is_aggregate(name: &str, arguments: usize) -> bool {
    match name {
        // SQLite's scalar variants take several arguments.
        "min" | "max" => arguments <= 1,
        "count"
        | "sum"
        | "avg"
        | "total"
        | "array_agg"
        | "string_agg"
        | "group_concat"
        | "json_agg"
        | "jsonb_agg"
        | "json_object_agg"
        | "jsonb_object_agg"
        | "json_agg_strict"
        | "jsonb_agg_strict"
        | "json_arrayagg"
        | "json_objectagg"
        | "json_group_array"
        | "json_group_object"
        | "jsonb_group_array"
        | "jsonb_group_object"
        | "bool_and"
        | "bool_or"
        | "every"
        | "bit_and"
        | "bit_or"
        | "bit_xor"
        | "any_value"
        | "stddev"
        | "stddev_pop"
        | "stddev_samp"
        | "variance"
        | "var_pop"
        | "var_samp"
        | "std"
        | "corr"
        | "covar_pop"
        | "covar_samp"
        | "regr_avgx"
        | "regr_avgy"
        | "regr_count"
        | "regr_intercept"
        | "regr_r2"
        | "regr_slope"
        | "regr_sxx"
        | "regr_sxy"
        | "regr_syy"
        | "mode"
        | "percentile_cont"
        | "percentile_disc"
        | "median"
        | "xmlagg"
        | "range_agg"
        | "range_intersect_agg"
        | "first"
        | "last" => true,
        _ => false,
    }
}

/// MySQL and MariaDB: whether a function returns an integer, whatever its arguments are. Its width differs by server.
pub(crate) fn returns_integer(name: &str) -> bool {
    matches!(
        name,
        "length"
            | "char_length"
            | "character_length"
            | "octet_length"
            | "bit_length"
            | "locate"
            | "position"
            | "instr"
            | "find_in_set"
            | "field"
            | "strcmp"
            | "year"
            | "month"
            | "day"
            | "dayofmonth"
            | "dayofweek"
            | "dayofyear"
            | "weekday"
            | "week"
            | "weekofyear"
            | "hour"
            | "minute"
            | "second"
            | "quarter"
            | "datediff"
            | "ascii"
            | "ord"
            | "sign"
            | "isnull"
            | "row_count"
            | "found_rows"
            | "connection_id"
            | "crc32"
            | "inet_aton"
            | "to_days"
            | "time_to_sec"
            | "extract"
    )
}

/// Whether a function in a SELECT list can return several rows.
pub(crate) fn is_set_returning(name: &str, dialect: Dialect) -> bool {
    dialect == Dialect::Postgres
        && matches!(
            name,
            "unnest"
                | "generate_series"
                | "generate_subscripts"
                | "regexp_matches"
                | "regexp_split_to_table"
                | "string_to_table"
                | "json_array_elements"
                | "jsonb_array_elements"
                | "json_array_elements_text"
                | "jsonb_array_elements_text"
                | "json_each"
                | "jsonb_each"
                | "json_each_text"
                | "jsonb_each_text"
                | "json_object_keys"
                | "jsonb_object_keys"
                | "jsonb_path_query"
                | "json_populate_recordset"
                | "jsonb_populate_recordset"
                | "json_to_recordset"
                | "jsonb_to_recordset"
                | "jsonb_path_query_tz"
                | "aclexplode"
                | "crosstab"
                | "dblink"
                | "each"
                | "skeys"
                | "svals"
                | "ts_debug"
                | "ts_parse"
                | "ts_stat"
                | "pg_listening_channels"
                | "pg_logical_slot_get_changes"
                | "pg_logical_slot_peek_changes"
                | "pg_ls_dir"
                | "pg_snapshot_xip"
                | "txid_snapshot_xip"
        )
}

/// Whether a CREATE FUNCTION statement declares a set-returning function.
pub(crate) fn is_declared_set_returning(statement: &str) -> bool {
    let mut words = statement.split(|c: char| c.is_whitespace() || c == '(').filter(|word| !word.is_empty());
    while let Some(word) = words.next() {
        if word.eq_ignore_ascii_case("returns") {
            return words.next().is_some_and(|what| {
                what.eq_ignore_ascii_case("setof") || what.eq_ignore_ascii_case("table")
            });
        }
    }
    false
}

/// Whether a CREATE statement declares an aggregate.
pub(crate) fn is_declared_aggregate(statement: &str) -> bool {
    let words = statement.split_whitespace().take(4);
    words
        .map(|word| word.split('(').next().unwrap_or(word))
        .any(|word| word.eq_ignore_ascii_case("aggregate"))
}

/// The columns of a function in FROM with alias `alias`; `None` if they are unknown.
pub(crate) fn table_columns(
    name: &str,
    arguments: usize,
    dialect: Dialect,
    alias: &str,
) -> Option<Vec<String>> {
    let names = |names: &[&str]| Some(names.iter().map(|&name| name.to_owned()).collect());
    match (dialect, name) {
        (Dialect::Postgres, "unnest") if arguments > 1 => Some(vec!["unnest".to_owned(); arguments]),
        (
            Dialect::Postgres,
            "unnest"
            | "generate_series"
            | "generate_subscripts"
            | "regexp_split_to_table"
            | "string_to_table"
            | "jsonb_path_query_tz"
            | "json_object_keys"
            | "jsonb_object_keys"
            | "regexp_matches"
            | "jsonb_path_query",
        ) => Some(vec![alias.to_owned()]),
        (
            Dialect::Postgres,
            "json_array_elements"
            | "jsonb_array_elements"
            | "json_array_elements_text"
            | "jsonb_array_elements_text",
        ) => names(&["value"]),
        (Dialect::Postgres, "ts_parse") => names(&["tokid", "token"]),
        (Dialect::Postgres, "ts_token_type") => names(&["tokid", "alias", "description"]),
        (Dialect::Postgres, "ts_stat") => names(&["word", "ndoc", "nentry"]),
        (Dialect::Postgres, "ts_debug") => {
            names(&["alias", "description", "token", "dictionaries", "dictionary", "lexemes"])
        }
        (Dialect::Postgres, "pg_options_to_table") => names(&["option_name", "option_value"]),
        (Dialect::Postgres, "json_each" | "jsonb_each" | "json_each_text" | "jsonb_each_text") => {
            names(&["key", "value"])
        }
        (Dialect::Sqlite, "json_each" | "json_tree" | "jsonb_each" | "jsonb_tree") => {
            names(&["key", "value", "type", "atom", "id", "parent", "fullkey", "path", "json", "root"])
        }
        (Dialect::Sqlite, "generate_series") => names(&["value", "start", "stop", "step"]),
        _ => None,
    }
}
