//! Queries that run in one iteration of a loop alone, or until they succeed.

use super::loops::check_run;

const SELDOM: &str = "it runs in one of the iterations";
const RETRY: &str = "it tries again until it succeeds";
const BATCHES: &str = "each iteration takes a batch";

#[test]
fn a_flag_that_it_sets_lets_it_run_once() {
    for code in [
        "let mut done = false; for x in &xs { if !done { RUN; done = true; } }",
        "let mut done = false; for x in &xs { if *x > 5 && !done { done = true; RUN; } }",
        "let mut first = true; for x in &xs { if first { first = false; RUN; } }",
        "let mut first = true; for x in &xs { if first == true { RUN; first = false; } else { go(x); } }",
        "let mut done = false; for x in &xs { if done { go(x); } else { RUN; done = true; } }",
        "let mut done = false; for x in &xs { if done { continue; } RUN; done = true; }",
        "let mut open = true; for x in &xs { if std::mem::replace(&mut open, false) { RUN; } }",
        "let mut open = true; for x in &xs { if mem::take(&mut open) { RUN; } }",
        "let mut done = false; for x in &xs { if !mem::replace(&mut done, true) { RUN; } }",
        "let mut done = false; for x in &xs { if !done { RUN; done = true; } println!(\"{done}\"); }",
    ] {
        check_run(code, &[Err(SELDOM)]);
    }
    check_run(
        "for a in &xs { let mut done = false; for b in a.parts() { if !done { RUN; done = true; } } }",
        &[Ok("&xs"), Err(SELDOM)],
    );
    check_run(
        "let mut done = false; for a in &xs { if !done { for b in a.parts() { RUN; } done = true; } }",
        &[Err(SELDOM), Ok("a.parts()")],
    );
}

#[test]
fn a_flag_that_may_be_unset_lets_it_run_again() {
    for code in [
        "let mut done = false; for x in &xs { if !done { RUN; } }",
        "let mut done = false; for x in &xs { if !done { RUN; done = true; } if *x == 0 { done = false; } }",
        "let mut done = false; for x in &xs { if !done { RUN; if a { continue; } done = true; } }",
        "let mut done = false; for x in &xs { if !done { RUN; if a { done = true; } } }",
        "let mut done = false; for x in &xs { if !done || a { RUN; done = true; } }",
        "let mut done = false; for x in &xs { if !done { RUN; done = true; } reset(&mut done); }",
        "let mut done = false; for x in &xs { if !done { RUN; done = true; } flip!(done); }",
        "let mut done = false; for x in &xs { if !done { RUN; done = x.ok(); } }",
        "let mut done = false; for x in &xs { if done { RUN; done = true; } }",
        "let mut open = true; for x in &xs { if std::mem::replace(&mut open, *x > 5) { RUN; } }",
    ] {
        check_run(code, &[Ok("&xs")]);
    }
}

#[test]
fn an_option_that_is_taken_lets_it_run_once() {
    for code in [
        "let mut first = Some(1); for x in &xs { if let Some(n) = first.take() { RUN; } }",
        "let mut first = Some(1); for x in &xs { if first.take().is_some() { RUN; } }",
        "let mut first = Some(1); for x in &xs { match first.take() { Some(n) => { RUN; } None => {} } }",
        "let mut first = Some(1); for x in &xs { let Some(n) = first.take() else { continue }; RUN; }",
        "let mut first = Some(1); for x in &xs { if let Some(n) = std::mem::take(&mut first) { RUN; } }",
    ] {
        check_run(code, &[Err(SELDOM)]);
    }
    for code in [
        "let mut first = Some(1); for x in &xs { if let Some(n) = first.take() { RUN; } first = Some(*x); }",
        "let mut first = Some(1); for x in &xs { if let Some(n) = first.take() { RUN; } first.insert(2); }",
        "let mut first = Some(1); for x in &xs { if let Some(n) = first { RUN; } }",
        "let mut first = read(); for x in &xs { if let Some(n) = first.take() { RUN; } }",
    ] {
        check_run(code, &[Ok("&xs")]);
    }
}

#[test]
fn the_number_of_an_iteration_tells_how_often_it_runs() {
    let over = "xs.iter().enumerate()";
    for (asked, expected) in [
        ("i == 0", Err(SELDOM)),
        ("0 == i", Err(SELDOM)),
        ("i == xs.len() - 1", Err(SELDOM)),
        ("i % 1000 == 0", Err(BATCHES)),
        ("(i + 1) % BATCH_SIZE == 0", Err(BATCHES)),
        ("i.is_multiple_of(500)", Err(BATCHES)),
        ("i % 2 == 0", Ok(over)),
        ("i > 0", Ok(over)),
        ("i == x", Ok(over)),
        ("i == next()", Ok(over)),
    ] {
        check_run(&format!("for (i, x) in {over} {{ if {asked} {{ RUN; }} }}"), &[expected]);
    }
    check_run("for (i, x) in pairs { if i == 0 { RUN; } }", &[Ok("pairs")]);
    check_run(
        "for (i, x) in xs.iter().enumerate() { for y in ys { if i == 0 { RUN; } } }",
        &[Err(SELDOM), Ok("ys")],
    );
}

#[test]
fn what_ends_at_success_counts_what_is_left_to_try() {
    for code in [
        "let mut left = 5; while left > 0 { if RUN.is_ok() { break; } left -= 1; }",
        "let mut left = 5; while left > 0 { match RUN { Ok(_) => return Ok(()), Err(_) => left -= 1 } }",
        "let mut left = n; let mut done = false; while !done && left > 0 { done = RUN.is_ok(); left -= 1; }",
    ] {
        let code = code.replace("RUN", "sql!(\"SELECT 1\").fetch_all(db).await");
        check_run(&code, &[Err(RETRY)]);
    }
    check_run("let mut i = 0; while i < xs.len() { RUN; i += 1; }", &[Ok("")]);
    check_run(
        "let mut i = n; while i > 0 { let ok = sql!(\"SELECT 1\").fetch_all(db).await.is_ok(); i -= 1; }",
        &[Ok("")],
    );
}

#[test]
fn an_arm_for_one_value_of_the_element_runs_for_that_alone() {
    for code in [
        "for part in &parts { match *part { \"a\" => { RUN; } _ => go(part) } }",
        "for part in text.split(',') { match part.trim() { \"a\" | \"b\" => { RUN; } _ => {} } }",
        "for part in parts { match part.as_str() { \"a\" => { let x = part; RUN; } _ => {} } }",
        "for n in numbers { match n { 7 => { RUN; } _ => {} } }",
    ] {
        check_run(code, &[Err(SELDOM)]);
    }
    for (code, over) in [
        // Another part of the element still differs.
        ("for x in &xs { match x.kind { \"a\" => { RUN; } _ => {} } }", "&xs"),
        ("for (i, x) in &xs { match x { \"a\" => { RUN; } _ => {} } }", "&xs"),
        ("for x in &xs { match x.next_kind(i) { \"a\" => { RUN; } _ => {} } }", "&xs"),
        ("for x in &xs { match x { \"a\" => {} _ => { RUN; } } }", "&xs"),
        ("for x in &xs { match other { \"a\" => { RUN; } _ => {} } }", "&xs"),
    ] {
        check_run(code, &[Ok(over)]);
    }
}
