//! Batches and pages against MySQL and MariaDB; the tests are all there is.
