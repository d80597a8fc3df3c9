//! The casts and operators that a schema defines itself.

use std::sync::Arc;

use super::arena::Ty;
use super::candidates::Candidate;
use super::coerce::Context;
use super::own;
use super::session::Session;
use crate::schema::Schema;

/// The casts and operators of a schema, from the statements that create them.
#[derive(Debug, Default)]
pub(super) struct Conversions {
    /// Whether there may be others.
    is_open: bool,
    operators: Vec<Operator>,
    casts: Vec<Cast>,
    /// Whether there are operator classes, which compare and order types.
    has_classes: bool,
}

/// `CREATE CAST`.
#[derive(Debug, PartialEq, Eq)]
struct Cast {
    from: String,
    to: String,
    needs: Context,
    calls_function: bool,
}

/// `CREATE OPERATOR`, with the types of its operands; a prefix has no left one.
#[derive(Debug, PartialEq, Eq)]
struct Operator {
    name: String,
    left: Option<String>,
    right: String,
    function: String,
}

/// What a statement creates.
#[derive(Debug, PartialEq, Eq)]
enum Created {
    Operator(Operator),
    Class,
    Cast(Cast),
}

impl Conversions {
    pub(super) fn new(schema: &Schema) -> Conversions {
        let unlisted = schema.own_conversions && schema.conversions.is_empty();
        let mut all = Conversions { is_open: unlisted || !schema.gaps.is_empty(), ..Conversions::default() };
        for statement in &schema.conversions {
            match created(statement) {
                Some(Created::Operator(operator)) => all.operators.push(operator),
                Some(Created::Class) => all.has_classes = true,
                Some(Created::Cast(cast)) => all.casts.push(cast),
                None => all.is_open = true,
            }
        }
        all
    }
}

/// Reads a statement; `None` if it has an unexpected form.
fn created(statement: &str) -> Option<Created> {
    if statement.contains("--") || statement.contains("/*") {
        return None;
    }
    let text = statement.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
    let text = text.strip_prefix("create ")?;
    if let Some(rest) = text.strip_prefix("operator ") {
        if rest.starts_with("class ") || rest.starts_with("family ") {
            return Some(Created::Class);
        }
        return operator(rest).map(Created::Operator);
    }
    let inside = text.strip_prefix("cast")?.trim_start().strip_prefix('(')?;
    let (from, rest) = inside.split_once(" as ")?;
    let mut depth = 0_usize;
    let end = rest.char_indices().find(|(_, c)| match c {
        '(' => {
            depth += 1;
            false
        }
        ')' if depth > 0 => {
            depth -= 1;
            false
        }
        ')' => true,
        _ => false,
    });
    let (to, tail) = rest.split_at(end?.0);
    let tail = tail.trim_end_matches([';', ' ']);
    let needs = if tail.ends_with("as implicit") {
        Context::Implicit
    } else if tail.ends_with("as assignment") {
        Context::Assignment
    } else {
        Context::Explicit
    };
    let calls_function = !tail.contains("without function");
    Some(Created::Cast(Cast {
        from: from.trim().to_owned(),
        to: to.trim().to_owned(),
        needs,
        calls_function,
    }))
}

/// Reads what follows `CREATE OPERATOR`.
fn operator(text: &str) -> Option<Operator> {
    let (name, options) = text.split_once('(')?;
    let name = name.trim().rsplit('.').next()?;
    if name.is_empty() || !name.chars().all(|c| "+-*/<>=~!@#%^&|`?".contains(c)) {
        return None;
    }
    let options = options.trim_end_matches([';', ' ']).strip_suffix(')')?;
    let option = |names: &[&str]| {
        let mut pairs = options.split(',').filter_map(|option| option.split_once('='));
        pairs.find(|(name, _)| names.contains(&name.trim())).map(|(_, value)| value.trim().to_owned())
    };
    Some(Operator {
        name: if name == "!=" { "<>" } else { name }.to_owned(),
        left: option(&["leftarg"]),
        right: option(&["rightarg"])?,
        function: option(&["function", "procedure"])?,
    })
}

