//! `explain`: how a live database would plan the same queries, and where that differs from our verdicts.

use query_budget_analysis::index::{Access, Verdict};
use query_budget_analysis::render::json::put_place;
use query_budget_analysis::render::text_notice;
use query_budget_analysis::{Finding, Place};
use serde_json::{Value, json};

use crate::Outcome;
use crate::args::{Explain, Format, ListFormat};
use crate::failure::Failure;
use crate::input;
use crate::live::explain::{Planner, Seen, Tried, can_try, try_out};
use crate::live::{self, block_on};
use crate::output::Output;
use crate::progress::Progress;
use crate::report::baseline::{Accepted, EXPLAIN, Session};
use crate::report::{self, Query, Report, counted};

/// How many places of queries that the server refuses for one reason are printed.
const SHOWN_PLACES: usize = 3;

/// Printed in every run, so that nobody has to take it on trust.
const READ_ONLY: &str = "each query in a read-only transaction that was rolled back; no query was executed, but a planner \
     evaluates functions that are not volatile, and MariaDB tables in FROM that are constant; queries that could so run a function that \
     writes files were left out";

pub(crate) fn run(arguments: &Explain, output: &mut Output) -> Result<Outcome, Failure> {
    let format = match arguments.format {
        ListFormat::Text => Format::Text,
        ListFormat::Json => Format::Json,
    };
    let url = live::url(arguments.database_url.as_deref(), &input::scope(&arguments.input)?)?;
    let (mut loaded, base) = report::load(&arguments.input, format)?;
    let baseline = Session::open(&arguments.input, &arguments.accepting, &base)?;
    input::require_schema(&loaded)?;
    let comparison = block_on(async {
        let mut planner = Planner::open(&url).await?;
        let dialect = planner.dialect();
        let before = loaded.batches.len();
        loaded.batches.retain(|batch| batch.project.dialect == dialect || batch.project.dialect_is_guessed);
        let asked = loaded.batches.len();
        if asked == 0 && before > 0 {
            return Err(Failure::new(format!(
                "compare with this database: it is a {dialect} database, but no query here is for one"
            ))
            .help("name the database of these queries: `--database-url <url>`"));
        }
        let report = report::of_indexes(loaded, &base);
        let mut comparison = compare(&mut planner, &report).await?;
        comparison.elsewhere = before - asked;
        Ok((comparison, report))
    });
    let (mut comparison, report) = comparison?;
    if report.is_broken() {
        for notice in &report.notices {
            output.line(text_notice(notice, output.style()))?;
        }
        return Ok(Outcome::Broken);
    }
    if let Some(baseline) = baseline {
        let found: Vec<Finding> = comparison.differ.iter().map(Difference::finding).collect();
        let asks = |lint: &str| lint == EXPLAIN;
        if arguments.accepting.write_baseline {
            return baseline.update(&found, asks, output);
        }
        comparison.accepted = Some(baseline.accepted(&found, asks));
        comparison.differ.retain(|it| !baseline.accepts(&it.finding()));
    }
    match arguments.format {
        ListFormat::Text => text(&comparison, output)?,
        ListFormat::Json => output.line(format!("{:#}", object(&comparison)))?,
    }
    Ok(if comparison.differ.is_empty() { Outcome::Clean } else { Outcome::Findings })
}

/// The verdicts of a server compared with ours, for the same queries.
struct Comparison {
    /// The server's name and version.
    server: String,
    /// How many queries the server planned.
    planned: usize,
    /// How many accesses have the same verdict.
    agreed: usize,
    /// How many differ only because the other side of a join is read in full, which depends on row counts.
    other_side: usize,
    /// The accesses whose verdicts differ.
    differ: Vec<Difference>,
    /// The differences that a baseline accepts.
    accepted: Option<Accepted>,
    /// The number of accesses to tables whose definition is unknown here.
    unknown: usize,
    /// The number of accesses in the server's plans that the query does not name: those of a view or a
    /// function.
    unnamed: usize,
    /// The queries that the server did not plan, each with its place and the server's message.
    refused: Vec<(Place, String)>,
    /// The number of parts of the workspace that use another database.
    elsewhere: usize,
    /// The suggested indexes, and the results of trying them.
    tried: Vec<(String, usize, Tried)>,
    /// Why indexes could not be tried.
    untried: Option<String>,
}

