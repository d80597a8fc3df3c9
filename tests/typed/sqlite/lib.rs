//! Typed queries on SQLite; the tests are all there is.
