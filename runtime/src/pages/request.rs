//! [`PageRequest`]: which page a client asks for.

/// A requested page, and its number of rows. Built from what a client sends; invalid input is only reported
/// when the page is fetched.
///
/// ```
/// use query_budget::PageRequest;
///
/// // As a client sent them, all optional.
/// assert_eq!(PageRequest::of(None, None, None), PageRequest::first());
/// assert_eq!(PageRequest::of(Some("cursor".into()), None, Some(20)), PageRequest::after("cursor").size(20));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PageRequest {
    from: From,
    cursor: Option<String>,
    size: Option<u32>,
}

/// Where a page begins.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum From {
    #[default]
    First,
    After,
    Before,
    Last,
}

impl From {
    /// Whether rows are read in reverse.
    pub(super) fn is_backwards(self) -> bool {
        matches!(self, Self::Before | Self::Last)
    }
}

impl PageRequest {
    /// The first page.
    #[must_use]
    pub fn first() -> Self {
        Self::default()
    }

    /// The last page.
    #[must_use]
    pub fn last() -> Self {
        Self { from: From::Last, ..Self::default() }
    }

    /// The page after a row: [`Page::next`](crate::Page::next).
    #[must_use]
    pub fn after(cursor: impl Into<String>) -> Self {
        Self { from: From::After, cursor: Some(cursor.into()), size: None }
    }

    /// The page before a row: [`Page::previous`](crate::Page::previous).
    #[must_use]
    pub fn before(cursor: impl Into<String>) -> Self {
        Self { from: From::Before, cursor: Some(cursor.into()), size: None }
    }

    /// The page requested by the parameters `after`, `before` and `size`; the first page without a cursor,
    /// and `after` if both are given.
    #[must_use]
    pub fn of(after: Option<String>, before: Option<String>, size: Option<u32>) -> Self {
        let request = match (after, before) {
            (Some(after), _) => Self::after(after),
            (None, Some(before)) => Self::before(before),
            (None, None) => Self::first(),
        };
        Self { size, ..request }
    }

    /// Sets the number of rows; it is limited to the query's maximum, and at least 1.
    #[must_use]
    pub fn size(self, size: u32) -> Self {
        Self { size: Some(size), ..self }
    }

    pub(super) fn origin(&self) -> From {
        self.from
    }

    pub(super) fn cursor(&self) -> Option<&str> {
        self.cursor.as_deref()
    }

    pub(super) fn size_within(&self, default: u32, ceiling: u32) -> u32 {
        self.size.unwrap_or(default).clamp(1, ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::{From, PageRequest};

    #[test]
    fn sizes_stay_within_the_ceiling() {
        let size = |size| PageRequest::of(None, None, size).size_within(50, 200);
        assert_eq!([None, Some(0), Some(7), Some(u32::MAX)].map(size), [50, 1, 7, 200]);
    }

    #[test]
    fn parameters_of_a_request() {
        let from = |after: Option<&str>, before: Option<&str>| {
            PageRequest::of(after.map(str::to_owned), before.map(str::to_owned), None).origin()
        };
        assert_eq!(from(None, None), From::First);
        assert_eq!(from(None, Some("x")), From::Before);
        assert_eq!(from(Some("x"), Some("x")), From::After);
    }
}
