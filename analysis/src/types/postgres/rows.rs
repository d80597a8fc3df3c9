//! How many rows the planner expects of a table without statistics, and which side of a join it hashes.

use crate::schema::{KeyPart, Table};

/// The pages that a table is expected to have if it was never vacuumed.
const PAGES: u32 = 10;
/// The bytes of a page for rows.
const PAGE: u32 = 8168;
/// The bytes before the values of a row, and its pointer.
const ROW: u32 = 28;
/// How many different values a column is expected to have.
const DISTINCT: u32 = 200;
const PER_OPERATOR: f64 = 0.0025;
const PER_ROW: f64 = 0.01;

/// A table on one side of a join, by one of its columns.
pub(super) struct Side {
    rows: u32,
    is_key: bool,
}

impl Side {
    pub(super) fn of(table: &Table, column: &str) -> Side {
        let widths = table.columns.iter().map(|column| width(&column.ty));
        let width = widths.fold(ROW, u32::saturating_add);
        let is_primary = matches!(table.primary_key.as_slice(), [only] if only == column);
        let is_index = table.indexes.iter().any(|index| {
            let is_column = |part: &KeyPart| matches!(part, KeyPart::Column(name) if name == column);
            index.unique
                && index.predicate.is_none()
                && matches!(index.keys.as_slice(), [only] if is_column(&only.part))
        });
        Side { rows: (PAGE / width).max(1) * PAGES, is_key: is_primary || is_index }
    }

    /// Whether a join hashes this side rather than the other.
    pub(super) fn is_hashed_rather(&self, than: &Side) -> bool {
        let (one, other) = (self.hashed_with(than), than.hashed_with(self));
        one < other || one <= other && self.is_key && !than.is_key
    }

    /// The cost of a join that hashes this side and looks up each row of the other.
    fn hashed_with(&self, other: &Side) -> f64 {
        // The rows of a key, and of a small table, are expected to spread over the buckets.
        let is_spread = self.is_key || self.rows < DISTINCT;
        let bucket = if is_spread { 1.0 } else { (f64::from(self.rows) * 0.1).round().max(1.0) };
        let (rows, lookups) = (f64::from(self.rows), f64::from(other.rows));
        rows * (PER_OPERATOR + PER_ROW) + lookups * PER_OPERATOR * (1.0 + bucket * 0.5)
    }
}

/// The bytes that a value of a type is expected to have.
fn width(ty: &str) -> u32 {
    let lower = ty.to_ascii_lowercase();
    let (name, rest) = lower.split_at(lower.find('(').unwrap_or(lower.len()));
    let length =
        rest.trim_start_matches('(').split([',', ')']).next().and_then(|it| it.trim().parse::<u32>().ok());
    let longest = length.map(|length| length.saturating_mul(4).saturating_add(4));
    match name.trim() {
        "bool" | "boolean" | "\"char\"" => 1,
        "int2" | "smallint" | "smallserial" => 2,
        "int4" | "int" | "integer" | "serial" | "date" | "real" | "float4" | "oid" => 4,
        "int8"
        | "bigint"
        | "bigserial"
        | "timestamp"
        | "timestamptz"
        | "timestamp with time zone"
        | "timestamp without time zone"
        | "time"
        | "double precision"
        | "float8"
        | "money" => 8,
        "uuid" | "interval" => 16,
        "name" => 64,
        "char" | "character" | "bpchar" => longest.unwrap_or(8),
        _ => match longest {
            Some(longest) if longest <= 32 => longest,
            Some(longest) if longest < 1000 => 32 + (longest - 32) / 2,
            Some(_) => 516,
            None => 32,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::Side;
    use crate::schema::{Replay, Schema};
    use crate::sql::Dialect;

    fn schema() -> Schema {
        let mut replay = Replay::new(Dialect::Postgres);
        let tables = "CREATE TABLE parents (id uuid PRIMARY KEY, name text NOT NULL, at timestamptz, open boolean);
            CREATE TABLE children (id uuid PRIMARY KEY, parent uuid NOT NULL, name varchar(255), owner varchar(255));";
        replay.apply(tables, "tables.sql");
        replay.schema
    }

    #[test]
    fn columns_may_be_declared_wider_than_a_row() {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply("CREATE TABLE t (id uuid, a char(1073741820), b char(1073741820));", "t.sql");
        let (_, table) = replay.schema.tables.iter().next().expect("a table");
        assert_eq!(Side::of(table, "id").rows, 10);
    }

    #[test]
    fn a_key_is_hashed_and_a_column_of_many_rows_is_not() {
        let schema = schema();
        let side = |table: &str, column| {
            let (_, found) =
                schema.tables.iter().find(|(name, _)| name.to_string() == table).expect("a table");
            Side::of(found, column)
        };
        let (parents, children) = (side("parents", "id"), side("children", "parent"));
        assert_eq!((parents.rows, children.rows), (960, 70));
        // As EXPLAIN says: the few rows of the wide table.
        assert!(children.is_hashed_rather(&parents) && !parents.is_hashed_rather(&children));
        let others = side("parents", "name");
        assert!(parents.is_hashed_rather(&others) && !others.is_hashed_rather(&parents));
    }
}
