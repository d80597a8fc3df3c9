//! The names that a database gives to unaliased output columns.

use sqlparser::ast;

use super::Resolver;
use super::select::Projection;
use crate::schema::UserType;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{ColumnRef, Expr};
use crate::sql::query::{Output, ProblemKind, RelationId, Role, Source};
use crate::sql::text::Span;

impl Resolver<'_> {
    /// PostgreSQL: whether a query in FROM has several columns of this name, so that none can be named.
    pub(super) fn has_twice(&self, id: RelationId, name: &str) -> bool {
        let relation = &self.relations[id.0 as usize];
        let columns = relation.columns.as_deref().unwrap_or_default();
        self.dialect == Dialect::Postgres
            && matches!(relation.source, Source::Cte(_) | Source::Derived(_))
            && !relation.alias.is_empty()
            && columns.iter().filter(|column| column.name == name).nth(1).is_some()
    }

    /// Records a column of which a query in FROM has several.
    pub(super) fn check_twice(&mut self, id: RelationId, name: &str, span: Option<Span>) {
        if self.has_twice(id, name) {
            let relations = vec![self.relations[id.0 as usize].alias.clone()];
            self.problem(ProblemKind::AmbiguousColumn { column: name.to_owned(), relations }, span);
        }
    }

    /// PostgreSQL: `(t).x` is `t.x`, if `t` is a relation with that column.
    pub(super) fn column_of_row(&self, row: &Expr, name: &str, ident: &ast::Ident) -> Option<Expr> {
        let Expr::WholeRow(id) = row else { return None };
        if self.dialect != Dialect::Postgres || self.has_column(*id, name) != Some(true) {
            return None;
        }
        let span = self.bytes(ident.span);
        Some(Expr::Column(ColumnRef { relation: Some(*id), name: name.to_owned(), span }))
    }

    /// PostgreSQL: adds the columns of `(t.*)` and `(value).*`; `false` for anything else.
    pub(super) fn add_expanded(&mut self, projection: &mut Projection, expr: &ast::Expr) -> bool {
        if self.dialect != Dialect::Postgres {
            return false;
        }
        match expr {
            ast::Expr::Nested(inner) => self.add_expanded(projection, inner),
            ast::Expr::QualifiedWildcard(_, token) => {
                let Expr::WholeRow(relation) = self.expr(expr) else { return false };
                projection.star = projection.star.or_else(|| self.bytes(token.0.span));
                self.add_star(projection, &[relation], &[]);
                true
            }
            ast::Expr::CompoundFieldAccess { access_chain, .. } => {
                let Some(ast::AccessExpr::Dot(ast::Expr::Identifier(star))) = access_chain.last() else {
                    return false;
                };
                if star.value != "*" {
                    return false;
                }
                let Expr::Access { expr: of, field, subscripts } = self.expr(expr) else { return false };
                if let Expr::WholeRow(relation) = *of {
                    projection.star = projection.star.or_else(|| self.bytes(star.span));
                    self.add_star(projection, &[relation], &[]);
                } else {
                    self.add_fields(projection, Expr::Access { expr: of, field, subscripts });
                }
                true
            }
            _ => false,
        }
    }

    /// Adds the fields of `(value).*`. Of other values than columns of a composite type they are not known.
    fn add_fields(&self, projection: &mut Projection, star: Expr) {
        let Expr::Access { expr: of, .. } = &star else { return };
        let ty = self.type_of(of);
        let (schema, name) = ty.rsplit_once('.').map_or((None, &*ty), |(schema, name)| (Some(schema), name));
        let Some(UserType::Composite(fields)) = self.schema.and_then(|known| known.user_type(schema, name))
        else {
            projection.outputs = None;
            projection.add(String::new(), star);
            return;
        };
        for field in fields {
            let (expr, field) = (of.clone(), Some(field.name.clone()));
            let name = field.clone().unwrap_or_default();
            self.add_output(projection, name, Expr::Access { expr, field, subscripts: Vec::new() });
        }
    }

    /// The type of an expression if it is evident.
    pub(super) fn type_of(&self, expr: &Expr) -> String {
        match expr {
            Expr::Column(ColumnRef { relation: Some(id), name, .. }) => {
                let columns = self.relations[id.0 as usize].columns.as_ref();
                let column =
                    columns.and_then(|columns| self.wide.find(columns, name, |column| column.name == *name));
                column.map_or_else(String::new, |column| column.ty.clone())
            }
            Expr::Cast { ty, .. } => ty.clone(),
            _ => String::new(),
        }
    }

    pub(super) fn alias_name(&self, alias: &ast::Ident) -> String {
        self.dialect.cut(match (self.dialect, alias.quote_style) {
            (Dialect::Postgres, None) => alias.value.to_lowercase(),
            _ => alias.value.clone(),
        })
    }

    /// The name of an unaliased output column.
    pub(super) fn output_name(&self, expr: &ast::Expr) -> String {
        match self.dialect {
            Dialect::Postgres => self.figure_name(expr, 0).unwrap_or_else(|| "?column?".to_owned()),
            Dialect::MySql | Dialect::Sqlite => self.written_name(expr),
        }
    }

    /// PostgreSQL derives a name from columns, functions and casts.
    fn figure_name(&self, expr: &ast::Expr, depth: usize) -> Option<String> {
        use ast::Expr as E;
        if depth > 64 {
            return None;
        }
        let inner = |expr: &ast::Expr| self.figure_name(expr, depth + 1);
        let fixed = |name: &str| Some(name.to_owned());
        match expr {
            E::Identifier(ident) => Some(self.fold(ident)),
            E::CompoundIdentifier(parts) => parts.last().map(|ident| self.fold(ident)),
            E::CompoundFieldAccess { root, access_chain } => access_chain
                .iter()
                .rev()
                .find_map(|access| match access {
                    ast::AccessExpr::Dot(field) => inner(field),
                    ast::AccessExpr::Subscript(_) => None,
                })
                .or_else(|| inner(root)),
            E::Nested(expr) | E::Collate { expr, .. } => inner(expr),
            E::QualifiedWildcard(name, _) => Some(self.object_name(name).1),
            E::Cast { expr, data_type, .. } => {
                inner(expr).filter(|_| !is_weak(expr, 0)).or_else(|| type_name(data_type))
            }
            E::TypedString(typed) => type_name(&typed.data_type),
            E::Interval(_) => fixed("interval"),
            E::Value(value) if matches!(value.value, ast::Value::NationalStringLiteral(_)) => fixed("bpchar"),
            E::Function(function) => Some(self.object_name(&function.name).1),
            E::Case { else_result, .. } => {
                let name = else_result.as_ref().and_then(|e| inner(e).filter(|_| !is_weak(e, 0)));
                name.or_else(|| fixed("case"))
            }
            E::Exists { negated: false, .. } => fixed("exists"),
            E::Array(_) => fixed("array"),
            E::Tuple(_) => fixed("row"),
            E::Extract { .. } => fixed("extract"),
            E::Ceil { .. } => fixed("ceil"),
            E::Floor { .. } => fixed("floor"),
            E::Position { .. } => fixed("position"),
            E::Substring { shorthand, .. } => fixed(if *shorthand { "substr" } else { "substring" }),
            E::BinaryOp { op: ast::BinaryOperator::Overlaps, .. } => fixed("overlaps"),
            E::Trim { trim_where, .. } => fixed(match trim_where {
                Some(ast::TrimWhereField::Leading) => "ltrim",
                Some(ast::TrimWhereField::Trailing) => "rtrim",
                _ => "btrim",
            }),
            E::Overlay { .. } => fixed("overlay"),
            E::AtTimeZone { .. } => fixed("timezone"),
            E::Subquery(query) => self.first_output_name(query, depth + 1),
            _ => None,
        }
    }

    fn first_output_name(&self, query: &ast::Query, depth: usize) -> Option<String> {
        let mut body = query.body.as_ref();
        loop {
            body = match body {
                ast::SetExpr::Select(select) => {
                    return match select.projection.first()? {
                        ast::SelectItem::ExprWithAlias { alias, .. } => Some(self.fold(alias)),
                        ast::SelectItem::UnnamedExpr(expr) => {
                            self.figure_name(expr, depth + 1).or_else(|| Some("?column?".to_owned()))
                        }
                        _ => None,
                    };
                }
                ast::SetExpr::Query(query) => query.body.as_ref(),
                ast::SetExpr::SetOperation { left, .. } => left.as_ref(),
                ast::SetExpr::Values(_) => return Some("column1".to_owned()),
                _ => return None,
            }
        }
    }

    /// The name that a column of a relation has in results, if that is not the folded one.
    pub(super) fn declared_name(&self, relation: RelationId, name: &str) -> Option<String> {
        let columns = self.relations.get(relation.0 as usize)?.columns.as_ref()?;
        columns.iter().find(|column| column.name == name)?.spelling.clone()
    }

    /// Whether a folded name is that of an output column.
    pub(super) fn is_named(&self, output: &Output, name: &str) -> bool {
        match self.dialect {
            Dialect::Postgres => output.name == name,
            Dialect::MySql | Dialect::Sqlite => output.name.eq_ignore_ascii_case(name),
        }
    }

    /// SQLite names a column of a result as it is declared, and a rowid after its alias in the table. Columns of
    /// subqueries have the names that they are given there.
    pub(super) fn column_name(&self, expr: &Expr) -> Option<String> {
        let column = expr.as_column()?;
        match self.dialect {
            Dialect::Postgres => return None,
            Dialect::MySql => return self.merged_name(column),
            Dialect::Sqlite => {}
        }
        let mut block = self.current_block();
        while let Some(within) = block.and_then(|id| self.blocks.get(id.0 as usize)) {
            match within.role {
                Role::Derived | Role::Cte { .. } => return None,
                Role::Arm => block = within.parent,
                _ => break,
            }
        }
        let relation = column.relation?;
        let columns = self.relations.get(relation.0 as usize)?.columns.as_ref();
        if let Some(known) = columns.into_iter().flat_map(|it| it.iter()).find(|it| it.name == column.name) {
            return Some(known.spelling.as_ref().unwrap_or(&known.name).clone());
        }
        let Source::Table(name) = &self.relations.get(relation.0 as usize)?.source else {
            return None;
        };
        let table = self.schema?.stored(name)?;
        let hidden = matches!(column.name.as_str(), "rowid" | "oid" | "_rowid_");
        if !hidden || table.without_rowid || table.column(&column.name).is_some() {
            return None;
        }
        Some(table.rowid_alias().map_or_else(|| "rowid".to_owned(), |alias| alias.shown().to_owned()))
    }

    /// MySQL and MariaDB name a column of a merged query as it is named there, and any other as it is written.
    fn merged_name(&self, column: &ColumnRef) -> Option<String> {
        let relation = self.relations.get(column.relation?.0 as usize)?;
        let (Source::View(_, inner) | Source::Cte(inner) | Source::Derived(inner)) = &relation.source else {
            return None;
        };
        if !self.blocks.get(inner.0 as usize)?.is_merged {
            return None;
        }
        let known = relation.columns.iter().flat_map(|it| it.iter()).find(|it| it.name == column.name)?;
        Some(known.spelling.as_ref().unwrap_or(&known.name).clone())
    }

    /// SQLite and MySQL use the name of a plain column, and the text as written for anything else.
    fn written_name(&self, expr: &ast::Expr) -> String {
        let mut bare = expr;
        while let ast::Expr::Nested(inner) = bare {
            bare = inner;
        }
        if let Some(name) = literal_name(bare).filter(|_| self.dialect == Dialect::MySql) {
            return name;
        }
        match bare {
            ast::Expr::Identifier(ident) => ident.value.clone(),
            ast::Expr::CompoundIdentifier(parts) => {
                parts.last().map_or_else(String::new, |ident| ident.value.clone())
            }
            _ => {
                let span = self.span_of(expr);
                // They are sorted: the innermost one that contains the position is the last that starts
                // before it.
                let written = span.and_then(|span| {
                    let before = self.select_texts.partition_point(|(item, _)| item.start <= span.start);
                    let before = self.select_texts.get(..before)?;
                    before.iter().rev().find(|(item, _)| span.start < item.end)
                });
                written.map_or_else(|| expr.to_string(), |(_, text)| text.clone())
            }
        }
    }
}

