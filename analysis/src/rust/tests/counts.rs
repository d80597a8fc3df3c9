//! Bounds of loops whose number of turns follows from statements and return types. A maximum that a running program could
//! exceed is worse than none.

use super::bounds::{check, check_bound};
use super::*;

/// Checks the bound of `f` beside these items.
#[track_caller]
fn check_with(items: &str, code: &str, lower: u64, upper: Option<u64>) {
    let code = code.replace('Q', "sql!(\"SELECT 1\").fetch_all(db).await");
    check_bound(&scanned(&format!("{items}\nasync fn f(db: &PgPool) {{ {code} }}")), "f", lower, upper);
}

#[test]
fn an_array_that_a_function_returns_has_its_length() {
    check_with("fn two() -> [i64; 2] { [1, 2] }", "for x in two() { Q; }", 2, Some(2));
    check_with("fn two() -> [i64; 2] { [1, 2] }", "for x in two() { for y in &two() { Q; } }", 4, Some(4));
    check_with("const N: usize = 3; fn all() -> [i64; N] { todo() }", "for x in all() { Q; }", 3, Some(3));
    check_with(
        "fn two() -> &'static [i64; 2] { &X }",
        "let all = two(); for x in all.iter() { Q; }",
        2,
        Some(2),
    );
    check_with("async fn two() -> [i64; 2] { [1, 2] }", "for x in two().await { Q; }", 2, Some(2));
    check_with("mod a { pub fn two() -> [i64; 2] { [1, 2] } }", "for x in a::two() { Q; }", 2, Some(2));
    check_with(
        "struct S; impl S { fn two() -> [i64; 2] { [1, 2] } }",
        "for x in S::two() { Q; }",
        2,
        Some(2),
    );
    // The longer of two for different builds.
    let pair = "#[cfg(a)] fn some() -> [i64; 2] { x } #[cfg(not(a))] fn some() -> [i64; 5] { x }";
    check_with(pair, "for x in some() { Q; }", 0, Some(5));
    let own = scanned(
        "struct S; impl S { fn two(&self) -> &[i64; 2] { x } async fn f(&self) { for x in self.two() { sql!(\"SELECT 1\").fetch_all(db).await; } } }",
    );
    check_bound(&own, "S::f", 2, Some(2));
}

#[test]
fn an_option_that_a_function_returns_has_one_element_at_most() {
    check_with("fn maybe() -> Option<i64> { None }", "for x in maybe() { Q; }", 0, Some(1));
    check_with("fn maybe() -> Option<Vec<i64>> { None }", "for xs in maybe() { Q; }", 0, Some(1));
    check_with("fn maybe() -> Result<i64, E> { x }", "for x in maybe() { Q; }", 0, Some(1));
    check_with("fn maybe() -> Option<Vec<i64>> { None }", "for x in maybe().unwrap() { Q; }", 0, None);
    check_with(
        "fn maybe() -> Option<Vec<i64>> { None }",
        "for x in maybe().into_iter().flatten() { Q; }",
        0,
        None,
    );
    check_with(
        "fn maybe() -> Option<Vec<i64>> { None }",
        "for xs in maybe() { for x in xs { Q; } }",
        0,
        None,
    );
    check_with(
        "fn maybe() -> Option<Vec<i64>> { None }",
        "if let Some(xs) = maybe() { for x in xs { Q; } }",
        0,
        None,
    );
}

#[test]
fn a_function_that_is_not_certain_has_no_length() {
    let two = "fn two() -> [i64; 2] { [1, 2] }";
    check_with(two, "fn two() -> Vec<i64> { x } for x in two() { Q; }", 0, None);
    check_with(two, "let two = || load(); for x in two() { Q; }", 0, None);
    check_with(two, "for x in other::two() { Q; }", 0, None);
    check_with(
        "fn all<const N: usize>() -> [i64; N] { x } const N: usize = 2;",
        "for x in all::<9>() { Q; }",
        0,
        None,
    );
    check_with(
        "const N: usize = 2; struct S<const N: usize>; impl<const N: usize> S<N> { fn all() -> [i64; N] { x } }",
        "for x in S::<9>::all() { Q; }",
        0,
        None,
    );
    check_with(
        "#[cfg(a)] fn all() -> [i64; 2] { x } #[cfg(b)] fn all() -> Vec<i64> { x }",
        "for x in all() { Q; }",
        0,
        None,
    );
    // A function of the project gives what it says, whatever its name.
    check_with(
        "struct Kind; impl Kind { fn values() -> Vec<i64> { x } }",
        "for x in Kind::values() { Q; }",
        0,
        None,
    );
}