impl Session<'_> {
    /// Whether the schema may define casts that are not known.
    pub(super) fn has_unknown_casts(&self) -> bool {
        self.conversions.is_open
    }

    /// Whether the schema may define an operator of this name.
    pub(super) fn may_define_operator(&self, op: &str) -> bool {
        self.conversions.is_open || self.defines_operator(op)
    }

    /// Whether the schema defines an operator of this name.
    pub(super) fn defines_operator(&self, op: &str) -> bool {
        let op = if op == "!=" { "<>" } else { op };
        self.conversions.operators.iter().any(|own| own.name == op)
    }

    /// The schema's own operators with a name; `None` if the operands of one are of unknown types.
    pub(super) fn own_operators(&mut self, op: &str, operands: usize) -> Option<Vec<Arc<Candidate>>> {
        let op = if op == "!=" { "<>" } else { op };
        let mut found = Vec::new();
        for at in 0..self.conversions.operators.len() {
            let own = self.conversions.operators.get(at).filter(|own| own.name == op);
            let Some(own) = own.filter(|own| own.left.is_some() == (operands == 2)) else { continue };
            let (left, right, function) = (own.left.clone(), own.right.clone(), own.function.clone());
            let types = left.iter().chain([&right]).map(|name| self.types.named(name));
            let args = types.collect::<Option<Vec<Ty>>>()?;
            let result = self.returned_by(&function).unwrap_or(Ty::OPAQUE);
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
        if self.conversions.is_open || self.conversions.has_classes {
            return true;
        }
        let ty = self.types.base(ty);
        let ty = self.types.element(ty).unwrap_or(ty);
        let from: Vec<String> = self.conversions.casts.iter().map(|cast| cast.from.clone()).collect();
        from.iter().any(|name| self.types.named(name).is_some_and(|from| self.types.same(from, ty)))
    }

    /// The schema's own cast from one type to the other: where it applies, and whether it calls a function.
    pub(super) fn own_cast(&mut self, from: Ty, to: Ty) -> Option<(Context, bool)> {
        for at in 0..self.conversions.casts.len() {
            let cast = self.conversions.casts.get(at)?;
            let (needs, calls_function) = (cast.needs, cast.calls_function);
            let (named_from, named_to) = (cast.from.clone(), cast.to.clone());
            let (Some(own_from), Some(own_to)) = (self.types.named(&named_from), self.types.named(&named_to))
            else {
                continue;
            };
            if self.types.same(own_from, from) && self.types.same(own_to, to) {
                return Some((needs, calls_function));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    #[test]
    fn statements_are_taken_apart() {
        let cast = |from: &str, to: &str, needs, calls_function| {
            let (from, to) = (from.to_owned(), to.to_owned());
            Some(Created::Cast(Cast { from, to, needs, calls_function }))
        };
        let operator = |name: &str, left: Option<&str>, right: &str| {
            let (name, left, right) = (name.to_owned(), left.map(str::to_owned), right.to_owned());
            Some(Created::Operator(Operator { name, left, right, function: "f".to_owned() }))
        };
        for (statement, expect) in [
            (
                "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = int, FUNCTION = f)",
                operator("===", Some("text"), "int"),
            ),
            ("CREATE OPERATOR public.!=(rightarg = a, procedure = f)", operator("<>", None, "a")),
            ("create operator class o for type a using btree as operator 1 <", Some(Created::Class)),
            ("CREATE OPERATOR a (rightarg = a, procedure = f)", None),
            ("CREATE OPERATOR + (leftarg = a)", None),
            (
                "CREATE CAST (varchar(3) AS\n mood) WITH INOUT AS ASSIGNMENT;",
                cast("varchar(3)", "mood", Context::Assignment, true),
            ),
            (
                "CREATE CAST (a AS numeric(3, 2)) WITHOUT FUNCTION AS IMPLICIT",
                cast("a", "numeric(3, 2)", Context::Implicit, false),
            ),
            ("CREATE CAST (a AS b) WITH FUNCTION f(a)", cast("a", "b", Context::Explicit, true)),
            ("CREATE /* a */ CAST (a AS b) WITH FUNCTION f(a)", None),
        ] {
            assert_eq!(created(statement), expect, "{statement}");
        }
    }

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
            // An assignment cast is none of an expression.
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
