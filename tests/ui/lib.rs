//! The UI cases of the macros. The folders next to this file contain them; `tests/cases.rs` compiles them.
