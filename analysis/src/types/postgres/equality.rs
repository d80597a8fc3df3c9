//! Values that have to be compared: keys of GROUP BY, DISTINCT and ORDER BY, rows of UNION.

use super::arena::Ty;
use super::session::{Session, Value};
use crate::sql::expr::Expr;
use crate::sql::query::{From, Select};
use crate::types::TypeError;

/// Types whose values cannot be compared or ordered: they are in no operator class of btree or hash.
const INCOMPARABLE: [&str; 10] =
    ["json", "xml", "point", "line", "lseg", "box", "path", "polygon", "circle", "jsonpath"];

impl Session<'_> {
    /// Reports keys of a type without equality. Those with parameters or queries are not derived for it, since their
    /// parameters get no type from that.
    pub(super) fn check_keys<'k>(&mut self, keys: impl IntoIterator<Item = &'k Expr>, what: &str) {
        for key in keys {
            if !key.any(|part| matches!(part, Expr::Parameter(_)) || part.own_subquery().is_some()) {
                let errors = self.errors.len();
                let value = self.expr(key);
                self.errors.truncate(errors);
                let span = value.span.or(match key {
                    Expr::Call(call) => call.span,
                    _ => None,
                });
                self.check_equality(&Value { span, ..value }, what);
            }
        }
    }

    /// Reports a value of a type without equality. Extensions and migrations may add what is missing.
    pub(super) fn check_equality(&mut self, value: &Value, what: &str) {
        let ty = self.incomparable(value.ty);
        // Later versions of known extensions compare types of their own.
        let Some(ty) = ty.filter(|_| !self.types.catalog.unlisted_extension && !self.may_order(value.ty))
        else {
            return;
        };
        self.refusal(TypeError {
            message: format!("{what} is `{ty}`, whose values cannot be compared"),
            span: value.span,
            label: "of this type",
            help: match ty.as_str() {
                "json" => "cast it to `jsonb`, or leave it out".to_owned(),
                _ => "cast it to `text`, or leave it out".to_owned(),
            },
        });
    }

    /// The name of the type, or of that of an array's elements, if it has no equality.
    fn incomparable(&mut self, ty: Ty) -> Option<String> {
        if matches!(ty, Ty::OPAQUE | Ty::UNKNOWN) {
            return None;
        }
        let base = self.types.base(ty);
        let base = if self.is_array(base) { self.types.element(base)? } else { base };
        let base = self.types.base(base);
        let name = self.types.display(base);
        INCOMPARABLE.contains(&name.as_str()).then_some(name)
    }

    /// Reports an ORDER BY that begins with something else than the keys of `DISTINCT ON`. Only columns of a single
    /// relation are compared: those of a join may be the same under two names.
    pub(super) fn check_distinct_on(&mut self, select: &Select, order: &[&Expr]) {
        let (Some(keys), [From::Relation(_)]) = (&select.distinct, select.from.as_slice()) else { return };
        let name = |expr: &Expr| expr.as_column().map(|column| column.name.clone());
        let Some(keys) = keys.iter().map(name).collect::<Option<Vec<String>>>() else { return };
        let mut left: Vec<&String> = keys.iter().collect();
        for key in order {
            let Some(column) = key.as_column().filter(|column| column.relation.is_some()) else { return };
            if left.is_empty() {
                return;
            }
            if keys.contains(&column.name) {
                left.retain(|key| **key != column.name);
                continue;
            }
            let first = left.first().map(|key| key.as_str()).unwrap_or_default();
            return self.refusal(TypeError {
                message: format!("ORDER BY has `{}` before `{first}` of DISTINCT ON", column.name),
                span: column.span,
                label: "not a key of DISTINCT ON",
                help: format!("order by `{first}` first"),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::describe;

    #[track_caller]
    fn check(sql: &str, expect: Option<&str>) {
        check_after("", sql, expect);
    }

    #[track_caller]
    fn check_after(before: &str, sql: &str, expect: Option<&str>) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(before, "");
        replay.apply(
            "CREATE DOMAIN doc AS json;
             CREATE TABLE t (id int PRIMARY KEY, n int, j json, b jsonb, x xml, p point, d doc, l json[], u uuid,
                y jsonpath);",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        let errors = describe(&query, &replay.schema, Dialect::Postgres).errors;
        assert_eq!(errors.first().map(|error| error.message.as_str()), expect, "{sql}");
    }

    #[test]
    fn some_types_have_no_equality() {
        let key = |ty: &str| format!("a key of GROUP BY is `{ty}`, whose values cannot be compared");
        check("SELECT j FROM t GROUP BY j", Some(&key("json")));
        check("SELECT x, count(*) FROM t GROUP BY 1", Some(&key("xml")));
        check("SELECT p FROM t GROUP BY p, n", Some(&key("point")));
        check("SELECT d FROM t GROUP BY id, d", Some(&key("json")));
        check("SELECT l FROM t GROUP BY l", Some(&key("json")));
        check("SELECT id, j FROM t GROUP BY id", None);
        check("SELECT b, u FROM t GROUP BY b, u", None);
        check("SELECT j::text FROM t GROUP BY j::text", None);
        check("SELECT y FROM t GROUP BY y", Some(&key("jsonpath")));
        let other = |what: &str, ty: &str| format!("{what} is `{ty}`, whose values cannot be compared");
        check("SELECT DISTINCT j FROM t", Some(&other("a column of DISTINCT", "json")));
        check("SELECT DISTINCT ON (j) id FROM t", Some(&other("a key of DISTINCT ON", "json")));
        check("SELECT id FROM t ORDER BY p", Some(&other("a key of ORDER BY", "point")));
        check("SELECT id FROM t ORDER BY p <-> point(1, 2)", None);
        check(
            "SELECT id FROM t ORDER BY json_build_object('a', id)",
            Some(&other("a key of ORDER BY", "json")),
        );
        check("SELECT b::json FROM t ORDER BY 1", Some(&other("a key of ORDER BY", "json")));
        check("SELECT DISTINCT ON (b::json) id FROM t", Some(&other("a key of DISTINCT ON", "json")));
        check("SELECT b::json FROM t GROUP BY 1", Some(&key("json")));
        check("SELECT id FROM t ORDER BY (b->'x')::text, b->'x', j->>'x'", None);
        let order = other("a key of an order", "json");
        check("SELECT row_number() OVER (ORDER BY b::json) FROM t", Some(&order));
        check("SELECT array_agg(id ORDER BY j) FROM t", Some(&order));
        check("SELECT array_agg(id ORDER BY b) FILTER (WHERE id > 1) FROM t", None);
        check("SELECT j FROM t UNION SELECT j FROM t", Some(&other("a column of UNION", "json")));
        check("SELECT j FROM t UNION ALL SELECT j FROM t", None);
        check("SELECT count(DISTINCT x) FROM t", Some(&other("an argument after DISTINCT", "xml")));
        check("SELECT count(x) FROM t", None);
        check("SELECT greatest(j, $1) FROM t", Some(&other("what `greatest` compares", "json")));
        check("SELECT coalesce(j, $1), least(n, $2) FROM t", None);
        check(
            "SELECT row_number() OVER (PARTITION BY j) FROM t",
            Some(&other("a key of PARTITION BY", "json")),
        );
    }

    #[test]
    fn a_known_extension_compares_types_of_its_own() {
        let error = "a column of DISTINCT is `json`, whose values cannot be compared";
        check_after("CREATE EXTENSION vector;", "SELECT DISTINCT j FROM t", Some(error));
        check_after(
            "CREATE EXTENSION vector;",
            "SELECT id FROM t WHERE j = b::json",
            Some("no operator `json = json` exists"),
        );
        check_after("CREATE EXTENSION own_thing;", "SELECT DISTINCT j FROM t", None);
    }

    #[test]
    fn the_order_begins_with_the_keys_of_distinct_on() {
        let error = Some("ORDER BY has `id` before `n` of DISTINCT ON");
        check("SELECT DISTINCT ON (n) n, id FROM t ORDER BY id DESC", error);
        check("SELECT DISTINCT ON (u, n) id FROM t ORDER BY u, id, n", error);
        check("SELECT DISTINCT ON (n) n, id FROM t ORDER BY n, id", None);
        check("SELECT DISTINCT ON (n, u) n FROM t ORDER BY u, n DESC, id", None);
        check("SELECT DISTINCT ON (n, u) n FROM t ORDER BY u", None);
        check("SELECT DISTINCT ON (n) n FROM t", None);
        check("SELECT DISTINCT n FROM t ORDER BY n", None);
        check("SELECT DISTINCT ON (t.n) t.n FROM t JOIN t s ON s.n = t.n ORDER BY s.n", None);
    }
}
