//! A name that is not a lint's.

use super::{Check, declare_lint};

declare_lint! {
    /// ## What it does
    ///
    /// Finds names in `allow` and in the `[lints]` of `query-budget.toml` that are not names of lints.
    ///
    /// ## Why is this bad
    ///
    /// A misspelt `allow` silences nothing, and a misspelt level sets nothing.
    ///
    /// ## Known limits
    ///
    /// None.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn delete(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     // query-budget: allow(mising_limit): one page is enough
    ///     sql!("DELETE FROM servers WHERE id = $1", id).execute(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn servers(db: &PgPool) -> sqlx::Result<()> {
    ///     // query-budget: allow(missing_limit): there are twelve of them
    ///     sql!("SELECT name FROM servers").fetch_all(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "unknown_lint", Governance, since "0.1.0",
    "an `allow` or a level for a lint that does not exist",
    Check::Governance
}