/// An access for which the server's verdict differs from ours.
struct Difference {
    place: Place,
    sql: String,
    table: String,
    alias: String,
    here: Verdict,
    why: String,
    there: Vec<Verdict>,
    said: String,
}

impl Difference {
    /// The table, with its alias in the query if it differs.
    fn name(&self) -> String {
        let Difference { table, alias, .. } = self;
        if alias == table { format!("`{table}`") } else { format!("`{table}` as `{alias}`") }
    }

    fn message(&self) -> String {
        format!("{} is {} here, {} there", self.name(), self.here.as_str(), words(&self.there))
    }

    /// The difference as a finding, for the baseline.
    fn finding(&self) -> Finding {
        let mut finding = Finding::new(EXPLAIN, self.message());
        finding.place = self.place.clone();
        finding.sql = Some(self.sql.as_str().into());
        finding
    }
}

async fn compare(planner: &mut Planner, report: &Report) -> Result<Comparison, Failure> {
    let mut comparison = Comparison {
        server: planner.version().await?,
        planned: 0,
        agreed: 0,
        other_side: 0,
        differ: Vec::new(),
        accepted: None,
        unknown: 0,
        unnamed: 0,
        refused: Vec::new(),
        elsewhere: 0,
        tried: Vec::new(),
        untried: None,
    };
    let mut progress = Progress::new("asking", report.queries.len());
    for query in &report.queries {
        progress.step();
        // Only a text that we parse as one statement is sent: any other may contain several.
        if let Err(error) = &query.checked.query {
            comparison.refused.push((query.place.clone(), format!("not parsed: {}", error.message)));
            continue;
        }
        match planner.ask(&query.sql).await {
            Ok(seen) => comparison.add(query, seen),
            Err(why) => comparison.refused.push((query.place.clone(), why)),
        }
    }
    if !report.advice.is_empty() {
        match can_try(planner).await {
            Err(why) => comparison.untried = Some(why),
            Ok(()) => comparison.try_advice(planner, report).await,
        }
    }
    Ok(comparison)
}

impl Comparison {
    /// Compares the verdicts for one query. A plan does not tell which of several references to a table it
    /// means, so equal verdicts are matched first.
    fn add(&mut self, query: &Query, mut seen: Vec<Seen>) {
        self.planned += 1;
        let mut found: Vec<&Access> = query.checked.accesses.iter().collect();
        seen.retain(|seen| match take(&mut found, seen, true) {
            Some(_) => {
                self.agreed += 1;
                false
            }
            None => true,
        });
        let mut differ = Vec::new();
        for seen in seen {
            match take(&mut found, &seen, false) {
                None => self.unnamed += 1,
                Some(access) if access.verdict == Verdict::Unknown => self.unknown += 1,
                Some(access) => differ.push(Difference {
                    place: query.place.clone(),
                    sql: query.sql.to_string(),
                    table: access.table.to_string(),
                    alias: access.alias.clone(),
                    here: access.verdict,
                    why: access.why.clone(),
                    there: seen.verdicts,
                    said: seen.said,
                }),
            }
        }
        let all = differ.len();
        without_other_sides(&mut differ);
        self.other_side += all - differ.len();
        self.differ.append(&mut differ);
    }

    async fn try_advice(&mut self, planner: &mut Planner, report: &Report) {
        for advice in &report.advice {
            let serves = advice.advice.serves.iter().filter_map(|at| report.queries.get(*at));
            let queries: Vec<&str> = serves.map(|query| &*query.sql).collect();
            let tried = try_out(planner, &advice.ddl, &queries).await;
            self.tried.push((advice.ddl.clone(), queries.len(), tried));
        }
    }

