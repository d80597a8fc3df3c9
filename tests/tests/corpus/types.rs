//! The types derived for every query of the corpus, compared with the database's description when it was
//! prepared.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use query_budget_analysis::sql::{Dialect, resolve};
use query_budget_analysis::types::{Described, Known, Planned, describe_planned};
use serde_json::Value;

use super::folder::{Folder, show};
use crate::sqlx_type;

/// The minimum percentage of queries that must be right in every column and parameter, and the maximum
/// without an answer.
const RIGHT: f64 = 99.5;
const SILENT: f64 = 0.5;

/// The result for one query.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Score {
    Right,
    Silent,
    Wrong,
}

#[test]
#[cfg_attr(not(has_corpus), ignore = "QUERY_BUDGET_CORPUS is not set")]
fn types() {
    let mut all = [0_usize; 3];
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let mut too_tight = Vec::new();
    let mut spent = Duration::ZERO;
    show(&format!("\n{:<20}{:>8}{:>8}{:>8}", "types", "right", "silent", "wrong"));
    for folder in Folder::all().into_iter().filter(|folder| folder.dialect == Dialect::Postgres) {
        let schema = folder.replayed();
        let mut counts = [0_usize; 3];
        for known in folder.queries() {
            let sql = known["query"].as_str().expect("a query");
            let Ok(query) = resolve(sql, folder.dialect, Some(&schema)) else {
                counts[2] += 1;
                continue;
            };
            let start = Instant::now();
            let described = describe_planned(&query, &schema, folder.dialect, Planned::ForNulls);
            spent += start.elapsed();
            let mut faults = Vec::new();
            compare(&described, &known, &mut faults);
            // The database prepared each of them, so any reported error is wrong.
            let errors =
                described.errors.iter().map(|error| (Score::Wrong, format!("error: {}", error.message)));
            faults.extend(errors);
            let worst = faults.iter().map(|(score, _)| *score).max().unwrap_or(Score::Right);
            counts[worst as usize] += 1;
            for (score, fault) in &faults {
                *causes.entry(format!("{score:?}: {fault}")).or_default() += 1;
                if fault.starts_with("too tight") {
                    too_tight.push(format!("{}: {fault}\n    {sql}", folder.name));
                }
            }
            if std::env::var("QUERY_BUDGET_SHOW")
                .is_ok_and(|wanted| !faults.is_empty() && folder.name.contains(&wanted))
            {
                show(&format!("{faults:#?}\n{sql}\n{}", known["columns"]));
            }
        }
        show(&line(&folder.name, counts));
        for (sum, count) in all.iter_mut().zip(counts) {
            *sum += count;
        }
    }
    show(&line("all", all));
    show(&format!("typed in {spent:.1?}"));
    for (cause, count) in &causes {
        show(&format!("{count:>5}  {cause}"));
    }
    let of = |count: usize| 100.0 * count as f64 / all.iter().sum::<usize>().max(1) as f64;
    assert!(too_tight.len() <= 6, "called NOT NULL where sqlx says that it is nullable: {too_tight:#?}");
    assert!(of(all[0]) >= RIGHT, "{:.2} % of the queries are right, {RIGHT} % are needed", of(all[0]));
    assert!(of(all[1]) <= SILENT, "{:.2} % of the queries are not told, {SILENT} % may be", of(all[1]));
}

fn line(name: &str, [right, silent, wrong]: [usize; 3]) -> String {
    format!("{name:<20}{right:>8}{silent:>8}{wrong:>8}")
}

fn compare(described: &Described, known: &Value, faults: &mut Vec<(Score, String)>) {
    let columns = known["columns"].as_array().map(Vec::as_slice).unwrap_or_default();
    if described.columns.len() != columns.len() {
        let silent = described.columns.is_empty() && described.unknown.is_some();
        let score = if silent { Score::Silent } else { Score::Wrong };
        faults
            .push((score, format!("{} columns found, {} in truth", described.columns.len(), columns.len())));
        return;
    }
    for (found, truth) in described.columns.iter().zip(columns) {
        match &found.ty {
            Known::Unknown(why) => faults.push((Score::Silent, format!("column: {why}"))),
            Known::Is(ty) if sqlx_type::json(ty) != truth["type"] => {
                let name = &found.name;
                faults.push((
                    Score::Wrong,
                    format!("column {name}: {} found, {} in truth", sqlx_type::json(ty), truth["type"]),
                ));
            }
            Known::Is(_) => {}
        }
        if !found.nullable_certain {
            let name = &found.name;
            faults.push((Score::Silent, format!("nullable {name}: it depends on the plan")));
            continue;
        }
        let nullable = found.nullable.map_or(Value::Null, Value::Bool);
        if nullable != truth["nullable"] {
            let tight = if found.nullable == Some(false) { "too tight: " } else { "" };
            faults.push((
                Score::Wrong,
                format!("{tight}nullable {}: {nullable} found, {} in truth", found.name, truth["nullable"]),
            ));
        }
    }
    let parameters = known["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (number, (found, truth)) in (1..).zip(described.parameters.iter().zip(parameters)) {
        match &found.ty {
            Known::Unknown(why) => faults.push((Score::Silent, format!("parameter: {why}"))),
            Known::Is(ty) if sqlx_type::json(ty) != *truth => {
                faults.push((
                    Score::Wrong,
                    format!(
                        "parameter {number}: {} found, {truth} in truth ({})",
                        sqlx_type::json(ty),
                        found.why
                    ),
                ));
            }
            Known::Is(_) => {}
        }
    }
}
