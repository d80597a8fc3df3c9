//! Loops whose length a statement, a method or a type determines, and those that only look like it.

use super::loops::check_run;
use super::*;

const FIXED: &str = "its number of iterations is fixed";
const BATCHES: &str = "each iteration takes a batch";
const SERVICE: &str = "each iteration waits for something to do";
const PAGES: &str = "it goes on until a query finds nothing more";
const ONCE: &str = "it has at most one iteration";
const DATABASES: &str = "each iteration works on a different database";

#[test]
fn a_list_that_is_cut_is_as_long_as_that() {
    check_run("for x in xs.drain(..5) { RUN; }", &[Err(FIXED)]);
    check_run("for x in xs.drain(..) { RUN; }", &[Ok("xs.drain(..)")]);
    check_run("for x in xs.drain(5..) { RUN; }", &[Ok("xs.drain(5..)")]);
    check_run("xs.truncate(3); for x in &xs { RUN; }", &[Err(FIXED)]);
    check_run("xs.truncate(n); for x in &xs { RUN; }", &[Ok("&xs")]);
    check_run("xs.truncate(3); xs.extend(more); for x in &xs { RUN; }", &[Ok("&xs")]);
    check_run("xs.truncate(3); fill(&mut xs); for x in &xs { RUN; }", &[Ok("&xs")]);
    check_run("if long { xs.truncate(3); } for x in &xs { RUN; }", &[Ok("&xs")]);
    bounds::check("xs.truncate(3); xs.push(1); for x in &xs { Q; }", 0, Some(4));
}

#[test]
fn what_leaves_one_element_is_no_loop() {
    for one in [
        "max_by_key(|x| **x)",
        "min_by(|a, b| a.cmp(b))",
        "max()",
        "reduce(larger)",
        "nth(2)",
        "find_map(parse)",
    ] {
        check_run(&format!("for x in xs.iter().{one} {{ RUN; }}"), &[Err(ONCE)]);
    }
}

#[test]
fn an_iterator_of_what_is_at_hand_has_elements() {
    for iterator in [
        "std::iter::from_fn(|| heap.pop())",
        "std::iter::from_fn(|| rest.next().filter(Self::is_open))",
        "successors(Some(leaf), |id| parents.get(id).copied())",
    ] {
        check_run(&format!("for x in {iterator} {{ RUN; }}"), &[Ok(iterator)]);
    }
    check_run("for x in std::iter::from_fn(|| next_page(&db)) { RUN; }", &[Err(PAGES)]);
}

#[test]
fn a_text_is_cut_into_pieces_and_a_list_into_batches() {
    for (list, expected) in [
        ("splitter.chunks(&text)", Ok("splitter.chunks(&text)")),
        ("TextSplitter::new(100).chunks(text)", Ok("TextSplitter::new(100).chunks(text)")),
        ("xs.chunks(100)", Err(BATCHES)),
        ("xs.chunks(size)", Err(BATCHES)),
    ] {
        check_run(&format!("for x in {list} {{ RUN; }}"), &[expected]);
    }
}

/// The loops around the only query of some methods; of a loop over data, what it goes through.
#[track_caller]
fn loops(source: &str) -> Vec<Result<String, &'static str>> {
    let scan = scanned(&source.replace("RUN", "sql!(\"SELECT 1\").execute(db).await"));
    only(&scan).loops.iter().map(|around| around.exempt.map_or(Ok(around.over.clone()), Err)).collect()
}

#[test]
fn a_channel_in_a_field_is_waited_for_and_a_list_of_that_name_is_not() {
    let of = |ty: &str, over: &str| {
        loops(&format!(
            "struct W {{ jobs: {ty} }} impl W {{ async fn f(&self, rx: &[Rx]) {{ for id in {over} {{ RUN; }} }} }}"
        ))
    };
    assert_eq!(of("Receiver<i64>", "&self.jobs"), [Err(SERVICE)]);
    assert_eq!(of("crossbeam_channel::Receiver<i64>", "self.jobs.iter()"), [Err(SERVICE)]);
    assert_eq!(of("Vec<i64>", "self.jobs.iter()"), [Ok("self.jobs.iter()".to_owned())]);
    assert_eq!(of("Vec<i64>", "rx"), [Ok("rx".to_owned())]);
}

#[test]
fn a_repository_of_the_pool_of_a_turn_asks_a_database_of_its_own() {
    let of = |pools: &str, code: &str| {
        let scan = scanned(&format!(
            "struct R {{ db: PgPool }} impl R {{ fn new(db: PgPool) -> R {{ R {{ db }} }}
             async fn load(&self) {{ sql!(\"SELECT 1\").fetch_one(&self.db).await; }} }}
             async fn f(pools: {pools}, db: PgPool) {{ for pool in pools {{ {code} }} }}"
        ));
        let call =
            function(&scan, "f").flow.calls().find(|call| call.callee.name() == "load").expect("a call");
        call.loops.first().and_then(|around| around.exempt)
    };
    assert_eq!(of("Vec<PgPool>", "let r = R::new(pool.clone()); r.load().await;"), Some(DATABASES));
    assert_eq!(of("Vec<PgPool>", "R { db: pool }.load().await;"), Some(DATABASES));
    assert_eq!(of("Vec<PgPool>", "R::new(pool).load().await;"), Some(DATABASES));
    assert_eq!(of("Vec<PgPool>", "R::new(db.clone()).load().await;"), None);
    assert_eq!(of("Vec<Swimming>", "let r = R::new(db.clone()); r.load().await;"), None);
}
