//! Which loops a query runs in, and which of them are fine.

use super::*;
use crate::rust::LoopKind;

/// Checks the loops around the site whose text is `SELECT 1`: `Some(over)` for a work loop, the reason for an exempt one.
#[track_caller]
fn check(code: &str, expected: &[Result<&str, &str>]) {
    let scan = body(code);
    let site = scan.sites.iter().find(|site| sql(site) == "SELECT 1").expect("the query is found");
    let loops: Vec<Result<&str, &str>> =
        site.loops.iter().map(|around| around.exempt.map_or(Ok(around.over.as_str()), Err)).collect();
    assert_eq!(loops, expected, "{code}");
}

const RUN: &str = "sql!(\"SELECT 1\").fetch_all(db).await?";

/// Checks a loop around the query; `RUN` in the code stands for running it.
#[track_caller]
pub(super) fn check_run(code: &str, expected: &[Result<&str, &str>]) {
    check(&code.replace("RUN", RUN), expected);
}

const FIXED: &str = "its number of iterations is fixed";
const BATCHES: &str = "each iteration takes a batch";
const SERVICE: &str = "each iteration waits for something to do";
const RETRY: &str = "it tries again until it succeeds";
const PAGES: &str = "it goes on until a query finds nothing more";
const ONCE: &str = "it has at most one iteration";
const LEAVES: &str = "the loop is left after it";

#[test]
fn a_for_loop_over_a_collection_is_work() {
    check_run("for x in &xs { RUN; }", &[Ok("&xs")]);
    check_run(
        "for (i, x) in self.items.iter().enumerate() { if x.ok { RUN; } }",
        &[Ok("self.items.iter().enumerate()")],
    );
}

#[test]
fn the_iterable_is_outside_the_loop() {
    check_run("for x in RUN { go(x); }", &[]);
    check_run(
        "let mut rows = sql!(\"SELECT 1\").fetch(db); while let Some(row) = rows.next().await { go(row); }",
        &[],
    );
}

#[test]
fn loops_nest_outermost_first() {
    check_run("for a in &xs { for b in a.parts() { RUN; } }", &[Ok("&xs"), Ok("a.parts()")]);
}

#[test]
fn draining_a_stream_stack_or_iterator_is_work() {
    check_run("while let Some(row) = rows.try_next().await? { RUN; }", &[Ok("rows")]);
    check_run("while let Some(id) = stack.pop() { RUN; }", &[Ok("stack")]);
    check_run("loop { let Some(x) = items.next() else { break }; RUN; }", &[Ok("")]);
    check_run("let mut i = 0; while i < xs.len() { RUN; i += 1; }", &[Ok("")]);
}

#[test]
fn combinators_on_iterators_and_streams_are_loops() {
    check_run("join_all(xs.iter().map(|x| async move { RUN; })).await;", &[Ok("xs.iter()")]);
    check_run(
        "stream::iter(xs).for_each_concurrent(4, |x| async move { RUN; }).await;",
        &[Ok("stream::iter(xs)")],
    );
    check_run("stream::iter(&xs).then(|x| async move { RUN; }).collect().await;", &[Ok("stream::iter(&xs)")]);
    check_run(
        "xs.into_iter().map(|x| async move { RUN; }).collect::<FuturesUnordered<_>>();",
        &[Ok("xs.into_iter()")],
    );
    check_run("ids.try_for_each(|x| async move { RUN; }).await?;", &[Ok("ids")]);
}

#[test]
fn closures_that_run_once_are_no_loops() {
    check_run("maybe.map(|x| async move { RUN; });", &[]);
    check_run("found.and_then(|x| async move { RUN; });", &[]);
    check_run("value.unwrap_or_else(|| async move { RUN; });", &[]);
    check_run("db.transaction(|tx| Box::pin(async move { RUN; })).await?;", &[]);
    check_run("tokio::spawn(async move { RUN; });", &[]);
    check_run("retry(strategy, || async { RUN; }).await?;", &[]);
}

#[test]
fn a_closure_runs_where_it_is_called() {
    check_run("let load = |x| async move { RUN; }; for x in &xs { load(x).await; }", &[Ok("&xs")]);
    check_run("for x in &xs { go(x); } let load = |x| async move { RUN; }; load(1).await;", &[]);
    check_run("let load = |x| async move { RUN; }; join_all(xs.iter().map(load)).await;", &[Ok("xs.iter()")]);
}

#[test]
fn a_function_defined_in_a_loop_is_not_in_it() {
    check_run("for x in &xs { async fn inner(db: &PgPool) { RUN; } }", &[]);
}

