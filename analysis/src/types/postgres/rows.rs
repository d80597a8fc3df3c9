//! How wide the rows of a table are expected to be, and so how many a page holds.

use crate::schema::{Schema, Table, UserType};

/// The bytes of a page for rows.
const PAGE: u32 = 8168;
/// The bytes before the values of a row, and its pointer.
const ROW: u32 = 28;

/// How many rows a page is expected to hold.
pub(super) fn density(table: &Table, schema: &Schema) -> f64 {
    let widths = table.columns.iter().map(|column| width(&column.ty, schema, 0));
    f64::from((PAGE / widths.fold(ROW, u32::saturating_add)).max(1))
}

/// The bytes that a value of a type is expected to have.
fn width(ty: &str, schema: &Schema, depth: usize) -> u32 {
    let lower = ty.to_ascii_lowercase();
    let (name, rest) = lower.split_at(lower.find('(').unwrap_or(lower.len()));
    let length =
        rest.trim_start_matches('(').split([',', ')']).next().and_then(|it| it.trim().parse::<u32>().ok());
    let longest = length.map(|length| length.saturating_mul(4).saturating_add(4));
    // A modifier limits the width of these types only, and not that of their arrays.
    if lower.ends_with(']') {
        return 32;
    }
    match schema.user_type(None, name) {
        Some(UserType::Enum(_)) => return 4,
        Some(UserType::Domain { base, .. }) if depth < 16 => return width(base, schema, depth + 1),
        _ => {}
    }
    match name.trim() {
        "bool" | "boolean" | "\"char\"" => 1,
        "int2" | "smallint" | "smallserial" => 2,
        "int4" | "int" | "integer" | "serial" | "date" | "real" | "float4" | "oid" | "regclass" => 4,
        "int8"
        | "bigint"
        | "bigserial"
        | "timestamp"
        | "timestamptz"
        | "timestamp with time zone"
        | "timestamp without time zone"
        | "time"
        | "time without time zone"
        | "pg_lsn"
        | "xid8"
        | "double precision"
        | "float8"
        | "money" => 8,
        "macaddr" => 6,
        "macaddr8" => 8,
        "time with time zone" | "timetz" => 12,
        "uuid" | "interval" | "point" => 16,
        "line" | "circle" => 24,
        "lseg" | "box" => 32,
        // Four digits take two bytes.
        "numeric" | "decimal" => match length {
            Some(digits) => known(8 + digits.saturating_add(6) / 4 * 2),
            None => 32,
        },
        "name" => 64,
        "char" | "character" | "bpchar" => longest.unwrap_or(8),
        "varchar" | "character varying" => longest.map_or(32, known),
        // Eight bits take a byte.
        "bit" | "bit varying" | "varbit" => match (length, name.trim()) {
            (Some(bits), _) => known(bits.div_ceil(8) + 8),
            (None, "bit") => 9,
            (None, _) => 32,
        },
        _ => 32,
    }
}

/// The bytes that a value is expected to have if its type limits them.
fn known(longest: u32) -> u32 {
    match longest {
        0..=32 => longest,
        33..1000 => 32 + (longest - 32) / 2,
        1000.. => 516,
    }
}

#[cfg(test)]
mod tests {
    use crate::schema::Replay;
    use crate::sql::Dialect;

    #[test]
    fn a_page_holds_as_many_rows_as_the_planner_expects() {
        let mut replay = Replay::new(Dialect::Postgres);
        let tables = "CREATE TABLE parents (id uuid PRIMARY KEY, name text NOT NULL, at timestamptz, open boolean);
            CREATE TABLE children (id uuid PRIMARY KEY, parent uuid NOT NULL, name varchar(255), owner varchar(255));
            CREATE TABLE docs (id bigint, at vector(768), tags varchar(20)[], bits bit(12), n numeric(10,2));
            CREATE TABLE wide (id uuid, a char(1073741820), b char(1073741820));";
        replay.apply(tables, "tables.sql");
        let found = replay
            .schema
            .tables
            .iter()
            .map(|(name, table)| (name.to_string(), super::density(table, &replay.schema)));
        let found: Vec<_> = found.collect();
        // As EXPLAIN says: a tenth of the rows.
        assert_eq!(
            found,
            [("children".into(), 7.0), ("docs".into(), 64.0), ("parents".into(), 96.0), ("wide".into(), 1.0)]
        );
    }
}
