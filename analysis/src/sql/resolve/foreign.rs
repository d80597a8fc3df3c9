//! Syntax of other databases, which the parser takes in each dialect.

use sqlparser::ast::{self, BinaryOperator as B};

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::query::ProblemKind;
use crate::sql::text::Span;

/// What is written, as a fragment, and what to write instead.
type Foreign = (String, &'static str);

impl Resolver<'_> {
    /// Records syntax that only other databases have.
    pub(super) fn foreign(&mut self, what: &str, help: &str, span: Option<Span>) {
        let of = match self.dialect {
            Dialect::Postgres => "PostgreSQL",
            Dialect::MySql => "MySQL and MariaDB",
            Dialect::Sqlite => "SQLite",
        };
        let message = format!("{what} is not syntax of {of}");
        self.problem(ProblemKind::Foreign { message, help: help.to_owned() }, span);
    }

    /// Checks the form of one expression, without its parts.
    pub(super) fn check_form(&mut self, expr: &ast::Expr) {
        let found = match self.dialect {
            Dialect::MySql => unknown_to_mysql(expr),
            Dialect::Postgres => unknown_to_postgres(expr).filter(|_| !self.is_made_type(expr)),
            Dialect::Sqlite => unknown_to_sqlite(expr),
        };
        if let Some((what, help)) = found {
            let span = self.span_of(expr);
            self.foreign(&what, help, span);
        }
    }

    /// Checks an infix operator of MySQL or SQLite; `right` is its second operand.
    pub(super) fn check_operator(&mut self, op: &B, right: &ast::Expr) {
        let help = match op {
            _ if self.dialect == Dialect::Sqlite => match op {
                B::Spaceship => "write `IS`",
                B::BitwiseXor | B::PGExp | B::Xor => "compute it from `&`, `|` and `~`",
                B::PGRegexMatch | B::PGRegexIMatch => "write `REGEXP`, `GLOB` or `LIKE`",
                B::PGRegexNotMatch | B::PGRegexNotIMatch => "write `NOT REGEXP`, `NOT GLOB` or `NOT LIKE`",
                _ => return,
            },
            _ if self.dialect != Dialect::MySql => return,
            B::PGRegexMatch | B::PGRegexIMatch => "write `REGEXP`",
            B::PGRegexNotMatch | B::PGRegexNotIMatch => "write `NOT REGEXP`",
            B::PGLikeMatch | B::PGILikeMatch => "write `LIKE`",
            B::PGNotLikeMatch | B::PGNotILikeMatch => "write `NOT LIKE`",
            B::Custom(op) if op == "==" => "write `=`",
            _ => return,
        };
        let span = self.span_of(right);
        self.foreign(&format!("the operator `{op}`"), help, span);
    }

    /// Whether an expression is cast to a type of the schema.
    fn is_made_type(&self, expr: &ast::Expr) -> bool {
        let (ast::Expr::Cast { data_type, .. }, Some(schema)) = (expr, self.schema) else { return false };
        schema.user_type(None, &data_type.to_string().to_lowercase()).is_some()
    }

    /// MySQL: checks how ORDER BY and LIMIT are written.
    pub(super) fn check_bounds_of(&mut self, query: &ast::Query) {
        if self.dialect != Dialect::MySql {
            return;
        }
        match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit: Some(limit), offset, .. }) => {
                self.check_number(limit);
                offset.iter().for_each(|offset| self.check_number(&offset.value));
            }
            Some(ast::LimitClause::LimitOffset { limit: None, offset: Some(offset), .. })
                if offset.rows == ast::OffsetRows::None && query.fetch.is_none() =>
            {
                let span = self.span_of(&offset.value);
                self.foreign("OFFSET without LIMIT", "write a LIMIT before it", span);
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => {
                self.check_number(offset);
                self.check_number(limit);
            }
            _ => {}
        }
    }

    /// Records a LIMIT or OFFSET that is computed, which MySQL refuses, or that is ALL or NULL.
    pub(super) fn check_number(&mut self, number: &ast::Expr) {
        use ast::Expr as E;
        let is_computed = matches!(
            number,
            E::BinaryOp { .. } | E::UnaryOp { .. } | E::Nested(_) | E::Function(_) | E::Cast { .. }
        );
        let is_null = matches!(number, E::Value(value) if value.value == ast::Value::Null);
        if is_null && self.dialect != Dialect::Postgres {
            self.foreign("LIMIT without a number", "leave the clause out", self.span_of(number));
        }
        if is_computed && self.dialect == Dialect::MySql {
            let span = self.span_of(number);
            self.foreign("a computed LIMIT", "give a number or a parameter", span);
        }
    }

    /// MySQL: records keys of an order that say where NULL is.
    pub(super) fn check_nulls(&mut self, keys: &[ast::OrderByExpr]) {
        let key = keys.iter().find(|key| key.options.nulls_first.is_some());
        if let Some(key) = key.filter(|_| self.dialect == Dialect::MySql) {
            let what = if key.options.nulls_first == Some(true) { "NULLS FIRST" } else { "NULLS LAST" };
            let span = self.span_of(&key.expr);
            self.foreign(what, "order by whether the value is null first: `ORDER BY a IS NULL, a`", span);
        }
    }

    /// MySQL: records a LIMIT in a subquery of IN, ANY or ALL.
    pub(super) fn check_listed(&mut self, query: &ast::Query) {
        let has_limit = match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit, .. }) => limit.is_some(),
            Some(ast::LimitClause::OffsetCommaLimit { .. }) => true,
            None => query.fetch.is_some(),
        };
        if has_limit && self.dialect == Dialect::MySql {
            let span = query.limit_clause.as_ref().and_then(|clause| self.span_of(clause));
            let help = "select from a derived table: `IN (SELECT id FROM (SELECT .. LIMIT 5) AS x)`";
            self.foreign("LIMIT in a subquery of IN, ANY or ALL", help, span);
        }
    }

    /// Checks the forms of a SELECT list and of DISTINCT.
    pub(super) fn check_list(&mut self, select: &ast::Select) {
        let is_star = |item: &ast::SelectItem| matches!(item, ast::SelectItem::Wildcard(_));
        let star = select.projection.iter().position(is_star);
        let span = star.and_then(|at| select.projection.get(at)).and_then(|item| self.span_of(item));
        if star.is_some() && select.from.is_empty() {
            let help = "name the tables in a FROM, or the values";
            return self.clause("`*` of a SELECT without tables", "of no table", help, span);
        }
        if self.dialect == Dialect::Postgres {
            return;
        }
        if star.is_some_and(|at| at > 0) && self.dialect == Dialect::MySql {
            self.foreign("`*` after other columns", "write it first, or `t.*`", span);
        }
        if let Some(ast::Distinct::On(keys)) = &select.distinct {
            let span = span.or_else(|| keys.first().and_then(|key| self.span_of(key)));
            self.foreign(
                "DISTINCT ON",
                "number the rows of each group: `ROW_NUMBER() OVER (PARTITION BY ..)`",
                span,
            );
        }
    }

    /// Checks the form of an INSERT.
    pub(super) fn check_insert(&mut self, insert: &ast::Insert) {
        let span = self.bytes(insert.insert_token.0.span);
        match (&insert.on, self.dialect) {
            (Some(ast::OnInsert::OnConflict(_)), Dialect::MySql) => {
                self.foreign("ON CONFLICT", "write `ON DUPLICATE KEY UPDATE`, or `INSERT IGNORE`", span);
            }
            _ if insert.or.is_some() && self.dialect != Dialect::Sqlite => {
                let help = match self.dialect {
                    Dialect::MySql => "write `INSERT IGNORE` or `REPLACE`",
                    _ => "write `ON CONFLICT`",
                };
                self.foreign("INSERT OR", help, span);
            }
            (None, Dialect::MySql) if insert.source.is_none() && insert.assignments.is_empty() => {
                self.foreign("DEFAULT VALUES", "write `() VALUES ()`", span);
            }
            (Some(ast::OnInsert::DuplicateKeyUpdate(_)), Dialect::Postgres | Dialect::Sqlite) => {
                self.foreign("ON DUPLICATE KEY UPDATE", "write `ON CONFLICT (..) DO UPDATE SET ..`", span);
            }
            _ => {}
        }
    }

    /// MySQL: records WITH that begins an INSERT, or that holds a write.
    pub(super) fn check_written_with(&mut self, query: &ast::Query) {
        use ast::SetExpr as S;
        let Some(with) = query.with.as_ref().filter(|_| self.dialect == Dialect::MySql) else { return };
        let is_write = |query: &ast::Query| {
            matches!(*query.body, S::Insert(_) | S::Update(_) | S::Delete(_) | S::Merge(_))
        };
        if let Some(cte) = with.cte_tables.iter().find(|cte| is_write(&cte.query)) {
            let span = self.bytes(cte.alias.name.span);
            self.foreign("a write in WITH", "run it as a statement of its own", span);
        }
        if matches!(*query.body, S::Insert(_)) {
            let span = self.bytes(with.with_token.0.span);
            self.foreign("WITH before INSERT", "write it before the SELECT: `INSERT INTO t WITH ..`", span);
        }
    }

    /// MySQL: records a sample of a table.
    pub(super) fn check_sample(&mut self, is_sampled: bool, span: Option<Span>) {
        if is_sampled && self.dialect == Dialect::MySql {
            self.foreign("TABLESAMPLE", "choose rows by their keys, or leave it out", span);
        }
    }
}

