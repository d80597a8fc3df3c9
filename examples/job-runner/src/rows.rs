//! Steps added to a run: row by row, and as a batch in four forms.

use query_budget::{sql, sql_batch, sql_batch_scalar};
use sqlx::{PgPool, Result};

/// How rows are inserted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// One statement a row, each with a commit of its own.
    RowByRow,
    /// One statement a row, in one transaction.
    RowByRowInTransaction,
    /// One statement for all.
    Batch,
    /// Likewise, with the id of each row in order.
    Returning,
    /// Likewise; a step that exists gets the new name.
    Upsert,
    /// Likewise, in a transaction of the caller.
    InTransaction,
}

impl Form {
    /// All of them, with their names in the address of the endpoint.
    pub const ALL: [(&str, Self); 6] = [
        ("loop", Self::RowByRow),
        ("loop-in-transaction", Self::RowByRowInTransaction),
        ("batch", Self::Batch),
        ("returning", Self::Returning),
        ("upsert", Self::Upsert),
        ("transaction", Self::InTransaction),
    ];
}

/// Adds steps with these names to a run, numbered from one; returns how many there are.
///
/// # Errors
///
/// Returns the error of the database: unless the form is an upsert, no step may exist.
pub async fn add_steps(db: &PgPool, run: i64, names: &[String], form: Form) -> Result<usize> {
    let rows = || (1_i64..).zip(names);
    match form {
        Form::RowByRow => {
            for (position, name) in rows() {
                // query-budget: allow(row_by_row_write): the example of what a batch is for
                sql!("INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3)", run, position, name)
                    .execute(db)
                    .await?;
            }
        }
        Form::RowByRowInTransaction => {
            let mut transaction = db.begin().await?;
            for (position, name) in rows() {
                // query-budget: allow(row_by_row_write): the example of what a batch is for
                sql!("INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3)", run, position, name)
                    .execute(&mut *transaction)
                    .await?;
            }
            transaction.commit().await?;
        }
        Form::Batch => {
            let batch = sql_batch!(
                "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3)",
                rows() => |(position, name)| (run, position, name)
            );
            batch.execute(db).await?;
        }
        Form::Returning => {
            let batch = sql_batch_scalar!(
                i64,
                "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3) RETURNING id",
                rows() => |(position, name)| (run, position, name)
            );
            return Ok(batch.fetch_all(db).await?.len());
        }
        Form::Upsert => {
            let batch = sql_batch!(
                "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3)
                 ON CONFLICT (run_id, position) DO UPDATE SET name = EXCLUDED.name",
                rows() => |(position, name)| (run, position, name)
            );
            batch.execute(db).await?;
        }
        Form::InTransaction => {
            let mut transaction = db.begin().await?;
            let batch = sql_batch!(
                "INSERT INTO steps (run_id, position, name) VALUES ($1, $2, $3)",
                rows() => |(position, name)| (run, position, name)
            );
            batch.execute(&mut transaction).await?;
            transaction.commit().await?;
        }
    }
    Ok(names.len())
}
