//! Stack for long and deep texts: the parser goes down and takes apart its tree recursively, and in a debug build each level takes
//! kilobytes.

use std::cell::Cell;

use super::parse::SyntaxError;
use super::text::Span;

thread_local! {
    /// Whether this thread's stack is a large one.
    static IS_LARGE: Cell<bool> = const { Cell::new(false) };
}

/// Texts up to this many bytes cannot hold enough levels of infix operators to matter.
const SHORT: usize = 500;

/// So many marks of what the parser goes down into recursively do not matter either.
const FEW: usize = 16;

/// The stack for longer ones; only what is used of it is ever touched.
const STACK: usize = 64 << 20;

/// Does work on a thread with a large stack, on which each text then finds its room at once: a thread for each long text
/// takes longer than most of them do.
pub fn with_large_stack<T: Send>(work: impl Fn() -> T + Sync) -> T {
    let marked = || {
        IS_LARGE.set(true);
        work()
    };
    // Without such a thread long texts will ask for one each, and say so when there is none.
    on_large_stack(marked).unwrap_or_else(|_| work())
}

/// Does work on a text, on a thread with a large stack when the text is long or may nest deeply.
///
/// # Errors
///
/// Those of the work; and one that says that the text is not checked, when the system has no thread to give.
pub(super) fn with_room<T: Send>(
    sql: &str,
    work: impl FnOnce() -> Result<T, SyntaxError> + Send,
) -> Result<T, SyntaxError> {
    if IS_LARGE.get() || sql.len() <= SHORT && levels(sql) <= FEW {
        return work();
    }
    on_large_stack(work).unwrap_or_else(|error| {
        let message = format!("not checked: could not start a thread: {error}");
        Err(SyntaxError { message, span: Span::new(0, sql.len()), limit: true })
    })
}

/// Does work on a thread of its own; an error when the system has none to give.
fn on_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> std::io::Result<T> {
    let thread = std::thread::Builder::new().stack_size(STACK).name("query-budget".to_owned());
    std::thread::scope(|scope| {
        let handle = thread.spawn_scoped(scope, work)?;
        Ok(handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
    })
}

/// How deep a text can nest at most, operators between two operands left out: brackets, signs, NOT, CASE.
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