/// The form of an expression, if MySQL and MariaDB refuse it.
fn unknown_to_mysql(expr: &ast::Expr) -> Option<Foreign> {
    use ast::Expr as E;
    let (what, help) = match expr {
        E::Value(value) => {
            return placeholder(&value.value, "write `?`, and bind the values in the order of the text");
        }
        E::Cast { kind: ast::CastKind::DoubleColon, .. } => ("`::`", "write `CAST(.. AS ..)`"),
        E::Cast { data_type, .. } | E::Convert { data_type: Some(data_type), .. } => return cast(data_type),
        E::ILike { .. } => ("ILIKE", "write `LIKE`, which ignores case where the collation does"),
        E::SimilarTo { .. } => ("SIMILAR TO", "write `REGEXP`"),
        E::IsDistinctFrom(..) => ("IS DISTINCT FROM", "write `NOT a <=> b`"),
        E::IsNotDistinctFrom(..) => ("IS NOT DISTINCT FROM", "write `a <=> b`"),
        E::Array(_) => ("an array", "list the values: `IN (..)`"),
        E::AnyOp { right, .. } | E::AllOp { right, .. } => match right.as_ref() {
            E::Value(_) | E::Identifier(_) | E::CompoundIdentifier(_) | E::Array(_) | E::Cast { .. } => {
                ("ANY or ALL of a value", "list the values, one parameter for each: `IN (?, ?)`")
            }
            _ => return None,
        },
        E::Extract { field, .. } => return extracted(field),
        E::AtTimeZone { .. } => ("AT TIME ZONE", "call `CONVERT_TZ(..)`"),
        E::TypedString(literal) if matches!(literal.data_type, ast::DataType::Datetime(_)) => {
            ("DATETIME before a text", "write `TIMESTAMP` before it")
        }
        _ => return None,
    };
    Some((what.to_owned(), help))
}

