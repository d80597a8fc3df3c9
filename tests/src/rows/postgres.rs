//! Rows and runs on PostgreSQL.

use std::collections::BTreeMap;

use sqlx::{AssertSqlSafe, Executor, PgConnection, Row};

use super::{Dice, Outcome, ROWS, RUNS, VALUES, quoted, strings_of};

/// The schema that values are generated for.
#[derive(Debug)]
struct Filler {
    /// The labels of each enum, by the type's printed name.
    enums: BTreeMap<String, Vec<String>>,
    /// The base type of each domain.
    domains: BTreeMap<String, String>,
}

/// A writable column.
struct Column {
    name: String,
    ty: String,
    not_null: bool,
    /// The strings that a CHECK allows, if there is one.
    allowed: Vec<String>,
}

/// The tables of a database, each by its oid and its name.
pub(super) const TABLES: &str = "SELECT c.oid::bigint, c.oid::regclass::text FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition
      AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%'
      AND c.relname <> '_sqlx_migrations' ORDER BY 2";

/// Fills every table of the database, and returns the number of rows in each. Bypasses foreign keys and
/// triggers.
///
/// # Errors
///
/// If the catalog cannot be read.
pub async fn fill(connection: &mut PgConnection) -> sqlx::Result<BTreeMap<String, usize>> {
    let filler = Filler::read(connection).await?;
    connection.execute("SET session_replication_role = replica").await?;
    let mut filled = BTreeMap::new();
    for table in sqlx::query(TABLES).fetch_all(&mut *connection).await? {
        let (oid, name): (i64, String) = (table.try_get(0)?, table.try_get(1)?);
        let columns = columns(connection, oid).await?;
        let mut dice = Dice::new(&name);
        let mut rows = 0;
        for _ in 0..ROWS {
            let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
            let values: Vec<String> = columns.iter().map(|column| filler.cell(column, &mut dice)).collect();
            let insert = format!(
                "INSERT INTO {name} ({}) OVERRIDING SYSTEM VALUE VALUES ({}) ON CONFLICT DO NOTHING",
                names.join(", "),
                values.join(", ")
            );
            // A CHECK or an exclusion may reject this row and accept the next.
            if let Ok(done) = connection.execute(AssertSqlSafe(insert)).await {
                rows += usize::try_from(done.rows_affected()).unwrap_or(0);
            }
        }
        filled.insert(name, rows);
    }
    connection.execute("ANALYZE").await?;
    Ok(filled)
}

/// The writable columns of a table.
async fn columns(connection: &mut PgConnection, table: i64) -> sqlx::Result<Vec<Column>> {
    let sql = "SELECT quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), a.attnotnull,
            (SELECT string_agg(pg_get_constraintdef(k.oid), ' ') FROM pg_constraint k
             WHERE k.conrelid = a.attrelid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum])
        FROM pg_attribute a
        WHERE a.attrelid = $1::bigint::oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
        ORDER BY a.attnum";
    let rows = sqlx::query(sql).bind(table).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let check: Option<String> = row.try_get(3)?;
            Ok(Column {
                name: row.try_get(0)?,
                ty: row.try_get(1)?,
                not_null: row.try_get(2)?,
                allowed: check.map_or_else(Vec::new, |check| strings_of(&check)),
            })
        })
        .collect()
}

/// Runs a query with many values for its parameters, undoes its effects, and returns the largest number of
/// rows.
///
/// # Errors
///
/// If the connection breaks.
pub async fn run(connection: &mut PgConnection, sql: &str) -> sqlx::Result<Outcome> {
    let filler = Filler::read(connection).await?;
    connection.execute("BEGIN").await?;
    let outcome = filler.run(connection, sql).await;
    connection.execute("ROLLBACK").await?;
    // A prepared statement outlives the transaction.
    connection.execute("DEALLOCATE claim").await.ok();
    outcome
}

impl Filler {
    async fn read(connection: &mut PgConnection) -> sqlx::Result<Filler> {
        let mut filler = Filler { enums: BTreeMap::new(), domains: BTreeMap::new() };
        let labels =
            "SELECT e.enumtypid::regtype::text, e.enumlabel::text FROM pg_enum e ORDER BY 1, e.enumsortorder";
        for row in connection.fetch_all(sqlx::raw_sql(labels)).await? {
            filler.enums.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
        }
        let domains =
            "SELECT oid::regtype::text, format_type(typbasetype, typtypmod) FROM pg_type WHERE typtype = 'd'";
        for row in connection.fetch_all(sqlx::raw_sql(domains)).await? {
            filler.domains.insert(row.try_get(0)?, row.try_get(1)?);
        }
        Ok(filler)
    }

