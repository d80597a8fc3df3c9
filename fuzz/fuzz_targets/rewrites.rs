//! The target `rewrites` of `tests/fuzz`, driven by libFuzzer.
#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    let _ = query_budget_fuzz::targets::run("rewrites", text);
});
