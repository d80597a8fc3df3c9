//! Tells the tests which databases are available, so that a test that cannot run is reported as ignored, with
//! the reason.
//!
//! A test on PostgreSQL carries `#[cfg_attr(not(has_postgres), ignore = "QUERY_BUDGET_TEST_POSTGRES is not set")]`,
//! one on MySQL or MariaDB the same with `has_mysql` and `QUERY_BUDGET_TEST_MYSQL`, one on Redis or Valkey the same with
//! `has_redis` and `QUERY_BUDGET_TEST_REDIS`.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let servers = [
        ("has_postgres", "QUERY_BUDGET_TEST_POSTGRES"),
        ("has_mysql", "QUERY_BUDGET_TEST_MYSQL"),
        ("has_redis", "QUERY_BUDGET_TEST_REDIS"),
    ];
    for (cfg, variable) in servers {
        println!("cargo::rerun-if-env-changed={variable}");
        println!("cargo::rustc-check-cfg=cfg({cfg})");
        if std::env::var_os(variable).is_some() {
            println!("cargo::rustc-cfg={cfg}");
        }
    }
    corpus();
}

/// Sets the location of the corpus of real projects: `QUERY_BUDGET_CORPUS`, or `shared/corpus` next to the
/// workspace.
///
/// A test on it carries `#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]`.
fn corpus() {
    println!("cargo::rerun-if-env-changed=QUERY_BUDGET_CORPUS");
    println!("cargo::rustc-check-cfg=cfg(has_corpus)");
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/corpus");
    let folder = std::env::var("QUERY_BUDGET_CORPUS").unwrap_or_else(|_| beside.to_owned());
    println!("cargo::rerun-if-changed={folder}");
    if std::path::Path::new(&folder).is_dir() {
        println!("cargo::rustc-cfg=has_corpus");
    }
    println!("cargo::rustc-env=QUERY_BUDGET_CORPUS={folder}");
}
