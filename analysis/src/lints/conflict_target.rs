//! ON CONFLICT on columns that match no unique index.

use super::shared::wording;
use super::{Check, QueryContext, declare_lint};
use crate::finding::Finding;
use crate::schema::columns::of_table;
use crate::schema::{Index, KeyPart, Name, Schema, Table};
use crate::sql::Dialect;
use crate::sql::expr::Expr;
use crate::sql::lex::{Lexer, text_at, unquote};
use crate::sql::query::{Body, Source};
use crate::sql::resolve::expression;

declare_lint! {
    /// ## What it does
    ///
    /// Finds `ON CONFLICT (..)` whose columns and expressions match no unique index or constraint. The match
    /// has to be exact, in any order. A partial index matches if its condition is repeated.
    ///
    /// ## Why is this bad
    ///
    /// The database refuses the query when it runs. sqlx's macros do not see it: PostgreSQL looks for the
    /// index when it plans the statement, not when it prepares it.
    ///
    /// ## Known limits
    ///
    /// A target with a collation or an operator class is left alone, and so is one whose expressions or condition may be
    /// those of an index in other words: they name the same columns.
    ///
    /// ## Example
    ///
    /// ```sql,fires
    /// INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```sql,clean
    /// INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (email) DO NOTHING
    /// ```
    "conflict_target", Correctness, since "0.1.0",
    "ON CONFLICT on columns without a matching unique index",
    Check::Query(check); NeedsSchema, Refused, WhenRun
}

fn check(context: &QueryContext<'_>, findings: &mut Vec<Finding>) {
    let (Ok(query), Some(schema)) = (context.query, context.schema) else { return };
    // A column that does not exist was meant to be another one: what the others lack follows from it.
    if wording::names_unknown_column(query) {
        return;
    }
    if schema.dialect == Dialect::MySql || !schema.gaps.is_empty() {
        return;
    }
    let writes = query.blocks.iter().filter_map(|block| match &block.body {
        Body::Write(write) if write.conflict.is_some() => Some(write),
        _ => None,
    });
    let writes: Vec<_> = writes.collect();
    // If a statement has several INSERT clauses, targets cannot be matched with them.
    let [write] = writes.as_slice() else { return };
    let Source::Table(name) = &query.relation(write.target).source else { return };
    let Some(table) = schema.tables.get(name) else { return };
    for target in targets(context.sql, schema.dialect) {
        if judge(&target, table, schema) == Verdict::None {
            let finding = wording(&target, name, table, schema).excerpt(context.sql, target.span.clone(), "");
            findings.push(context.refused(finding));
        }
    }
}

/// A target of ON CONFLICT.
struct Target {
    /// Its elements: folded columns, normalised expressions.
    elements: Vec<String>,
    /// The same elements as written.
    written: Vec<String>,
    /// Its WHERE, as written.
    condition: Option<String>,
    /// Whether a collation or operator class is given.
    compares: bool,
    span: std::ops::Range<usize>,
}

#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Some index matches, or may match.
    Some,
    /// No index matches.
    None,
}

