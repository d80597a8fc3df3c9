//! From a query, or all the queries of a file, to findings: every lint is asked, levels are set, allows are applied.

use std::sync::Arc;

use crate::allow;
use crate::cardinality::{self, Cardinality, Rows};
use crate::config::{Config, LintKey};
use crate::finding::{Finding, Level, Place};
use crate::index::{self, Access, Queried};
use crate::lints::{self, CallContext, Check, Lint, QueryContext, SchemaContext};
use crate::rust::{Allow, Function, LoopCall, Scan, Site, SiteSql};
use crate::schema::{Name, Schema};
use crate::sql::{Dialect, Query, SyntaxError};

/// What queries are checked against.
#[derive(Debug, Clone, Copy)]
pub struct Checker<'a> {
    config: &'a Config,
    schema: Option<&'a Schema>,
    dialect: Dialect,
    guess_dialect: bool,
    index_level: Level,
}

/// One query after it was checked.
#[derive(Debug)]
pub struct Checked {
    /// Its meaning, or why it could not be parsed.
    pub query: Result<Query, SyntaxError>,
    /// How many rows it returns; meaningless when it could not be parsed.
    pub cardinality: Cardinality,
    /// How each table of it is read; empty without a schema.
    pub accesses: Vec<Access>,
    /// What is wrong, without what is allowed.
    pub findings: Vec<Finding>,
    /// The allows of its site that silenced something.
    pub used: Vec<Allow>,
}

/// A query site of a file after it was checked.
#[derive(Debug)]
pub struct CheckedSite<'s> {
    /// The site.
    pub site: &'s Site,
    /// Its SQL and what it is; `None` when the SQL is put together at run time, or stands in a file that is not there.
    pub checked: Option<(Arc<str>, Checked)>,
}

/// All of a file's queries, functions and allows after they were checked.
#[derive(Debug)]
pub struct CheckedFile<'s> {
    /// The queries in the order in which they stand.
    pub sites: Vec<CheckedSite<'s>>,
    /// Everything that is wrong, in the order of the places.
    pub findings: Vec<Finding>,
}

impl Checked {
    /// The query as it counts for its database; `None` when it could not be parsed. An index may be made for it when it
    /// `is_open`.
    pub fn queried(&self, is_open: bool) -> Option<Queried<'_>> {
        let query = self.query.as_ref().ok()?;
        Some(Queried { query, accesses: &self.accesses, is_open })
    }
}

