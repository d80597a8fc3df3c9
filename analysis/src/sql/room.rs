//! Stack space for long and deep texts: the parser builds and drops its tree recursively, and in a debug
//! build each level takes kilobytes.

use std::cell::Cell;

use super::parse::SyntaxError;
use super::text::Span;

thread_local! {
    /// Whether this thread's stack is a large one.
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Texts up to this many bytes cannot nest deep enough to matter.
const SHORT: usize = 500;

/// The number of tokens that start a recursive level, up to which nesting does not matter.
const HARMLESS_OPENERS: usize = 16;

/// The size of the large stack, in bytes; only touched pages use memory.
const STACK: usize = 64 << 20;

/// Runs work on a thread with a large stack, so that each text inside finds enough room: a thread per long
/// text would take longer than most texts.
pub fn with_large_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    let marked = || {
        IS_LARGE.set(true);
        work()
    };
    // Without such a thread, each long text requests its own, and reports an error if there is none.
    on_large_stack(marked).unwrap_or_else(|_| work())
}

/// Runs work on a text, on a thread with a large stack if the text is long or may nest deeply.
///
/// # Errors
///
/// The errors of the work; or an error that the text is not checked, if no thread could be started.
pub(super) fn with_room<T: Send>(
    sql: &str,
    work: impl FnOnce() -> Result<T, SyntaxError> + Send,
) -> Result<T, SyntaxError> {
    if IS_LARGE.get() || sql.len() <= SHORT && levels(sql) <= HARMLESS_OPENERS {
        return work();
    }
    on_large_stack(work).unwrap_or_else(|error| {
        let message = format!("not checked: could not start a thread: {error}");
        Err(SyntaxError { message, span: Span::new(0, sql.len()), limit: true })
    })
}

/// Runs work on a new thread; an error if it could not be started.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    let thread = std::thread::Builder::new().stack_size(STACK).name("query-budget".to_owned());
    std::thread::scope(|scope| {
        let handle = thread.spawn_scoped(scope, work)?;
        Ok(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// An upper bound on the nesting of a text, not counting infix operators: parentheses, signs, NOT, CASE.
fn levels(sql: &str) -> usize {
    let is_word = |at: usize, word: &str| {
        sql.get(at..at + word.len()).is_some_and(|found| found.eq_ignore_ascii_case(word))
    };
    let mut levels = 0;
    for (at, byte) in sql.bytes().enumerate() {
        let goes_down = match byte {
            b'(' | b'[' | b'+' | b'-' | b'~' | b'!' | b'@' => true,
            b'N' | b'n' => is_word(at, "NOT"),
            b'C' | b'c' => is_word(at, "CASE"),
            _ => false,
        };
        if goes_down {
            levels += 1;
        }
    }
    levels
}
