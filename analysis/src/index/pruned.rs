//! Partitions that a query cannot read, as constants say: PostgreSQL leaves them out when it plans.
//!
//! A partition is only left out where its bound and a constant are both understood: whole numbers, dates and times, and for
//! lists also texts. An instant without a time zone is anywhere within a day of what it says.

use crate::schema::{Schema, Table};
use crate::sql::Dialect;
use crate::sql::expr::{Expr, Literal, Op};
use crate::sql::lex::{Lexer, Token, TokenKind, text_at, unquote};
use crate::sql::query::RelationId;

/// The least and the greatest value that a constant can stand for.
type Value = (i64, i64);

/// The ends of a range, of which the upper does not belong to it; `None` is an open end.
type Range = (Option<Value>, Option<Value>);

/// What the conditions of a query allow the partition key to be.
struct Allowed {
    low: Option<Value>,
    /// The upper end, and whether it is allowed itself.
    high: Option<(Value, bool)>,
    /// The values of `=` and IN, as they are compared in lists.
    listed: Option<Vec<String>>,
}

/// What the conditions of a query on a relation say of the partitions of a table.
pub(super) struct Pruning {
    is_range: bool,
    ty: String,
    allowed: Allowed,
}

impl Pruning {
    /// `None` if they may all be read, as far as is known.
    pub(super) fn of(table: &Table, relation: RelationId, demands: &[&Expr]) -> Option<Pruning> {
        let (is_range, key) = key(table)?;
        let ty = table.column(&key)?.ty.clone();
        let allowed = Allowed::by(demands, relation, &key, &ty);
        let says_something = allowed.low.is_some() || allowed.high.is_some() || allowed.listed.is_some();
        says_something.then_some(Pruning { is_range, ty, allowed })
    }

    /// Whether the query may read a partition of the table.
    pub(super) fn may_read(&self, schema: &Schema, table: &Table, partition: &Table) -> bool {
        let Pruning { is_range, ty, allowed } = self;
        let Some(bound) = partition.partition_bound.as_deref() else { return true };
        let is_default = bound.trim().eq_ignore_ascii_case("default");
        let siblings = || {
            let all = schema.children_of(&table.name).filter(|it| it.name != partition.name);
            all.filter_map(|it| it.partition_bound.as_deref())
        };
        match (is_range, is_default) {
            (true, false) => range(bound, ty).is_none_or(|range| allowed.may_be_in(range)),
            (true, true) => {
                let ranges = siblings().filter_map(|other| range(other, ty)).collect();
                !joined(ranges).into_iter().any(|range| allowed.is_within(range))
            }
            (false, _) => {
                let Some(listed) = &allowed.listed else { return true };
                match list(bound, ty) {
                    Some(values) if !is_default => listed.iter().any(|value| values.contains(value)),
                    None if !is_default => true,
                    // The rest is asked for if some value is of no other partition.
                    _ => {
                        let others: Vec<String> =
                            siblings().filter_map(|it| list(it, ty)).flatten().collect();
                        listed.iter().any(|value| !others.contains(value))
                    }
                }
            }
        }
    }
}

/// The only column that a table is partitioned by, and whether by ranges; `None` by hash, and if the key is anything else.
fn key(table: &Table) -> Option<(bool, String)> {
    let text = table.partition_by.as_deref()?;
    let tokens: Vec<Token> = Lexer::new(text, Dialect::Postgres).collect();
    let word = |at: usize| text_at(text, &tokens, at);
    let is_range = match word(0).to_ascii_lowercase().as_str() {
        "range" => true,
        "list" => false,
        _ => return None,
    };
    let column = match tokens.get(2)?.kind {
        TokenKind::Word => Dialect::Postgres.fold(word(2)),
        TokenKind::Name => unquote(word(2), Dialect::Postgres),
        _ => return None,
    };
    (tokens.len() == 4 && word(1) == "(" && word(3) == ")").then_some((is_range, column))
}

