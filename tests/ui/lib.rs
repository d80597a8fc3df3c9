//! The UI cases of the macros. The folders beside this file hold them; `tests/cases.rs` compiles them.
