//! What reading a workspace costs grows as the workspace does. Bytes that are asked for stand for steps, which are the same
//! on every machine; `scripts/growth` measures seconds, at sizes where they tell.

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
use query_budget_analysis::rust::{Source, Target, follow, positions, relevant, scan};
use query_budget_analysis::schema::{Replay, snapshot};
use query_budget_analysis::sql::Dialect;
use query_budget_fuzz::growth::{File, KINDS, Kind};

#[global_allocator]
static HEAP: Heap = Heap::new();

/// No other cost grows by a greater power of the input's length.
const LIMIT: f64 = 1.2;

/// Kinds that grow by a greater power at these sizes: what is still to be mended, each with the power of work and of memory
/// that it does not exceed. Limits on the number of such things keep each of them bounded: see `MOST_RELATIONS` and its like.
const DEBTS: &[(&str, f64, f64)] = &[
    ("partitions", 1.6, 1.2),
    ("views", 1.5, 1.2),
    ("views_twice", 5.6, 3.8),
    ("savepoints", 3.3, 2.4),
    ("columns", 1.6, 1.2),
    ("added_columns", 1.9, 1.3),
    ("indexes", 1.5, 1.2),
    ("subqueries", 1.5, 1.5),
    ("aliases", 1.5, 1.6),
    ("globs", 1.5, 1.2),
    ("joins", 6.8, 2.8),
    ("sums", 2.0, 1.7),
    ("conditions", 1.8, 1.8),
    ("alternatives", 1.5, 1.5),
    ("unions", 4.1, 1.6),
    ("lists", 1.4, 1.5),
    ("with", 3.5, 1.8),
    ("with_twice", 5.0, 2.2),
    ("nested_queries", 5.0, 2.6),
    ("cases", 1.5, 1.5),
    ("groups", 1.9, 1.5),
];

/// Does what `check` does with a workspace; gives how many findings it has, so that nothing is left out.
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
    let borrowed: Vec<&Source> = sources.iter().collect();
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

/// The sources of all crates, each with its place.
fn sources(files: &[(&Path, &str)]) -> Vec<Source> {
    let root = |path: &&Path| path.ends_with("src/lib.rs");
    let target = |path: &Path| Target { root: path.to_path_buf(), is_lib: true, is_test: false };
    let targets: Vec<Target> = files.iter().map(|(path, _)| *path).filter(root).map(target).collect();
    let texts: Vec<&str> = files.iter().map(|(_, text)| *text).collect();
    let mut sources = Vec::new();
    for (((path, _), position), text) in files.iter().zip(positions(&targets, files)).zip(relevant(&texts)) {
        let Ok(scan) = scan(&path.display().to_string(), &text) else { continue };
        let (target, module) = position.map_or((usize::MAX, Vec::new()), |it| (it.target, it.module));
        sources.push(Source { crate_name: target.to_string(), externs: Arc::default(), module, scan });
    }
    sources
}

/// What a workspace costs: its length, the bytes that were asked for, and the most that were in use.
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

#[test]
fn costs_grow_as_inputs_do() {
    // What is made once is made here.
    let (_, fixed, fixed_peak) = cost(&KINDS[0], 1);
    let mut above = Vec::new();
    for kind in KINDS {
        let (length, taken, peak) = cost(kind, kind.start / 8 + 1);
        let (longer, more_taken, higher) = cost(kind, kind.start / 2);
        let power = |before: f64, after: f64, fixed: f64| {
            ((after - fixed).max(fixed) / (before - fixed).max(fixed)).ln() / (longer / length).ln()
        };
        let (work, memory) = (power(taken, more_taken, fixed), power(peak, higher, fixed_peak));
        println!("{:<18} work {work:.2}, memory {memory:.2}, {more_taken} bytes for {longer}", kind.name);
        let debt = DEBTS.iter().find(|(name, ..)| *name == kind.name);
        let (most_work, most_memory) = debt.map_or((LIMIT, LIMIT), |(_, work, memory)| (*work, *memory));
        if work > most_work || memory > most_memory {
            above.push(format!("{}: work {work:.2}, memory {memory:.2}", kind.name));
        }
    }
    assert!(above.is_empty(), "above {LIMIT} or what is known: {above:#?}");
}
