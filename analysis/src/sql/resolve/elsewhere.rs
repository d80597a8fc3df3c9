//! Clauses and statements of other databases, where the form of one expression does not tell.

use sqlparser::ast;

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::Expr;

impl Resolver<'_> {
    /// Checks a statement that names no rows: MySQL empties one table at a time, SQLite none.
    pub(super) fn check_truncate(&mut self, truncate: &ast::Truncate) {
        let span = truncate.table_names.first().and_then(|table| self.span_of(&table.name));
        let (what, help) = match self.dialect {
            Dialect::Postgres => return,
            Dialect::Sqlite => ("TRUNCATE", "write `DELETE FROM t`"),
            Dialect::MySql if truncate.table_names.len() > 1 => {
                ("TRUNCATE of several tables", "write a statement for each")
            }
            Dialect::MySql => return,
        };
        self.foreign(what, help, span);
    }

    /// Checks the form of an item of FROM.
    pub(super) fn check_factor(&mut self, factor: &ast::TableFactor) {
        use ast::TableFactor as F;
        let is_mysql = self.dialect == Dialect::MySql;
        if self.dialect == Dialect::Postgres {
            return;
        }
        match factor {
            F::UNNEST { alias, .. } if is_mysql => {
                let span = alias.as_ref().and_then(|alias| self.bytes(alias.name.span));
                self.foreign("UNNEST in FROM", "read `JSON_TABLE(..)`", span);
            }
            F::Table { name, args: Some(_), .. } | F::Function { name, .. }
                if is_mysql && self.object_name(name).1 != "json_table" =>
            {
                let span = self.span_of(name);
                self.foreign("a function in FROM", "read `JSON_TABLE(..)`, or a table", span);
            }
            F::Derived { alias: Some(alias), .. } if !is_mysql && !alias.columns.is_empty() => {
                let span = self.bytes(alias.name.span);
                self.foreign("a list of columns behind an alias", "name the columns inside", span);
            }
            _ => {}
        }
    }

    /// MySQL: checks an outer join of both sides. Without an alias before it, FULL may be that.
    pub(super) fn check_full(&mut self, left: &ast::TableFactor, join: &ast::Join) {
        use ast::TableFactor as F;
        if self.dialect != Dialect::MySql || !matches!(join.join_operator, ast::JoinOperator::FullOuter(_)) {
            return;
        }
        let has_alias = match left {
            F::Table { alias, .. } | F::Derived { alias, .. } => alias.is_some(),
            _ => false,
        };
        let span = match &join.relation {
            F::Table { name, .. } => self.span_of(name),
            F::Derived { subquery, .. } => self.span_of(subquery.as_ref()),
            _ => None,
        };
        let is_outer = span.is_some_and(|span| self.lines.is_behind_all(span.start, &["outer", "join"]));
        if has_alias || is_outer {
            let help = "unite two joins: `.. LEFT JOIN .. UNION ALL .. RIGHT JOIN .. WHERE a.id IS NULL`";
            self.foreign("FULL JOIN", help, span);
        }
    }

    /// SQLite: checks locks, a missing LIMIT, and parentheses around a whole SELECT.
    pub(super) fn check_sqlite_query(&mut self, query: &ast::Query) {
        if self.dialect != Dialect::Sqlite {
            return;
        }
        if let Some(lock) = query.locks.first() {
            let what = format!("FOR {}", lock.lock_type);
            self.foreign(&what, "leave it out: a transaction that writes holds the whole database", None);
        }
        match &query.limit_clause {
            Some(ast::LimitClause::LimitOffset { limit: None, offset: Some(offset), .. })
                if query.fetch.is_none() =>
            {
                let span = self.span_of(&offset.value);
                self.foreign("OFFSET without LIMIT", "write `LIMIT -1` before it", span);
            }
            Some(ast::LimitClause::LimitOffset { limit: Some(limit), .. }) => self.check_number(limit),
            _ => {}
        }
        if query.fetch.is_some() {
            self.foreign("FETCH", "write `LIMIT`", None);
        }
        let mut arm = query.body.as_ref();
        while let ast::SetExpr::SetOperation { left, right, op, set_quantifier } = arm {
            let is_all = matches!(set_quantifier, ast::SetQuantifier::All);
            if is_all && !matches!(op, ast::SetOperator::Union) {
                let span = self.first_span(right);
                self.foreign(&format!("{op} ALL"), "leave ALL out", span);
            }
            for side in [left, right] {
                if let ast::SetExpr::Query(inner) = side.as_ref() {
                    let span = self.first_span(&inner.body);
                    let help = "leave the parentheses out, or select from them: `SELECT * FROM (..)`";
                    self.foreign("parentheses around a part of a compound SELECT", help, span);
                }
            }
            arm = left;
        }
    }

    /// MySQL: checks the form of an UPDATE.
    pub(super) fn check_update(&mut self, update: &ast::Update) {
        if self.dialect != Dialect::MySql {
            return;
        }
        let span = self.bytes(update.update_token.0.span);
        if update.returning.is_some() {
            self.foreign("RETURNING of UPDATE", "read the rows before or after it, in one transaction", span);
        }
        if update.from.is_some() {
            self.foreign("FROM of UPDATE", "join the tables: `UPDATE t JOIN u ON .. SET ..`", span);
        }
        let is_row = |assigned: &ast::Assignment| matches!(assigned.target, ast::AssignmentTarget::Tuple(_));
        if update.assignments.iter().any(is_row) {
            self.foreign("a row in SET", "assign each column on its own", span);
        }
        update.limit.iter().for_each(|limit| self.check_number(limit));
    }

    /// Checks the form of a DELETE.
    pub(super) fn check_delete(&mut self, delete: &ast::Delete) {
        let span = self.bytes(delete.delete_token.0.span);
        if self.dialect != Dialect::MySql {
            if delete.using.is_some() && self.dialect == Dialect::Sqlite {
                let help = "choose the rows in a subquery: `DELETE FROM t WHERE id IN (SELECT ..)`";
                self.foreign("USING of DELETE", help, span);
            }
            if !delete.tables.is_empty() {
                let help = "choose the rows in a subquery: `DELETE FROM t WHERE id IN (SELECT ..)`";
                self.foreign("a table between DELETE and FROM", help, span);
            }
            return;
        }
        let (ast::FromTable::WithFromKeyword(items) | ast::FromTable::WithoutKeyword(items)) = &delete.from;
        let is_plain = delete.tables.is_empty() && delete.using.is_none();
        let is_joined = items.len() > 1 || items.iter().any(|item| !item.joins.is_empty());
        if is_plain && is_joined {
            let help = "name the table whose rows are deleted: `DELETE t FROM t JOIN ..`";
            self.foreign("DELETE FROM a join", help, span);
        }
        if !is_plain && delete.returning.is_some() {
            let help = "read the rows before it, in one transaction";
            self.foreign("RETURNING of a DELETE over several tables", help, span);
        }
        delete.limit.iter().for_each(|limit| self.check_number(limit));
    }

    /// SQLite: checks an UPDATE or DELETE whose alias lacks its AS, or that names other tables.
    pub(super) fn check_sqlite_target(&mut self, target: Option<&ast::TableFactor>) {
        let Some(ast::TableFactor::Table { alias: Some(alias), .. }) = target else { return };
        if self.dialect == Dialect::Sqlite && !alias.explicit {
            let span = self.bytes(alias.name.span);
            self.foreign("an alias without AS in a write", "write AS before it", span);
        }
    }

    /// SQLite: records HAVING where the rows are neither grouped nor counted.
    pub(super) fn check_having(&mut self, select: &ast::Select, list: &[Expr], condition: Option<&Expr>) {
        let Some(having) = select.having.as_ref().filter(|_| self.dialect == Dialect::Sqlite) else { return };
        let is_grouped =
            !matches!(&select.group_by, ast::GroupByExpr::Expressions(keys, _) if keys.is_empty());
        // A function that a program brings may be an aggregate.
        let may_count = |part: &Expr| matches!(part, Expr::Call(_) | Expr::Other { .. });
        if !is_grouped && !list.iter().chain(condition).any(|expr| expr.any(may_count)) {
            let span = self.span_of(having);
            let help = "move the condition to WHERE, or add a GROUP BY";
            self.clause("HAVING of a query without groups", "of no group", help, span);
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::sql::query::ProblemKind;
    use crate::sql::{Dialect, resolve};

    #[track_caller]
    fn count(dialect: Dialect, sql: &str) -> usize {
        let query = resolve(sql, dialect, None).expect(sql);
        let is_told =
            |kind: &ProblemKind| matches!(kind, ProblemKind::Foreign { .. } | ProblemKind::Clause { .. });
        query.problems.iter().filter(|problem| is_told(&problem.kind)).count()
    }

    /// MariaDB 10.11 refuses the first, and takes the others but for two forms of MySQL: AT TIME ZONE in a cast, and LATERAL.
    #[test]
    fn what_mysql_and_mariadb_refuse() {
        for sql in [
            "SELECT a FROM t LIMIT ALL",
            "SELECT a FROM t LIMIT NULL",
            "SELECT a FROM t LIMIT ALL OFFSET 5",
            "SELECT a AT TIME ZONE 'UTC' FROM t",
            "SELECT a FROM t x FULL JOIN u ON u.a = x.a",
            "SELECT a FROM t FULL OUTER JOIN u ON u.a = t.a",
            "SELECT a FROM UNNEST(?) x",
            "SELECT a FROM generate_series(1, 5) x",
            "UPDATE t SET a = u.b FROM u WHERE u.a = t.a",
            "INSERT OR IGNORE INTO t (a) VALUES (1)",
            "INSERT INTO t DEFAULT VALUES",
            "TRUNCATE t, u",
            "SELECT DATETIME '2020-01-01'",
        ] {
            assert_eq!(count(Dialect::MySql, sql), 1, "{sql}");
        }
        for sql in [
            "SELECT a FROM t LIMIT 5",
            "SELECT CAST(a AT TIME ZONE '+00:00' AS DATETIME) FROM t",
            "SELECT a FROM JSON_TABLE('[1]', '$[*]' COLUMNS (a INT PATH '$')) x",
            "SELECT a FROM t, LATERAL (SELECT 1 AS b) x",
            "SELECT a FROM t FULL JOIN u USING (a)",
            "TRUNCATE TABLE t",
            "INSERT INTO t () VALUES ()",
            "INSERT INTO t VALUES ()",
            "SELECT DATE '2020-01-01', TIME '00:00:01', TIMESTAMP '2020-01-01 00:00:00'",
        ] {
            assert_eq!(count(Dialect::MySql, sql), 0, "{sql}");
        }
    }

    /// SQLite 3.40 refuses the first, and has the form of the others, but for HAVING where it alone counts: that is not told.
    #[test]
    fn what_sqlite_refuses() {
        for sql in [
            "SELECT a FROM t LIMIT ALL",
            "SELECT a FROM t OFFSET 5",
            "SELECT a FROM t FOR UPDATE",
            "SELECT a FROM t EXCEPT ALL SELECT a FROM u",
            "(SELECT a FROM t) UNION SELECT a FROM u",
            "SELECT a FROM t UNION (SELECT a FROM u)",
            "SELECT a FROM (SELECT a FROM t) x (a)",
            "SELECT a FROM t HAVING a > 5",
            "SELECT EXTRACT(YEAR FROM a) FROM t",
            "SELECT SUBSTRING(a FROM 1 FOR 2) FROM t",
            "SELECT TRIM(LEADING 'x' FROM a) FROM t",
            "SELECT DATE '2020-01-01'",
            "SELECT a FROM t WHERE a <=> 5",
            "SELECT a ^ 2 FROM t",
            "SELECT a FROM t WHERE a ~ 'x'",
            "INSERT INTO t (a) VALUES (DEFAULT)",
            "UPDATE t x SET a = 1 WHERE x.a = 2",
            "DELETE FROM t x WHERE x.a = 2",
            "DELETE FROM t USING u WHERE u.a = t.a",
            "TRUNCATE t",
        ] {
            assert_eq!(count(Dialect::Sqlite, sql), 1, "{sql}");
        }
        for sql in [
            "SELECT a FROM t LIMIT -1 OFFSET 5",
            "SELECT a FROM t LIMIT 2 + 3",
            "SELECT a FROM t UNION ALL SELECT a FROM u",
            "SELECT a FROM ((SELECT a FROM t) x)",
            "SELECT a FROM ((SELECT a FROM t))",
            "SELECT max(a) FROM t HAVING max(a) > 5",
            "SELECT a FROM t GROUP BY a HAVING a > 5",
            "SELECT 1 FROM t HAVING count(*) > 5",
            "SELECT substring(a, 1, 2), trim(a), trim(a, 'x'), ~a, a << 1 FROM t",
            "SELECT a FROM json_each('[1]') x",
            "UPDATE t AS x SET a = 1 WHERE x.a = 2",
            "UPDATE t SET a = 1 WHERE a > 5 ORDER BY a LIMIT 5",
            "UPDATE t SET a = u.b FROM u WHERE u.a = t.a",
            "INSERT OR IGNORE INTO t (a) VALUES (1)",
            "INSERT INTO t DEFAULT VALUES",
        ] {
            assert_eq!(count(Dialect::Sqlite, sql), 0, "{sql}");
        }
    }
}
