//! Calls on SQLite and MySQL: functions with a number of arguments that they do not take, slips in names, and functions
//! of other databases. Other names may be those of functions that the program registers, or of libraries that are loaded.

use super::TypeError;
use super::slip::is_slip;
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::expr::{Call, Expr};
use crate::sql::query::{Query, Role};

const SQLITE: &str = include_str!("sqlite/functions.txt");
const MYSQL: &str = include_str!("mysql/functions.txt");

/// The calls that the database refuses when it prepares the query.
pub(super) fn errors(query: &Query, schema: &Schema, dialect: Dialect) -> Vec<TypeError> {
    let mut errors = Vec::new();
    // What is not read is not looked at by SQLite, and what a gap hides may have made functions.
    let is_unread = query.written_blocks().any(|(_, block)| matches!(block.role, Role::Cte { uses: 0, .. }));
    if is_unread || !schema.gaps.is_empty() {
        return errors;
    }
    for (_, block) in query.written_blocks() {
        for expr in block.expressions() {
            expr.walk(&mut |part| {
                if let Expr::Call(call) = part {
                    errors.extend(refused(call, schema, dialect));
                }
            });
        }
    }
    errors
}

fn refused(call: &Call, schema: &Schema, dialect: Dialect) -> Option<TypeError> {
    let name = call.name.as_str();
    let is_own = call.schema.is_some() || schema.functions_named(name).next().is_some();
    if is_own || !call.names.is_empty() {
        return None;
    }
    let (message, help) = match counts(name, dialect) {
        Some("*") => return None,
        Some(counts) => {
            let given = call.args.len();
            if counts.split(',').any(|count| count.parse() == Ok(given)) {
                return None;
            }
            let takes = counts.replace(',', " or ");
            let arguments = if counts == "1" { "argument" } else { "arguments" };
            let are = if given == 1 { "is" } else { "are" };
            let message = format!("`{name}` takes {takes} {arguments}, and {given} {are} given");
            (message, "write as many as it takes".to_owned())
        }
        None => {
            let similar = || listed(dialect).map(|(known, _)| known).find(|known| is_slip(name, known));
            let help = match (instead_of(name, dialect), similar()) {
                (Some(instead), _) => format!("write {instead} in {}", database(dialect)),
                (None, Some(similar)) => format!("write `{similar}`, which exists"),
                (None, None) => return None,
            };
            (format!("no function `{name}` exists"), help)
        }
    };
    Some(TypeError { message, span: call.span, label: "no such function", help })
}

fn database(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "SQLite",
        Dialect::MySql | Dialect::Postgres => "MySQL",
    }
}

/// The functions of a database, each with the numbers of its arguments.
fn listed(dialect: Dialect) -> impl Iterator<Item = (&'static str, &'static str)> {
    let list = if dialect == Dialect::Sqlite { SQLITE } else { MYSQL };
    list.lines().filter(|line| !line.starts_with('#')).filter_map(|line| line.split_once(' '))
}

fn counts(name: &str, dialect: Dialect) -> Option<&'static str> {
    listed(dialect).find(|(known, _)| *known == name).map(|(_, counts)| counts)
}

/// The equivalent of another database's function whose name no user-defined function would have.
fn instead_of(name: &str, dialect: Dialect) -> Option<&'static str> {
    Some(match (name, dialect) {
        ("array_agg" | "json_agg" | "jsonb_agg", Dialect::Sqlite) => "`json_group_array(a)`",
        ("array_agg" | "json_agg" | "jsonb_agg", _) => "`json_arrayagg(a)`",
        ("json_build_object" | "jsonb_build_object", _) => "`json_object('a', b)`",
        ("string_agg", Dialect::MySql) => "`group_concat(a)`",
        ("strftime", Dialect::MySql) => "`date_format(a, '%Y-%m-%d')`",
        ("julianday", Dialect::MySql) => "`to_days(a)`",
        ("unixepoch", Dialect::MySql) => "`unix_timestamp(a)`",
        ("last_insert_rowid", Dialect::MySql) => "`last_insert_id()`",
        ("last_insert_id", Dialect::Sqlite) => "`last_insert_rowid()`",
        ("date_trunc" | "date_format" | "to_char", Dialect::Sqlite) => "`strftime('%Y-%m-%d', a)`",
        ("to_timestamp" | "from_unixtime", Dialect::Sqlite) => "`datetime(a, 'unixepoch')`",
        ("unix_timestamp", Dialect::Sqlite) => "`unixepoch(a)`",
        ("curdate" | "getdate", Dialect::Sqlite) => "`date('now')`",
        ("getdate", Dialect::MySql) => "`now()`",
        ("date_add" | "date_sub", Dialect::Sqlite) => "`datetime(a, '+1 day')`",
        ("json_extract_path_text" | "jsonb_set", _) => {
            "`json_extract(a, '$.key')` and `json_set(a, '$.key', b)`"
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::Dialect::{self, MySql, Sqlite};
    use crate::sql::resolve;
    use crate::types::describe;

    #[track_caller]
    fn check(dialect: Dialect, call: &str, expect: &str) {
        let mut replay = Replay::new(dialect);
        replay.apply("CREATE TABLE t (a int, s varchar(9))", "");
        let sql = format!("SELECT a FROM t WHERE {call} > 1");
        let query = resolve(&sql, dialect, Some(&replay.schema)).expect("it parses");
        let errors = describe(&query, &replay.schema, dialect).errors;
        assert_eq!(errors.first().map_or("", |error| &error.message), expect, "{sql}");
    }

    /// As SQLite and MariaDB answer, except about names that a program may have registered.
    #[test]
    fn calls_of_what_exists_and_takes_its_arguments() {
        check(Sqlite, "lower(s, a)", "`lower` takes 1 argument, and 2 are given");
        check(Sqlite, "instr(s)", "`instr` takes 2 arguments, and 1 is given");
        check(Sqlite, "round()", "`round` takes 1 or 2 arguments, and 0 are given");
        check(Sqlite, "lowr(s)", "no function `lowr` exists");
        check(Sqlite, "date_trunc('day', s)", "no function `date_trunc` exists");
        check(Sqlite, "coalesce(s, a, 1) + max(a, 2) + trim(s, 'x') + length(trim(s))", "");
        check(Sqlite, "my_own(s) + now() + regexp_replace(s, 'a', 'b')", "");
        check(Sqlite, "(WITH x AS (SELECT lowr(s) FROM t) SELECT 1)", "");
        check(MySql, "lower(s, a)", "`lower` takes 1 argument, and 2 are given");
        check(MySql, "lowr(s)", "no function `lowr` exists");
        check(MySql, "json_build_object('a', s)", "no function `json_build_object` exists");
        check(MySql, "ifnull(s, a) + concat(s, a, 1) + trim(s) + my_own(s) + ceil(a)", "");
    }
}