/// MySQL and MariaDB name a text after its value, from the first character that is seen, and other constants in capitals.
fn literal_name(expr: &ast::Expr) -> Option<String> {
    let value = match expr {
        ast::Expr::Value(value) => &value.value,
        ast::Expr::Prefixed { value, .. } => return literal_name(value),
        _ => return None,
    };
    match value {
        ast::Value::SingleQuotedString(text)
        | ast::Value::DoubleQuotedString(text)
        | ast::Value::NationalStringLiteral(text) => {
            Some(text.trim_start_matches(|c: char| c.is_ascii() && !c.is_ascii_graphic()).to_owned())
        }
        ast::Value::Null => Some("NULL".to_owned()),
        ast::Value::Boolean(truth) => Some(if *truth { "TRUE" } else { "FALSE" }.to_owned()),
        _ => None,
    }
}

/// Whether an expression has only the name of a type, or that of CASE, which PostgreSQL does not use outside of it.
fn is_weak(expr: &ast::Expr, depth: usize) -> bool {
    use ast::Expr as E;
    let of = |expr: &ast::Expr| depth < 64 && is_weak(expr, depth + 1);
    match expr {
        E::Nested(inner) | E::Collate { expr: inner, .. } | E::Cast { expr: inner, .. } => of(inner),
        E::Case { else_result, .. } => else_result.as_ref().is_none_or(|inner| of(inner)),
        E::TypedString(_) | E::Interval(_) | E::Value(_) => true,
        _ => false,
    }
}

