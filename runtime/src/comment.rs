//! The trace of a query as a comment after it, in sqlcommenter format, to find it in a server's log.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, PoisonError, RwLock};

type TraceContext = Arc<dyn Fn() -> Option<String> + Send + Sync>;

static SOURCE: RwLock<Option<TraceContext>> = RwLock::new(None);

/// The start and end of the comment.
const BEGINS: &str = " /*traceparent='";
const ENDS: &str = "'*/";

/// Appends the trace of each query of `sql!` and related macros to its text, as `/*traceparent='00-..'*/`, so
/// that it can be found in the server's log and in `pg_stat_activity`. `context` returns the current trace in
/// the format of a `traceparent` header; anything else is dropped.
///
/// **Cost**: each query has a different text, so it is parsed and planned again, and no connection caches the
/// prepared statement; on PostgreSQL that takes an additional round trip. `pg_stat_statements` ignores
/// comments, as do MySQL's digests. Nothing is added unless this is called, or if `context` panics.
///
/// ```
/// // query_budget::set_trace_context(|| Some(opentelemetry's current context as text));
/// query_budget::set_trace_context(|| Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned()));
/// ```
pub fn set_trace_context(context: impl Fn() -> Option<String> + Send + Sync + 'static) {
    *SOURCE.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::new(context));
}

/// Reverts [`set_trace_context`].
pub fn reset_trace_context() {
    *SOURCE.write().unwrap_or_else(PoisonError::into_inner) = None;
}

/// Whether queries get a comment.
pub(crate) fn are_on() -> bool {
    SOURCE.read().unwrap_or_else(PoisonError::into_inner).is_some()
}

/// The text followed by the current trace; `None` if there is none.
pub(crate) fn commented(sql: &str) -> Option<String> {
    // Cloned out of the lock, since it may run queries.
    let source = SOURCE.read().unwrap_or_else(PoisonError::into_inner).clone()?;
    let context = catch_unwind(AssertUnwindSafe(|| source())).ok()??;
    if !is_traceparent(&context) {
        return None;
    }
    // A line comment would swallow this one.
    let is_open = sql.lines().last().is_some_and(|line| line.contains("--") || line.contains('#'));
    let line = if is_open { "\n" } else { "" };
    Some(format!("{sql}{line}{BEGINS}{context}{ENDS}"))
}

/// The text without the comment.
#[cfg(feature = "tracing")]
pub(crate) fn without(sql: &str) -> &str {
    if !matches!(sql.as_bytes(), [.., b'/']) {
        return sql;
    }
    let rest = sql.strip_suffix(ENDS).and_then(|rest| rest.rsplit_once(BEGINS));
    rest.filter(|(_, context)| is_traceparent(context))
        .map_or(sql, |(sql, _)| sql.strip_suffix('\n').unwrap_or(sql))
}

/// `version-trace-parent-flags` in hexadecimal digits: nothing that could end the comment.
fn is_traceparent(context: &str) -> bool {
    let parts: Vec<&str> = context.split('-').collect();
    let is_hex = |part: &str| part.bytes().all(|byte| byte.is_ascii_hexdigit());
    parts.iter().map(|part| part.len()).eq([2, 32, 16, 2]) && parts.iter().all(|part| is_hex(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_end_the_comment_is_left_out() {
        let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert!(is_traceparent(trace));
        for other in
            ["", "00", "*/ DROP TABLE users; --", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0'"]
        {
            assert!(!is_traceparent(other), "{other}");
        }
        set_trace_context(move || Some(trace.to_owned()));
        let sql = "SELECT 1";
        assert_eq!(commented(sql).unwrap(), format!("{sql} /*traceparent='{trace}'*/"));
        assert!(commented("SELECT 1 -- one").unwrap().contains("one\n /*"));
        set_trace_context(|| panic!("no context"));
        assert_eq!(commented(sql), None);
        set_trace_context(move || Some(trace.to_owned()));
        #[cfg(feature = "tracing")]
        for sql in [sql, "SELECT 1 -- one", "SELECT '/*traceparent=''*/'"] {
            assert_eq!(without(&commented(sql).unwrap()), sql);
            assert_eq!(without(sql), sql);
        }
        reset_trace_context();
        assert_eq!(commented(sql), None);
    }
}