#[test]
fn futures_pushed_in_a_loop_are_in_it() {
    check("for x in &xs { futures.push(sql!(\"SELECT 1\").fetch_all(db)); }", &[Ok("&xs")]);
    check("for x in &xs { set.spawn(async move { sql!(\"SELECT 1\").fetch_all(db).await }); }", &[Ok("&xs")]);
}

#[test]
fn what_is_entered_for_later_is_in_no_loop() {
    for entered in [
        "bus.on(name, move |id| async move { RUN; })",
        "sched.add(Job::new_async(name, move |_, _| Box::pin(async move { RUN; }))?).await?",
        "app = app.route(name, get(move || async move { RUN; }))",
        "client.on_message(move |m| { RUN; })",
        "table.register_handler(name, |m| { RUN; })",
        "sched.every(10.minutes()).plus(30.seconds()).run(move || async move { RUN; })",
        "tokio_schedule::every(1).day().at(9, 0, 0).perform(|| async { RUN; }).await",
        "sched.add(Job::new(\"1/10 * * * * *\".parse()?, || { RUN; }))",
        "scheduler.add_job(name, || async { RUN; })",
        "JobBuilder::new().with_run_async(Box::new(|_, _| Box::pin(async { RUN; })))",
    ] {
        check_run(&format!("for name in &names {{ {entered}; }}"), &[]);
    }
    check_run("for name in &names { runner.run(|| async { RUN; }).await; }", &[Ok("&names")]);
    check_run("for name in &names { names.retain(|x| { RUN; true }); }", &[Ok("&names"), Ok("names")]);
}

#[test]
fn streams_of_events_are_services() {
    for stream in [
        "watcher(api, config).applied_objects().boxed()",
        "EventSource::get(url)",
        "provider.subscribe_blocks().await?.into_stream()",
        "client.subscribe(\"a\").await?",
    ] {
        let code = format!("let mut events = {stream}; while let Some(e) = events.next().await {{ RUN; }}");
        check_run(&code, &[Err(SERVICE)]);
    }
    check_run(
        "let (mut logs, _stop) = client.logs_subscribe(filter).await?; while let Some(e) = logs.next().await { RUN; }",
        &[Err(SERVICE)],
    );
}

#[test]
fn batches_are_fine() {
    check_run("for chunk in xs.chunks(100) { RUN; }", &[Err(BATCHES)]);
    check_run("let chunks: Vec<_> = xs.chunks(100).collect(); for chunk in chunks { RUN; }", &[Err(BATCHES)]);
    check_run("for start in (0..xs.len()).step_by(100) { RUN; }", &[Err(BATCHES)]);
    check_run("let parts = xs.chunks_exact(100); for part in parts { RUN; }", &[Err(BATCHES)]);
    // What is called chunks may be the rows of a document.
    for over in ["key_chunks", "chunks", "&doc.chunks", "pending_chunks"] {
        let code = format!("let key_chunks = cut(xs); let chunks = cut(xs); for chunk in {over} {{ RUN; }}");
        check_run(&code, &[Ok(over)]);
    }
}

#[test]
fn one_row_of_a_batch_at_a_time_is_work() {
    check_run("for chunk in xs.chunks(100) { for x in chunk { RUN; } }", &[Err(BATCHES), Ok("chunk")]);
}

#[test]
fn fixed_numbers_of_turns_are_fine() {
    check_run("for kind in all::<Kind>() { RUN; }", &[Err(FIXED)]);
    check_run("for _ in 0..3 { RUN; }", &[Err(FIXED)]);
    check_run("for kind in [Kind::A, Kind::B] { RUN; }", &[Err(FIXED)]);
    check_run("for kind in KINDS { RUN; }", &[Err(FIXED)]);
    check_run("for kind in Kind::iter() { RUN; }", &[Err(FIXED)]);
    check_run("let kinds = vec![a, b]; for kind in &kinds { RUN; }", &[Err(FIXED)]);
    check_run("for x in xs.iter().take(limit.min(10)) { RUN; }", &[Err(FIXED)]);
    check_run("for x in &xs[..xs.len().min(3)] { RUN; }", &[Err(FIXED)]);
    check_run("for x in xs.iter().take(limit.clamp(1, 5)) { RUN; }", &[Err(FIXED)]);
    check_run("for x in xs.iter().take(limit.max(10)) { RUN; }", &[Ok("xs.iter().take(limit.max(10))")]);
    check_run("for (key, value) in HashMap::from([(\"a\", 1), (\"b\", 2)]) { RUN; }", &[Err(FIXED)]);
    check_run("let kinds = BTreeSet::from([a, b]); for kind in &kinds { RUN; }", &[Err(FIXED)]);
    check_run("let kinds = Vec::from([a, b]); for kind in kinds { RUN; }", &[Err(FIXED)]);
    check_run("let mut kinds = vec![a, b]; kinds.extend(more); for kind in &kinds { RUN; }", &[Ok("&kinds")]);
    let grown = "let mut kinds = HashMap::from([(a, b)]); kinds.insert(c, d); for kind in &kinds { RUN; }";
    check_run(grown, &[Ok("&kinds")]);
}

