//! Inserts a new lint into the files that list lints.

/// The list of lints with one more: its module and its entry in `ALL`, both sorted by name.
pub(super) fn registration(text: &str, name: &str) -> Option<String> {
    let with_module = sorted(text, "mod ", ";", name)?;
    sorted(&with_module, "    &", "::LINT,", name)
}

/// Inserts a line into a block of sorted lines with the same start and end; `None` if there is no such block.
fn sorted(text: &str, start: &str, end: &str, name: &str) -> Option<String> {
    let line = format!("{start}{name}{end}\n");
    let is_entry = |line: &str| line.starts_with(start) && line.trim_end().ends_with(end);
    let mut offset = 0;
    let mut at = None;
    for existing in text.split_inclusive('\n') {
        let next = offset + existing.len();
        match at {
            // After the last entry that sorts before the new one.
            _ if is_entry(existing) && existing < line.as_str() => at = Some(next),
            None if is_entry(existing) => at = Some(offset),
            _ => {}
        }
        offset = next;
    }
    let at = at?;
    Some(format!("{}{line}{}", &text[..at], &text[at..]))
}

/// The changelog with a line for the lint, after the last one of the newest version.
pub(super) fn changelog(text: &str, name: &str) -> Option<String> {
    let newest = text.find("\n## ")? + 1;
    let end = text[newest..].find("\n\n## ").map_or(text.trim_end().len(), |at| newest + at);
    Some(format!("{}\n- Lint `{name}`.{}", &text[..end], &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str =
        "mod alpha;\nmod delta;\n\npub const ALL: &[&Lint] = &[\n    &alpha::LINT,\n    &delta::LINT,\n];\n";

    #[test]
    fn a_lint_is_registered_in_the_order_of_names() {
        for (name, before) in [("beta", "delta"), ("aaa", "alpha")] {
            let text = registration(LIST, name).expect("a list");
            assert!(text.contains(&format!("mod {name};\nmod {before};")), "{text}");
            assert!(text.contains(&format!("    &{name}::LINT,\n    &{before}::LINT,")), "{text}");
        }
        let last = registration(LIST, "zeta").expect("a list");
        assert!(
            last.contains("mod delta;\nmod zeta;\n\n") && last.contains("&delta::LINT,\n    &zeta::LINT,\n]")
        );
        assert_eq!(registration("nothing", "beta"), None);
    }

    #[test]
    fn the_changelog_line_ends_the_newest_version() {
        let text = "# Changelog\n\n## 0.2.0\n\n- One.\n\n## 0.1.0\n\n- Old.\n";
        assert_eq!(
            changelog(text, "beta").as_deref(),
            Some("# Changelog\n\n## 0.2.0\n\n- One.\n- Lint `beta`.\n\n## 0.1.0\n\n- Old.\n")
        );
    }
}
