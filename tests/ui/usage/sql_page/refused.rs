//! Queries that cannot be read page by page.

use query_budget::sql_page;

pub fn pages(user: i64) {
    let _ = sql_page!("SELECT id, name FROM events WHERE user_id = $1 ORDER BY name", user);
    let _ = sql_page!("SELECT name FROM events WHERE user_id = $1 ORDER BY id", user);
    let _ = sql_page!("SELECT id, next_run_at AS \"next: String\" FROM events ORDER BY next_run_at, id");
    let _ = sql_page!("SELECT id FROM events WHERE user_id = $1 ORDER BY id LIMIT 10", user);
    let _ = sql_page!("SELECT id FROM events WHERE user_id = $1", user);
}

fn main() {}
