//! `CREATE SEQUENCE`.

use super::change::Change;
use super::cursor::{Cursor, Parsed};
use super::types;
use crate::sql::lex::TokenKind;

/// The words of which the options of a sequence consist, those of MariaDB included.
const OF_A_SEQUENCE: [&str; 22] = [
    "by",
    "cache",
    "comment",
    "cycle",
    "engine",
    "increment",
    "innodb",
    "logged",
    "maxvalue",
    "minvalue",
    "name",
    "no",
    "nocache",
    "nocycle",
    "nomaxvalue",
    "nominvalue",
    "none",
    "restart",
    "sequence",
    "start",
    "unlogged",
    "with",
];

/// Reads the rest of `CREATE SEQUENCE`.
pub(crate) fn create_sequence(cursor: &mut Cursor<'_>, temporary: bool) -> Parsed<Change> {
    let if_not_exists = cursor.take("if not exists");
    let name = cursor.written()?;
    let mut options: Vec<&str> = Vec::new();
    while !cursor.done() {
        // OWNED BY may be the last option.
        let belongs = cursor.take("owned by");
        let start = cursor.at;
        if belongs {
            cursor.written()?;
            continue;
        }
        match cursor.ahead(0).map(|token| token.kind) {
            Some(TokenKind::Word) if cursor.take("as") => {
                types::parse(cursor)?;
            }
            Some(TokenKind::Word) if cursor.take_any(&OF_A_SEQUENCE).is_some() => {}
            Some(TokenKind::Number | TokenKind::Text) => cursor.skip(),
            _ if cursor.take_symbol("-") || cursor.take_symbol("+") || cursor.take_symbol("=") => {}
            _ => return Err(cursor.error("an option of a sequence")),
        }
        options.push(cursor.source(start, cursor.at));
    }
    Ok(Change::CreateSequence { name, if_not_exists, temporary, options: options.join(" ") })
}
