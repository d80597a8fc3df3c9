//! Which server a project uses, as far as its SQL tells.

use super::item::Server;
use crate::schema::Schema;
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind};

/// Words that only MySQL knows: types, functions and clauses.
const MYSQL: [&str; 8] = [
    "any_value",
    "bin_to_uuid",
    "is_uuid",
    "json_storage_size",
    "lateral",
    "regexp_like",
    "sql_require_primary_key",
    "uuid_to_bin",
];
/// Words that only MariaDB knows.
const MARIADB: [&str; 5] = ["inet4", "inet6", "json_compact", "json_detailed", "returning"];

/// The server that takes the schema and all of these texts; `None` if nothing tells.
pub fn server_of<'t>(schema: &Schema, texts: impl Iterator<Item = &'t str>) -> Option<Server> {
    let mut mysql = false;
    let of_mariadb = |ty: &str| ["uuid", "inet4", "inet6"].iter().any(|own| own.eq_ignore_ascii_case(ty));
    let mut columns = schema.tables.values().flat_map(|table| &table.columns);
    let mut mariadb = columns.any(|column| of_mariadb(&column.ty));
    for text in texts {
        let mut last = String::new();
        for token in Lexer::new(text, Dialect::MySql) {
            let piece = text.get(token.span.start..token.span.end).unwrap_or_default().to_ascii_lowercase();
            match token.kind {
                TokenKind::Word => {
                    mysql |= MYSQL.contains(&&*piece)
                        || piece.contains("_0900_")
                        || last == "as" && piece == "json";
                    mariadb |= MARIADB.contains(&&*piece) || last == "replace" && piece == "function";
                }
                TokenKind::Text => mysql |= piece.contains("_0900_"),
                TokenKind::Symbol => mysql |= matches!(&*piece, "->" | "->>"),
                _ => {}
            }
            last = piece;
        }
    }
    match (mysql, mariadb) {
        (true, false) => Some(Server::MySql),
        (false, true) => Some(Server::MariaDb),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Dialect, Server, server_of};
    use crate::schema::Schema;

    #[track_caller]
    fn check(texts: &[&str], expect: Option<Server>) {
        assert_eq!(server_of(&Schema::new(Dialect::MySql), texts.iter().copied()), expect);
    }

    #[test]
    fn words_that_one_server_alone_knows_tell_it() {
        check(&["SELECT a FROM t WHERE b = 'returning'"], None);
        check(&["SELECT 1", "INSERT INTO t VALUES (1) RETURNING id"], Some(Server::MariaDb));
        check(&["CREATE TABLE t (a INT) COLLATE utf8mb4_0900_ai_ci"], Some(Server::MySql));
        check(&["SELECT a ->> '$.b' FROM t"], Some(Server::MySql));
        check(&["SELECT CAST(? AS JSON)"], Some(Server::MySql));
        check(&["SELECT a -> '$.b' FROM t", "DELETE FROM t RETURNING id"], None);
    }
}
