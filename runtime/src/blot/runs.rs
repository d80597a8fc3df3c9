//! Conditions, rows and branches that a program has put together, one for each element: `id = $1 OR id = $2 OR ..`,
//! `SELECT $1 UNION ALL SELECT $2 ..`, `CASE id WHEN $1 THEN $2 WHEN ..`. Their number is irrelevant to the identity of a statement.

use super::lists::{push, words};

/// What stands between the elements.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Between {
    Or,
    Union,
    When,
}

/// The statement with runs of three or more like elements shortened; `None` if it has none. Placeholders after a run lose their
/// numbers, which depend on its length.
pub(super) fn collapsed(text: &str) -> Option<String> {
    let between = positions(text);
    let mut shorter = String::new();
    let (mut done, mut at) = (0, 0);
    while let Some((first, kind)) = between.get(at) {
        let run = run(text, &between, at, *kind).unwrap_or(0);
        let (Some((second, _)), Some((last, _)), true) =
            (between.get(at + 1), between.get(at + run), run > 0)
        else {
            at += 1;
            continue;
        };
        debug_assert!(first.end <= second.start, "in order");
        push(&mut shorter, text.get(done..first.end)?, done > 0);
        shorter.push_str(" … ");
        done = last.start;
        at += run + 1;
    }
    (done > 0).then(|| {
        push(&mut shorter, text.get(done..).unwrap_or_default(), true);
        shorter
    })
}

/// The words that may stand between elements.
fn positions(text: &str) -> Vec<(std::ops::Range<usize>, Between)> {
    let mut found = Vec::new();
    let mut words = words(text).peekable();
    while let Some((at, word)) = words.next() {
        let kind = match () {
            () if word.eq_ignore_ascii_case("OR") => Between::Or,
            () if word.eq_ignore_ascii_case("UNION") => Between::Union,
            () if word.eq_ignore_ascii_case("WHEN") => Between::When,
            () => continue,
        };
        let all = words.next_if(|(_, next)| kind == Between::Union && next.eq_ignore_ascii_case("ALL"));
        found.push((at..all.map_or(at + word.len(), |(at, all)| at + all.len()), kind));
    }
    found
}

/// The number of like elements between words of one kind, from the one at a position: all with the same text, which has a
/// value, and with one more of them behind the last word.
fn run(text: &str, between: &[(std::ops::Range<usize>, Between)], at: usize, kind: Between) -> Option<usize> {
    let element = |at: usize| {
        let [(before, this), (after, next)] = between.get(at..at + 2)? else { return None };
        let word = text.get(before.clone())?;
        let is_same = *this == kind && *next == kind && text.get(after.clone())?.eq_ignore_ascii_case(word);
        text.get(before.end..after.start).filter(|_| is_same)
    };
    let first = without_numbers(element(at)?);
    if !first.contains(['?', '$', ':']) {
        return None;
    }
    let mut run = 1;
    while element(at + run).is_some_and(|next| without_numbers(next) == first) {
        run += 1;
    }
    let (last, _) = between.get(at + run)?;
    let behind = without_numbers(text.get(last.end..last.end + 2 * first.len()).or(text.get(last.end..))?);
    let rest = behind.strip_prefix(first.trim_end())?;
    rest.chars().next().is_none_or(|c| !c.is_alphanumeric() && c != '_').then_some(run)
}

fn without_numbers(part: &str) -> String {
    let mut plain = String::with_capacity(part.len());
    push(&mut plain, part, true);
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_any_length_are_one_statement() {
        for (text, expected) in [
            ("WHERE a = ? OR a = ? OR a = ?", Some("WHERE a = ? OR … OR a = ?")),
            (
                "WHERE a = $1 OR a = $2 OR a = $3 OR a = $4 LIMIT $5",
                Some("WHERE a = $1 OR … OR a = ? LIMIT ?"),
            ),
            (
                "(a = ? AND b = ?) OR (a = ? AND b = ?) OR (a = ? AND b = ?)",
                Some("(a = ? AND b = ?) OR … OR (a = ? AND b = ?)"),
            ),
            (
                "SELECT $1, $2 UNION ALL SELECT $3, $4 UNION ALL SELECT $5, $6",
                Some("SELECT $1, $2 UNION ALL … UNION ALL SELECT ?, ?"),
            ),
            ("CASE id WHEN ? THEN ? WHEN ? THEN ? END", Some("CASE id WHEN … WHEN ? THEN ? END")),
            (
                "CASE id WHEN $1 THEN $2 WHEN $3 THEN $4 WHEN $5 THEN $6 ELSE a END WHERE b = $7",
                Some("CASE id WHEN … WHEN ? THEN ? ELSE a END WHERE b = ?"),
            ),
            ("WHERE a = ? OR a = ?", None),
            ("WHERE a = ? OR b = ? OR c = ?", None),
            ("WHERE a = ? OR b = ? OR bc = ?", None),
            ("WHERE a OR b OR b", None),
            ("SELECT ? UNION SELECT ? UNION ALL SELECT ?", None),
            ("CASE WHEN ? THEN b END", None),
            ("OR OR OR", None),
            ("WHEN", None),
        ] {
            assert_eq!(collapsed(text).as_deref(), expected, "{text}");
        }
    }
}
