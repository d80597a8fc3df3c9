//! Batches and pages on SQLite; this package only contains tests.
