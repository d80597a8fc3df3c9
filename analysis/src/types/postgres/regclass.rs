//! Relations that a text names: `nextval('orders_id_seq')`, `'orders'::regclass`.

use super::arena::Ty;
use super::session::Session;
use crate::schema::Name;
use crate::sql::Dialect;
use crate::sql::Span;
use crate::sql::lex::{Lexer, TokenKind, unquote};
use crate::types::TypeError;

impl Session<'_> {
    /// Reports a text that names no relation, where one is meant; the server looks it up when it prepares the query.
    pub(super) fn check_relation(&mut self, text: &str, to: Ty, span: Option<Span>) {
        let is_meant = self.types.info(to).name == "regclass" && self.types.info(to).printed.is_none();
        // Extensions bring relations of their own.
        if !is_meant || !self.schema.gaps.is_empty() || self.types.catalog.unknown_extension {
            return;
        }
        let Some(name) = relation(text).filter(|name| !self.may_have(name)) else { return };
        self.refusal(TypeError {
            message: format!("no sequence or table `{name}` exists"),
            span,
            label: "no such name",
            help: "write the name of one in the schema".to_owned(),
        });
    }

    /// Whether there may be a relation with a name, in any schema if it is written without.
    fn may_have(&self, name: &Name) -> bool {
        let known = self.schema;
        let schema = name.schema.as_deref();
        let is_it =
            |other: &Name| other.name == name.name && (schema.is_none() || other.schema == name.schema);
        let is_of_server = |name: &str| name.starts_with("pg_") || name == "information_schema";
        let indexes = || known.tables.values().flat_map(|table| &table.indexes);
        is_of_server(&name.name)
            || schema.is_some_and(is_of_server)
            || known.extensions.iter().any(|extension| extension.starts_with("postgis"))
            || known.tables.keys().chain(known.views.keys()).chain(known.opaque.keys()).any(is_it)
            || known.sequences.keys().chain(known.types.keys()).any(is_it)
            || known.has_sequence(schema, &name.name)
            || indexes().any(|index| index.name == name.name)
            || known.views.values().flat_map(|view| &view.indexes).any(|index| index.name == name.name)
    }
}

/// The relation that a text names; `None` for its number, and for what is not understood.
fn relation(text: &str) -> Option<Name> {
    let mut parts = Vec::new();
    for token in Lexer::new(text, Dialect::Postgres) {
        let word = text.get(token.span.range())?;
        match token.kind {
            TokenKind::Word => parts.push(Dialect::Postgres.fold(word)),
            TokenKind::Name => parts.push(unquote(word, Dialect::Postgres)),
            TokenKind::Symbol if word == "." && !parts.is_empty() => {}
            _ => return None,
        }
    }
    match parts.as_slice() {
        [name] => Some(Name::new(name.as_str())),
        [schema, name] => Some(Name::qualified(Some(schema), name.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    #[test]
    fn names_in_texts_are_looked_up() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE SCHEMA app; CREATE SEQUENCE sq; CREATE SEQUENCE app.other;
             CREATE TABLE t (id bigserial PRIMARY KEY, n int GENERATED ALWAYS AS IDENTITY);",
            "",
        );
        for (text, refused) in [
            ("sq", false),
            ("SQ", false),
            ("\"sq\"", false),
            ("public.sq", false),
            ("app.other", false),
            ("other", false),
            ("t_id_seq", false),
            ("t_n_seq", false),
            ("t_pkey", false),
            ("16384", false),
            ("pg_catalog.pg_class", false),
            ("\"SQ\"", true),
            ("nosuch", true),
            ("app.sq", true),
        ] {
            let sql = format!("SELECT nextval('{text}')");
            let query = resolve(&sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
            let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
            assert_eq!(!errors.is_empty(), refused, "{sql}: {errors:?}");
        }
    }
}