    /// The summary, printed as the last line.
    fn summary(&self) -> String {
        let all = self.agreed + self.differ.len();
        let percent = if all == 0 { 100.0 } else { 100.0 * self.agreed as f64 / all as f64 };
        let accesses = counted(all, "table access", "table accesses");
        let queries = counted(self.planned, "query", "queries");
        let differ = if self.differ.len() == 1 { "differs" } else { "differ" };
        format!(
            "agreed on {} of {accesses} in {queries} ({percent:.1} %), {} {differ}: {} not planned, {} with the other side \
             of a join read in full, {} of tables unknown here, {} that the query does not name",
            self.agreed,
            self.differ.len(),
            self.refused.len(),
            self.other_side,
            self.unknown,
            self.unnamed
        )
    }
}

/// Removes pairs of which one is searched only here and the other only there: the join reads equally many
/// tables in full either way.
fn without_other_sides(differ: &mut Vec<Difference>) {
    let searched = |it: &Difference| (it.here == Verdict::Served, it.there.contains(&Verdict::Served));
    let count = |kind| differ.iter().filter(|it| searched(it) == kind).count();
    let pairs = count((true, false)).min(count((false, true)));
    let (mut here, mut there) = (pairs, pairs);
    differ.retain(|it| {
        let left = match searched(it) {
            (true, false) => &mut here,
            (false, true) => &mut there,
            _ => return true,
        };
        let is_paired = *left > 0;
        *left = left.saturating_sub(1);
        !is_paired
    });
}

/// Removes and returns the access that a plan means, by its alias, to which a planner appends a number if it
/// is repeated.
fn take<'a>(found: &mut Vec<&'a Access>, seen: &Seen, agreeing: bool) -> Option<&'a Access> {
    let numbered =
        |(_, number): &(&str, &str)| !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let plain = seen.alias.rsplit_once('_').filter(numbered).map(|(plain, _)| plain);
    let wanted = |access: &&Access, alias: &str| {
        access.alias.eq_ignore_ascii_case(alias) && (!agreeing || seen.verdicts.contains(&access.verdict))
    };
    let at = [Some(seen.alias.as_str()), plain]
        .into_iter()
        .flatten()
        .find_map(|alias| found.iter().position(|access| wanted(access, alias)))?;
    Some(found.remove(at))
}

/// The verdicts of a server as words: `served or full`.
fn words(verdicts: &[Verdict]) -> String {
    verdicts.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>().join(" or ")
}

/// What the server did not plan: a reason that several queries share is printed once.
fn refused(refused: &[(Place, String)], output: &mut Output) -> Result<(), Failure> {
    let mut reasons: Vec<(&str, Vec<&Place>)> = Vec::new();
    for (place, why) in refused {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, places)) => places.push(place),
            None => reasons.push((why, vec![place])),
        }
    }
    for (why, places) in reasons {
        if let [place] = places.as_slice() {
            output.line(format!("  {place}: {why}"))?;
            continue;
        }
        output.line(format!("  {}: {why}", counted(places.len(), "query", "queries")))?;
        for place in places.iter().take(SHOWN_PLACES) {
            output.line(format!("    {place}"))?;
        }
        if places.len() > SHOWN_PLACES {
            output.line(format!("    and {} more", places.len() - SHOWN_PLACES))?;
        }
    }
    Ok(())
}