/// The form of an expression, if SQLite refuses it.
fn unknown_to_sqlite(expr: &ast::Expr) -> Option<Foreign> {
    use ast::Expr as E;
    let (what, help) = match expr {
        E::Cast { kind: ast::CastKind::DoubleColon, .. } => ("`::`", "write `CAST(.. AS ..)`"),
        E::AnyOp { .. } | E::AllOp { .. } => ("ANY or ALL", "write `IN (..)`"),
        E::AtTimeZone { .. } => ("AT TIME ZONE", "call `datetime(..)` with a modifier"),
        E::TypedString(_) => ("a type before a text", "write the text alone"),
        E::Extract { .. } => ("EXTRACT", "call `strftime(..)`"),
        E::Substring { special: false, .. } => ("SUBSTRING with FROM", "write `substr(a, 1, 2)`"),
        E::Trim { trim_where: Some(_), .. } | E::Trim { trim_what: Some(_), .. } => {
            ("TRIM with FROM", "call `trim(a, 'x')`, `ltrim` or `rtrim`")
        }
        E::Identifier(name) if name.quote_style.is_none() && name.value.eq_ignore_ascii_case("default") => {
            ("DEFAULT as a value", "leave the column out")
        }
        _ => return None,
    };
    Some((what.to_owned(), help))
}

