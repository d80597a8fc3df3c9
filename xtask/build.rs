//! Tells the tests which databases are available, as `tests/build.rs` does.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    for (cfg, variable) in
        [("has_postgres", "QUERY_BUDGET_TEST_POSTGRES"), ("has_mysql", "QUERY_BUDGET_TEST_MYSQL")]
    {
        println!("cargo::rerun-if-env-changed={variable}");
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        if std::env::var_os(variable).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
}
