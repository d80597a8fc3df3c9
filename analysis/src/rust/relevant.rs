//! What of a workspace's source can matter, going by names alone: bodies of functions that come to no query are blanked
//! before anything is parsed.
//!
//! Names find more than the call graph will: a function is left in when it may make a query, or may call, and can wait
//! for, one of the same name as a function that is left in. Lines and columns stay what they are.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};

use super::outline::{Outline, Outlined, Waits, outline};

/// What there is to parse of each of `texts`; `None` for a file in which nothing matters.
pub fn relevant<'t>(texts: &[&'t str]) -> Vec<Option<Cow<'t, str>>> {
    let outlines: Vec<Outline<'_>> = texts.iter().map(|text| outline(text)).collect();
    let kept = Kept::new(&outlines);
    let files = texts.iter().zip(&outlines).enumerate();
    files
        .map(|(file, (text, outline))| {
            kept.files.contains(&file).then(|| {
                let is_left = |function: usize| kept.functions.contains(&(file, function));
                blanked(text, outline, is_left)
            })
        })
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

/// What is left in.
struct Kept {
    /// The functions, by file and position.
    functions: HashSet<(usize, usize)>,
    /// The files.
    files: HashSet<usize>,
}

impl Kept {
    fn new(outlines: &[Outline<'_>]) -> Kept {
        let functions = functions(outlines);
        let mut files: HashSet<usize> = functions.iter().map(|(file, _)| *file).collect();
        files.extend((0..).zip(outlines).filter(|(_, outline)| outline.is_needed).map(|(file, _)| file));
        let left = functions.iter().filter_map(|(file, at)| outlines.get(*file)?.functions.get(*at));
        let mut types: HashSet<&str> = left.flat_map(|function| &function.owners).copied().collect();
        // A type that leads to one that matters, by a field or by what a method gives, matters as well.
        loop {
            let before = types.len();
            for (file, outline) in outlines.iter().enumerate() {
                for (name, names) in &outline.leads {
                    if types.contains(name) || !names.is_disjoint(&types) {
                        files.insert(file);
                        types.extend(Some(*name).filter(|name| !name.is_empty()));
                    }
                }
            }
            if types.len() == before {
                return Kept { functions, files };
            }
        }
    }
}

/// The functions that may come to a query: those that may make one, and those that may call, and wait for, another.
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
            let can_wait = caller.waits != Waits::Never || function.waits != Waits::Awaited;
            if can_wait && found.insert(*id) {
                new.push((*id, caller));
            }
        }
    }
    found
}
