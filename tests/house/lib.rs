//! The rules of the house. Each file in `tests/` checks one of its documents against the source.