impl<'a> Checker<'a> {
    /// Checks by the rules of `dialect`; without a schema nothing is said about tables, columns and indexes.
    pub fn new(config: &'a Config, schema: Option<&'a Schema>, dialect: Dialect) -> Checker<'a> {
        Checker { config, schema, dialect, guess_dialect: false, index_level: lints::Group::Index.level() }
    }

    /// The same, with another level for the lints on indexes where the configuration is silent: `index-check` denies.
    pub fn with_index_level(self, index_level: Level) -> Checker<'a> {
        Checker { index_level, ..self }
    }

    /// The same where nothing says whose rules hold: each query is read by the first dialect's that it fits.
    pub fn with_guessed_dialect(self) -> Checker<'a> {
        Checker { guess_dialect: true, ..self }
    }

    /// The level of a lint.
    pub fn level(&self, lint: &Lint) -> Level {
        let default = if lint.is_about_indexes() { self.index_level } else { lint.group.level() };
        self.config.lints.get(lint.name).copied().unwrap_or(default)
    }

    /// Whether the configuration or the snapshot says that a table is small.
    pub fn is_small(&self, table: &Name) -> bool {
        lints::is_small(self.config, self.schema, table)
    }

    /// Checks one query; `site` is where it stands in Rust, if it does.
    pub fn query(&self, sql: &str, site: Option<&Site>) -> Checked {
        self.examine(sql, site, site.map_or(&[], |site| &site.allows))
    }

    /// Checks one query without Rust around it, and the allows in front of it.
    pub fn bare(&self, sql: &str, allows: &[Allow]) -> Checked {
        let mut checked = self.examine(sql, None, allows);
        checked.findings.append(&mut self.allows(allows, Some(checked.used.as_slice())));
        checked
    }

    fn examine(&self, sql: &str, site: Option<&Site>, allows: &[Allow]) -> Checked {
        let fits = |dialect: &Dialect| crate::sql::resolve(sql, *dialect, self.schema).is_ok();
        let guessed = self.guess_dialect.then(|| Dialect::ALL.into_iter().find(fits)).flatten();
        let dialect = guessed.unwrap_or(self.dialect);
        let query = crate::sql::resolve(sql, dialect, self.schema);
        let (cardinality, accesses) = match &query {
            Ok(query) => (
                cardinality::of(query, self.schema),
                self.schema.map_or_else(Vec::new, |schema| index::accesses(query, schema)),
            ),
            Err(_) => {
                let reason = "it could not be parsed".to_owned();
                (Cardinality { rows: Rows::Many, reason, unbounded: Vec::new() }, Vec::new())
            }
        };
        let context = QueryContext {
            sql,
            query: query.as_ref(),
            cardinality: &cardinality,
            accesses: &accesses,
            site,
            dialect,
            schema: self.schema,
            config: self.config,
        };
        let in_test = site.is_some_and(|site| site.in_test);
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Query(check) = lint.check else { continue };
            if !in_test || holds_in_tests(lint) {
                self.ask(lint, &mut findings, |found| check(&context, found));
            }
        }
        let used = apply(allows, &mut findings);
        for finding in &mut findings {
            finding.sql = Some(sql.into());
            if let Some(site) = site {
                put(finding, site, 0);
                finding.function = Arc::clone(&site.function);
            }
        }
        Checked { query, cardinality, accesses, findings, used }
    }

    /// Checks one query of a scanned file as a build sees it, alone: its own allows are checked as well, those of its
    /// function, which may serve another query, are not.
    pub fn site(&self, scan: &Scan, site: &Site, sql: &str) -> Checked {
        let mut checked = self.query(sql, Some(site));
        let of_functions =
            |allow: &Allow| scan.functions.iter().any(|function| function.allows.contains(allow));
        let own: Vec<Allow> = site.allows.iter().filter(|allow| !of_functions(allow)).cloned().collect();
        let mut wrong = self.allows(&own, Some(checked.used.as_slice()));
        checked.findings.append(&mut wrong);
        checked
    }

    /// Checks the database as a whole, on which all of `queries` run; `place_of` says where a table or index is made.
    pub fn schema(&self, queries: &[Queried<'_>], place_of: &dyn Fn(&str) -> Place) -> Vec<Finding> {
        let Some(schema) = self.schema else { return Vec::new() };
        let context = SchemaContext::new(schema, queries, self.config, place_of);
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Schema(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        findings
    }

    /// Checks one function against its budget, and returns the allows that silenced something with what is wrong.
    pub fn function(&self, function: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Function(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(function, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&function.path);
        }
        let used = apply(&function.allows, &mut findings);
        (findings, used)
    }

    /// Checks one call in a loop, and returns the allows that silenced something with what is wrong.
    pub fn call(&self, call: &LoopCall, caller: &Function) -> (Vec<Finding>, Vec<Allow>) {
        let context = CallContext { call, dialect: self.dialect };
        let mut findings = Vec::new();
        for lint in lints::ALL {
            let Check::Call(check) = lint.check else { continue };
            self.ask(lint, &mut findings, |found| check(&context, found));
        }
        for finding in &mut findings {
            finding.function = Arc::clone(&caller.path);
        }
        let used = apply(&call.call.allows, &mut findings);
        (findings, used)
    }

    /// Checks everything in a file. `calls` are those of its calls in loops that come to a query, `read` gives the text of a file that a query names, by the path as written.
    pub fn file<'s>(
        &self,
        scan: &'s Scan,
        calls: &[LoopCall],
        read: &dyn Fn(&str) -> Option<String>,
    ) -> CheckedFile<'s> {
        let mut findings = Vec::new();
        let mut used = Vec::new();
        let mut sites = Vec::new();
        for site in &scan.sites {
            let sql: Option<Arc<str>> = match &site.sql {
                SiteSql::Literal(literal) => Some(Arc::clone(&literal.text)),
                SiteSql::File(path) => read(path).map(Arc::from),
                SiteSql::Dynamic => None,
            };
            let Some(sql) = sql else {
                sites.push(CheckedSite { site, checked: None });
                continue;
            };
            for (offset, sql) in self.statements(site, sql) {
                let mut checked = self.query(&sql, Some(site));
                if offset > 0 {
                    for finding in &mut checked.findings {
                        put(finding, site, offset);
                    }
                }
                findings.extend(checked.findings.iter().cloned());
                used.append(&mut checked.used);
                sites.push(CheckedSite { site, checked: Some((sql, checked)) });
            }
            if site.in_test {
                // Most lints are not asked of test code: what is allowed there may be needed all the same.
                used.extend(site.allows.iter().cloned());
            }
        }
        for call in calls {
            let Some(caller) = scan.functions.get(call.caller.function) else { continue };
            let (mut found, mut silenced) = self.call(call, caller);
            findings.append(&mut found);
            used.append(&mut silenced);
        }
        for function in &scan.functions {
            let (mut found, mut silenced) = self.function(function);
            findings.append(&mut found);
            used.append(&mut silenced);
            if function.in_test {
                used.extend(function.allows.iter().cloned());
            }
        }
        findings.append(&mut self.allows(&scan.allows, Some(used.as_slice())));
        findings.sort_by(|a, b| (&a.place, a.lint).cmp(&(&b.place, b.lint)));
        CheckedFile { sites, findings }
    }

    /// The statements that a site runs, each with the byte of the site's text it starts at: it may be a script.
    fn statements(&self, site: &Site, sql: Arc<str>) -> Vec<(usize, Arc<str>)> {
        if !site.is_script() {
            return vec![(0, sql)];
        }
        let pieces = crate::sql::split::statements(&sql, self.dialect);
        pieces.into_iter().map(|piece| (piece.span.start, piece.text.into())).collect()
    }

    /// Asks one lint, unless it is off, and sets the level of what it finds.
    fn ask(&self, lint: &Lint, findings: &mut Vec<Finding>, check: impl FnOnce(&mut Vec<Finding>)) {
        let level = self.level(lint);
        if level == Level::Allow {
            return;
        }
        let first = findings.len();
        check(findings);
        for finding in findings.iter_mut().skip(first) {
            finding.level = level;
        }
    }

    /// What is wrong with the names in the configuration's `[lints]`.
    pub fn lint_keys(&self, keys: &[LintKey]) -> Vec<Finding> {
        let Some(lint) = lints::by_name("unknown_lint") else { return Vec::new() };
        let mut findings = Vec::new();
        for key in keys.iter().filter(|key| lints::by_name(&key.lint).is_none()) {
            self.ask(lint, &mut findings, |found| {
                let (message, help) = unknown_lint(&key.lint);
                let mut finding = Finding::new(lint.name, message).help(help);
                finding.place = key.place.clone();
                finding.excerpt = Some(key.excerpt.clone());
                found.push(finding);
            });
        }
        findings
    }

    /// What is wrong with the allows themselves. `used` are those that silenced something, where that is known; an
    /// allow of a lint that was not asked, for want of a schema or because it is off, is not called unused.
    pub fn allows(&self, allows: &[Allow], used: Option<&[Allow]>) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |lint: &str, allow: &Allow, message: String, help: &str| {
            let Some(lint) = lints::by_name(lint) else { return };
            let level = self.level(lint);
            if level > Level::Allow {
                let mut finding = Finding::new(lint.name, message).help(help);
                finding.level = level;
                finding.place = allow.place.clone();
                findings.push(finding);
            }
        };
        for allow in allows {
            let name = &allow.lint;
            let Some(lint) = lints::by_name(name) else {
                let (message, help) = unknown_lint(name);
                report("unknown_lint", allow, message, &help);
                continue;
            };
            if allow.reason.is_none() {
                let message = format!("`allow({name})` gives no reason");
                let comment = allow::comment(&allow.place.file, name, "<why>");
                report("allow_without_reason", allow, message, &format!("write {comment}"));
            }
            let asked = self.level(lint) > Level::Allow && (self.schema.is_some() || !needs_schema(lint));
            if asked && used.is_some_and(|used| !used.contains(allow)) {
                report("unused_allow", allow, format!("`allow({name})` silences nothing"), "take it out");
            }
        }
        findings
    }
}

