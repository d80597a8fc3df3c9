//! Many distinct rows, as in tables in production, so that planners know realistic counts and distributions
//! and choose as they would there.

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row, SqliteConnection};

use super::{quoted, strings_of};

/// The number of rows per table; rows that a key forbids are missing.
pub const MANY: usize = 5_000;

/// Fills every table of a PostgreSQL database, bypassing foreign keys and triggers, and returns the tables
/// without rows because a CHECK rejected the values.
///
/// # Errors
///
/// If the catalog cannot be read.
pub async fn postgres(connection: &mut PgConnection) -> sqlx::Result<Vec<String>> {
    connection.execute("SET session_replication_role = replica").await?;
    let mut empty = Vec::new();
    for table in connection.fetch_all(sqlx::raw_sql(super::postgres::TABLES)).await? {
        let (oid, name): (i64, String) = (table.try_get(0)?, table.try_get(1)?);
        let (columns, values) = values(connection, oid).await?;
        let insert = format!(
            "INSERT INTO {name} ({columns}) OVERRIDING SYSTEM VALUE
             SELECT {values} FROM generate_series(1, {MANY}) n ON CONFLICT DO NOTHING"
        );
        if connection.execute(sqlx::raw_sql(AssertSqlSafe(insert))).await.is_err() {
            empty.push(name);
        }
    }
    connection.execute("SET session_replication_role = origin").await?;
    connection.execute("ANALYZE").await?;
    Ok(empty)
}

/// The writable columns of a table, with an expression in `n` for each.
async fn values(connection: &mut PgConnection, table: i64) -> sqlx::Result<(String, String)> {
    let sql = "SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull,
            format_type(CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END, NULL),
            (SELECT string_agg(quote_literal(e.enumlabel), ', ' ORDER BY e.enumsortorder) FROM pg_enum e
             WHERE e.enumtypid = t.oid),
            (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
             WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]),
            a.atttypmod - 4, t.typtype = 'c' AND a.atthasdef
        FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid
        WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY a.attnum";
    let rows = sqlx::query(sql).bind(table).fetch_all(connection).await?;
    let (mut columns, mut values): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for row in &rows {
        let (name, ty): (String, String) = (row.try_get(0)?, row.try_get(1)?);
        let (not_null, base): (bool, String) = (row.try_get(2)?, row.try_get(3)?);
        let (labels, check): (Option<String>, Option<String>) = (row.try_get(4)?, row.try_get(5)?);
        let length: i32 = row.try_get(6)?;
        // A column with several values per row gets its default.
        if row.try_get(7)? {
            continue;
        }
        let allowed = check.map_or_else(Vec::new, |check| strings_of(&check));
        let allowed: Vec<String> = allowed.iter().map(|text| quoted(text)).collect();
        let one_of = labels.or_else(|| (!allowed.is_empty()).then(|| allowed.join(", ")));
        let value = match one_of {
            Some(list) => {
                let count = list.matches("', '").count() + 1;
                format!("(ARRAY[{list}])[1 + n % {count}]::{ty}")
            }
            None => format!("({})::{ty}", value(&base, usize::try_from(length).ok())),
        };
        columns.push(name);
        values.push(if not_null { value } else { format!("CASE WHEN n % 9 > 0 THEN {value} END") });
    }
    Ok((columns.join(", "), values.join(", ")))
}

/// An expression of a type, different for each `n` if the type has enough values.
fn value(ty: &str, length: Option<usize>) -> String {
    if let Some(element) = ty.strip_suffix("[]") {
        return format!("ARRAY[{}]", value(element, None));
    }
    let text = match ty {
        "boolean" => "n % 2 = 0",
        "smallint" => "n % 30000",
        // Half of them before today.
        "date" => "current_date + n - 2500",
        "timestamp without time zone" | "timestamp with time zone" => {
            "now() + (n - 2500) * interval '7 minutes'"
        }
        "time without time zone" | "time with time zone" | "interval" => "n * interval '17 seconds'",
        "uuid" => "lpad(n::text, 32, '0')",
        "bytea" => "decode(lpad(to_hex(n), 40, '0'), 'hex')",
        "json" | "jsonb" => "jsonb_build_object('a', n)",
        "inet" | "cidr" => "inet '10.0.0.0' + n",
        "int4range" | "int8range" | "numrange" => "format('[%s,%s)', n, n + 1)",
        "tsrange" | "tstzrange" | "daterange" => {
            "format('[%s,%s)', date '2000-01-01' + n, date '2000-01-01' + n + 1)"
        }
        "pg_snapshot" | "txid_snapshot" => "'10:20:'",
        "tsvector" => "to_tsvector('simple', 'word' || n)",
        "character varying" | "character" => {
            return length
                .map_or_else(|| "'v' || n".to_owned(), |length| format!("right('v' || n, {length})"));
        }
        "text" | "citext" => "'v' || n",
        _ => "n",
    };
    text.to_owned()
}

/// Fills every table of a SQLite database, bypassing foreign keys and checks.
///
/// # Errors
///
/// If the catalog cannot be read.
pub async fn sqlite(connection: &mut SqliteConnection) -> sqlx::Result<()> {
    connection.execute("PRAGMA foreign_keys = OFF; PRAGMA ignore_check_constraints = ON").await?;
    let tables = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'";
    let tables: Vec<String> = sqlx::query_scalar(tables).fetch_all(&mut *connection).await?;
    for table in tables {
        let columns =
            AssertSqlSafe(format!("SELECT '\"' || name || '\"' FROM pragma_table_info({})", quoted(&table)));
        let columns: Vec<String> = sqlx::query_scalar(columns).fetch_all(&mut *connection).await?;
        // A numeric column converts a text of digits to a number.
        let values = vec!["CAST(n AS TEXT)"; columns.len()].join(", ");
        let insert = format!(
            "WITH RECURSIVE many (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < {MANY})
             INSERT OR IGNORE INTO \"{table}\" ({}) SELECT {values} FROM many",
            columns.join(", ")
        );
        // A column that rejects a text of digits leaves the table empty.
        connection.execute(sqlx::raw_sql(AssertSqlSafe(insert))).await.ok();
    }
    Ok(())
}
