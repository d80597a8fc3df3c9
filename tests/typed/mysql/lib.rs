//! Typed queries on MySQL and MariaDB; the tests are all there is.
