//! Batches and pages on MySQL and MariaDB; this package only contains tests.
