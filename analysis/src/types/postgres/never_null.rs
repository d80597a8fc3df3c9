//! Functions that are known not to return NULL.

use super::candidates::Candidate;
use super::functions::Called;

/// Whether a call never returns NULL, given whether all of its arguments are not NULL.
pub(super) fn function(candidate: &Candidate, call: &Called<'_>, args_not_null: bool) -> bool {
    if candidate.of_schema || candidate.set {
        return false;
    }
    match candidate.kind {
        b'a' => aggregate(call, args_not_null, candidate.args.is_empty()),
        b'w' => matches!(call.name, "row_number" | "rank" | "dense_rank" | "percent_rank" | "cume_dist"),
        b'f' => {
            ALWAYS.binary_search(&call.name).is_ok()
                || args_not_null && OF_VALUES.binary_search(&call.name).is_ok()
        }
        _ => false,
    }
}

/// An aggregate over no rows is NULL, except for counts; each group of a GROUP BY has rows.
fn aggregate(call: &Called<'_>, args_not_null: bool, no_args: bool) -> bool {
    if matches!(call.name, "count" | "regr_count") {
        return true;
    }
    let of_values = matches!(
        call.name,
        "sum"
            | "avg"
            | "min"
            | "max"
            | "bool_and"
            | "bool_or"
            | "every"
            | "string_agg"
            | "bit_and"
            | "bit_or"
    );
    let of_rows =
        matches!(call.name, "array_agg" | "json_agg" | "jsonb_agg" | "json_object_agg" | "jsonb_object_agg");
    call.of_groups && !call.window && !no_args && (of_values && args_not_null || of_rows)
}

/// Never NULL, whatever their arguments.
const ALWAYS: [&str; 24] = [
    "clock_timestamp",
    "concat",
    "current_database",
    "gen_random_uuid",
    "json_build_array",
    "json_build_object",
    "jsonb_build_array",
    "jsonb_build_object",
    "nextval",
    "now",
    "num_nonnulls",
    "num_nulls",
    "pg_backend_pid",
    "pg_notify",
    "pi",
    "random",
    "statement_timestamp",
    "timeofday",
    "transaction_timestamp",
    "txid_current",
    "uuid_generate_v1",
    "uuid_generate_v1mc",
    "uuid_generate_v4",
    "version",
];

/// Not NULL if all of their arguments are not NULL.
const OF_VALUES: [&str; 58] = [
    "abs",
    "ascii",
    "btrim",
    "cbrt",
    "ceil",
    "ceiling",
    "char_length",
    "character_length",
    "chr",
    "cos",
    "date",
    "date_bin",
    "date_trunc",
    "decode",
    "digest",
    "div",
    "encode",
    "exp",
    "floor",
    "initcap",
    "jsonb_set",
    "left",
    "length",
    "ln",
    "log",
    "lower",
    "lpad",
    "ltrim",
    "make_date",
    "make_interval",
    "make_timestamp",
    "make_timestamptz",
    "md5",
    "mod",
    "now",
    "octet_length",
    "position",
    "pow",
    "power",
    "repeat",
    "replace",
    "reverse",
    "right",
    "round",
    "rpad",
    "rtrim",
    "sha256",
    "sign",
    "similarity",
    "sin",
    "split_part",
    "sqrt",
    "strpos",
    "timezone",
    "to_timestamp",
    "trim",
    "trunc",
    "upper",
];

#[cfg(test)]
mod tests {
    #[test]
    fn lists_are_sorted() {
        assert!(super::ALWAYS.is_sorted() && super::OF_VALUES.is_sorted());
    }
}
