//! Statements that cannot be batched.

use query_budget::sql_batch;

pub fn statements(ids: &[i64], names: &[String]) {
    let _ = sql_batch!("INSERT INTO workflows (id, user_id, name) SELECT id, $1, name FROM events WHERE id = 1", ids => |id| id);
    let _ = sql_batch!("UPDATE events SET name = $1 WHERE id = 7", names => |name| name);
    let _ = sql_batch!("UPDATE events SET name = $1 WHERE id = $2 LIMIT 1", names => |name| (name, 1_i64));
    let _ = sql_batch!("DELETE FROM logs WHERE id = $1 AND event_id = $2", ids => |id| id);
    let _ = sql_batch!("INSERT INTO logs (id, event_id, output) VALUES (1, 7, $1) ON CONFLICT (id) DO UPDATE SET output = $2", names => |name| (name, name));
}

fn main() {}
