//! Timescale's hypertables: the indexes that they bring, and the columns that unique indexes of partitioned tables contain.

use super::{Applied, Replay};
use crate::schema::ddl::{IndexDef, Written};
use crate::schema::model::{Index, IndexKey, Name};
use crate::sql::Dialect;

impl Replay {
    /// `create_hypertable('t', 'time', 'device', 4)` creates an index on the time, newest first, and one on the column of
    /// further partitions and the time, unless told otherwise or there is one already.
    pub(super) fn create_hypertable(&mut self, arguments: &[String]) -> Applied {
        let given = |place, names: &[&str]| argument(arguments, place, names);
        let Some(owner) = self.hypertable(given(0, &["relation", "main_table"])) else { return Ok(()) };
        let time = given(1, &["time_column_name", "dimension"]);
        let Some(column) = time.and_then(literal) else { return Ok(()) };
        let space = given(2, &["partitioning_column"]).and_then(literal);
        // The form with a dimension has fewer parameters.
        let is_built = time.is_some_and(|time| time.contains('('));
        let declines = given(if is_built { 2 } else { 7 }, &["create_default_indexes"]);
        self.partition(&owner, &column)?;
        if let Some(space) = &space {
            self.partition(&owner, space)?;
        }
        self.require(&owner, &column);
        if declines.is_some_and(|value| value.eq_ignore_ascii_case("false")) {
            return Ok(());
        }
        self.index_time(&owner, None, &column)?;
        space.map_or(Ok(()), |space| self.index_time(&owner, Some(&space), &column))
    }

    /// `add_dimension('t', 'device', 4)` and `add_dimension('t', by_hash('device', 4))` create no index.
    pub(super) fn add_dimension(&mut self, arguments: &[String]) -> Applied {
        let given = |place, names: &[&str]| argument(arguments, place, names);
        let Some(owner) = self.hypertable(given(0, &["hypertable", "main_table"])) else { return Ok(()) };
        let dimension = given(1, &["column_name", "dimension"]);
        let Some(column) = dimension.and_then(literal) else { return Ok(()) };
        self.partition(&owner, &column)?;
        // Only what is divided by ranges must not be NULL.
        let is_hashed = dimension.is_some_and(|it| it.starts_with("by_hash"))
            || given(2, &["number_partitions"])
                .is_some_and(|count| count.bytes().all(|b| b.is_ascii_digit()));
        if !is_hashed {
            self.require(&owner, &column);
        }
        Ok(())
    }

    /// The hypertable that `WITH (tsdb.hypertable, tsdb.partition_column = 'time')` makes of a new table.
    pub(super) fn make_hypertable(&mut self, owner: &Name, said: &str) -> Applied {
        let option = |name: &str| {
            let value = said.split(name).nth(1)?.trim_start().strip_prefix('=')?;
            value.split([',', ')']).next().map(|value| value.trim().trim_matches('\'').to_owned())
        };
        let time = self.schema.tables.get(owner).and_then(|table| {
            let is_time = |ty: &str| ty.starts_with("timestamp") || ty == "date";
            table.columns.iter().find(|column| is_time(&column.ty)).map(|it| it.name.clone())
        });
        let Some(column) = option("partition_column").or(time) else { return Ok(()) };
        self.partition(owner, &column)?;
        self.require(owner, &column);
        if option("create_default_indexes").is_some_and(|value| value == "false") {
            return Ok(());
        }
        self.index_time(owner, None, &column)
    }

    /// The table that the first argument names.
    fn hypertable(&self, argument: Option<&str>) -> Option<Name> {
        let table = literal(argument?)?;
        let (schema, table) =
            table.split_once('.').map_or((None, table.as_str()), |(s, t)| (Some(s.to_owned()), t));
        self.find_table(&Written { schema, name: table.trim_matches('"').to_owned() })
    }

