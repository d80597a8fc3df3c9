//! An allow that silences nothing.

use super::{Check, declare_lint};

declare_lint! {
    /// ## What it does
    ///
    /// Finds an `allow` at a place where its lint finds nothing.
    ///
    /// ## Why is this bad
    ///
    /// Its reason no longer applies, and the next problem at this place would go unseen.
    ///
    /// ## Known limits
    ///
    /// A build only checks the allows of single queries; those of a whole function, which may serve another
    /// query, are left to `cargo query-budget check`. Without a snapshot, an `allow` of a lint that needs one
    /// is not reported.
    ///
    /// ## Example
    ///
    /// ```rust,fires
    /// async fn load(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     // query-budget: allow(missing_limit): it is one row
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    ///
    /// ## Use instead
    ///
    /// ```rust,clean
    /// async fn load(db: &PgPool, id: i64) -> sqlx::Result<()> {
    ///     sql!("SELECT name FROM servers WHERE id = $1", id).fetch_one(db).await?;
    ///     Ok(())
    /// }
    /// ```
    "unused_allow", Governance, since "0.1.0",
    "an `allow` that silences nothing",
    Check::Governance
}
