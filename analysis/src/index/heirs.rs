//! Tables that are read along with another: its partitions, and tables that inherit from it. A parent's index
//! does not cover tables that inherit; indexes on all partitions are as good as one on the parent.

use crate::schema::{Index, Name, Schema, Table};

/// The maximum number of tables examined for one access.
pub(super) const MAX_HEIRS: usize = 300;

/// Whether a predicate holds for all leaf partitions of a table that a query may read, given a parent and its partition;
/// `None` above the limit. `false` if there are no partitions.
pub(super) fn all_partitions<'s>(
    schema: &'s Schema,
    table: &'s Table,
    may_read: impl Fn(&Table, &Table) -> bool,
    holds: impl Fn(&'s Table) -> bool,
) -> Option<bool> {
    let mut found = 0;
    let mut open: Vec<&Name> = match table.partition_by {
        Some(_) => vec![&table.name],
        None => return Some(false),
    };
    let mut looked_at = 0;
    while let Some(parent) = open.pop() {
        let of = schema.tables.get(parent);
        let is_read =
            |child: &&Table| child.partition_bound.is_some() && of.is_none_or(|of| may_read(of, child));
        for child in schema.children_of(parent).filter(is_read) {
            match child.partition_by {
                Some(_) => open.push(&child.name),
                None if !holds(child) => return Some(false),
                None => found += 1,
            }
            looked_at += 1;
            if looked_at > MAX_HEIRS {
                return None;
            }
        }
    }
    Some(found > 0)
}

/// Whether an index of a table is invalid: it was created on `ONLY` a partitioned table, and some partition has no matching one.
pub(super) fn is_invalid(schema: &Schema, table: &Table, index: &Index) -> bool {
    let has_part = |part: &Table| part.indexes.iter().any(|it| it.keys == index.keys);
    table.partition_by.is_some()
        && schema.children_of(&table.name).next().is_some()
        && all_partitions(schema, table, |_, _| true, has_part) == Some(false)
}

/// Whether each partition of a table, or the table as a partition, holds one value of a column: an index on that would
/// have all of its rows in one entry.
pub(super) fn divides_by_value(schema: &Schema, table: &Table, column: &str) -> bool {
    let is_key = |table: &Table| {
        let by = table.partition_by.as_deref().and_then(|by| by.split_once('('));
        by.is_some_and(|(method, key)| {
            method.trim().eq_ignore_ascii_case("list")
                && key.trim().trim_end_matches(')').trim().trim_matches('"') == column
        })
    };
    // A comma in a text makes it look like two values: then an index is advised in vain.
    let has_one = |bound: Option<&str>| {
        bound.is_some_and(|bound| {
            let values = bound.split_once('(').map_or("", |(_, values)| values);
            bound.to_ascii_lowercase().starts_with("for values in") && !values.contains(',')
        })
    };
    let parents = || table.parents().filter_map(|parent| schema.tables.get(parent));
    if has_one(table.partition_bound.as_deref()) && parents().any(is_key) {
        return true;
    }
    let mut partitions = schema.children_of(&table.name).peekable();
    is_key(table)
        && partitions.peek().is_some()
        && partitions.all(|child| has_one(child.partition_bound.as_deref()))
}

/// All tables that inherit from a table, directly or indirectly.
pub(super) fn heirs<'s>(schema: &'s Schema, table: &Table) -> Vec<&'s Table> {
    let mut found: Vec<&Table> = Vec::new();
    if !schema.is_inherited(table) {
        return found;
    }
    let heirs_of = |of: &Name| schema.children_of(of).filter(move |child| child.partition_bound.is_none());
    found.extend(heirs_of(&table.name));
    let mut at = 0;
    while at < found.len() && found.len() < MAX_HEIRS {
        let of = &found[at].name;
        found.extend(heirs_of(of).filter(|child| child.name != table.name));
        at += 1;
    }
    found
}

#[cfg(test)]
mod tests {
    use crate::index::tests::schema;
    use crate::index::{Queried, accesses, advise};
    use crate::sql::{Dialect, resolve};

    #[test]
    fn each_table_that_inherits_gets_an_index_of_its_own() {
        let advised = |made: &str, sql: &str| {
            let ddl = "CREATE TABLE p (id int PRIMARY KEY, name text); CREATE TABLE c () INHERITS (p);
                CREATE TABLE d (more int) INHERITS (c);";
            let schema = schema(Dialect::Postgres, &format!("{ddl} {made}"));
            let query = resolve(sql, Dialect::Postgres, Some(&schema)).expect("it parses");
            let read = accesses(&query, &schema);
            let queried = Queried { query: &query, accesses: &read, is_open: true, repeats: false };
            let found = advise(&schema, &[queried], &|_| false);
            let line = |advice: &crate::index::Advice| {
                assert_eq!(advice.serves, [0], "{sql}");
                format!("{} {}", advice.index.table, advice.index.columns.join(", "))
            };
            found.iter().map(line).collect::<Vec<_>>().join("; ")
        };
        assert_eq!(advised("", "SELECT id FROM p WHERE name = $1"), "c name; d name; p name");
        assert_eq!(
            advised("CREATE INDEX ON c (name);", "SELECT id FROM p WHERE name = $1"),
            "d name; p name"
        );
        assert_eq!(advised("", "SELECT id FROM p WHERE id = $1"), "c id; d id");
        assert_eq!(advised("CREATE INDEX ON d (id);", "DELETE FROM p WHERE id = $1"), "c id");
        assert_eq!(advised("", "SELECT id FROM ONLY p WHERE name = $1"), "p name");
    }
}