fn text(comparison: &Comparison, output: &mut Output) -> Result<(), Failure> {
    output.line(format!("asked {} with EXPLAIN: {READ_ONLY}", comparison.server))?;
    output.line("")?;
    for difference in &comparison.differ {
        let Difference { place, sql, why, said, .. } = difference;
        output.line(format!("{place}: {}", difference.message()))?;
        for line in sql.trim().lines() {
            output.line(format!("  | {line}"))?;
        }
        output.line(format!("  = here: {why}"))?;
        output.line(format!("  = there: {said}"))?;
        output.line("")?;
    }
    if !comparison.refused.is_empty() {
        output.line("not planned:")?;
        refused(&comparison.refused, output)?;
        output.line("")?;
    }
    if let Some(why) = &comparison.untried {
        output.line(format!("the advised indexes were not tried: {why}"))?;
        output.line("")?;
    }
    for (ddl, of, tried) in &comparison.tried {
        let queries = counted(*of, "query", "queries");
        match tried {
            Tried::Used(used) => output.line(format!("{ddl}; -- would be used by {used} of {queries}"))?,
            Tried::Not(why) => output.line(format!("{ddl}; -- not tried: {why}"))?,
        }
    }
    if !comparison.tried.is_empty() {
        output.line("")?;
    }
    if comparison.elsewhere > 0 {
        let parts = counted(comparison.elsewhere, "crate", "crates");
        output.line(format!("left out {parts} of another dialect"))?;
    }
    for line in comparison.accepted.iter().flat_map(Accepted::lines) {
        output.line(line)?;
    }
    output.line(comparison.summary())
}

fn object(comparison: &Comparison) -> Value {
    let differ = comparison.differ.iter().map(|it| {
        let mut value = json!({
            "sql": it.sql,
            "table": it.table,
            "alias": it.alias,
            "here": it.here.as_str(),
            "why": it.why,
            "there": it.there.iter().map(|verdict| verdict.as_str()).collect::<Vec<_>>(),
            "plan": it.said,
        });
        put_place(&mut value, &it.place);
        value
    });
    let refused = comparison.refused.iter().map(|(place, why)| {
        let mut value = json!({ "reason": why });
        put_place(&mut value, place);
        value
    });
    let tried = comparison.tried.iter().map(|(ddl, of, tried)| match tried {
        Tried::Used(used) => json!({ "ddl": ddl, "queries": of, "used_by": used }),
        Tried::Not(why) => json!({ "ddl": ddl, "queries": of, "reason": why }),
    });
    json!({
        "server": comparison.server,
        "note": READ_ONLY,
        "summary": {
            "planned": comparison.planned,
            "not_planned": comparison.refused.len(),
            "agreed": comparison.agreed,
            "differ": comparison.differ.len(),
            "accepted": comparison.accepted.as_ref().map(|accepted| accepted.left_out),
            "other_side": comparison.other_side,
            "unknown": comparison.unknown,
            "unnamed": comparison.unnamed,
        },
        "disagreements": differ.collect::<Vec<_>>(),
        "not_planned": refused.collect::<Vec<_>>(),
        "advice": tried.collect::<Vec<_>>(),
        "advice_not_tried": comparison.untried,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn difference(here: Verdict, there: Verdict) -> Difference {
        Difference {
            place: Place::default(),
            sql: String::new(),
            table: String::new(),
            alias: String::new(),
            here,
            why: String::new(),
            there: vec![there],
            said: String::new(),
        }
    }

    #[test]
    fn the_other_side_of_a_join_is_no_disagreement() {
        use Verdict::{Full, Served, Unserved};
        for (differ, left) in [
            (vec![(Served, Full), (Full, Served)], 0),
            (vec![(Served, Unserved), (Unserved, Served)], 0),
            (vec![(Served, Full)], 1),
            (vec![(Unserved, Served)], 1),
            // The server reads one more table in full than we do.
            (vec![(Served, Full), (Served, Full), (Full, Served)], 1),
            (vec![(Full, Unserved), (Unserved, Full)], 2),
        ] {
            let mut found: Vec<Difference> =
                differ.iter().map(|(here, there)| difference(*here, *there)).collect();
            without_other_sides(&mut found);
            assert_eq!(found.len(), left, "{differ:?}");
        }
    }
}
