//! Typed queries on SQLite; this package only contains tests.