#[test]
fn a_list_has_as_many_elements_as_pushes() {
    check("let mut v = Vec::new(); v.push(1); v.push(2); for x in v { Q; }", 0, Some(2));
    check("let mut v = vec![1, 2]; if a { v.push(3); } v.sort(); for x in &v { Q; }", 0, Some(3));
    check(
        "let mut v = vec![1]; match a { 1 => v.push(2), _ => { v.push(3); v.push(4); } } for x in v.iter() { Q; }",
        0,
        Some(4),
    );
    check(
        "let mut v = VecDeque::new(); v.push_back(1); while let Some(x) = v.pop_front() { Q; }",
        0,
        Some(1),
    );
    check(
        "let mut v = HashSet::new(); v.insert(a); v.insert(b); info!(\"{}\", v.len()); for x in v { Q; }",
        0,
        Some(2),
    );
    // Each turn of the outer loop begins with an empty list.
    check("for y in 0..3 { let mut v = Vec::new(); v.push(y); for x in v { Q; } }", 0, Some(3));
    // Nothing of what is behind it is counted for what is in it.
    check("let mut v = Vec::new(); v.push(xs); for ys in v { for y in ys { Q; } }", 0, None);
}

#[test]
fn a_list_that_may_grow_otherwise_has_no_number_of_elements() {
    for fill in [
        "for i in xs { v.push(i); }",
        "while a() { v.push(1); }",
        "loop { v.push(1); if a() { break; } }",
        "xs.iter().for_each(|x| v.push(*x));",
        "fill(&mut v);",
        "v.extend(xs);",
        "v.append(&mut xs);",
        "v = xs;",
        "(v, a) = load();",
        "v.extend_from_slice(&xs);",
        "v.resize(9, 1);",
        "fill!(v);",
        "info!(\"{}\", { v.push(2); fill(&mut v) });",
        "debug!(\"{}\", fill(&mut v));",
        "let w = &mut v; w.push(1);",
        "let ref mut w = v; w.extend(xs);",
        "Vec::push(&mut v, 1);",
        "macro_rules! fill { () => { v.extend(xs) } } fill!();",
        "v += xs;",
        "let v = xs;",
    ] {
        check(&format!("let mut v = Vec::new(); v.push(1); {fill} for x in v {{ Q; }}"), 0, None);
    }
    check("let mut v = vec![1; n]; for x in v { Q; }", 0, None);
    check("let mut v = vec![1]; while let Some(x) = v.pop() { Q; v.push(2); }", 0, None);
}

#[test]
fn a_number_that_is_stepped_to_a_limit_counts_turns() {
    check("let mut n = 0; while n < 3 { n += 1; Q; }", 0, Some(3));
    check("let mut n = 1; while n <= 4 { Q; n += 2; }", 0, Some(2));
    check("let mut n = 3; while n > 0 { Q; n -= 1; }", 0, Some(3));
    check("let mut n = 3; while n >= 1 { Q; n -= 1; }", 0, Some(3));
    check("let mut n = 0; while 5 > n { Q; n += 1; }", 0, Some(5));
    check("const MOST: i32 = 4; let mut n = 0; while n < MOST && !done { Q; n += 1; }", 0, Some(4));
    check("let mut n = 0; while n < 3 { n += 1; if a { continue; } Q; }", 0, Some(3));
    check("let mut n = 0; while n < 3 { sql!(\"SELECT 1\").fetch_all(db).await?; n += 1; }", 0, Some(3));
    check("for x in 0..2 { let mut n = 0; while n < 3 { Q; n += 1; } }", 0, Some(6));
    check("let mut n = 0; for x in 0..2 { while n < 3 { Q; n += 1; } }", 0, Some(6));
    check("let mut n = 5; while n < 3 { Q; n += 1; }", 0, Some(0));
}

