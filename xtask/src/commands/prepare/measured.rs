//! Tables of PostgreSQL that migrations fill and then analyse: the planner knows how many rows they have, and may plan a
//! join differently from one on tables that were just created.

use std::collections::{BTreeMap, BTreeSet};

use query_budget_analysis::schema::{Name, Schema};
use query_budget_analysis::sql::Dialect;
use query_budget_analysis::sql::lex::{Lexer, TokenKind};
use query_budget_analysis::sql::query::{Block, From, JoinKind, Query, Source};

/// Stands for every table: what a text built at run time fills.
const ANY: &str = "*";
/// How deep routines may call each other.
const MAX_ROUTINE_DEPTH: usize = 8;
/// Functions that return a row for no rows.
const AGGREGATES: [&str; 12] = [
    "array_agg",
    "avg",
    "bool_and",
    "bool_or",
    "count",
    "json_agg",
    "jsonb_agg",
    "max",
    "min",
    "string_agg",
    "sum",
    "every",
];

/// The tables, by their names without a schema, folded.
#[derive(Debug, Default)]
pub(super) struct Measured(BTreeSet<String>);

impl Measured {
    /// The tables that scripts measure, run one after the other.
    pub(super) fn of(scripts: &[String]) -> Measured {
        let mut run = Run::default();
        for script in scripts {
            run.script(script, 0);
        }
        Measured(run.measured)
    }

