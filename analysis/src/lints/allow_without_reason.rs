//! An `allow` without a reason.

use super::{Check, declare_lint};

declare_lint! {
    /// ## What it does
    ///
    /// Finds an `allow` without a reason.
    ///
    /// ## Why is this bad
    ///
    /// A later reader cannot tell whether it still holds.
    ///
    /// ## Known limits
    ///
    /// Any text counts as a reason.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn servers(db: &PgPool) -> sqlx::Result<()> {
    ///     // query-budget: allow(missing_limit)
    ///     sql!("SELECT name FROM servers").fetch_all(db).await?;
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
    "allow_without_reason", Governance, since "0.1.0",
    "an `allow` that does not say why",
    Check::Governance
}
