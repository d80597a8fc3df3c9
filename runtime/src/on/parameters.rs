//! What is known of the values that are bound to a query.

/// The values bound to a query.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) enum Parameters {
    /// Their hash.
    Hash(u64),
    /// They cannot be told.
    #[default]
    Unknown,
    /// Nobody asks any more, so that they were not looked at.
    Unasked,
}

/// What the current scopes want to know of the values of a query.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Values,
    /// They all know that the values differ, or cannot be told.
    Nothing,
    /// There is none. Whoever comes later does not learn them.
    ByNobody,
}

impl Parameters {
    /// Nothing bound yet.
    pub(crate) const NONE: Self = Self::Hash(0);
}
