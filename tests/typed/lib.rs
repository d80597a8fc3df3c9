//! Typed queries on PostgreSQL; this package only contains tests.