/// What is said of a name that no lint has, and what to write.
fn unknown_lint(name: &str) -> (String, String) {
    let names = lints::ALL.iter().map(|lint| lint.name);
    let help = match crate::sql::text::most_similar(name, names) {
        Some(similar) => format!("write `{similar}`"),
        None => "take it out; `docs/lints` lists the lints that exist".to_owned(),
    };
    (format!("no lint is named `{name}`"), help)
}

/// Whether a lint is asked of test code: there only what the database would refuse is worth a word.
fn holds_in_tests(lint: &Lint) -> bool {
    lint.group == lints::Group::Correctness && lint.name != "unbounded_write"
}

/// Whether a lint says nothing, or less, without a schema.
fn needs_schema(lint: &Lint) -> bool {
    use lints::Group;
    matches!(lint.group, Group::Index | Group::Bounds | Group::Shape | Group::Pedantic)
        || matches!(lint.name, "unknown_table" | "unknown_column" | "ambiguous_column")
}

/// Takes out the findings that are allowed, and returns the allows that did so.
fn apply(allows: &[Allow], findings: &mut Vec<Finding>) -> Vec<Allow> {
    let mut used = Vec::new();
    findings.retain(|finding| {
        let mut silenced = false;
        for allow in allows.iter().filter(|allow| allow.lint == finding.lint) {
            silenced = true;
            if !used.contains(allow) {
                used.push(allow.clone());
            }
        }
        !silenced
    });
    used
}