#[test]
fn a_number_that_may_not_reach_its_limit_counts_nothing() {
    for code in [
        "while n < 3 { Q; if a { continue; } n += 1; }",
        "while n < 3 { Q; if a { n += 1; } }",
        "while n < 3 { Q; n += 1; if a { n = 0; } }",
        "while n < 3 { Q; n += 1; n -= 1; }",
        "while n < 3 { Q; n += 1; reset(&mut n); }",
        "while n < 3 || a { Q; n += 1; }",
        "while n != 3 { Q; n += 2; }",
        "while n > 3 { Q; n += 1; }",
        "while n < m { Q; n += 1; }",
        "while n < 3 { Q; n += m; }",
        "while n < 3 { let mut n = 0; n += 1; Q; }",
        "while n < 3 { Q; skip!(); n += 1; }",
        "while n < 3 { Q; info!(\"{}\", match a { None => continue, Some(a) => a }); n += 1; }",
        "while n < 3 { Q; for x in ys { n += 1; } }",
        "while n < 3 { Q; n += 1; (n, m) = (0, 1); }",
        "while n < 3 { Q; n += 1; n.sub_assign(1); }",
        "while n <= 255 { Q; n += 1; }",
        "while n >= 0 { Q; n -= 1; }",
        "let back = || n -= 1; while n < 3 { Q; n += 1; back(); }",
        "macro_rules! back { () => { n = 0 } } while n < 3 { Q; n += 1; back!(); }",
    ] {
        let scan =
            body(&format!("let mut n = 0; {}", code.replace('Q', "sql!(\"SELECT 1\").fetch_all(db).await")));
        let upper = &function(&scan, "f").bound.upper;
        assert!(matches!(upper, crate::rust::Upper::Unbounded { .. }), "{code}: {upper:?}");
    }
}

#[test]
fn parts_of_what_is_written_out_are_counted() {
    for (over, lower, upper) in [
        ("(0..7).step_by(2)", 4, Some(4)),
        ("(0..10).step_by(20)", 1, Some(1)),
        ("[1, 2, 3, 4].windows(2)", 3, Some(3)),
        ("[1, 2, 3, 4].windows(5)", 0, Some(0)),
        ("[1, 2, 3, 4].chunks(2)", 2, Some(2)),
        ("[1, 2, 3, 4, 5].chunks(2)", 3, Some(3)),
        ("[1, 2, 3, 4, 5].chunks_exact(2)", 2, Some(2)),
        ("[1, 2, 3].chunks(n)", 0, Some(3)),
        ("ids.chunks(2)", 0, None),
        ("ids.windows(2)", 0, None),
        ("ids.iter().take(2).flat_map(|x| [*x, x + 1])", 0, Some(4)),
        ("[1, 2].iter().flat_map(|x| vec![x, x, x])", 6, Some(6)),
        ("[1, 2].iter().flat_map(|ids| ids)", 0, None),
        ("ids.iter().flat_map(|x| [x, x])", 0, None),
        ("[1, 2].iter().take(5)", 0, Some(2)),
        ("std::iter::repeat_n(1, 3)", 3, Some(3)),
        ("std::iter::repeat_n(1, n)", 0, None),
        ("\"abc\".chars()", 3, Some(3)),
        ("\"a,b\".split(',')", 2, Some(2)),
        ("NAMES.split(' ')", 2, Some(2)),
        ("text.chars()", 0, None),
    ] {
        check_with("const NAMES: &str = \"a b\";", &format!("for x in {over} {{ Q; }}"), lower, upper);
    }
}

#[test]
fn a_loop_that_leaves_at_a_limit_counts_turns() {
    for (code, upper) in [
        ("let mut n = 0; loop { Q; n += 1; if n >= 3 { break; } }", Some(3)),
        ("let mut n = 0; loop { n += 1; Q; if n > 3 || a { return; } }", Some(4)),
        ("let mut n = 0; loop { if n == 3 { break; } Q; n += 1; }", Some(3)),
        ("let mut n = 0; loop { Q; if n >= 3 { break; } n += 1; }", Some(4)),
        ("let mut n = 3; loop { Q; n -= 1; if n == 0 { break; } }", Some(3)),
        ("let mut n = 0; loop { Q; if a { continue; } n += 1; if n >= 3 { break; } }", None),
        ("let mut n = 0; loop { Q; n += 1; if n >= 3 && a { break; } }", None),
        ("let mut n = 0; loop { Q; n += 1; if n == 0 { break; } }", None),
        ("let mut n = 0; loop { Q; n += 1; if n >= most { break; } }", None),
        ("let mut n = 0; for x in 0..2 { loop { Q; n += 1; if n >= 3 { break; } } }", None),
        ("let mut n = 0; loop { Q; n += 1; reset(&mut n); if n >= 3 { break; } }", None),
    ] {
        let scan = scanned(&format!(
            "async fn f(db: &PgPool) {{ {} }}",
            code.replace('Q', "sql!(\"SELECT 1\").fetch_all(db).await")
        ));
        let most = match &function(&scan, "f").bound.upper {
            crate::rust::Upper::Finite(most) => Some(*most),
            crate::rust::Upper::Unbounded { .. } => None,
        };
        assert_eq!(most, upper, "{code}");
    }
}
