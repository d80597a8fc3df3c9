//! What is known about the values bound to a query.

/// The values bound to a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Parameters {
    /// Their hash.
    Hash(u64),
    /// They cannot be compared.
    #[default]
    Unknown,
    /// They were not looked at, because they are no longer needed.
    Unasked,
}

/// How the current scopes observe the values of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Values,
    /// They all know that the values differ, or cannot be compared.
    Nothing,
    /// There is no scope. Later ones do not learn the values either.
    ByNobody,
}

impl Parameters {
    /// Nothing bound yet.
    pub(crate) const NONE: Self = Self::Hash(0);
}
