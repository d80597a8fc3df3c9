//! How many columns a table can have. Beyond that a migration fails, and no check of a name has to search more.

use super::Applied;
use crate::schema::model::Name;
use crate::sql::Dialect;

/// Checks that a table of so many columns can exist: SQLite's limit is that of a library built by default.
pub(super) fn check_width(name: &Name, columns: usize, dialect: Dialect) -> Applied {
    let most = match dialect {
        Dialect::Postgres => 1_600,
        Dialect::MySql => 4_096,
        Dialect::Sqlite => 2_000,
    };
    if columns > most {
        return Err(format!(
            "table `{name}` would have {columns} columns, more than the {most} that are possible"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::Dialect;

    /// The number of columns of `t` after a CREATE with `created` and ALTERs that add `added`, and the statements that fail.
    fn replayed(dialect: Dialect, created: usize, added: usize) -> (Option<usize>, usize) {
        let columns = (0..created).map(|at| format!("c{at} int")).collect::<Vec<_>>().join(", ");
        let adds = (0..added).map(|at| format!("ALTER TABLE t ADD COLUMN a{at} int;\n"));
        let mut replay = Replay::new(dialect);
        replay.apply(&format!("CREATE TABLE t ({columns});\n{}", adds.collect::<String>()), "a.sql");
        let schema = &replay.schema;
        (schema.table(None, "t").map(|table| table.columns.len()), replay.problems.len())
    }

    #[test]
    fn a_table_has_no_more_columns_than_its_database_allows() {
        for (dialect, most) in [(Dialect::Postgres, 1_600), (Dialect::MySql, 4_096), (Dialect::Sqlite, 2_000)]
        {
            assert_eq!(replayed(dialect, most, 0), (Some(most), 0), "{dialect}");
            assert_eq!(replayed(dialect, most - 1, 1), (Some(most), 0), "{dialect}");
            assert_eq!(replayed(dialect, most, 2), (Some(most), 2), "{dialect}");
            assert_eq!(replayed(dialect, most + 1, 0), (None, 1), "{dialect}");
        }
    }
}
