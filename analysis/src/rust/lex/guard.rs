//! Guards the parser: bounds the recursion in source before any of it is parsed.
//!
//! The parser, the trees it builds and the walks over them recurse: a level for each delimiter, and a level
//! for each link of a chain such as `a + b + c`, `!!!x`, `a.b().c()` or `if … else if …`. The depth is
//! computed from the tokens, which are read without recursion.

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};

use crate::rust::ScanError;

/// The allowed nesting of source.
#[derive(Debug, Clone, Copy)]
pub(in crate::rust) struct Limits {
    /// The maximum nesting of delimiters.
    delimiters: usize,
    /// The maximum number of chain links on any path.
    links: usize,
}

/// For a thread with a stack of [`STACK`].
pub(in crate::rust) const OWN_THREAD: Limits = Limits { delimiters: 500, links: 20_000 };

/// For a compiler thread, whose stack is 8 MB.
pub(in crate::rust) const COMPILER_THREAD: Limits = Limits { delimiters: 100, links: 1_100 };

/// The weight of a level of types, in links.
const HEAVY: usize = 4;

/// The weight of a qualified path that begins in a type, and of arguments in an expression's path, in links:
/// `<<A as B>::C as D>`, `a::<b::<C>>()`.
const QUALIFIED: usize = 16;

/// The stack size for reading files, in bytes; only touched pages use memory.
pub const STACK: usize = 256 << 20;

/// Runs work on a thread with that stack; `None` if it panicked, or no thread could be started.
pub(in crate::rust) fn on_own_thread<R: Send>(name: &str, work: impl FnOnce() -> R + Send) -> Option<R> {
    let worker = std::thread::Builder::new().stack_size(STACK).name(format!("query-budget {name}"));
    std::thread::scope(|scope| worker.spawn_scoped(scope, work).ok()?.join().ok())
}

/// Rejects source that nests deeper than `limits`.
pub(in crate::rust) fn check(tokens: &TokenStream, limits: Limits) -> Result<(), ScanError> {
    let mut levels = vec![Level::new(tokens.clone(), 0)];
    while let Some(level) = levels.last_mut() {
        let Some(token) = level.tokens.next() else {
            levels.pop();
            continue;
        };
        level.link(&token);
        if level.below + level.run > limits.links {
            return Err(ScanError::at(token.span(), "an expression chains too many parts to be read"));
        }
        if let TokenTree::Group(group) = &token {
            // An attribute, such as a doc comment, is not part of the chain that contains it.
            let below = level.below + level.run;
            if levels.len() >= limits.delimiters {
                return Err(ScanError::at(token.span(), "delimiters are nested too deeply to be read"));
            }
            levels.push(Level::new(group.stream(), below));
        }
    }
    Ok(())
}

/// The inside of one delimiter.
struct Level {
    tokens: proc_macro2::token_stream::IntoIter,
    /// Links on the path to this level.
    below: usize,
    /// Links since the last token that ends a chain.
    run: usize,
    /// Whether the last token was a block, whose end ends a chain unless an operator or `else` follows.
    after_block: bool,
    /// Whether the last token was the `#` of an attribute.
    after_hash: bool,
    /// The last two tokens, where they are punctuation.
    before: [Option<char>; 2],
}

impl Level {
    fn new(tokens: TokenStream, below: usize) -> Level {
        Level {
            tokens: tokens.into_iter(),
            below,
            run: 0,
            after_block: false,
            after_hash: false,
            before: [None; 2],
        }
    }

    fn link(&mut self, token: &TokenTree) {
        let after_block = std::mem::take(&mut self.after_block);
        let after_hash = std::mem::take(&mut self.after_hash);
        let before = self.before;
        let mark = match token {
            TokenTree::Punct(punct) => Some(punct.as_char()),
            _ => None,
        };
        self.before = [before[1], mark];
        match token {
            TokenTree::Punct(punct) => match punct.as_char() {
                ';' | ',' => self.run = 0,
                '#' => {
                    self.after_hash = true;
                    if after_block {
                        self.run = 0;
                    }
                }
                // The first character of `==` or `::`.
                '=' | ':' if punct.spacing() == Spacing::Joint => {}
                // Behind a name, it begins the arguments of a type.
                '<' if matches!(before, [_, Some('<' | '&' | '=' | ':')] | [Some('-'), Some('>')]) => {
                    self.run += QUALIFIED;
                }
                // Types nest by these, and take the most stack per level.
                '<' | '&' => self.run += HEAVY,
                _ => self.run += 1,
            },
            TokenTree::Ident(ident) => {
                if after_block && ident != "else" && ident != "as" {
                    self.run = 0;
                }
                self.run += 1;
            }
            TokenTree::Literal(_) => self.run += 1,
            TokenTree::Group(_) if after_hash => {}
            TokenTree::Group(group) => {
                if after_block {
                    self.run = 0;
                }
                self.run += 1;
                self.after_block = group.delimiter() == Delimiter::Brace;
            }
        }
    }
}
