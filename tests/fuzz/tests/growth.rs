//! The cost of reading a workspace grows in proportion to its size. Allocated bytes stand for steps, because
//! they are the same on every machine; `scripts/growth` measures seconds, at sizes where they matter.

#[path = "../../src/heap.rs"]
pub mod heap;

use std::path::Path;
use std::sync::Arc;

use heap::Heap;
use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::finding::Place;
use query_budget_analysis::index::{Queried, advise};
use query_budget_analysis::project::saved_query;
use query_budget_analysis::rust::{SourceFile, Target, follow, positions, relevant, scan};
use query_budget_analysis::schema::{Replay, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_fuzz::growth::{File, KINDS, Kind};

#[global_allocator]
static HEAP: Heap = Heap::new();

/// The maximum exponent with which the cost may grow in the length of the input.
const LIMIT: f64 = 1.2;

/// Kinds for which only a limited number is analysed together, and the rest counts as not checked: 40
/// relations of a query (`MOST_RELATIONS`), views nested 8 deep, queries nested about 24 deep, which the
/// parser rejects, tables of 1,600 columns, beyond which PostgreSQL makes none, and 150 steps of an iteration. Up to the limit
/// the work may grow faster, because joining tables depends on all of them; it is bounded by this many megabytes.
const CAPPED: &[(&str, usize, f64)] = &[
    ("views_twice", 8, 24.0),
    ("joins", 39, 24.0),
    ("unions", 40, 8.0),
    ("distinct_unions", 40, 8.0),
    ("with", 38, 16.0),
    ("with_twice", 19, 8.0),
    ("nested_queries", 23, 8.0),
    ("columns", 1_599, 64.0),
    ("added_columns", 1_599, 64.0),
    ("one_loop", 150, 64.0),
];

/// Does what `check` does with a workspace; returns the number of findings, so that nothing is optimised
/// away.
fn check(files: &[File]) -> usize {
    let ending = |end: &'static str| files.iter().filter(move |(path, _)| path.ends_with(end));
    let mut replay = Replay::new(Dialect::Postgres);
    for (path, sql) in ending(".sql") {
        replay.apply(sql, path);
    }
    let text = snapshot::write(&replay.schema, None);
    let schema = snapshot::read(&text, "schema.sql", None).schema;
    let sources =
        sources(&ending(".rs").map(|(path, text)| (Path::new(path), text.as_str())).collect::<Vec<_>>());
    let config = Config::default();
    let checker = Checker::new(&config, Some(&schema), Dialect::Postgres);
    let borrowed: Vec<&SourceFile> = sources.iter().collect();
    let followed = follow(&borrowed);
    let mut calls: Vec<Vec<_>> = sources.iter().map(|_| Vec::new()).collect();
    for call in followed.loop_calls {
        calls[call.caller.source].push(call);
    }
    let mut checked: Vec<_> = sources
        .iter()
        .zip(&calls)
        .map(|(source, calls)| checker.file(&source.scan, calls, &|_| None))
        .collect();
    let entries: Vec<_> = ending(".json")
        .filter_map(|(_, text)| saved_query(text).ok())
        .map(|sql| checker.bare(&sql, &[]))
        .collect();
    let sites = checked.iter().flat_map(|file| &file.sites).filter_map(|site| site.checked.as_ref());
    let queried: Vec<Queried<'_>> = sites
        .map(|(_, checked)| checked)
        .chain(&entries)
        .filter_map(|checked| checked.queried(true))
        .collect();
    let of_schema = checker.schema(&queried, &|_| Place::default());
    let advice = advise(&schema, &queried, &|_| false);
    let count =
        of_schema.len() + advice.len() + entries.iter().map(|entry| entry.findings.len()).sum::<usize>();
    checked.drain(..).map(|file| file.findings.len()).sum::<usize>() + count
}

/// The sources of all crates, each with its position.
fn sources(files: &[(&Path, &str)]) -> Vec<SourceFile> {
    let root = |path: &&Path| path.ends_with("src/lib.rs");
    let target = |path: &Path| Target { root: path.to_path_buf(), is_lib: true, is_test: false };
    let targets: Vec<Target> = files.iter().map(|(path, _)| *path).filter(root).map(target).collect();
    let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
    let mut sources = Vec::new();
    for (((path, _), position), text) in files.iter().zip(positions(&targets, files)).zip(relevant(&texts)) {
        let Ok(scan) = scan(&path.display().to_string(), &text) else { continue };
        let (target, module) = position.map_or((usize::MAX, Vec::new()), |it| (it.target, it.module));
        sources.push(SourceFile { crate_name: target.to_string(), externs: Arc::default(), module, scan });
    }
    sources
}

/// The cost of a workspace: its length, the allocated bytes, and the peak memory.
fn cost(kind: &Kind, many: usize) -> (f64, f64, f64) {
    let files = (kind.files)(many);
    let length: usize = files.iter().map(|(_, text)| text.len()).sum();
    let (before, in_use) = (HEAP.taken(), HEAP.in_use());
    HEAP.take_peak();
    let _ = check(&files);
    #[expect(clippy::cast_precision_loss, reason = "they are measures")]
    let measures = (length as f64, (HEAP.taken() - before) as f64, (HEAP.take_peak() - in_use) as f64);
    measures
}

/// The exponents with which work and memory grow in the length of the input from one size to another. The
/// cost of a workspace with a single thing is subtracted; for memory at most `least`, because the memory in
/// use at once need not be what one thing takes.
fn powers(kind: &Kind, few: usize, many: usize, least: f64) -> (f64, f64) {
    let ((one, one_taken, one_peak), (length, taken, peak), (longer, more_taken, higher)) =
        (cost(kind, 1), cost(kind, few), cost(kind, many));
    let growth = |before: f64, after: f64, one: f64| ((after - one).max(1.0) / (before - one).max(1.0)).ln();
    let lengths = growth(length, longer, one);
    let memory = growth(peak, higher, one_peak.min(least));
    (growth(taken, more_taken, one_taken) / lengths, memory / lengths)
}

#[test]
fn costs_grow_as_inputs_do() {
    // One-time allocations happen here.
    cost(&KINDS[0], 1);
    let (_, _, least) = cost(&KINDS[0], 1);
    let mut above = Vec::new();
    for kind in KINDS {
        let cap = CAPPED.iter().find(|(name, ..)| *name == kind.name);
        let (few, many) = match cap {
            Some((_, most, _)) => (most * 2, most * 8),
            None => (kind.start / 8 + 1, kind.start / 2),
        };
        let (work, memory) = powers(kind, few, many, least);
        println!("{:<18} work {work:.2}, memory {memory:.2} from {few} to {many}", kind.name);
        if work > LIMIT || memory > LIMIT {
            above.push(format!("{}: work {work:.2}, memory {memory:.2}", kind.name));
        }
        if let Some((name, most, millions)) = cap {
            let (_, taken, _) = cost(kind, *most);
            println!("{name:<18} {taken} bytes for {most}");
            if taken > millions * 1e6 {
                above.push(format!("{name}: {taken} bytes for {most}"));
            }
        }
    }
    assert!(above.is_empty(), "above {LIMIT} or what is allowed: {above:#?}");
}