    /// Divides a table by one more column.
    fn partition(&mut self, owner: &Name, column: &str) -> Applied {
        if self.table(owner)?.column(column).is_none() {
            return Err(format!("table `{owner}` has no column `{column}`"));
        }
        let columns = self.hypertables.entry(owner.clone()).or_default();
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
        }
        let unique = self.table(owner)?.indexes.iter().filter(|index| index.unique);
        let refused = unique.map(|index| self.contains_partitions(owner, &index.keys)).find(Result::is_err);
        if let Some(refused) = refused {
            self.hypertables.remove(owner);
            return refused;
        }
        Ok(())
    }

    fn require(&mut self, owner: &Name, column: &str) {
        let columns = self.schema.tables.get_mut(owner).map(|table| table.columns.iter_mut());
        columns.into_iter().flatten().filter(|it| it.name == column).for_each(|it| it.not_null = true);
    }

    /// Adds an index on the time, behind another column if one is given.
    fn index_time(&mut self, owner: &Name, first: Option<&str>, time: &str) -> Applied {
        let names: Vec<&str> = first.into_iter().chain([time]).collect();
        let is_it = |index: &Index| {
            index.keys.iter().map(IndexKey::as_column).eq(names.iter().map(|name| Some(*name)))
        };
        if self.table(owner)?.indexes.iter().any(is_it) {
            return Ok(());
        }
        let newest = IndexKey { desc: true, nulls_first: true, ..IndexKey::column(time) };
        let keys = first.map(IndexKey::column).into_iter().chain([newest]).collect();
        self.add_index(owner, IndexDef { method: "btree".to_owned(), keys, ..IndexDef::default() })
            .map(|_| ())
    }

    /// Fails if a unique index would not contain the columns by which PostgreSQL, or Timescale, divides its table.
    pub(super) fn contains_partitions(&self, owner: &Name, keys: &[IndexKey]) -> Applied {
        let Some(table) = self.schema.tables.get(owner) else { return Ok(()) };
        if self.schema.dialect != Dialect::Postgres {
            return Ok(());
        }
        let own = table.partition_by.as_deref().map(columns_of).unwrap_or_default();
        let divided = self.hypertables.get(owner).unwrap_or(&own);
        let is_there = |column: &&String| {
            table.column(column).is_none() || keys.iter().any(|key| key.as_column() == Some(column))
        };
        match divided.iter().find(|column| !is_there(column)) {
            Some(column) => Err(format!(
                "a unique index of `{owner}` has to contain `{column}`, by which it is partitioned"
            )),
            None => Ok(()),
        }
    }
}

/// The columns of `RANGE (a, b)`; parts that are more than a name are left out.
fn columns_of(partition_by: &str) -> Vec<String> {
    let inside = partition_by.split_once('(').map_or("", |(_, rest)| rest.trim_end().trim_end_matches(')'));
    let parts = inside.split(',').map(|part| part.trim().trim_matches('"'));
    parts
        .filter(|part| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .map(str::to_owned)
        .collect()
}

/// The argument with one of these names, or at a place.
fn argument<'a>(arguments: &'a [String], place: usize, names: &[&str]) -> Option<&'a str> {
    let named = |argument: &'a String| {
        let (name, value) = argument.split_once("=>").or_else(|| argument.split_once(":="))?;
        Some((name.trim(), value.trim()))
    };
    let by_name = arguments.iter().filter_map(named).find(|(name, _)| names.contains(name));
    let by_place = || arguments.get(place).filter(|argument| named(argument).is_none());
    by_name.map(|(_, value)| value).or_else(|| by_place().map(|argument| argument.trim()))
}

