//! Typed queries on MySQL and MariaDB; this package only contains tests.