    async fn run(&self, connection: &mut PgConnection, sql: &str) -> sqlx::Result<Outcome> {
        let prepare = format!(
            "SET LOCAL statement_timeout = '1s'; PREPARE claim AS {}\n",
            sql.trim_end().trim_end_matches(';')
        );
        if let Err(error) = connection.execute(sqlx::raw_sql(AssertSqlSafe(prepare))).await {
            return Ok(Outcome::Failed(error.to_string()));
        }
        let types = "SELECT array_to_string(parameter_types::text[], '|') FROM pg_prepared_statements WHERE name = 'claim'";
        let types: String = connection.fetch_one(sqlx::raw_sql(types)).await?.try_get(0)?;
        let types: Vec<&str> = types.split('|').filter(|ty| !ty.is_empty()).collect();
        let mut dice = Dice::new(sql);
        let mut outcome = None;
        for _ in 0..RUNS {
            let values: Vec<String> = types.iter().map(|ty| self.value(ty, VALUES + 1, &mut dice)).collect();
            let arguments =
                if values.is_empty() { String::new() } else { format!("({})", values.join(", ")) };
            connection.execute("SAVEPOINT run").await?;
            let run = format!("EXECUTE claim{arguments}");
            let found = match connection.fetch_all(sqlx::raw_sql(AssertSqlSafe(run))).await {
                Ok(rows) => Outcome::Rows(rows.len()),
                Err(error) => Outcome::Failed(error.to_string()),
            };
            connection.execute("ROLLBACK TO SAVEPOINT run").await?;
            if matches!(&found, Outcome::Failed(error) if error.contains("statement timeout")) {
                return Ok(super::merged(outcome, found));
            }
            outcome = Some(super::merged(outcome, found));
        }
        Ok(outcome.unwrap_or(Outcome::Rows(0)))
    }

    /// A value of a column: occasionally NULL, if permitted.
    fn cell(&self, column: &Column, dice: &mut Dice) -> String {
        if !column.not_null && dice.below(VALUES + 1) == 0 {
            return "NULL".to_owned();
        }
        let count = column.allowed.len() as u64;
        match usize::try_from(dice.below(count.max(1))) {
            Ok(at) if count > 0 => {
                column.allowed.get(at).map_or_else(|| "NULL".to_owned(), |text| quoted(text))
            }
            _ => self.value(&column.ty, VALUES, dice),
        }
    }

    /// One of `count` values of a type, as a literal.
    fn value(&self, ty: &str, count: u64, dice: &mut Dice) -> String {
        if let Some(base) = self.domains.get(ty) {
            return self.value(base, count, dice);
        }
        if let Some(labels) = self.enums.get(ty) {
            let at = usize::try_from(dice.below(labels.len().max(1) as u64)).unwrap_or(0);
            return labels
                .get(at)
                .map_or_else(|| "NULL".to_owned(), |label| format!("{}::{ty}", quoted(label)));
        }
        if let Some(element) = ty.strip_suffix("[]") {
            let elements: Vec<String> = (0..2).map(|_| self.value(element, count, dice)).collect();
            return format!("ARRAY[{}]::{ty}", elements.join(", "));
        }
        let n = dice.below(count);
        let text = match ty.split('(').next().unwrap_or(ty).trim_end() {
            "boolean" => n.is_multiple_of(2).to_string(),
            "date" => format!("2024-01-0{}", n + 1),
            "timestamp" | "timestamp without time zone" | "timestamp with time zone" => {
                format!("2024-01-0{} 00:00:00+00", n + 1)
            }
            "time" | "time without time zone" | "time with time zone" => format!("0{n}:00:00"),
            "interval" => format!("{n} days"),
            "uuid" => format!("00000000-0000-0000-0000-00000000000{n}"),
            "bytea" => format!("\\x0{n}"),
            "json" | "jsonb" => format!("{{\"a\": {n}}}"),
            "inet" | "cidr" => format!("10.0.0.{n}"),
            "int4range" | "int8range" | "numrange" => format!("[{n},{})", n + 1),
            "tstzrange" | "tsrange" | "daterange" => format!("[2024-01-0{},2024-01-0{})", n + 1, n + 2),
            "pg_snapshot" | "txid_snapshot" => "10:20:".to_owned(),
            _ => n.to_string(),
        };
        format!("{}::{ty}", quoted(&text))
    }
}
