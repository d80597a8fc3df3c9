//! Tables of PostgreSQL that migrations fill and then measure: the planner knows how many rows they have, and may plan a
//! join another way than for tables that were just created.

use std::collections::BTreeSet;

use query_budget_analysis::schema::{Name, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};
use query_budget_analysis::sql::query::{Block, From, JoinKind, Query, Source};

/// The tables, by their names without a schema, folded.
#[derive(Debug, Default)]
pub(super) struct Measured(BTreeSet<String>);

impl Measured {
    /// What scripts measure that run one after the other.
    pub(super) fn of(scripts: &[String]) -> Measured {
        let (mut filled, mut measured) = (BTreeSet::new(), BTreeSet::new());
        for script in scripts {
            for statement in statements(script) {
                let words: Vec<&str> = statement.iter().map(String::as_str).collect();
                read(&words, &mut filled, &mut measured);
            }
        }
        Measured(measured)
    }

    /// Whether a query has an outer join, and reads one of the tables.
    pub(super) fn matters_to(&self, query: &Query, schema: &Schema) -> bool {
        let is_measured = |name: &Name| {
            let shown = schema.shown(name).to_lowercase();
            self.0.contains(shown.rsplit('.').next().unwrap_or_default())
        };
        let reads = || {
            query
                .relations
                .iter()
                .any(|relation| matches!(&relation.source, Source::Table(name) if is_measured(name)))
        };
        !self.0.is_empty() && query.blocks.iter().any(has_outer_join) && reads()
    }
}

fn has_outer_join(block: &Block) -> bool {
    let mut left: Vec<&From> = block.from().iter().collect();
    while let Some(item) = left.pop() {
        if let From::Join { kind, left: one, right: other, .. } = item {
            if matches!(kind, JoinKind::Left | JoinKind::Right | JoinKind::Full) {
                return true;
            }
            left.extend([one.as_ref(), other.as_ref()]);
        }
    }
    false
}

/// The words and symbols of each statement, names without quotes and folded.
fn statements(script: &str) -> Vec<Vec<String>> {
    let mut all = vec![Vec::new()];
    for token in Lexer::new(script, Dialect::Postgres) {
        let text = script.get(token.span.range()).unwrap_or_default();
        match token.kind {
            TokenKind::Symbol if text == ";" => all.push(Vec::new()),
            TokenKind::Text => {}
            _ => {
                if let Some(last) = all.last_mut() {
                    last.push(text.trim_matches('"').to_lowercase());
                }
            }
        }
    }
    all
}

fn read(words: &[&str], filled: &mut BTreeSet<String>, measured: &mut BTreeSet<String>) {
    let has = |word: &str| words.contains(&word);
    let after = |word: &str| words.iter().position(|it| *it == word).map(|at| at + 1);
    let measure = |name: Option<&str>, filled: &BTreeSet<String>, measured: &mut BTreeSet<String>| match name
    {
        Some(name) => measured.extend(filled.get(name).cloned()),
        None => measured.extend(filled.iter().cloned()),
    };
    match words {
        ["insert", "into", ..] | ["with", ..] if has("insert") => {
            let Some(target) = after("into").and_then(|at| name_at(words, at)) else { return };
            // Rows of tables that are empty are none.
            let has_rows = has("values")
                || !has("from")
                || has("generate_series")
                || words.iter().any(|word| *word != target && filled.contains(*word));
            if has_rows {
                filled.insert(target.to_owned());
            }
        }
        ["copy", ..] if has("from") => filled.extend(name_at(words, 1).map(str::to_owned)),
        ["create", "index", ..] | ["create", "unique", "index", ..] => {
            if let Some(name) = after("on").and_then(|at| name_at(words, at)) {
                measure(Some(name), filled, measured);
            }
        }
        ["alter", "table", ..] if ["primary", "unique", "exclude", "type"].into_iter().any(has) => {
            if let Some(name) = name_at(words, 2) {
                measure(Some(name), filled, measured);
            }
        }
        ["analyze" | "analyse" | "vacuum" | "cluster" | "reindex", rest @ ..] => {
            let named: Vec<&str> = rest.iter().copied().filter(|word| filled.contains(*word)).collect();
            if named.is_empty() {
                measure(None, filled, measured);
            }
            for name in named {
                measure(Some(name), filled, measured);
            }
        }
        _ => {}
    }
}

/// The last part of the name at a place, behind `IF EXISTS` and ONLY.
fn name_at<'w>(words: &[&'w str], mut at: usize) -> Option<&'w str> {
    while matches!(*words.get(at)?, "if" | "not" | "exists" | "only") {
        at += 1;
    }
    while *words.get(at + 1).unwrap_or(&"") == "." {
        at += 2;
    }
    words.get(at).copied()
}

#[cfg(test)]
mod tests {
    use super::Measured;

    #[track_caller]
    fn check(script: &str, expect: &str) {
        let measured = Measured::of(&[script.to_owned()]);
        assert_eq!(measured.0.into_iter().collect::<Vec<_>>().join(" "), expect, "{script}");
    }

    #[test]
    fn rows_count_when_an_index_or_analyze_reads_them() {
        check("INSERT INTO a VALUES (1); CREATE INDEX ON a (id)", "a");
        check("CREATE INDEX ON a (id); INSERT INTO a VALUES (1)", "");
        check("INSERT INTO app.\"A\" SELECT 1; ALTER TABLE ONLY app.a ADD PRIMARY KEY (id)", "a");
        check("INSERT INTO a SELECT * FROM b; ANALYZE", "");
        check("INSERT INTO b VALUES (1); INSERT INTO a SELECT * FROM b; ANALYZE a", "a");
        check("INSERT INTO b VALUES (1); INSERT INTO a SELECT * FROM b; ANALYZE", "a b");
        check("COPY a (id) FROM stdin; CREATE UNIQUE INDEX IF NOT EXISTS i ON a (id)", "a");
        check("INSERT INTO a VALUES ('; create index on b'); ALTER TABLE a ADD COLUMN n int", "");
    }
}
