//! [`Tables`] and [`Tags`]: the dependencies of entries, and what invalidates them.

use std::borrow::Cow;
use std::collections::BTreeSet;

use crate::touched::Tables;

/// A name attached to entries: a table's, or any other.
pub(crate) type Tag = Cow<'static, str>;

/// The tag of every entry.
const ALL: Tag = Cow::Borrowed("\0all");
/// The tag of an entry that depends on unknown tables: every write invalidates it.
const ANY: Tag = Cow::Borrowed("\0any");

impl Tables {
    /// For a query about which nothing is known.
    #[doc(hidden)]
    pub const UNKNOWN: &'static Self =
        &Self { reads: &[], writes: &[], reads_unknown: true, writes_unknown: true, schema: 0 };

    /// Whether it writes nothing.
    pub(crate) fn only_reads(&self) -> bool {
        self.writes.is_empty() && !self.writes_unknown
    }

    /// The tags of an entry with its result.
    pub(crate) fn tags(&self, more: impl IntoIterator<Item = Tag>) -> Tags {
        let reads = self.reads.iter().map(|table| Cow::Borrowed(*table));
        let mut tags: Vec<Tag> = reads.chain(more).collect();
        tags.sort_unstable();
        tags.dedup();
        tags.push(ALL);
        if self.reads_unknown {
            tags.push(ANY);
        }
        Tags(tags)
    }
}

/// The tags of an entry, without duplicates, in a fixed order.
#[derive(Clone, Debug)]
pub struct Tags(Vec<Tag>);

impl Tags {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|tag| &**tag)
    }

    /// The given tags, and that of entries which depend on any write.
    pub(crate) fn named(tags: impl IntoIterator<Item = Tag>) -> Self {
        Self(tags.into_iter().chain([ANY]).collect::<BTreeSet<_>>().into_iter().collect())
    }

    /// The tag of all entries.
    pub(crate) fn everything() -> Self {
        Self(vec![ALL])
    }
}

/// The tables that have been written, collected until it is known whether the write takes effect.
#[derive(Debug, Default)]
pub(crate) struct Written {
    tags: BTreeSet<Tag>,
    unknown: bool,
}

impl Written {
    pub(crate) fn by(tables: &'static Tables) -> Self {
        let mut written = Self::default();
        written.add(tables);
        written
    }

    pub(crate) fn add(&mut self, tables: &'static Tables) {
        self.tags.extend(tables.writes.iter().map(|table| Cow::Borrowed(*table)));
        self.unknown |= tables.writes_unknown;
    }

    pub(crate) fn add_tags(&mut self, tags: impl IntoIterator<Item = Tag>) {
        self.tags.extend(tags);
    }

    pub(crate) fn add_unknown(&mut self) {
        self.unknown = true;
    }

    /// Whether something was run that may have committed the transaction implicitly, as DDL does in MySQL.
    pub(crate) fn is_unknown(&self) -> bool {
        self.unknown
    }

    /// The tags to invalidate; `None` if there are none.
    pub(crate) fn tags(&self) -> Option<Tags> {
        match (self.unknown, self.tags.is_empty()) {
            (true, _) => Some(Tags::everything()),
            (false, true) => None,
            (false, false) => Some(Tags::named(self.tags.iter().cloned())),
        }
    }
}