/// The first string in an argument.
fn literal(argument: &str) -> Option<String> {
    argument.split('\'').nth(1).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The indexes of `m` with their keys, the columns that must not be NULL, and the number of statements that fail.
    #[track_caller]
    fn check(sql: &str, indexes: &[&str], required: &[&str], failed: usize) {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(sql, "a.sql");
        let table = replay.schema.table(None, "m").expect("the table");
        let shown = |index: &Index| {
            let keys: Vec<&str> = index.keys.iter().filter_map(IndexKey::as_column).collect();
            format!("{} {}", index.name, keys.join(","))
        };
        assert_eq!(table.indexes.iter().map(shown).collect::<Vec<_>>(), indexes, "{sql}");
        let not_null = table.columns.iter().filter(|column| column.not_null);
        assert_eq!(not_null.map(|it| it.name.as_str()).collect::<Vec<_>>(), required, "{sql}");
        assert_eq!(replay.problems.len(), failed, "{sql}: {:?}", replay.problems);
    }

    const M: &str = "CREATE TABLE m (id int, d text, ts timestamptz);";

    #[test]
    fn further_partitions_have_an_index_with_the_time() {
        let both = ["m_ts_idx ts", "m_d_ts_idx d,ts"];
        for made in [
            "create_hypertable('m', 'ts', 'd', 4)",
            "create_hypertable('m', 'ts', partitioning_column => 'd', number_partitions => 4)",
            "create_hypertable(time_column_name => 'ts', relation => 'm', partitioning_column => 'd', number_partitions => 4)",
        ] {
            check(&format!("{M} SELECT {made}"), &both, &["ts"], 0);
        }
        for added in ["'d', number_partitions => 4", "'d', 4", "by_hash('d', 4)"] {
            let sql = format!(
                "{M} SELECT create_hypertable('m', by_range('ts')); SELECT add_dimension('m', {added})"
            );
            check(&sql, &["m_ts_idx ts"], &["ts"], 0);
        }
        let sql =
            format!("{M} SELECT create_hypertable('m', 'ts'); SELECT add_dimension('m', by_range('id'))");
        check(&sql, &["m_ts_idx ts"], &["id", "ts"], 0);
        check(&format!("{M} SELECT create_hypertable('m', by_range('ts'), false)"), &[], &["ts"], 0);
        let sql = format!("{M} CREATE INDEX i ON m (ts); SELECT create_hypertable('m', 'ts', 'd', 4)");
        check(&sql, &["i ts", "m_d_ts_idx d,ts"], &["ts"], 0);
    }

    #[test]
    fn unique_indexes_contain_what_a_table_is_partitioned_by() {
        let hyper = format!("{M} SELECT create_hypertable('m', 'ts', 'd', 4);");
        let both = ["m_ts_idx ts", "m_d_ts_idx d,ts"];
        check(&format!("{hyper} CREATE UNIQUE INDEX u ON m (id, ts)"), &both, &["ts"], 1);
        check(&format!("{hyper} ALTER TABLE m ADD PRIMARY KEY (id)"), &both, &["ts"], 1);
        let whole = ["m_ts_idx ts", "m_d_ts_idx d,ts", "u d,id,ts"];
        check(&format!("{hyper} CREATE UNIQUE INDEX u ON m (d, id, ts)"), &whole, &["ts"], 0);
        let keyed = "CREATE TABLE m (id int PRIMARY KEY, ts timestamptz);";
        check(&format!("{keyed} SELECT create_hypertable('m', 'ts')"), &["m_pkey id"], &["id"], 1);
        let parted = "CREATE TABLE m (id int, ts timestamptz) PARTITION BY RANGE (ts);";
        check(&format!("{parted} CREATE UNIQUE INDEX u ON m (id)"), &[], &[], 1);
        check(&format!("{parted} ALTER TABLE m ADD UNIQUE (ts, id)"), &["m_ts_id_key ts,id"], &[], 0);
        // The column was renamed since.
        let sql = format!("{hyper} ALTER TABLE m RENAME COLUMN ts TO at; CREATE UNIQUE INDEX u ON m (d, at)");
        check(&sql, &["m_ts_idx at", "m_d_ts_idx d,at", "u d,at"], &["at"], 0);
    }
}