/// The targets of a statement, in order.
fn targets(sql: &str, dialect: Dialect) -> Vec<Target> {
    let tokens: Vec<_> = Lexer::new(sql, dialect).collect();
    let text = |at: usize| text_at(sql, &tokens, at);
    let is = |at: usize, word: &str| text(at).eq_ignore_ascii_case(word);
    let mut found = Vec::new();
    let mut at = 0;
    while at < tokens.len() {
        if !(is(at, "on") && is(at + 1, "conflict") && is(at + 2, "(")) {
            at += 1;
            continue;
        }
        let open = at + 2;
        let (mut depth, mut end) = (0_usize, open);
        let mut elements = vec![String::new()];
        let mut ends = vec![open];
        let mut compares = false;
        while end < tokens.len() {
            match text(end) {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 {
                break;
            }
            compares |= depth == 1 && end > open && is(end, "collate");
            if depth == 1 && text(end) == "," {
                elements.push(String::new());
                ends.push(end);
            } else if end > open
                && let Some(last) = elements.last_mut()
            {
                // Two words without a comma: an operator class.
                let is_word =
                    |text: &str| text.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '"');
                compares |= depth == 1 && is_word(last) && is_word(text(end));
                last.push_str(&normal(text(end), dialect));
            }
            end += 1;
        }
        ends.push(end);
        let place = |at: usize| tokens.get(at).map(|token| token.span.range()).unwrap_or_default();
        // The text between two tokens.
        let between = |from: usize, to: usize| {
            sql.get(place(from).end..place(to).start).unwrap_or_default().trim().to_owned()
        };
        let written = ends.iter().zip(ends.iter().skip(1)).map(|(from, to)| between(*from, *to)).collect();
        let action = (end + 1..tokens.len()).find(|at| is(*at, "do"));
        let condition = action.filter(|_| is(end + 1, "where")).map(|action| between(end + 1, action));
        let span = place(open).start..place(end).end;
        if span.end > span.start {
            found.push(Target { elements, written, condition, compares, span });
        }
        at = end + 1;
    }
    found
}

/// A token, normalised.
fn normal(text: &str, dialect: Dialect) -> String {
    match text.chars().next() {
        Some('\'') => text.to_owned(),
        Some('"' | '`' | '[') => unquote(text, dialect),
        _ => text.to_ascii_lowercase(),
    }
}

fn judge(target: &Target, table: &Table, schema: &Schema) -> Verdict {
    let dialect = schema.dialect;
    if target.compares {
        return Verdict::Some;
    }
    let is_rowid = |name: &str| {
        matches!(name, "rowid" | "oid" | "_rowid_")
            || table.rowid_alias().is_some_and(|alias| alias.name == name)
    };
    if let (Dialect::Sqlite, [only]) = (dialect, target.elements.as_slice())
        && is_rowid(only)
    {
        return Verdict::Some;
    }
    let fits = |index: &&Index| {
        index.unique && !is_deferrable(index, table) && may_be_about(index, target, table, schema)
    };
    let mut fitting = table.indexes.iter().filter(fits).peekable();
    if fitting.peek().is_none() {
        return Verdict::None;
    }
    let is_usable = |index: &Index| may_imply(target, index, table, schema);
    if fitting.any(is_usable) { Verdict::Some } else { Verdict::None }
}

/// Whether the condition of a target may imply the predicate of an index: it is about all columns of the predicate.
fn may_imply(target: &Target, index: &Index, table: &Table, schema: &Schema) -> bool {
    let Some(predicate) = &index.predicate else { return true };
    let Some(condition) = &target.condition else { return false };
    let read = |text: &str| expression(text, schema.dialect, of_table(schema, table));
    match (read(predicate), read(condition)) {
        (Some(predicate), Some(condition)) if !condition.columns().is_empty() => {
            let asked = names(&condition);
            names(&predicate).iter().all(|name| asked.contains(name))
        }
        // A condition without columns may be false.
        _ => true,
    }
}

/// The columns of an expression, in order of their names.
fn names(expr: &Expr) -> Vec<String> {
    let mut names: Vec<String> = expr.columns().iter().map(|column| column.name.clone()).collect();
    names.sort();
    names.dedup();
    names
}

/// Whether two expressions over a table may be the same for the database: they are about the same columns, and do not call
/// different functions. Some functions have a syntax of their own, and a cast may be a call.
fn may_be_same(one: &Expr, other: &Expr) -> bool {
    let is_different = match (one.without_casts(), other.without_casts()) {
        (Expr::Call(one), Expr::Call(other)) => {
            let is_plain = |name: &str| {
                matches!(name, "lower" | "upper" | "initcap" | "md5" | "length" | "abs" | "reverse")
            };
            one.name != other.name && is_plain(&one.name) && is_plain(&other.name)
        }
        _ => false,
    };
    names(one) == names(other) && !is_different
}

/// Whether an index belongs to a deferrable key, which PostgreSQL refuses as the target of ON CONFLICT.
fn is_deferrable(index: &Index, table: &Table) -> bool {
    table.timings.get(&index.name).is_some_and(|timing| timing.to_ascii_uppercase().starts_with("DEFERRABLE"))
}

