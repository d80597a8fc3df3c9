//! Fuzz targets: one for each kind of input, run by this package on a stable toolchain (`scripts/fuzz`), and
//! by libFuzzer from `fuzz/` on nightly.

pub mod features;
pub mod growth;
pub mod mutate;
pub mod targets;
pub mod worker;
