//! The rules of the house. Each file in `tests/` holds one of its documents to the source.
