//! Batches and pages against SQLite; the tests are all there is.
