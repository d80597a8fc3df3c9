//! The casts and operators that a schema defines itself, as far as types depend on them.

use std::sync::Arc;

use super::arena::Ty;
use super::candidates::Candidate;
use super::coerce::Context;
use super::own;
use super::session::Session;
use crate::schema::conversions::Applies;

impl Session<'_> {
    /// Whether the schema may define casts that are not known.
    pub(super) fn has_unknown_casts(&self) -> bool {
        let is_unlisted = self.schema.own_conversions && self.schema.conversions.is_empty();
        is_unlisted || !self.schema.gaps.is_empty() || self.schema.read_conversions().is_open
    }

    /// Whether the schema may define an operator of this name.
    pub(super) fn may_define_operator(&self, op: &str) -> bool {
        self.has_unknown_casts() || self.defines_operator(op)
    }

    /// Whether the schema defines an operator of this name.
    pub(super) fn defines_operator(&self, op: &str) -> bool {
        let op = if op == "!=" { "<>" } else { op };
        self.schema.read_conversions().operators.iter().any(|own| own.name == op)
    }

    /// The schema's own operators with a name; `None` if the operands of one are of unknown types.
    pub(super) fn own_operators(&mut self, op: &str, operands: usize) -> Option<Vec<Arc<Candidate>>> {
        let op = if op == "!=" { "<>" } else { op };
        let own = self.schema.read_conversions().operators.iter().filter(|own| own.name == op);
        let mut found = Vec::new();
        for own in own.filter(|own| own.left.is_some() == (operands == 2)) {
            let types = own.left.iter().chain([&own.right]).map(|name| self.types.named(name));
            let args = types.collect::<Option<Vec<Ty>>>()?;
            let result = self.returned_by(&own.function).unwrap_or(Ty::OPAQUE);
            found.push(Arc::new(Candidate::operator(args, result)));
        }
        Some(found)
    }

    /// The type that a function returns, if all of its name do.
    fn returned_by(&mut self, function: &str) -> Option<Ty> {
        let name = function.rsplit('.').next().unwrap_or(function);
        let mut texts = self.schema.functions_named(name).flat_map(|(_, texts)| texts);
        let Some(text) = texts.next() else {
            let lines = self.types.catalog.lines('f', name);
            let mut results = lines.iter().map(|line| line.split(' ').nth(1));
            let first = results.next().flatten()?;
            return if results.all(|other| other == Some(first)) { self.types.builtin(first) } else { None };
        };
        if texts.next().is_some() {
            return None;
        }
        self.types.named(own::head(text)?.returns?)
    }

    /// Whether the schema may say how a type is compared and ordered: by an operator class, or by a cast to a type that is.
    pub(super) fn may_order(&mut self, ty: Ty) -> bool {
        let own = self.schema.read_conversions();
        if self.has_unknown_casts() || own.has_classes {
            return true;
        }
        let ty = self.types.base(ty);
        let ty = self.types.element(ty).unwrap_or(ty);
        own.casts
            .iter()
            .any(|cast| self.types.named(&cast.from).is_some_and(|from| self.types.same(from, ty)))
    }

    /// The schema's own cast from one type to the other: where it applies, and whether it calls a function.
    pub(super) fn own_cast(&mut self, from: Ty, to: Ty) -> Option<(Context, bool)> {
        for cast in &self.schema.read_conversions().casts {
            let (Some(own_from), Some(own_to)) = (self.types.named(&cast.from), self.types.named(&cast.to))
            else {
                continue;
            };
            if self.types.same(own_from, from) && self.types.same(own_to, to) {
                let needs = match cast.applies {
                    Applies::Anywhere => Context::Implicit,
                    Applies::OnAssignment => Context::Assignment,
                    Applies::WhereWritten => Context::Explicit,
                };
                return Some((needs, cast.calls_function));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    /// The first error of a query.
    fn error(schema: &str, sql: &str) -> Option<String> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE mood AS ENUM ('sad', 'happy'); CREATE TYPE geo AS (x int, y int);
             CREATE TABLE t (id int, name text, mood mood, j json, g geo, d date);",
            "",
        );
        replay.apply(schema, "");
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
        errors.into_iter().next().map(|error| error.message)
    }

    #[test]
    fn an_operator_of_the_schema_is_about_its_own_name() {
        let own = "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = texteq);";
        for (sql, refused) in [
            ("UPDATE t SET mood = name", true),
            ("UPDATE t SET mood = CASE WHEN id = 1 THEN 'sad' ELSE 'happy' END", true),
            ("SELECT id FROM t WHERE name = id", true),
            ("SELECT coalesce(name, id) FROM t", true),
            ("SELECT lower(id) FROM t", true),
            ("SELECT j FROM t GROUP BY j", true),
            ("SELECT id FROM t WHERE id === 1", false),
            ("SELECT d + '1 day' FROM t", true),
            ("SELECT id FROM t WHERE name === 'a'", false),
        ] {
            assert_eq!(error(own, sql).is_some(), refused, "{sql}: {:?}", error(own, sql));
        }
        let own = "CREATE OPERATOR + (LEFTARG = text, RIGHTARG = int, FUNCTION = f);";
        assert_eq!(error(own, "SELECT name + id FROM t"), None);
        assert!(error(own, "SELECT name - id FROM t").is_some());
        let own = "CREATE OPERATOR CLASS o DEFAULT FOR TYPE json USING btree AS OPERATOR 1 <;";
        assert_eq!(error(own, "SELECT j FROM t GROUP BY j"), None);
    }

    #[test]
    fn a_cast_of_the_schema_is_about_its_two_types() {
        let own = "CREATE CAST (text AS mood) WITH INOUT AS ASSIGNMENT;
            CREATE CAST (geo AS int) WITH FUNCTION f(geo) AS IMPLICIT;";
        for (sql, refused) in [
            ("UPDATE t SET mood = name", false),
            ("UPDATE t SET mood = CASE WHEN id = 1 THEN 'sad' ELSE 'happy' END", false),
            ("UPDATE t SET d = name", true),
            ("UPDATE t SET mood = id", true),
            // An assignment cast does not apply inside an expression.
            ("SELECT id FROM t WHERE mood = name", true),
            ("SELECT id FROM t WHERE id + g > 1", false),
            ("SELECT abs(g) FROM t", false),
            ("SELECT id FROM t WHERE d = g", true),
            ("SELECT lower(d) FROM t", true),
        ] {
            assert_eq!(error(own, sql).is_some(), refused, "{sql}: {:?}", error(own, sql));
        }
    }
}