impl Allowed {
    fn by(demands: &[&Expr], relation: RelationId, key: &str, ty: &str) -> Allowed {
        let mut allowed = Allowed { low: None, high: None, listed: None };
        let is_key = |expr: &Expr| {
            expr.as_column().is_some_and(|column| column.relation == Some(relation) && column.name == key)
        };
        for demand in demands.iter().flat_map(|demand| demand.conjuncts()) {
            match demand {
                Expr::Binary { op, left, right } if is_key(left) => allowed.compare(op.clone(), right, ty),
                Expr::Binary { op, left, right } if is_key(right) => {
                    allowed.compare(turned(op.clone()), left, ty)
                }
                Expr::Between { expr, low, high, negated: false } if is_key(expr) => {
                    allowed.compare(Op::GtEq, low, ty);
                    allowed.compare(Op::LtEq, high, ty);
                }
                Expr::InList { expr, list, negated: false } if is_key(expr) => {
                    allowed.list(list.iter().map(|value| constant(value, ty)).collect());
                    if let [only] = list.as_slice() {
                        allowed.compare(Op::Eq, only, ty);
                    }
                }
                _ => {}
            }
        }
        allowed
    }

    fn list(&mut self, values: Option<Vec<String>>) {
        self.listed = self.listed.take().or(values);
    }

    fn compare(&mut self, op: Op, value: &Expr, ty: &str) {
        let written = constant(value, ty);
        let value = written.as_deref().and_then(|text| number(text, ty));
        match op {
            Op::Eq => {
                self.list(written.map(|text| vec![text]));
                self.low = self.low.or(value);
                self.high = self.high.or(value.map(|value| (value, true)));
            }
            Op::Gt | Op::GtEq => self.low = self.low.or(value),
            Op::Lt => self.high = self.high.or(value.map(|value| (value, false))),
            Op::LtEq => self.high = self.high.or(value.map(|value| (value, true))),
            _ => {}
        }
    }

    /// Whether some allowed value may be in a range.
    fn may_be_in(&self, (from, to): Range) -> bool {
        let is_below = self.high.zip(from).is_some_and(|((high, itself), from)| match itself {
            true => high.1 < from.0,
            false => high.1 <= from.0,
        });
        let is_above = self.low.zip(to).is_some_and(|(low, to)| low.0 >= to.1);
        !is_below && !is_above
    }

    /// Whether all allowed values are in a range.
    fn is_within(&self, (from, to): Range) -> bool {
        let starts = from.is_none_or(|from| self.low.is_some_and(|low| low.0 >= from.1));
        let ends = to.is_none_or(|to| {
            self.high.is_some_and(|(high, itself)| high.1 < to.0 || !itself && high.1 <= to.0)
        });
        starts && ends
    }
}

/// Ranges, where those that follow each other are one.
fn joined(mut ranges: Vec<Range>) -> Vec<Range> {
    ranges.sort();
    let mut joined: Vec<Range> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.1.is_some() && last.1 == range.0) {
            Some(last) => last.1 = range.1,
            None => joined.push(range),
        }
    }
    joined
}

fn turned(op: Op) -> Op {
    match op {
        Op::Lt => Op::Gt,
        Op::LtEq => Op::GtEq,
        Op::Gt => Op::Lt,
        Op::GtEq => Op::LtEq,
        other => other,
    }
}

/// A constant as lists of values of the type compare it.
fn constant(value: &Expr, ty: &str) -> Option<String> {
    // A cast to another type may round.
    let value = match value {
        Expr::Cast { expr, ty: cast } if cast == ty => expr.as_ref(),
        other => other,
    };
    match value {
        Expr::Literal(Literal::Number(text) | Literal::Text(text)) => normal(text, ty),
        Expr::Unary { op, expr } if op == "-" => match expr.as_ref() {
            Expr::Literal(Literal::Number(text)) => normal(&format!("-{text}"), ty),
            _ => None,
        },
        _ => None,
    }
}

fn normal(text: &str, ty: &str) -> Option<String> {
    let is_text = ty == "text" || ty.starts_with("character varying") || ty == "uuid";
    if is_text {
        return Some(if ty == "uuid" { text.to_lowercase() } else { text.to_owned() });
    }
    let is_number = matches!(ty, "smallint" | "integer" | "bigint");
    if is_number {
        text.trim().parse::<i64>().ok().map(|number| number.to_string())
    } else {
        Some(text.to_owned())
    }
}