/// Whether the keys of an index may match the elements of a target, in any order; differently written
/// expressions may be equal.
fn may_be_about(index: &Index, target: &Target, table: &Table, schema: &Schema) -> bool {
    let dialect = schema.dialect;
    let is_column =
        |element: &String| element.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '$' || c == ' ');
    let columns = |key: &KeyPart| match key {
        KeyPart::Column(name) => Some(name.to_owned()),
        KeyPart::Expression(_) => None,
    };
    let mut keys: Vec<String> = index.keys.iter().filter_map(|key| columns(&key.part)).collect();
    let mut named: Vec<String> = target.elements.iter().filter(|it| is_column(it)).cloned().collect();
    if dialect == Dialect::Sqlite {
        keys.iter_mut().chain(&mut named).for_each(|name| name.make_ascii_lowercase());
    }
    for list in [&mut keys, &mut named] {
        list.sort();
        list.dedup();
    }
    let read = |text: &str| expression(text, dialect, of_table(schema, table));
    let expressions: Vec<Option<Expr>> = index
        .keys
        .iter()
        .filter_map(|key| match &key.part {
            KeyPart::Column(_) => None,
            KeyPart::Expression(text) => Some(read(text)),
        })
        .collect();
    let asked = target.elements.iter().zip(&target.written).filter(|(element, _)| !is_column(element));
    let asked: Vec<Option<Expr>> = asked.map(|(_, written)| read(written)).collect();
    let may_pair = |one: &Option<Expr>, other: &Option<Expr>| match (one, other) {
        (Some(one), Some(other)) => may_be_same(one, other),
        _ => true,
    };
    keys == named
        && expressions.iter().all(|own| asked.iter().any(|it| may_pair(own, it)))
        && asked.iter().all(|it| expressions.iter().any(|own| may_pair(own, it)))
}

