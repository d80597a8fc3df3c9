//! How a batch is written.

use query_budget::sql_batch;

pub fn forms(ids: &[i64]) {
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1");
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1", ids);
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1", ids => delete);
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1", ids => |id, other| id);
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1", ids => |_| ());
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1", 7, ids => |id| id);
}

fn main() {}