#[test]
fn turns_are_counted_where_the_source_tells() {
    let turns = |source: &str| only(&scanned(source)).loops.first().and_then(|around| around.turns);
    assert_eq!(turns("fn f() { for _ in 0..3 { sql!(\"SELECT 1\"); } }"), Some(3));
    assert_eq!(turns("fn f() { for _ in 1..=3 { sql!(\"SELECT 1\"); } }"), Some(3));
    assert_eq!(turns("const N: usize = 4; fn f() { for _ in 0..N { sql!(\"SELECT 1\"); } }"), Some(4));
    assert_eq!(
        turns("const KS: [K; 2] = [K::A, K::B]; fn f() { for k in &KS { sql!(\"SELECT 1\"); } }"),
        Some(2)
    );
    assert_eq!(turns("fn f() { for k in OTHER { sql!(\"SELECT 1\"); } }"), None);
}

#[test]
fn services_and_timers_are_fine() {
    check_run("loop { let block = blocks.next().await.expect(\"no end\"); RUN; }", &[Err(SERVICE)]);
    check_run("while let Some(Ok(msg)) = stream.next().await { RUN; }", &[Err(SERVICE)]);
    check_run("for _ in 0..polls(limit) { if ready() { RUN; } sleep(delay).await; }", &[Err(SERVICE)]);
    check_run("loop { RUN; tokio::time::sleep(d).await; }", &[Err(SERVICE)]);
    check_run("loop { interval.tick().await; RUN; }", &[Err(SERVICE)]);
    check_run("while let Some(job) = rx.recv().await { RUN; }", &[Err(SERVICE)]);
    check_run("while !shutdown.is_cancelled() { RUN; }", &[Err(SERVICE)]);
    check_run(
        "let s = open().eventsource().await; let s = match s { Ok(s) => s, Err(_) => return }; s.for_each(|e| async move { RUN; }).await;",
        &[Err(SERVICE)],
    );
    check_run("loop { tokio::select! { _ = rx.recv() => { RUN; } } }", &[Err(SERVICE)]);
    check_run(
        "let mut rx = ReceiverStream::new(rx); while let Some(x) = rx.next().await { RUN; }",
        &[Err(SERVICE)],
    );
}

#[test]
fn a_loop_that_starts_services_is_fine() {
    check_run(
        "for _ in 0..workers { spawn(async move { loop { rx.recv().await; RUN; } }); }",
        &[Err(SERVICE), Err(SERVICE)],
    );
}

#[test]
fn what_a_constant_holds_is_fixed() {
    check_run(
        "for (table, columns) in TARGETS { for column in *columns { RUN; } }",
        &[Err(FIXED), Err(FIXED)],
    );
    check_run("for list in [&xs, &ys] { for x in list { RUN; } }", &[Err(FIXED), Ok("list")]);
}

#[test]
fn trait_objects_are_parts_of_the_program() {
    let exempt = |source: &str| only(&scanned(source)).loops.first().map(|around| around.exempt.is_some());
    let code = "for x in X { sqlx::query(\"SELECT 1\"); }";
    let of = |before: &str, over: &str| format!("{before} {{ {} }}", code.replace('X', over));
    assert_eq!(exempt(&of("fn f(parts: &[Arc<dyn Part>])", "parts.iter().cloned()")), Some(true));
    assert_eq!(exempt(&of("fn f(rows: &[Row])", "rows")), Some(false));
    let own = "struct S { parts: Vec<Box<dyn Part>>, rows: Vec<Row> } impl S { fn f(&self)";
    assert_eq!(exempt(&format!("{} }}", of(own, "&mut self.parts"))), Some(true));
    assert_eq!(exempt(&format!("{} }}", of(own, "&self.rows"))), Some(false));
}

#[test]
fn a_buffer_that_is_written_when_full_is_fine() {
    check_run(
        "for x in &xs { buffer.push(x); if buffer.len() >= BATCH { RUN; buffer.clear(); } }",
        &[Err(BATCHES)],
    );
    check_run("for x in &xs { if x.parts.len() > 0 { RUN; } }", &[Ok("&xs")]);
}

