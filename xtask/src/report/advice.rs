//! The indexes that would serve the queries of each database.

use query_budget_analysis::check::Checker;
use query_budget_analysis::index::{Advice, Queried, advise};
use query_budget_analysis::project::Project;
use query_budget_analysis::{Level, lints};

use super::{Query, Report, UNINDEXED};

/// A database with the queries that run on it.
pub(super) struct Database {
    /// What is configured and known of it.
    pub(super) project: Project,
    /// The queries by their positions in the report.
    pub(super) queries: Vec<usize>,
}

/// An index to make.
pub(super) struct IndexAdvice {
    /// The index, and the queries it serves by their positions in the report.
    pub(super) advice: Advice,
    /// The statement that makes it, without a semicolon.
    pub(super) ddl: String,
    /// The extension that it needs and that is not there.
    pub(super) extension: Option<&'static str>,
}

impl Query {
    /// The query as advice sees it; `None` when it could not be parsed. What is allowed or accepted to have no index gets
    /// none.
    fn queried(&self, checker: &Checker<'_>) -> Option<Queried<'_>> {
        let is_on = lints::by_name(UNINDEXED).is_some_and(|lint| checker.level(lint) > Level::Allow);
        let is_allowed = self.checked.used.iter().any(|allow| allow.lint == UNINDEXED);
        let query = self.checked.query.as_ref().ok()?;
        let is_open = is_on && !is_allowed && !self.is_accepted;
        Some(Queried { query, accesses: &self.checked.accesses, is_open })
    }
}

impl Report {
    /// Finds the indexes that would serve what is not served, database by database.
    pub(super) fn advise(&mut self) {
        let mut found = Vec::new();
        for database in self.databases.values() {
            let project = &database.project;
            let Some(schema) = &project.schema else { continue };
            let checker = project.checker().with_index_level(self.subject.index_level());
            let queries = database.queries.iter().filter_map(|at| Some((*at, self.queries.get(*at)?)));
            let understood = queries.filter_map(|(at, query)| Some((at, query.queried(&checker)?)));
            let (places, queried): (Vec<usize>, Vec<Queried<'_>>) = understood.unzip();
            for mut advice in advise(schema, &queried, &|table| checker.is_small(table)) {
                advice.serves = advice.serves.iter().filter_map(|at| places.get(*at).copied()).collect();
                let lacks = |extension: &&str| !schema.extensions.contains(*extension);
                found.push(IndexAdvice {
                    ddl: advice.index.ddl(project.dialect),
                    extension: advice.index.extension().filter(lacks),
                    advice,
                });
            }
        }
        self.advice = found;
    }
}