/// Sets where a finding in the SQL of a site stands, the excerpt beginning at byte `offset` of it: what is said of a query
/// as a whole is said where it is made, or, of one of several in a text, where it begins.
fn put(finding: &mut Finding, site: &Site, offset: usize) {
    let span = finding.excerpt.as_ref().map_or(0..0, |excerpt| excerpt.span.clone());
    let inside = place_in(site, offset + span.start);
    let is_whole = span.is_empty() && offset == 0;
    finding.place = if is_whole { site.place.clone() } else { inside.clone() };
    if let Some(excerpt) = &mut finding.excerpt {
        excerpt.place = Some(inside);
    }
}

/// Where a byte of a site's SQL stands in its file; the site itself where that is not known.
fn place_in(site: &Site, byte: usize) -> Place {
    let SiteSql::Literal(literal) = &site.sql else { return site.place.clone() };
    let part = literal.parts.partition_point(|(start, _)| *start <= byte).checked_sub(1);
    let Some((start, place)) = part.and_then(|at| literal.parts.get(at)) else { return site.place.clone() };
    let before = literal.text.get(*start..byte).unwrap_or_default();
    let column = place.column + u32::try_from(before.chars().count()).unwrap_or(0);
    Place { column, file: Arc::clone(&place.file), line: place.line }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Replay;

    /// The lints that find something in `source`, each with its line.
    fn findings(source: &str) -> Vec<String> {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
        let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
        let file = checker.file(&scan, &calls, &|_| None);
        file.findings.iter().map(|finding| format!("{} {}", finding.lint, finding.place.line)).collect()
    }

    #[test]
    fn a_read_and_a_write_per_element_are_told_apart() {
        let source = r#"
async fn copy(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    for id in ids {
        let name: String = sql_scalar!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
        sql!("INSERT INTO servers (name) VALUES ($1)", name).execute(db).await?;
    }
    Ok(())
}"#;
        assert_eq!(findings(source), ["query_in_loop 4", "row_by_row_write 5"]);
    }

    #[test]
    fn a_query_for_many_elements_may_run_in_a_loop() {
        let source = r#"
async fn load(db: &PgPool, pages: &[Vec<i64>]) -> sqlx::Result<()> {
    for page in pages {
        sql!("SELECT name FROM servers WHERE id = ANY($1)", page).fetch_all(db).await?;
    }
    Ok(())
}"#;
        assert_eq!(findings(source), [""; 0]);
    }

    #[test]
    fn each_statement_of_a_script_is_a_query() {
        let source = r#"
async fn seed(db: &PgPool) -> sqlx::Result<()> {
    sqlx::raw_sql(
        "INSERT INTO servers (name) VALUES ('a');
         DELETE FROM logs;",
    ).execute(db).await?;
    Ok(())
}"#;
        assert_eq!(findings(source), ["unbounded_write 5"]);
    }

    #[test]
    fn a_text_that_is_executed_as_it_is_may_be_a_script() {
        let source = r#"
async fn seed(db: &PgPool) -> sqlx::Result<()> {
    db.execute("INSERT INTO servers (name) VALUES ('a'); DELETE FROM logs;").await?;
    Ok(())
}"#;
        assert_eq!(findings(source), ["unbounded_write 3"]);
    }

    #[test]
    fn an_allow_in_test_code_is_not_called_unused() {
        let source = r#"
#[cfg(test)]
mod tests {
    async fn clear(db: &PgPool) {
        // query-budget: allow(unbounded_write): the database is this test's own
        sql!("DELETE FROM logs").execute(db).await;
    }
}"#;
        assert_eq!(findings(source), [""; 0]);
    }

    #[test]
    fn a_budget_is_held_against_the_bound() {
        let source = r#"
#[query_budget(max = 1)]
async fn load(db: &PgPool, ids: &[i64]) -> sqlx::Result<()> {
    sql!("SELECT name FROM servers WHERE id = $1", 1).fetch_one(db).await?;
    sql!("SELECT name FROM servers WHERE id = $1", 2).fetch_one(db).await?;
    Ok(())
}"#;
        assert_eq!(findings(source), ["budget_exceeded 3"]);
    }

    #[test]
    fn an_allow_silences_its_lint_and_is_checked_itself() {
        let source = r#"
async fn servers(db: &PgPool) -> sqlx::Result<()> {
    // query-budget: allow(missing_limit): there are twelve of them
    sql!("SELECT name FROM servers").fetch_all(db).await?;
    // query-budget: allow(missing_limit)
    sql!("SELECT name FROM servers").fetch_all(db).await?;
    // query-budget: allow(missing_limit): one row
    sql!("SELECT name FROM servers WHERE id = 1").fetch_all(db).await?;
    // query-budget: allow(mising_limit): a slip
    sql!("SELECT name FROM servers WHERE id = 1").fetch_all(db).await?;
    Ok(())
}"#;
        assert_eq!(findings(source), ["allow_without_reason 5", "unused_allow 7", "unknown_lint 9"]);
    }

    #[test]
    fn a_query_of_any_dialect_is_one_where_none_is_known() {
        let config = Config::default();
        let checker = Checker::new(&config, None, Dialect::Postgres);
        let guessing = checker.with_guessed_dialect();
        for sql in [
            "SELECT id FROM t WHERE a = ?",
            "SELECT `id` FROM `t` LIMIT ?, ?",
            "SELECT id FROM t WHERE a = $1",
        ] {
            assert!(guessing.query(sql, None).query.is_ok(), "{sql}");
        }
        assert!(checker.query("SELECT id FROM t WHERE a = ?", None).query.is_err());
        assert!(guessing.query("SELECT id FORM t", None).query.is_err());
    }

    #[test]
    fn test_code_is_asked_only_what_the_database_would_refuse() {
        let source = r#"
#[cfg(test)]
mod tests {
    async fn all(db: &PgPool) -> sqlx::Result<()> {
        sql!("DELETE FROM servers").execute(db).await?;
        sql!("SELECT nmae FROM servers").fetch_all(db).await?;
        Ok(())
    }
}"#;
        assert_eq!(findings(source), ["unknown_column 6"]);
    }
}