fn wording(target: &Target, name: &Name, table: &Table, schema: &Schema) -> Finding {
    let named = target.elements.join(", ");
    let partial = table
        .indexes
        .iter()
        .filter(|index| index.unique && may_be_about(index, target, table, schema))
        .find_map(|index| Some((index, index.predicate.as_ref()?)));
    if let Some((index, predicate)) = partial {
        let message = format!(
            "the unique index on `{name} ({named})` is partial, and ON CONFLICT does not repeat its condition"
        );
        return Finding::new(LINT.name, message).help(format!(
            "write `ON CONFLICT ({named}) WHERE {predicate}`, the condition of `{}`",
            index.name
        ));
    }
    let deferrable = |index: &&Index| {
        index.unique && is_deferrable(index, table) && may_be_about(index, target, table, schema)
    };
    if let Some(index) = table.indexes.iter().find(deferrable) {
        let message = format!(
            "the unique key on `{name} ({named})` is deferrable, so that ON CONFLICT cannot be on it"
        );
        return Finding::new(LINT.name, message)
            .help(format!("make `{}` a key that is not deferrable, or add a unique index", index.name));
    }
    let message = format!("ON CONFLICT is on `{name} ({named})`, which no unique index is about");
    let mut keys: Vec<String> = Vec::new();
    for index in table
        .indexes
        .iter()
        .filter(|index| index.unique && index.predicate.is_none() && !is_deferrable(index, table))
    {
        let parts = index.keys.iter().map(|key| match &key.part {
            KeyPart::Column(column) => column.clone(),
            KeyPart::Expression(expression) => expression.clone(),
        });
        keys.push(format!("`ON CONFLICT ({})`", parts.collect::<Vec<_>>().join(", ")));
    }
    if let Some(alias) = table.rowid_alias() {
        keys.push(format!("`ON CONFLICT ({})`", alias.name));
    }
    keys.sort();
    keys.dedup();
    let finding = Finding::new(LINT.name, message);
    match keys.is_empty() {
        true => finding.help(format!("add a unique index on `{name} ({named})`")),
        false => {
            finding.help(format!("write {}, or add a unique index on `{name} ({named})`", keys.join(" or ")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lints::tests::{fires, silent};

    #[test]
    fn a_deferrable_key_is_no_target() {
        use crate::check::Checker;
        use crate::config::Config;
        use crate::schema::Replay;
        let found = |key: &str| {
            let mut replay = Replay::new(Dialect::Postgres);
            replay.apply(
                &format!("CREATE TABLE tags (id int PRIMARY KEY, name text NOT NULL, {key});"),
                "one.sql",
            );
            let config = Config::default();
            let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
            let sql = "INSERT INTO tags (id, name) VALUES (1, $1) ON CONFLICT (name) DO NOTHING";
            let found = checker.query(sql, None).findings;
            found.into_iter().filter(|it| it.lint == LINT.name).map(|it| it.message).collect::<String>()
        };
        assert!(found("UNIQUE (name) DEFERRABLE").contains("deferrable"));
        assert!(found("UNIQUE (name) DEFERRABLE INITIALLY DEFERRED").contains("deferrable"));
        assert_eq!(found("UNIQUE (name) NOT DEFERRABLE"), "");
        assert_eq!(found("UNIQUE (name), CONSTRAINT other UNIQUE (name) DEFERRABLE"), "");
    }

    #[test]
    fn fires_where_no_unique_index_is_about_it() {
        for sql in [
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING",
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (email, name) DO UPDATE SET name = $2",
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (lower(email)) DO NOTHING",
            "INSERT INTO events (user_id, name) VALUES ($1, $2) ON CONFLICT (user_id, id) DO NOTHING",
        ] {
            fires("conflict_target", sql);
        }
    }

    #[test]
    fn silent_where_one_is() {
        for sql in [
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (\"email\") DO NOTHING",
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT (EMAIL) WHERE name = 'a' DO NOTHING",
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT DO NOTHING",
            "INSERT INTO users (email, name) VALUES ($1, $2) ON CONFLICT ON CONSTRAINT users_email_key DO NOTHING",
            "INSERT INTO elsewhere (a) VALUES ($1) ON CONFLICT (a) DO NOTHING",
        ] {
            silent("conflict_target", sql);
        }
    }

    #[test]
    fn partial_and_expression_indexes_count_where_they_are_repeated() {
        let mut replay = crate::schema::Replay::new(Dialect::Postgres);
        replay.apply(
            "CREATE TABLE t (a int, b int, c text); CREATE UNIQUE INDEX ON t (a) WHERE b IS NULL;
             CREATE UNIQUE INDEX ON t (lower(c), b); CREATE UNIQUE INDEX ON t ((c IS NULL), a) WHERE b > 0 AND c <> '';",
            "a.sql",
        );
        let table = replay.schema.table(None, "t").unwrap();
        for (target, expected) in [
            ("(a)", Verdict::None),
            ("(a) WHERE b IS NULL", Verdict::Some),
            ("(b, lower(c))", Verdict::Some),
            ("(lower(c))", Verdict::None),
            ("(b, c)", Verdict::None),
            ("(b COLLATE \"C\")", Verdict::Some),
            ("(b, upper(c))", Verdict::None),
            ("(LOWER((c)), b)", Verdict::Some),
            ("(lower(c::text), b)", Verdict::Some),
            ("(lower(a::text), b)", Verdict::None),
            ("(a) WHERE b = 1", Verdict::Some),
            ("(a) WHERE c = 'x'", Verdict::None),
            ("(a, (c IS NULL)) WHERE b > 5 AND c = 'x'", Verdict::Some),
            ("(a, (c IS NULL)) WHERE t.b > 5 AND t.c = 'x'", Verdict::Some),
            ("(a, (c IS NULL)) WHERE b > 5", Verdict::None),
            ("(a, (c IS NULL)) WHERE false", Verdict::Some),
        ] {
            let sql = format!("INSERT INTO t (a) VALUES (1) ON CONFLICT {target} DO NOTHING");
            let targets = targets(&sql, Dialect::Postgres);
            let target = targets.first().expect("a target");
            assert_eq!(judge(target, table, &replay.schema), expected, "{sql}");
        }
    }
}