    /// Whether a query has an outer join, and reads one of the tables.
    pub(super) fn matters_to(&self, query: &Query, schema: &Schema) -> bool {
        let is_measured = |name: &Name| {
            let shown = schema.shown(name).to_lowercase();
            self.0.contains(ANY) || self.0.contains(shown.rsplit('.').next().unwrap_or_default())
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

/// A word or symbol of a statement, names without quotes and folded; of a string, its content.
#[derive(Debug, Clone)]
struct Word {
    text: String,
    is_string: bool,
}

/// The words of each statement.
fn statements(script: &str) -> Vec<Vec<Word>> {
    let mut all = vec![Vec::new()];
    for token in Lexer::new(script, Dialect::Postgres) {
        let text = script.get(token.span.range()).unwrap_or_default();
        let word = match token.kind {
            TokenKind::Symbol if text == ";" => {
                all.push(Vec::new());
                continue;
            }
            TokenKind::Text => Word { text: content(text).to_owned(), is_string: true },
            _ => Word { text: text.trim_matches('"').to_lowercase(), is_string: false },
        };
        if let Some(last) = all.last_mut() {
            last.push(word);
        }
    }
    all
}

/// The text between the quotes of a string.
fn content(text: &str) -> &str {
    match text.strip_prefix('$').and_then(|rest| Some(rest.split_at(rest.find('$')?))) {
        Some((tag, rest)) => rest.get(1..rest.len().saturating_sub(tag.len() + 2)).unwrap_or_default(),
        None => text.trim_matches('\''),
    }
}

/// The effects of scripts on tables, as far as they matter, statement after statement.
#[derive(Debug, Default)]
struct Run {
    filled: BTreeSet<String>,
    measured: BTreeSet<String>,
    /// The bodies of routines, by name.
    routines: BTreeMap<String, String>,
    /// The routines that triggers run when rows come into a table.
    triggers: BTreeMap<String, Vec<String>>,
}

impl Run {
    fn script(&mut self, script: &str, depth: usize) {
        for statement in statements(script) {
            self.statement(&statement, depth);
        }
    }

    fn statement(&mut self, statement: &[Word], depth: usize) {
        let words: Vec<&str> =
            statement.iter().map(|word| if word.is_string { "" } else { word.text.as_str() }).collect();
        let strings = || statement.iter().filter(|word| word.is_string).map(|word| word.text.as_str());
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| at + 1);
        let makes = |kinds: &[&str]| {
            let first = words.get(..words.len().min(4)).unwrap_or_default();
            first.first() == Some(&"create") && first.iter().any(|word| kinds.contains(word))
        };
        if makes(&["function", "procedure"])
            && let Some(at) = after("function").or_else(|| after("procedure"))
            && let Some(name) = name_at(&words, at)
        {
            let body = strings().max_by_key(|text| text.len()).unwrap_or_default();
            self.routines.insert(name.to_owned(), body.to_owned());
            return;
        }
        if makes(&["trigger"])
            && let Some(table) = after("on").and_then(|at| name_at(&words, at))
            && let Some(routine) = after("execute").and_then(|at| name_at(&words, at + 1))
        {
            self.triggers.entry(table.to_owned()).or_default().push(routine.to_owned());
            return;
        }
        if words.first() == Some(&"do") && depth < MAX_ROUTINE_DEPTH {
            strings().for_each(|body| self.script(body, depth + 1));
            return;
        }
        self.calls(&words, depth);
        self.inserts(&words, depth);
        // What a routine puts together and runs.
        if depth > 0 && words.contains(&"execute") {
            strings().for_each(|text| self.script(text, depth + 1));
            let is_built = |text: &str| text.contains('%') && text.to_lowercase().contains("insert");
            if !strings().any(|text| !text.is_empty()) || strings().any(is_built) {
                self.filled.insert(ANY.to_owned());
            }
        }
        self.measures(&words);
    }

    /// Runs the routines that a statement calls.
    fn calls(&mut self, words: &[&str], depth: usize) {
        let is_called = |name: &&String| words.windows(2).any(|pair| pair == [name.as_str(), "("]);
        let called: Vec<String> = self.routines.keys().filter(is_called).cloned().collect();
        called.iter().for_each(|name| self.routine(name, depth));
    }

    fn routine(&mut self, name: &str, depth: usize) {
        if let Some(body) = self.routines.get(name).filter(|_| depth < MAX_ROUTINE_DEPTH).cloned() {
            self.script(&body, depth + 1);
        }
    }

    /// Fills the tables that a statement may insert rows into.
    fn inserts(&mut self, words: &[&str], depth: usize) {
        if let ["copy", ..] = words
            && words.contains(&"from")
        {
            self.fill(name_at(words, 1), depth);
        }
        if let ["create", kinds @ ..] = words
            && let Some(at) = kinds.iter().take(3).position(|word| matches!(*word, "table" | "view"))
            && is_of_query(words)
        {
            self.fill(name_at(words, at + 2), depth);
        }
        for at in 0..words.len() {
            if let Some(["insert", "into"]) = words.get(at..at + 2)
                && let Some(target) = name_at(words, at + 2)
                && self.may_have_rows(words, words.get(at + 2..).unwrap_or_default())
            {
                self.fill(Some(target), depth);
            }
        }
    }

    fn fill(&mut self, table: Option<&str>, depth: usize) {
        let Some(table) = table else { return };
        if self.filled.insert(table.to_owned()) {
            let routines = self.triggers.get(table).cloned().unwrap_or_default();
            routines.iter().for_each(|name| self.routine(name, depth + 1));
        }
    }

    /// Whether an INSERT may find rows: it finds none if it reads a table without rows before all else.
    fn may_have_rows(&self, statement: &[&str], insert: &[&str]) -> bool {
        let mut depth = 0_usize;
        let mut is_select = false;
        let mut has_aggregate = false;
        for (at, word) in insert.iter().enumerate() {
            match *word {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                "values" | "union" if depth == 0 => return true,
                "select" if depth == 0 => is_select = true,
                "group" if depth == 0 => has_aggregate = false,
                name if is_select && depth == 0 && insert.get(at + 1) == Some(&"(") => {
                    has_aggregate |= AGGREGATES.contains(&name);
                }
                "from" if depth == 0 && is_select => {
                    let Some(first) = name_at(insert, at + 1) else { return true };
                    let is_call =
                        insert.get(at + 1..).unwrap_or_default().iter().take(4).any(|it| *it == "(");
                    let is_written = statement.first() == Some(&"with") || is_call;
                    let later = insert.get(at..).unwrap_or_default();
                    let keeps_others = ["right", "full", "union"].iter().any(|word| later.contains(word));
                    let is_grouped = later.contains(&"group");
                    return is_written
                        || keeps_others
                        || has_aggregate && !is_grouped
                        || [first, ANY].iter().any(|name| self.filled.contains(*name));
                }
                _ => {}
            }
        }
        true
    }

    /// Notes what counts the rows of filled tables.
    fn measures(&mut self, words: &[&str]) {
        let has = |word: &str| words.contains(&word);
        let after = |word: &str| words.iter().position(|it| *it == word).map(|at| at + 1);
        let starts = |first: &str| {
            words.windows(2).find_map(|pair| {
                if let [one, other] = pair { (*one == first).then_some(*other) } else { None }
            })
        };
        if matches!(starts("create"), Some("index" | "unique")) && has("index") {
            let name = after("on").and_then(|at| name_at(words, at));
            self.measure(name);
        } else if starts("alter") == Some("table") {
            // What writes the table anew measures it too.
            let rewrites = ["logged", "unlogged", "identity", "stored", "serial", "bigserial", "smallserial"];
            let is_volatile = |call: &[&str]| matches!(call, ["default", name, "("] if *name != "now");
            if ["primary", "unique", "exclude", "type"].into_iter().chain(rewrites).any(has)
                || words.windows(3).any(is_volatile)
            {
                let name = after("table").and_then(|at| name_at(words, at));
                self.measure(name);
            }
        } else if let ["analyze" | "analyse" | "vacuum", rest @ ..] = words {
            // That a table is empty is known from then on as well.
            let is_option =
                |word: &str| matches!(word, "verbose" | "full" | "freeze" | "analyze" | "," | "(" | ")");
            let named: Vec<&str> = (0..rest.len())
                .filter(|at| rest.get(*at).is_some_and(|word| !is_option(word)))
                .filter_map(|at| name_at(rest, at))
                .collect();
            let all = if named.is_empty() { &[ANY][..] } else { &named };
            self.measured.extend(all.iter().map(|name| (*name).to_owned()));
        } else if let ["cluster" | "reindex", rest @ ..] = words {
            let named: Vec<&str> = rest.iter().copied().filter(|word| self.filled.contains(*word)).collect();
            if named.is_empty() {
                self.measured.extend(self.filled.iter().cloned());
            }
            for name in named {
                self.measure(Some(name));
            }
        }
    }

    fn measure(&mut self, name: Option<&str>) {
        if let Some(name) = name
            && [name, ANY].iter().any(|name| self.filled.contains(*name))
        {
            self.measured.insert(name.to_owned());
        }
    }
}

/// Whether a table or view is made of the rows of a query: in parentheses, `AS` belongs to a column or a cast.
fn is_of_query(words: &[&str]) -> bool {
    let mut depth = 0_usize;
    let is_as = words.iter().any(|word| {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && *word == "as"
    });
    is_as && !words.ends_with(&["with", "no", "data"])
}

/// The last part of the name at a place, after `IF EXISTS` and ONLY.
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
        check("INSERT INTO b VALUES (1); INSERT INTO a SELECT * FROM b; ANALYZE a", "a");
        check("INSERT INTO b VALUES (1); INSERT INTO a SELECT * FROM b; REINDEX", "a b");
        // That there are no rows is measured too.
        check("ANALYZE a", "a");
        check("INSERT INTO a SELECT * FROM b; VACUUM (ANALYZE)", "*");
        check("COPY a (id) FROM stdin; CREATE UNIQUE INDEX IF NOT EXISTS i ON a (id)", "a");
        check("INSERT INTO a VALUES ('; create index on b'); ALTER TABLE a ADD COLUMN n int", "");
    }

