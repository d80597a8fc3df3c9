//! What is asked of inputs that nobody would write: one body for each kind of input, driven by the runner of this package
//! on a stable toolchain (`scripts/fuzz`), and by libFuzzer from `fuzz/` on a nightly one.

pub mod features;
pub mod growth;
pub mod mutate;
pub mod targets;
pub mod worker;