/// The place of a constant in the order of its type: whole numbers, or seconds.
fn number(text: &str, ty: &str) -> Option<Value> {
    match ty {
        "smallint" | "integer" | "bigint" => text.trim().parse().ok().map(|number| (number, number)),
        "date" => seconds(text).filter(|(_, rest)| rest.is_empty()).map(|(at, _)| (at, at)),
        _ if ty.starts_with("timestamp") => {
            let (at, rest) = seconds(text)?;
            // A fraction is within the second; a time zone within a day.
            let unsure = match (rest.is_empty(), ty.ends_with("with time zone") && !rest.starts_with("+00")) {
                (true, false) => 0,
                (false, false) => 1,
                (_, true) => 2 * 86_400,
            };
            Some((at - unsure, at + unsure))
        }
        _ => None,
    }
}

/// The seconds since 1970 of `2024-01-31`, or `2024-01-31 23:59:59`, and what follows.
fn seconds(text: &str) -> Option<(i64, &str)> {
    let date = text.get(..10)?;
    let mut parts = date.split('-');
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, month, day): (i64, i64, i64) = (year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
    if year < 1 || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    // Days by the calendar, where years begin in March.
    let (years, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * years + years / 4 - years / 100 + years / 400 + (153 * months + 2) / 5 + day - 719_469;
    let rest = text.get(10..)?;
    let Some(time) = rest.strip_prefix([' ', 'T']).and_then(|rest| rest.get(..8)) else {
        return Some((days * 86_400, rest));
    };
    let parts: Vec<i64> = time.split(':').filter_map(|part| part.parse().ok()).collect();
    let [hours, minutes, seconds] = parts.as_slice() else { return None };
    Some((days * 86_400 + hours * 3_600 + minutes * 60 + seconds, rest.get(9..)?))
}

/// The values of `FOR VALUES FROM (..) TO (..)`, where `None` is an open end; `None` if they are not understood.
fn range(bound: &str, ty: &str) -> Option<Range> {
    let tokens: Vec<Token> = Lexer::new(bound, Dialect::Postgres).collect();
    let text = |at: usize| text_at(bound, &tokens, at);
    let opens: Vec<usize> = (0..tokens.len()).filter(|at| text(*at) == "(").collect();
    let [from, to] = opens.as_slice() else { return None };
    let end = |open: usize| -> Option<Option<Value>> {
        let word = text(open + 1);
        if word.eq_ignore_ascii_case("minvalue") || word.eq_ignore_ascii_case("maxvalue") {
            return Some(None);
        }
        let values = values(bound, &tokens, open)?;
        let [only] = values.as_slice() else { return None };
        number(only, ty).map(Some)
    };
    Some((end(*from)?, end(*to)?))
}

/// The values of `FOR VALUES IN (..)`; `None` if it is another bound.
fn list(bound: &str, ty: &str) -> Option<Vec<String>> {
    let tokens: Vec<Token> = Lexer::new(bound, Dialect::Postgres).collect();
    let open = (0..tokens.len()).find(|at| text_at(bound, &tokens, *at) == "(")?;
    values(bound, &tokens, open)?.iter().map(|value| normal(value, ty)).collect()
}

/// The constants in parentheses; NULL equals none.
fn values(text: &str, tokens: &[Token], open: usize) -> Option<Vec<String>> {
    let mut values = Vec::new();
    let mut sign = "";
    for (at, token) in tokens.iter().enumerate().skip(open + 1) {
        let word = text_at(text, tokens, at);
        match token.kind {
            TokenKind::Text => values.push(unquote(word, Dialect::Postgres)),
            TokenKind::Number => values.push(format!("{}{word}", std::mem::take(&mut sign))),
            _ if word == "-" => sign = "-",
            _ if word == ")" => return Some(values),
            _ if word == "," || word.eq_ignore_ascii_case("null") => {}
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use crate::index::{Verdict, accesses, tests::schema};
    use crate::sql::{Dialect, resolve};

    /// Whether an index on `v` of the named partitions alone serves a query on the key, as PostgreSQL 15 plans.
    #[track_caller]
    fn check(ddl: &str, indexed: &str, condition: &str, is_served: bool) {
        let made: String = indexed.split(' ').map(|table| format!("CREATE INDEX ON {table} (v);")).collect();
        let schema = schema(Dialect::Postgres, &format!("{ddl} {made}"));
        let sql = format!("SELECT id FROM t WHERE v = $1 AND {condition}");
        let query = resolve(&sql, Dialect::Postgres, Some(&schema)).expect("it parses");
        let verdict = accesses(&query, &schema)[0].verdict;
        assert_eq!(verdict == Verdict::Served, is_served, "{condition}: {verdict:?}");
    }

    #[test]
    fn constants_choose_ranges() {
        let ddl = "CREATE TABLE t (id int, v text, k date) PARTITION BY RANGE (k);
            CREATE TABLE a PARTITION OF t FOR VALUES FROM (MINVALUE) TO ('2024-01-01');
            CREATE TABLE b PARTITION OF t FOR VALUES FROM ('2024-01-01') TO ('2025-01-01');
            CREATE TABLE c PARTITION OF t FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
            CREATE TABLE d PARTITION OF t DEFAULT;";
        for (indexed, condition, is_served) in [
            ("b", "k = '2024-05-05'", true),
            ("b", "k = date '2024-05-05'", true),
            ("b", "k >= '2024-01-01' AND k < '2025-01-01'", true),
            ("b", "k BETWEEN '2024-02-01' AND '2024-12-31'", true),
            ("b", "'2024-02-01' <= k AND k <= '2025-01-01'", false),
            ("b c", "'2024-02-01' <= k AND k <= '2025-01-01'", true),
            ("a", "k < '2024-01-01'", true),
            ("a", "k < '2024-01-02'", false),
            ("c", "k > '2025-06-01'", false),
            ("c d", "k > '2025-06-01'", true),
            ("b", "k = $2", false),
            ("b", "k = '2024-05-05 x'", false),
        ] {
            check(ddl, indexed, condition, is_served);
        }
        let zoned = ddl.replace("k date", "k timestamptz");
        check(&zoned, "b", "k >= '2024-02-01' AND k < '2024-03-01'", true);
        check(&zoned, "b", "k >= '2024-01-01' AND k < '2024-03-01'", false);
        let plain = ddl.replace("k date", "k timestamp");
        check(&plain, "b", "k >= '2024-01-01 00:00:00' AND k < '2025-01-01'", true);
        check(&plain, "b", "k >= '2024-01-01' AND k <= '2025-01-01'", false);
    }

    #[test]
    fn constants_choose_lists_and_numbers() {
        let ddl = "CREATE TABLE t (id int, v text, k int) PARTITION BY LIST (k);
            CREATE TABLE a PARTITION OF t FOR VALUES IN (1, -2, NULL);
            CREATE TABLE b PARTITION OF t FOR VALUES IN ('3'); CREATE TABLE d PARTITION OF t DEFAULT;";
        for (indexed, condition, is_served) in [
            ("a", "k = 1", true),
            ("a", "k = -2", true),
            ("a", "k IN (1, -2)", true),
            ("a", "k IN (1, 3)", false),
            ("a b", "k IN (1, 3)", true),
            ("d", "k = 9", true),
            ("a", "k IN (1, 9)", false),
            ("a", "k = $2", false),
            ("a", "k > 0", false),
        ] {
            check(ddl, indexed, condition, is_served);
        }
        let below = "CREATE TABLE t (id int, v text, \"K\" bigint) PARTITION BY RANGE (\"K\");
            CREATE TABLE a PARTITION OF t FOR VALUES FROM (-10) TO (0); CREATE TABLE b PARTITION OF t FOR VALUES FROM (0) TO (MAXVALUE)
            PARTITION BY LIST (id); CREATE TABLE c PARTITION OF b FOR VALUES IN (1); CREATE TABLE d PARTITION OF b DEFAULT;";
        check(below, "a", "\"K\" = -1", true);
        check(below, "c", "\"K\" = 5 AND id = 1", true);
        check(below, "c", "\"K\" = 5 AND id = 2", false);
        check(below, "d", "\"K\" = 5 AND id = 2", true);
    }
}