/// The form of an expression, if PostgreSQL refuses it.
fn unknown_to_postgres(expr: &ast::Expr) -> Option<Foreign> {
    use ast::Expr as E;
    match expr {
        E::Value(value) => {
            placeholder(&value.value, "number the parameters: `$1`, and bind the values in that order")
        }
        E::Cast { data_type: ast::DataType::Unsigned | ast::DataType::UnsignedInteger, .. } => {
            Some(("a cast to UNSIGNED".to_owned(), "cast to `bigint`"))
        }
        E::Cast { data_type: ast::DataType::Signed | ast::DataType::SignedInteger, .. } => {
            Some(("a cast to SIGNED".to_owned(), "cast to `bigint`"))
        }
        _ => None,
    }
}

/// A parameter with a name, or in MySQL with a number.
fn placeholder(value: &ast::Value, help: &'static str) -> Option<Foreign> {
    let ast::Value::Placeholder(name) = value else { return None };
    let named = name.strip_prefix(':')?;
    let is_number = named.bytes().all(|byte| byte.is_ascii_digit());
    let what = if is_number { "a parameter with a number" } else { "a parameter with a name" };
    Some((what.to_owned(), help))
}

/// A type that CAST takes neither in MySQL nor in MariaDB.
fn cast(ty: &ast::DataType) -> Option<Foreign> {
    let written = ty.to_string().to_lowercase();
    let base = written.split('(').next().unwrap_or_default().trim();
    let help = match base {
        "text" | "tinytext" | "mediumtext" | "longtext" | "char varying" | "character varying" | "string" => {
            "cast to `CHAR`"
        }
        "varchar" if !written.contains('(') => "cast to `CHAR`",
        "bigint" | "smallint" | "tinyint" | "mediumint" | "int2" | "int4" | "int8" | "serial" => {
            "cast to `SIGNED`"
        }
        "bigint unsigned" | "int unsigned" | "integer unsigned" | "smallint unsigned"
        | "tinyint unsigned" | "mediumint unsigned" => "cast to `UNSIGNED`",
        "bool" | "boolean" => "compare the value: `a <> 0`",
        "timestamp" | "timestamptz" | "timestamp with time zone" | "timestamp without time zone" => {
            "cast to `DATETIME`"
        }
        "blob" | "tinyblob" | "mediumblob" | "longblob" | "varbinary" | "bytea" => "cast to `BINARY`",
        "numeric" => "cast to `DECIMAL`",
        "bit" | "enum" | "set" | "jsonb" => "cast to another type",
        _ => return None,
    };
    Some((format!("a cast to {}", base.to_uppercase()), help))
}

