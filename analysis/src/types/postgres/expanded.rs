//! SELECT lists with a `*` whose columns only the catalog or the type of a value knows.

use super::session::{Session, Value};
use crate::sql::expr::Expr;
use crate::sql::query::RelationId;

impl Session<'_> {
    /// The columns of a list whose `*` the resolver did not expand; `names` has the names of the others, and none of
    /// RETURNING.
    pub(super) fn unlisted(
        &mut self,
        list: &[Expr],
        names: &[String],
        has_star: bool,
    ) -> Option<Vec<(String, Value)>> {
        let mut values = Some(Vec::new());
        for (at, expr) in list.iter().enumerate() {
            let name = names.get(at).filter(|name| !name.is_empty());
            let found = match expr {
                Expr::WholeRow(relation) if has_star && name.is_none() => self.all_of(*relation),
                Expr::Access { expr: of, field: Some(star), .. } if star == "*" => self.fields_of(of),
                other => {
                    let value = self.expr(other);
                    name.map(|name| vec![(name.clone(), value)])
                }
            };
            match (found, &mut values) {
                (Some(found), Some(values)) => values.extend(found),
                _ => values = None,
            }
        }
        values
    }

    /// The columns of a relation, if the resolver does not know them.
    fn all_of(&mut self, relation: RelationId) -> Option<Vec<(String, Value)>> {
        if self.query.relation(relation).columns.is_some() {
            return None;
        }
        let fields = self.relation(relation)?;
        Some(fields.iter().map(|field| (field.name.clone(), field.value.clone())).collect())
    }

    /// The fields of a composite value, or of what a function returns: `(value).*`.
    fn fields_of(&mut self, value: &Expr) -> Option<Vec<(String, Value)>> {
        let value = self.expr(value);
        let base = self.types.base(value.ty);
        let fields = self.types.info(base).fields.clone();
        let field = |(name, ty)| (name, Value::of(ty, false).because("a field of a composite can be NULL"));
        (!fields.is_empty()).then(|| fields.into_iter().map(field).collect())
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};
    use crate::types::{Origin, describe};

    /// The columns of a query: the name, the type, `?` if it can be NULL, `!` if not, and `@` if it is that of a table.
    fn columns(sql: &str) -> String {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TYPE geo AS (x int, y text);
             CREATE TYPE span AS RANGE (subtype = numeric, subtype_diff = f);
             CREATE TABLE m (id int PRIMARY KEY, a text NOT NULL, b text, g geo, gs geo[], s span NOT NULL);
             CREATE FUNCTION one() RETURNS geo LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION many() RETURNS SETOF geo LANGUAGE sql AS 'SELECT 1';
             CREATE FUNCTION rows_of() RETURNS SETOF m LANGUAGE sql AS 'SELECT * FROM m';
             CREATE FUNCTION outs(OUT a int, OUT b text) LANGUAGE sql AS 'SELECT 1, 2';
             CREATE FUNCTION joined() RETURNS TABLE (a int, b text) LANGUAGE sql STABLE AS
                 'SELECT x.id, y.a FROM m x JOIN m y ON y.id = x.id';
             CREATE FUNCTION padded() RETURNS TABLE (a int, b text) LANGUAGE sql STABLE AS
                 'SELECT x.id, y.a FROM m x LEFT JOIN m y ON y.id = x.id';
             CREATE VIEW both AS SELECT x.id, y.a FROM m x LEFT JOIN m y ON y.id = x.id;
             CREATE FUNCTION of_view() RETURNS SETOF both LANGUAGE sql STABLE AS 'SELECT * FROM both';
             CREATE FUNCTION found(p int) RETURNS SETOF m LANGUAGE sql STABLE AS 'SELECT * FROM m WHERE id = p';",
            "",
        );
        let query = resolve(sql, Dialect::Postgres, Some(&replay.schema)).expect("it parses");
        assert_eq!(query.problems, [], "{sql}");
        let found = describe(&query, &replay.schema, Dialect::Postgres);
        assert_eq!(found.errors, [], "{sql}");
        if found.unknown.is_some() {
            return "unknown".to_owned();
        }
        let shown = found.columns.iter().map(|column| {
            let ty = column.ty.known().map_or("-".to_owned(), |ty| ty.name.clone());
            let null = match (column.nullable, column.nullable_certain) {
                (_, false) => "~",
                (Some(true), _) => "?",
                (Some(false), _) => "!",
                (None, _) => "",
            };
            let origin = if matches!(column.origin, Origin::Table { .. }) { "@" } else { "" };
            format!("{}:{ty}{null}{origin}", column.name)
        });
        shown.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_column_of_a_row_is_that_of_the_relation() {
        for (sql, expect) in [
            ("SELECT (m).a, (m).b FROM m", "a:text!@ b:text?@"),
            ("SELECT (x.*).id, (x).g FROM m x", "id:int4!@ g:geo?@"),
            ("SELECT ((x).g).y, (x).g.x FROM m x", "y:text x:int4"),
            ("SELECT (s).a FROM (SELECT a FROM m) s", "a:text!@"),
            ("SELECT (c).relname FROM pg_class c", "relname:name!@"),
            ("SELECT (r).a FROM rows_of() r", "a:text"),
        ] {
            assert_eq!(columns(sql), expect, "{sql}");
        }
    }

    #[test]
    fn a_star_in_parentheses_has_all_columns() {
        let all = "id:int4!@ a:text!@ b:text?@ g:geo?@ gs:geo[]?@ s:span!@";
        for (sql, expect) in [
            ("SELECT (x.*) FROM m x", all),
            ("SELECT (x).* FROM m x", all),
            ("SELECT (x).* AS y FROM m x", all),
            ("SELECT (g).* FROM m", "x:int4 y:text"),
            ("SELECT (gs[1]).* FROM m", "x:int4 y:text"),
            ("SELECT a AS c, (one()).* FROM m", "c:text!@ x:int4 y:text"),
            ("SELECT (many()).*, 1", "x:int4 y:text ?column?:int4"),
            ("SELECT (outs()).*", "a:int4 b:text"),
            ("SELECT (s.f).* FROM (SELECT one() AS f) s", "x:int4 y:text"),
            ("SELECT (jsonb_each(to_jsonb(a))).* FROM m", "key:text value:jsonb"),
            ("SELECT c.oid AS one, c.relname AS two, c.* FROM pg_class c LIMIT 0", ""),
            ("SELECT (f()).* FROM m", "unknown"),
            ("SELECT (ROW(id, a)).f2, (ROW(id, b)).f1 FROM m", "f2:text f1:int4"),
            ("SELECT x.a, (one()).* FROM m x LEFT JOIN m y ON y.id = x.id", "a:text~@ x:int4~ y:text~"),
        ] {
            let found = columns(sql);
            if expect.is_empty() {
                assert!(found.starts_with("one:oid!@ two:name!@ oid:oid!@"), "{sql}: {found}");
            } else {
                assert_eq!(found, expect, "{sql}");
            }
        }
    }

    #[test]
    fn a_row_of_a_function_is_of_the_type_that_it_returns() {
        for (sql, expect) in [
            ("SELECT f FROM one() f", "f:geo"),
            ("SELECT f FROM many() AS f (c, d)", "f:geo"),
            ("SELECT f FROM rows_of() f", "f:m"),
            ("SELECT f FROM outs() f", "f:record"),
            ("SELECT u FROM m, unnest(m.gs) u", "u:geo"),
            ("SELECT u FROM m, unnest(m.gs) WITH ORDINALITY u", "u:record"),
            ("SELECT u FROM unnest($1::int[]) u", "u:int4"),
            ("SELECT u FROM jsonb_populate_recordset(NULL::geo, $1) u", "u:geo"),
            (
                "SELECT * FROM jsonb_populate_recordset(NULL::geo, $1) WITH ORDINALITY u",
                "x:int4 y:text ordinality:int8",
            ),
        ] {
            assert_eq!(columns(sql), expect, "{sql}");
        }
    }

    #[test]
    fn columns_of_a_function_go_by_the_names_of_its_alias() {
        for (sql, expect) in [
            ("SELECT * FROM jsonb_populate_recordset(NULL::geo, $1) AS u (k, v)", "k:int4 v:text"),
            ("SELECT u.k FROM jsonb_populate_recordset(NULL::geo, $1) AS u (k)", "k:int4"),
            (
                "SELECT * FROM jsonb_populate_recordset(NULL::geo, $1) WITH ORDINALITY u (k, v, n)",
                "k:int4 v:text n:int8",
            ),
        ] {
            assert_eq!(columns(sql), expect, "{sql}");
        }
    }

    #[test]
    fn a_range_of_the_schema_has_the_functions_of_ranges() {
        for (sql, expect) in [
            (
                "SELECT s, lower(s), s @> 1.5, s * s FROM m",
                "s:span!@ lower:numeric ?column?:bool ?column?:span",
            ),
            ("SELECT span(1, 2), span($1, $2, '[]'), ARRAY[s] FROM m", "span:span span:span array:span[]"),
            ("SELECT s @> $1 FROM m WHERE s && $2", "?column?:bool"),
            ("SELECT range_merge(s, $1), isempty(s) FROM m", "range_merge:span isempty:bool"),
        ] {
            assert_eq!(columns(sql), expect, "{sql}");
        }
    }

    #[test]
    fn columns_that_a_recursive_query_adds_have_types() {
        let tree = "WITH RECURSIVE t(n, depth) AS
            (SELECT id, 0 FROM m UNION ALL SELECT m.id, t.depth + 1 FROM m JOIN t ON t.n = m.id)";
        for (clause, expect) in [
            ("CYCLE n SET again USING path", "n:int4 depth:int4 again:bool path:_record"),
            ("CYCLE n SET again TO 1 DEFAULT 0 USING path", "n:int4 depth:int4 again:int4 path:_record"),
            ("CYCLE n SET again TO 'Y' DEFAULT 'N' USING path", "n:int4 depth:int4 again:text path:_record"),
            ("SEARCH DEPTH FIRST BY n SET path", "n:int4 depth:int4 path:_record"),
            ("SEARCH BREADTH FIRST BY n SET path", "n:int4 depth:int4 path:record"),
        ] {
            assert_eq!(columns(&format!("{tree} {clause} SELECT * FROM t")), expect, "{clause}");
        }
    }

    #[test]
    fn the_plan_of_a_function_that_is_replaced_is_not_known() {
        let sql = "SELECT x.id, f.a FROM m x LEFT JOIN LATERAL found(x.id) f ON true";
        assert_eq!(columns(sql), "id:int4~@ a:text~");
        assert_eq!(columns("SELECT id, a FROM found($1)"), "id:int4 a:text");
        assert_eq!(columns("SELECT * FROM joined()"), "a:int4 b:text");
        assert_eq!(columns("SELECT * FROM padded()"), "a:int4~ b:text~");
        assert_eq!(columns("SELECT * FROM of_view()"), "id:int4~ a:text~");
    }
}
