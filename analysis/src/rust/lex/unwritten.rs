//! Methods that run without their name being written: operators, `Drop`, and what a loop asks an iterator for.

/// The traits that have such methods, with these.
const TRAITS: &[(&str, &[&str])] = &[
    ("Add", &["add"]),
    ("AddAssign", &["add_assign"]),
    ("BitAnd", &["bitand"]),
    ("BitAndAssign", &["bitand_assign"]),
    ("BitOr", &["bitor"]),
    ("BitOrAssign", &["bitor_assign"]),
    ("BitXor", &["bitxor"]),
    ("BitXorAssign", &["bitxor_assign"]),
    ("Div", &["div"]),
    ("DivAssign", &["div_assign"]),
    ("Drop", &["drop"]),
    ("Index", &["index"]),
    ("IndexMut", &["index_mut"]),
    ("IntoIterator", &["into_iter"]),
    ("Iterator", &["next"]),
    ("Mul", &["mul"]),
    ("MulAssign", &["mul_assign"]),
    ("Neg", &["neg"]),
    ("Not", &["not"]),
    ("PartialEq", &["eq", "ne"]),
    ("PartialOrd", &["partial_cmp", "lt", "le", "gt", "ge"]),
    ("Rem", &["rem"]),
    ("RemAssign", &["rem_assign"]),
    ("Shl", &["shl"]),
    ("ShlAssign", &["shl_assign"]),
    ("Shr", &["shr"]),
    ("ShrAssign", &["shr_assign"]),
    ("Sub", &["sub"]),
    ("SubAssign", &["sub_assign"]),
];

/// The methods of such traits that a text implements, by the heads of its `impl` blocks.
pub(in crate::rust) fn unwritten(text: &str) -> Vec<&'static str> {
    let mut found: Vec<&'static str> = Vec::new();
    for (at, _) in text.match_indices("impl") {
        // Elsewhere, it is a type: `-> impl Iterator<Item = i64>`.
        let before = text.get(..at).unwrap_or_default().rsplit('\n').next().unwrap_or_default().trim_end();
        let is_item = before.is_empty()
            || before.ends_with(['}', '{', ';', ']'])
            || before.ends_with("unsafe")
            || before.ends_with("default");
        let rest = text.get(at + 4..).filter(|rest| is_item && rest.starts_with([' ', '<']));
        let Some(name) = rest.and_then(implemented) else { continue };
        if let Ok(at) = TRAITS.binary_search_by_key(&name, |(name, _)| name)
            && let Some((_, methods)) = TRAITS.get(at)
        {
            found.extend(methods.iter().filter(|method| !found.contains(method)).collect::<Vec<_>>());
        }
    }
    found
}

/// The name of the trait that an `impl` is of, by the text behind that word.
fn implemented(rest: &str) -> Option<&str> {
    let rest = match rest.trim_start().strip_prefix('<') {
        Some(parameters) => behind_generics(parameters)?,
        None => rest,
    };
    let path = rest.split(['<', '{', ';', '(']).next()?;
    let path = path.split(" for ").next()?.trim();
    path.rsplit("::").next()
}

/// The text behind a list whose `<` was read.
fn behind_generics(text: &str) -> Option<&str> {
    let mut depth = 1usize;
    let mut before = ' ';
    for (at, c) in text.char_indices() {
        match c {
            '<' => depth += 1,
            '>' if before != '-' => depth -= 1,
            '{' | ';' => return None,
            _ => {}
        }
        before = c;
        if depth == 0 {
            return text.get(at + 1..);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &[&str]) {
        assert_eq!(unwritten(text), expected, "{text}");
    }

    #[test]
    fn implementations_are_found_by_their_heads() {
        check("impl Drop for Guard { fn drop(&mut self) {} }", &["drop"]);
        check("impl<'a, F: Fn() -> i64> std::ops::Add<i64> for Acc<'a, F> {", &["add"]);
        check("impl<T> Iterator for Rows<T> where T: X {} impl Not for A {}", &["next", "not"]);
        check("fn f(x: impl Iterator<Item = i64>) -> impl Iterator<Item = i64> { x }", &[]);
        check("impl Store for Pg {} impl Dropped {} simpl Drop for X", &[]);
        check("impl<", &[]);
        check("impl", &[]);
    }

    #[test]
    fn traits_are_in_order() {
        assert!(TRAITS.is_sorted_by_key(|(name, _)| name));
    }
}