/// A unit that EXTRACT takes in PostgreSQL alone.
fn extracted(field: &ast::DateTimeField) -> Option<Foreign> {
    use ast::DateTimeField as D;
    let help = match field {
        D::Epoch => "write `UNIX_TIMESTAMP(..)`",
        D::Dow => "write `DAYOFWEEK(..) - 1`",
        D::Isodow => "write `WEEKDAY(..) + 1`",
        D::Doy => "write `DAYOFYEAR(..)`",
        D::Isoyear => "write `YEARWEEK(.., 3) DIV 100`",
        D::Century | D::Decade | D::Millennium => "compute it from `YEAR(..)`",
        _ => return None,
    };
    Some((format!("EXTRACT of {field}"), help))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::resolve;

    #[track_caller]
    fn count(dialect: Dialect, sql: &str) -> usize {
        let query = resolve(sql, dialect, None).expect(sql);
        query.problems.iter().filter(|problem| matches!(problem.kind, ProblemKind::Foreign { .. })).count()
    }

    #[test]
    fn what_mysql_does_not_know() {
        for sql in [
            "SELECT a FROM t WHERE a = :id",
            "SELECT a FROM t WHERE a = ?1",
            "SELECT a::text FROM t",
            "SELECT CAST(a AS TEXT) FROM t",
            "SELECT CONVERT(a, BIGINT) FROM t",
            "SELECT a FROM t WHERE a ILIKE 'x'",
            "SELECT a FROM t WHERE a = ANY(?)",
            "SELECT a FROM t WHERE a == 1",
            "SELECT a FROM t WHERE a ~ 'x'",
            "SELECT EXTRACT(EPOCH FROM a) FROM t",
            "SELECT DISTINCT ON (a) a FROM t",
            "SELECT a FROM t ORDER BY a NULLS LAST",
            "SELECT a FROM t TABLESAMPLE BERNOULLI (10)",
            "SELECT a, * FROM t",
            "SELECT a FROM t LIMIT 1 + 1",
            "SELECT a FROM t LIMIT -1",
            "SELECT a FROM t OFFSET 5",
            "SELECT a FROM t WHERE a IN (SELECT b FROM u LIMIT 5)",
            "INSERT INTO t (a) VALUES (1) ON CONFLICT (a) DO NOTHING",
            "UPDATE t SET a = 1 RETURNING a",
            "UPDATE t SET (a, b) = (1, 2)",
            "DELETE FROM t JOIN u ON u.a = t.a WHERE u.b = 1",
            "DELETE t FROM t JOIN u ON u.a = t.a WHERE u.b = 1 RETURNING t.a",
            "WITH x AS (SELECT 1 AS a) INSERT INTO t (a) SELECT a FROM x",
            "WITH x AS (DELETE FROM t WHERE a = 1 RETURNING a) SELECT a FROM x",
        ] {
            assert_eq!(count(Dialect::MySql, sql), 1, "{sql}");
        }
    }

    #[test]
    fn what_mysql_and_mariadb_know() {
        for sql in [
            "SELECT CAST(a AS CHAR), CAST(a AS SIGNED), CAST(a AS UNSIGNED INTEGER), CAST(a AS DECIMAL(5, 2)) FROM t",
            "SELECT CAST(a AS VARCHAR(3)), CAST(a AS INT), CAST(a AS JSON), CAST(a AS DATETIME(6)), CAST(a AS DOUBLE) FROM t",
            "SELECT CONVERT(a USING utf8mb4), ~a, EXTRACT(DAY_HOUR FROM b), @v, @w := 5 FROM t",
            "SELECT a FROM t WHERE a = ANY (SELECT b FROM u) AND a <=> b AND a REGEXP 'x'",
            "SELECT *, a FROM t ORDER BY a DESC LIMIT 5, 10",
            "SELECT a FROM t LIMIT ? OFFSET ?",
            "SELECT a FROM t OFFSET 5 ROWS FETCH NEXT 3 ROWS ONLY",
            "SELECT a FROM t WHERE a IN (SELECT b FROM (SELECT b FROM u LIMIT 5) AS x)",
            "DELETE t FROM t JOIN u ON u.a = t.a WHERE u.b = 1",
            "DELETE FROM t USING t JOIN u ON u.a = t.a",
            "DELETE FROM t WHERE a = 1 RETURNING a",
            "INSERT INTO t (a) WITH x AS (SELECT 1 AS a) SELECT a FROM x",
            "WITH x AS (SELECT 1 AS a) DELETE FROM t WHERE a IN (SELECT a FROM x)",
        ] {
            assert_eq!(count(Dialect::MySql, sql), 0, "{sql}");
        }
    }

    #[test]
    fn what_postgres_does_not_know() {
        for sql in [
            "SELECT a FROM t WHERE a = :id",
            "SELECT CAST(a AS UNSIGNED) FROM t",
            "INSERT INTO t (a) VALUES (1) ON DUPLICATE KEY UPDATE a = 1",
            "DELETE t FROM t WHERE a = 1",
        ] {
            assert_eq!(count(Dialect::Postgres, sql), 1, "{sql}");
        }
        assert_eq!(count(Dialect::Postgres, "SELECT a[1:n], a[:n], a[n:] FROM t WHERE a = $1"), 0);
        assert_eq!(count(Dialect::Sqlite, "SELECT a FROM t WHERE a = :id AND b = ?1"), 0);
    }

    #[test]
    fn what_sqlite_does_not_know() {
        for sql in [
            "SELECT DISTINCT ON (a) a FROM t",
            "SELECT a::text FROM t",
            "SELECT a FROM t WHERE a = ANY (SELECT 1)",
            "SELECT a AT TIME ZONE 'UTC' FROM t",
        ] {
            assert_eq!(count(Dialect::Sqlite, sql), 1, "{sql}");
        }
        let taken = "SELECT DISTINCT a, CAST(a AS text), b IS NOT DISTINCT FROM a FROM t WHERE a LIKE ? AND b REGEXP 'x'";
        assert_eq!(count(Dialect::Sqlite, taken), 0);
    }
}
