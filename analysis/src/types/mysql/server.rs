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
const MARIADB: [&str; 6] = ["inet4", "inet6", "json_compact", "json_detailed", "returning", "system_time"];

/// The server that accepts the schema and all of these texts; `None` if nothing determines it.
pub fn server_of<'t>(schema: &Schema, texts: impl Iterator<Item = &'t str>) -> Option<Server> {
    let mut mysql = false;
    let of_mariadb = |ty: &str| ["uuid", "inet4", "inet6"].iter().any(|own| own.eq_ignore_ascii_case(ty));
    let mut columns = schema.tables.values().flat_map(|table| &table.columns);
    let mut mariadb = columns.any(|column| of_mariadb(&column.ty));
    for text in texts {
        let (of_mysql, of_mariadb) = dumped_by(text);
        (mysql, mariadb) = (mysql || of_mysql, mariadb || of_mariadb);
        let mut last = String::new();
        let mut before = String::new();
        for token in Lexer::new(text, Dialect::MySql) {
            let piece = text.get(token.span.start..token.span.end).unwrap_or_default().to_ascii_lowercase();
            match token.kind {
                TokenKind::Word => {
                    mysql |= MYSQL.contains(&&*piece)
                        || piece.contains("_0900_")
                        || last == "as" && piece == "json";
                    mariadb |= MARIADB.contains(&&*piece) || is_of_mariadb(&before, &last, &piece);
                }
                TokenKind::Text => mysql |= piece.contains("_0900_"),
                TokenKind::Symbol => mysql |= matches!(&*piece, "->" | "->>"),
                _ => {}
            }
            before = std::mem::replace(&mut last, piece);
        }
    }
    match (mysql, mariadb) {
        (true, false) => Some(Server::MySql),
        (false, true) => Some(Server::MariaDb),
        _ => None,
    }
}

/// Whether words that follow each other are a clause that only MariaDB knows.
fn is_of_mariadb(before: &str, last: &str, word: &str) -> bool {
    match word {
        "function" => last == "replace",
        "versioning" => last == "system",
        "sequence" => last == "create",
        "aria" => last == "engine" || last == "=" && before == "engine",
        _ => false,
    }
}

/// The server that the comments of a dump name, MySQL or MariaDB. Either's tool may dump the other.
fn dumped_by(text: &str) -> (bool, bool) {
    let mut head = text.lines().take_while(|line| line.trim().is_empty() || line.starts_with(['-', '/']));
    let of_mariadb = |line: &str| line.contains("MariaDB") || line.starts_with("/*M!");
    let version = head.find(|line| line.contains("Server version"));
    match version {
        Some(line) => (!line.contains("MariaDB"), line.contains("MariaDB")),
        None => (false, text.contains("/*M!") || text.lines().take(5).any(of_mariadb)),
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
    fn the_head_of_a_dump_tells_the_server() {
        let table = "CREATE TABLE t (a INT);";
        let mariadb = "/*M!999999\\- enable the sandbox mode */ \n-- MariaDB dump 10.19-11.4.2-MariaDB\n";
        check(&[&format!("{mariadb}{table}")], Some(Server::MariaDb));
        let old = "-- MySQL dump 10.19  Distrib 10.3.39-MariaDB\n-- Host: localhost\n-- Server version\t10.3.39-MariaDB\n";
        check(&[&format!("{old}{table}")], Some(Server::MariaDb));
        let mysql = "-- MySQL dump 10.13  Distrib 8.0.36\n--\n-- Server version\t8.0.36\n";
        check(&[&format!("{mysql}{table}")], Some(Server::MySql));
        let other = "-- MariaDB dump 10.19  Distrib 10.6.16-MariaDB\n--\n-- Server version\t8.0.36\n";
        check(&[&format!("{other}{table}")], Some(Server::MySql));
        check(&[table], None);
    }

    #[test]
    fn words_that_one_server_alone_knows_tell_it() {
        check(&["SELECT a FROM t WHERE b = 'returning'"], None);
        check(&["SELECT 1", "INSERT INTO t VALUES (1) RETURNING id"], Some(Server::MariaDb));
        check(&["CREATE TABLE t (a INT) COLLATE utf8mb4_0900_ai_ci"], Some(Server::MySql));
        check(&["SELECT a ->> '$.b' FROM t"], Some(Server::MySql));
        check(&["SELECT CAST(? AS JSON)"], Some(Server::MySql));
        check(&["SELECT a -> '$.b' FROM t", "DELETE FROM t RETURNING id"], None);
        check(&["CREATE TABLE t (a INT) ENGINE=Aria"], Some(Server::MariaDb));
        check(&["CREATE TABLE t (a INT) WITH SYSTEM VERSIONING"], Some(Server::MariaDb));
        check(&["CREATE SEQUENCE s"], Some(Server::MariaDb));
        check(&["SELECT sequence, aria FROM versioning WHERE a = aria"], None);
    }
}
