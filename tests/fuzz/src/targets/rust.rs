//! A Rust file: scanned both in full and reduced to the relevant parts, followed, and checked.

use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::rust::{SourceFile, follow, relevant, scan, scan_queries, with_queries};

use super::SCHEMAS;
use super::query::told;
use crate::features::Features;

pub(super) fn run(source: &str) -> Features {
    let mut features = Features::default();
    for left in relevant(&[source]).iter().chain([&with_queries(source)]) {
        assert_eq!(left.matches('\n').count(), source.matches('\n').count(), "a line is lost");
        assert!(left.chars().count() <= source.chars().count() + 1, "text is added");
    }
    in_compiler(source);
    let scanned = match scan("src/lib.rs", source) {
        Ok(scanned) => scanned,
        Err(error) => {
            features.said("error", &error.message);
            return features;
        }
    };
    features.counted("sites", scanned.sites.len());
    features.counted("functions", scanned.functions.len());
    let (scanned, calls) = scanned.follow_alone();
    features.counted("calls", calls.len());
    for function in &scanned.functions {
        features.said("upper", &format!("{:?}", function.bound.upper));
        features.said("path", &function.bound.path());
    }
    let config = Config::default();
    for schema in SCHEMAS.iter().take(1) {
        let checked = Checker::new(&config, Some(schema), schema.dialect).file(&scanned, &calls, &|_| None);
        for finding in &checked.findings {
            features.said(finding.lint, &finding.message);
            told(
                finding,
                finding.sql.as_deref().or(finding.excerpt.as_ref().map(|it| &*it.text)).unwrap_or_default(),
            );
        }
    }
    // The same file twice in one workspace, as two modules.
    let source = |module: &str| SourceFile {
        crate_name: "fuzz".to_owned(),
        externs: Default::default(),
        module: vec![module.to_owned()],
        scan: scanned.clone(),
    };
    let (first, second) = (source("a"), source("b"));
    features.counted("followed", follow(&[&first, &second]).loop_calls.len());
    features
}

/// Reads the queries as a build does, on a thread with the stack that the compiler's have.
fn in_compiler(source: &str) {
    const STACK: usize = 8 << 20;
    std::thread::scope(|scope| {
        let read = || drop(scan_queries("src/lib.rs", source, false, true));
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, read);
        if let Err(panic) = thread.expect("a thread").join() {
            std::panic::resume_unwind(panic);
        }
    });
}
