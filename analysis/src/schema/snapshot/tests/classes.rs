//! Operator classes.

use super::{has_parts, round_trip};
use crate::sql::Dialect;

#[test]
fn operator_classes_keep_their_parameters_and_lose_their_schema() {
    let text = round_trip(
        Dialect::Postgres,
        "CREATE TABLE t (id int PRIMARY KEY, a text, b varchar(9), j jsonb);
         CREATE INDEX t_a ON t (a text_pattern_ops); CREATE INDEX t_b ON t (b varchar_pattern_ops DESC, id);
         CREATE INDEX t_l ON t (lower(a) public.text_pattern_ops) WHERE id > 3;
         CREATE INDEX t_g ON t USING gin (a \"gin_trgm_ops\", j jsonb_path_ops);
         CREATE INDEX t_s ON t USING gist (a public.gist_trgm_ops (siglen = 32));",
    );
    has_parts(
        &text,
        &[
            "t (a text_pattern_ops)",
            "t (b varchar_pattern_ops DESC, id)",
            "t ((lower(a)) text_pattern_ops) WHERE",
            "gin (a gin_trgm_ops, j jsonb_path_ops)",
            "gist (a gist_trgm_ops (siglen = 32))",
        ],
    );
}