    #[test]
    fn a_table_that_is_written_anew_is_measured() {
        let then = |change: &str, expect: &str| {
            check(&format!("INSERT INTO a VALUES (1); ALTER TABLE a {change}"), expect)
        };
        then("ADD x uuid NOT NULL DEFAULT gen_random_uuid()", "a");
        then("ADD x bigserial", "a");
        then("ADD x int GENERATED ALWAYS AS IDENTITY", "a");
        then("ADD x int GENERATED ALWAYS AS (n * 2) STORED", "a");
        then("SET UNLOGGED", "a");
        then("ADD x timestamptz DEFAULT now()", "");
        then("ADD x int DEFAULT 1", "");
        check("CREATE TABLE a AS SELECT 1 AS n; CREATE INDEX ON a (n)", "a");
    }

    #[test]
    fn only_a_query_fills_a_table_as_it_is_made() {
        let then = |made: &str, expect: &str| check(&format!("CREATE {made}; CREATE INDEX ON a (n)"), expect);
        then("TABLE a (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, n int)", "");
        then("TABLE a (id bigint GENERATED BY DEFAULT AS IDENTITY (START 5), n int)", "");
        then("TABLE a (m int, n int GENERATED ALWAYS AS (m * 2) STORED)", "");
        then("TABLE a (m text, n int CHECK (CAST(m AS int) > n))", "");
        then("TABLE a (n int) PARTITION BY RANGE (CAST(n AS bigint))", "");
        then("TABLE a AS SELECT 1 AS n WITH NO DATA", "");
        then("TABLE IF NOT EXISTS a (n) WITH (fillfactor = 70) AS VALUES (1)", "a");
        then("UNLOGGED TABLE a AS TABLE b", "a");
        then("MATERIALIZED VIEW a AS WITH b AS (SELECT 1 AS n) SELECT * FROM b", "a");
    }

    #[test]
    fn rows_come_in_other_ways_than_by_plain_inserts() {
        let then = |script: &str, expect: &str| check(&format!("{script}; CREATE INDEX ON a (n)"), expect);
        then("INSERT INTO a SELECT 1 WHERE NOT EXISTS (SELECT 1 FROM a)", "a");
        then("INSERT INTO a (n) SELECT 1 FROM (VALUES (1)) v", "a");
        then("WITH z AS (SELECT 1) INSERT INTO a SELECT * FROM z", "a");
        then("INSERT INTO a SELECT count(*) FROM b", "a");
        then("INSERT INTO a SELECT id, count(*) FROM b GROUP BY id", "");
        then("INSERT INTO a SELECT b.id FROM b JOIN c ON c.id = b.c", "");
        then(
            "DO $$ BEGIN IF NOT EXISTS (SELECT 1 FROM a) THEN INSERT INTO a VALUES (1); END IF; END $$",
            "a",
        );
        then("DO $$ BEGIN EXECUTE 'INSERT INTO a VALUES (1)'; END $$", "a");
        then("DO $$ BEGIN EXECUTE format('INSERT INTO %I VALUES (1)', t); END $$", "a");
        let seed = "CREATE FUNCTION seed() RETURNS void AS $f$ INSERT INTO a VALUES (1) $f$ LANGUAGE sql";
        then(&format!("{seed}; SELECT seed()"), "a");
        then(seed, "");
        let log = "CREATE FUNCTION log() RETURNS trigger AS $f$ BEGIN INSERT INTO a VALUES (1); RETURN NEW; END $f$ \
            LANGUAGE plpgsql; CREATE TRIGGER t AFTER INSERT ON b FOR EACH ROW EXECUTE FUNCTION log()";
        then(log, "");
        then(&format!("{log}; INSERT INTO b VALUES (1)"), "a");
    }
}
