//! The tables that a statement reads and writes: directly, and by views, foreign keys, triggers and
//! functions.
//!
//! Cache invalidation depends on it, so anything unknown counts as all tables.

mod functions;
mod spread;

use std::collections::BTreeSet;

use crate::schema::{Name, Schema};
use crate::sql::Dialect;
use crate::sql::lex::{Lexer, TokenKind};
use crate::sql::query::{Body, Kind, Query, Source};

/// The tables that a statement reads and writes, by their full names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Touches {
    /// The tables whose rows its result depends on.
    pub reads: BTreeSet<Name>,
    /// The tables whose rows it may change.
    pub writes: BTreeSet<Name>,
    /// Whether its result may depend on other tables as well.
    pub reads_unknown: bool,
    /// Whether it may change other tables as well.
    pub writes_unknown: bool,
}

impl Touches {
    /// The result for a statement about which nothing is known.
    pub fn unknown() -> Touches {
        Touches { reads_unknown: true, writes_unknown: true, ..Touches::default() }
    }
}

/// The tables that a statement reads and writes; `query` is the resolved statement, if it could be resolved.
pub fn of(query: Option<&Query>, sql: &str, schema: Option<&Schema>, dialect: Dialect) -> Touches {
    let words = Words::of(sql, dialect);
    let Some(query) = query else {
        return if words.only_reads() {
            Touches { reads_unknown: true, ..Touches::default() }
        } else {
            Touches::unknown()
        };
    };
    let mut touches = Touches::default();
    if query.kind == Kind::Other || query.kind == Kind::Transaction {
        touches.reads_unknown = true;
        touches.writes_unknown = !words.is_harmless();
        return touches;
    }
    own(query, &mut touches);
    if query.unchecked.is_some() {
        touches.reads_unknown = true;
        touches.writes_unknown |= !words.only_reads();
    }
    let Some(schema) = schema else {
        // A table may be a view, and have triggers.
        touches.reads_unknown = true;
        touches.writes_unknown |= query.kind != Kind::Select || !touches.writes.is_empty();
        return touches;
    };
    let is_known = |name: &Name| schema.stored(name).is_some() || schema.opaque.contains_key(name);
    touches.reads_unknown |= touches.reads.iter().any(|name| !is_known(name));
    touches.writes_unknown |= touches
        .writes
        .iter()
        .any(|name| !schema.tables.contains_key(name) || schema.opaque.contains_key(name));
    let views = query.relations.iter().filter_map(|relation| match &relation.source {
        Source::View(name, _) => schema.views.get(name),
        _ => None,
    });
    functions::called(sql, query, schema, &mut touches);
    for view in views {
        functions::called(&view.query, query, schema, &mut touches);
    }
    spread::written(query, schema, &mut touches);
    touches
}

/// Adds the tables that the statement itself names.
fn own(query: &Query, touches: &mut Touches) {
    let targets: BTreeSet<usize> = query
        .blocks
        .iter()
        .filter_map(|block| match &block.body {
            Body::Write(write) => Some(write.target.index()),
            _ => None,
        })
        .collect();
    for (id, relation) in query.relation_ids() {
        match &relation.source {
            Source::Table(name) | Source::View(name, _) if targets.contains(&id.index()) => {
                touches.writes.insert(name.clone());
            }
            Source::Table(name) => {
                touches.reads.insert(name.clone());
            }
            // System tables change with statements that do not name them.
            Source::System(_) | Source::Unknown => touches.reads_unknown = true,
            Source::View(..)
            | Source::Cte(_)
            | Source::Derived(_)
            | Source::Function(..)
            | Source::Pseudo => {}
        }
    }
    touches.reads_unknown |= query.blocks.iter().any(|block| matches!(block.body, Body::Unknown));
}

/// The words of a statement, folded.
pub(crate) struct Words(Vec<String>);

impl Words {
    pub(crate) fn of(sql: &str, dialect: Dialect) -> Words {
        let tokens = Lexer::new(sql, dialect);
        let words = tokens.filter(|token| token.kind == TokenKind::Word);
        Words(words.filter_map(|token| sql.get(token.span.range())).map(str::to_lowercase).collect())
    }

    pub(crate) fn has(&self, word: &str) -> bool {
        self.0.iter().any(|other| other == word)
    }

    /// Whether it contains no word that writes; `FOR UPDATE` locks without writing.
    pub(crate) fn only_reads(&self) -> bool {
        let writes = |at: usize, word: &String| {
            let before = at.checked_sub(1).and_then(|before| self.0.get(before)).map(String::as_str);
            match word.as_str() {
                "update" => !matches!(before, Some("for" | "key")),
                "insert" | "delete" | "merge" | "replace" | "truncate" | "into" | "call" | "do"
                | "execute" | "exec" | "copy" | "load" | "refresh" | "create" | "alter" | "drop" => true,
                _ => false,
            }
        };
        let begins = self.0.first().map(String::as_str);
        matches!(begins, Some("select" | "with" | "values" | "table" | "show" | "explain" | "pragma"))
            && !self.0.iter().enumerate().any(|(at, word)| writes(at, word))
    }

    /// Whether code runs dynamic SQL; a trigger's `EXECUTE FUNCTION` does not count.
    fn runs_text(&self) -> bool {
        let next = |at: usize| self.0.get(at + 1).map(String::as_str);
        self.0.iter().enumerate().any(|(at, word)| {
            word == "prepare"
                || (word == "execute" && !matches!(next(at), Some("function" | "procedure" | "on")))
        })
    }

    /// The word after the last occurrence of `word`.
    fn after(&self, word: &str) -> Option<&str> {
        let at = self.0.iter().rposition(|other| other == word)?;
        self.0.get(at + 1).map(String::as_str)
    }

    /// Whether a statement other than a query changes no rows.
    fn is_harmless(&self) -> bool {
        let begins = self.0.first().map_or("", String::as_str);
        let is_set =
            matches!(begins, "set" | "reset" | "show" | "listen" | "unlisten" | "notify" | "lock" | "use");
        is_set || matches!(begins, "savepoint" | "release" | "rollback" | "begin" | "start" | "analyze")
    }
}

#[cfg(test)]
mod tests;
