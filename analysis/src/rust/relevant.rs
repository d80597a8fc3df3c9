//! What of a workspace's source can matter, going by names alone: bodies of functions that come to no query are blanked
//! before anything is parsed.
//!
//! Names find more than the call graph will: a function is left in when it may make a query, or may call, and can wait
//! for, one of the same name as a function that is left in. Lines and columns stay what they are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::outline::{Outline, Outlined, Waits, outline};

/// What there is to parse of each of `texts`: all of it but for the bodies that do not matter.
pub fn relevant<'t>(texts: &[&'t str]) -> Vec<Cow<'t, str>> {
    let outlines: Vec<Outline<'_>> = texts.iter().map(|text| outline(text)).collect();
    let kept = functions(&outlines);
    let files = texts.iter().zip(&outlines).enumerate();
    files
        .map(|(file, (text, outline))| blanked(text, outline, |function| kept.contains(&(file, function))))
        .collect()
}

/// A text without the bodies that do not matter.
fn blanked<'t>(text: &'t str, outline: &Outline<'_>, is_left: impl Fn(usize) -> bool) -> Cow<'t, str> {
    let bodies = outline.functions.iter().enumerate().filter(|(at, _)| !is_left(*at));
    let mut out = String::new();
    let mut from = 0;
    for (_, Outlined { body, .. }) in bodies {
        let (Some(before), Some(inside)) = (text.get(from..body.start), text.get(body.clone())) else {
            continue;
        };
        out.push_str(before);
        // Columns are counted in characters.
        out.extend(inside.chars().map(|c| if c == '\n' { '\n' } else { ' ' }));
        from = body.end;
    }
    match from {
        0 => Cow::Borrowed(text),
        _ => {
            out.push_str(text.get(from..).unwrap_or_default());
            Cow::Owned(out)
        }
    }
}

/// The functions that may come to a query, by file and position: those that may make one, and those that may call, and wait
/// for, another.
fn functions(outlines: &[Outline<'_>]) -> HashSet<(usize, usize)> {
    let all = || {
        let files = outlines.iter().enumerate();
        files.flat_map(|(file, outline)| {
            (0..).zip(&outline.functions).map(move |(at, function)| ((file, at), function))
        })
    };
    let mut callers: HashMap<&str, Vec<((usize, usize), &Outlined<'_>)>> = HashMap::new();
    for (id, function) in all().filter(|(_, function)| !function.queries) {
        for name in &function.calls {
            callers.entry(name).or_default().push((id, function));
        }
    }
    let mut new: Vec<_> = all().filter(|(_, function)| function.queries).collect();
    let mut found: HashSet<(usize, usize)> = new.iter().map(|(id, _)| *id).collect();
    while let Some((_, function)) = new.pop() {
        // What a constructor starts goes on beside whoever called it.
        if function.waits == Waits::Itself && function.name == "new" {
            continue;
        }
        for (id, caller) in callers.get(function.name).into_iter().flatten() {
            let can_wait = caller.waits != Waits::Never || function.waits == Waits::Itself;
            if can_wait && found.insert(*id) {
                new.push((*id, caller));
            }
        }
    }
    found
}
