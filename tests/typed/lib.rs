//! Typed queries against PostgreSQL; the tests are all there is.