#[test]
fn what_an_element_keeps_for_itself_is_no_cache() {
    const CACHED: &str = "what it reads is kept for the next iterations";
    check_run(
        "for x in &mut xs { if x.found.is_some() { continue; } x.found = Some(RUN); }",
        &[Ok("&mut xs")],
    );
    check_run("for x in &mut xs { if x.found.is_none() { x.found = Some(RUN); } }", &[Ok("&mut xs")]);
    check_run(
        "for x in xs.iter_mut() { if let Some(_) = x.inner.found { continue; } x.inner.found = Some(RUN); }",
        &[Ok("xs.iter_mut()")],
    );
    check_run("for x in &xs { if state.found.is_none() { state.found = Some(RUN); } }", &[Err(CACHED)]);
    check_run(
        "for x in &xs { if self.found.is_some() { continue; } self.found = Some(RUN); }",
        &[Err(CACHED)],
    );
}

#[test]
fn retries_are_fine() {
    check_run("for attempt in 0..max { RUN; }", &[Err(RETRY)]);
    check_run(
        "for (at, mirror) in mirrors.iter().enumerate() { let found = RUN; if found.is_ok() || at == last { return found; } }",
        &[Err(RETRY)],
    );
    check_run(
        "loop { match go().await { Ok(x) => return Ok(x), Err(e) if tries < 3 => tries += 1, } RUN; }",
        &[Err(RETRY)],
    );
    // Tried in sequence until one succeeds.
    check_run(
        "for host in xs { match ask(host).await { Ok(x) => return Ok(x), Err(_) => RUN, }; }",
        &[Err(RETRY)],
    );
}

#[test]
fn pages_are_fine() {
    check_run("loop { let rows = RUN; if rows.is_empty() { break; } last = rows.len(); }", &[Err(PAGES)]);
    check_run("while let Some(job) = RUN.pop() { go(job); }", &[Err(PAGES)]);
    // The elements were read in the same iteration.
    check_run(
        "loop { let mut jobs = next_jobs().await; let Some(job) = jobs.pop() else { break }; RUN; }",
        &[Err(PAGES)],
    );
    check_run("loop { let Some(job) = jobs.pop() else { break }; RUN; }", &[Ok("")]);
}

#[test]
fn an_option_walked_like_a_collection_is_fine() {
    check_run("for x in Some(1) { RUN; }", &[Err(ONCE)]);
}

#[test]
fn a_query_after_which_the_loop_is_left_is_fine() {
    check_run("for x in &xs { if x.ok { RUN; break; } }", &[Err(LEAVES)]);
    check_run("for x in &xs { if x.ok { return Ok(RUN); } }", &[Err(LEAVES)]);
    check_run("for x in &xs { for y in x.ys() { RUN; break; } }", &[Ok("&xs"), Err(LEAVES)]);
    check_run("for x in &xs { let rows = RUN; if rows.is_empty() { break; } }", &[Ok("&xs")]);
    // `return` in an async block leaves the block, not the loop.
    check_run("for x in &xs { spawn(async move { RUN; return; }); }", &[Ok("&xs")]);
}

/// The variables of the only loop around the only site.
#[track_caller]
fn variables(code: &str) -> Vec<String> {
    let scan = body(code);
    match only(&scan).loops.as_slice() {
        [around] => around.variables.clone(),
        loops => panic!("{} loops", loops.len()),
    }
}

#[test]
fn variables_are_those_of_the_pattern_and_what_is_computed_from_them() {
    let code = "for (i, event) in events { let id = event.id; let fixed = limit; let now = clock(); sql!(\"SELECT 1\"); }";
    assert_eq!(variables(code), ["i", "event", "id", "now"]);
}

#[test]
fn variables_that_are_assigned_differ_from_turn_to_turn() {
    let code = "while let Some(x) = it.next() { n += 1; last = x; sql!(\"SELECT 1\"); }";
    assert_eq!(variables(code), ["x", "n", "last"]);
}

#[test]
fn a_closure_that_is_called_in_a_loop_brings_its_parameters() {
    let names = variables(
        "let load = |id| sql!(\"SELECT $1\", id).fetch_all(db); for x in &xs { load(x.id).await; }",
    );
    assert!(names.contains(&"id".to_owned()), "{names:?}");
}

#[test]
fn the_kind_and_place_of_a_loop_are_known() {
    let scan = body("xs.iter()\n  .for_each(|x| { sql!(\"SELECT 1\"); });");
    let around = only(&scan).loops.first().expect("it is in a loop");
    assert_eq!((around.kind, around.place.line, around.place.column), (LoopKind::Combinator, 4, 4));
}