/// The last part of a type's internal name.
fn type_name(ty: &ast::DataType) -> Option<String> {
    let written = ty.to_string().to_lowercase();
    let base = written.split(['(', '[']).next().unwrap_or(&written).trim();
    Some(
        match base {
            "int" | "integer" => "int4",
            "bigint" => "int8",
            "smallint" => "int2",
            "real" => "float4",
            "double precision" | "float" | "double" => "float8",
            "boolean" => "bool",
            "character varying" => "varchar",
            "character" | "char" => "bpchar",
            "decimal" | "dec" => "numeric",
            "timestamp with time zone" => "timestamptz",
            "timestamp without time zone" => "timestamp",
            "time with time zone" => "timetz",
            other => other.rsplit('.').next().unwrap_or(other),
        }
        .trim_matches('"')
        .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn check(sql: &str, expect: &str) {
        let mut replay = Replay::new(Dialect::MySql);
        replay.apply(
            "CREATE TABLE t (id int PRIMARY KEY, Name text); CREATE VIEW v AS SELECT id AS VId, Name FROM t; \
             CREATE VIEW v2 AS SELECT VID, NAME AS nAme FROM v; CREATE VIEW g AS SELECT Name FROM t GROUP BY Name",
            "",
        );
        let query = resolve(sql, Dialect::MySql, Some(&replay.schema)).expect("it parses");
        assert_eq!(query.problems, [], "{sql}");
        let outputs = query.block(query.root.expect("a root")).outputs.as_ref().expect("known columns");
        let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
        assert_eq!(names.join("|"), expect, "{sql}");
    }

    #[test]
    fn columns_of_merged_queries_are_named_as_they_are_there() {
        check("SELECT NAME FROM t", "NAME");
        check("SELECT vid, v.NAME, vid AS Vid, vid + 1 FROM v", "VId|Name|Vid|vid + 1");
        check("SELECT vid, name FROM v2", "VID|nAme");
        check("SELECT NAME FROM g", "NAME");
        check("SELECT x.A FROM (SELECT id AS a FROM t ORDER BY id) x", "a");
        check("SELECT x.A FROM (SELECT y.A FROM (SELECT id AS a FROM t) y) x", "a");
        check("WITH c AS (SELECT id AS a FROM t) SELECT A FROM c", "a");
        for stored in [
            "1 AS a",
            "id AS a FROM t LIMIT 1",
            "DISTINCT id AS a FROM t",
            "max(id) AS a FROM t",
            "id AS a FROM t UNION SELECT 1",
            "id AS a, row_number() OVER () AS n FROM t",
            "id AS a, uuid() AS n FROM t",
            "id AS a, @n := 1 AS n FROM t",
            "id AS a FROM t WHERE id IN (SELECT rand() FROM t)",
        ] {
            check(&format!("SELECT x.A FROM (SELECT {stored}) x"), "A");
        }
    }

    #[test]
    fn constants_are_named_after_their_values() {
        check(
            "SELECT 'it''s', \"x\", ('y'), ' z ', null, true, 1.50, 'a' = 'b'",
            "it's|x|y|z |NULL|TRUE|1.50|'a' = 'b'",
        );
    }
}
