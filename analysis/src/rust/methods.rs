//! What methods of the standard library and of common crates give of their receiver, by name alone: a table for all rules that go
//! through such calls.

/// What a method gives. Each name has one meaning; what only one rule asks for stays with that rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::rust) enum Yields {
    /// The receiver, behind a reference.
    View,
    /// The same, or the content of a cell, which other code may have put there.
    Borrowed,
    /// The content of a lock, behind a guard, which other code may have put there.
    Locked,
    /// The content of a cell that is replaced as a whole.
    Loaded,
    /// A copy of the receiver, or of its elements.
    Copy,
    /// The receiver as a text.
    Text,
    /// The elements of a collection, one after the other.
    Elements,
    /// The same elements as they are, or some of them, or in another order.
    Subset,
    /// The content of an option or result.
    Content,
    /// Nothing: it adds to the receiver.
    Growth,
    /// What an awaited call of the program itself gives: of locks, channels, timers, tasks and transactions; no query.
    Wait,
}

/// What a method of this name gives; `None` if the table does not say.
pub(in crate::rust) fn yields(name: &str) -> Option<Yields> {
    Some(match name {
        "as_ref" | "as_mut" | "deref" | "deref_mut" => Yields::View,
        "borrow" | "borrow_mut" => Yields::Borrowed,
        "lock" | "read" | "write" | "try_lock" | "try_read" | "try_write" | "blocking_lock" => Yields::Locked,
        "load" | "load_full" => Yields::Loaded,
        "clone" | "cloned" | "copied" | "to_owned" => Yields::Copy,
        "as_str" | "to_string" | "into" | "into_sql_str" | "trim" => Yields::Text,
        "iter" | "iter_mut" | "into_iter" => Yields::Elements,
        "filter" | "fuse" | "peekable" | "rev" | "skip" | "skip_while" | "step_by" | "take"
        | "take_while" => Yields::Subset,
        "unwrap" | "expect" | "unwrap_or" | "unwrap_or_default" | "unwrap_or_else" => Yields::Content,
        "append" | "entry" | "extend" | "extend_from_slice" | "extend_from_within" | "insert" | "push"
        | "push_back" | "push_front" | "push_str" | "replace" | "resize" | "splice" => Yields::Growth,
        "acquire" | "begin" | "collect" | "commit" | "in_current_span" | "instrument" | "join_all"
        | "next" | "notified" | "recv" | "rollback" | "sleep" | "spawn" | "tick" | "timeout"
        | "try_collect" | "try_join_all" | "try_next" | "yield_now" => Yields::Wait,
        _ => return None,
    })
}

/// Whether a function of this name gives a stream or iterator that computes its elements one after the other.
pub(in crate::rust) fn generates(name: &str) -> bool {
    matches!(name, "unfold" | "try_unfold" | "from_fn" | "poll_fn" | "successors" | "repeat_with")
}

/// Whether a type of this name gives its content by a guard.
pub(in crate::rust) fn is_lock(name: &str) -> bool {
    matches!(name, "Mutex" | "RwLock" | "RefCell")
}
