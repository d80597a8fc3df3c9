//! SQLite in a build without sqlx: nothing is known about its queries.

use std::path::Path;

use query_budget_analysis::schema::Schema;

use super::answer::Answer;
use super::version::Version;
use crate::failure::Failure;

/// No database.
pub(super) struct Sqlite;

impl Sqlite {
    /// Makes none.
    pub(super) fn load(_: &Schema, _: Option<&Path>, _: &Path) -> Result<Sqlite, Failure> {
        Ok(Sqlite)
    }

    /// Knows nothing.
    pub(super) fn describe(&mut self, _: &str, _: Version) -> Result<Answer, Failure> {
        Ok(Answer::Unknown("this binary was built without the feature `live`".to_owned()))
    }
}
