//! Comments that split a migration into an up and a down part.

/// A tool that splits its files.
struct Divided {
    tool: &'static str,
    /// The start of a mark after the dashes, in lower case and without spaces.
    prefix: &'static str,
    up: &'static str,
    down: &'static str,
    /// Whether options may follow the word.
    options: bool,
}

/// Marks that consist of words, ignoring spaces: `-- +goose Up`, `-- migrate:up transaction:false`.
const DIVIDED: &[Divided] = &[
    Divided { tool: "dbmate", prefix: "migrate:", up: "up", down: "down", options: true },
    Divided { tool: "goose", prefix: "+goose", up: "up", down: "down", options: false },
    Divided { tool: "sql-migrate", prefix: "+migrate", up: "up", down: "down", options: true },
    Divided { tool: "micrate", prefix: "+micrate", up: "up", down: "down", options: false },
    Divided { tool: "rambler", prefix: "rambler", up: "up", down: "down", options: false },
    Divided { tool: "Play", prefix: "!", up: "ups", down: "downs", options: false },
    Divided { tool: "node-pg-migrate", prefix: "", up: "upmigration", down: "downmigration", options: false },
    Divided { tool: "shmig", prefix: "=", up: "up", down: "down", options: false },
    Divided { tool: "shmig", prefix: "@", up: "up", down: "down", options: false },
    Divided { tool: "marks", prefix: "", up: "up", down: "down", options: false },
];

/// Lines that start the down part in files without a mark for the up part.
const SEPARATORS: &[(&str, &str)] = &[("tern", "createabove/dropbelow"), ("MyBatis", "//@undo")];

/// The direction that a line sets.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// The up part of a migration, with everything else blanked so that line numbers stay the same, and the tool
/// whose marks split it; `None` for a file without marks.
pub(super) fn way_up(text: &str) -> Option<(&'static str, String)> {
    // Most files have no marks, and need not be read line by line.
    if !text.contains("--") && !text.contains('#') {
        return None;
    }
    let lines: Vec<&str> = text.split_inclusive(['\n', '\r']).collect();
    if text.lines().next().is_some_and(|line| comment(line).as_deref() == Some("atlas:txtar")) {
        let ways: Vec<Option<Way>> = lines.iter().map(|line| archived(line)).collect();
        return Some(("Atlas", kept(&lines, &ways, Way::Down)));
    }
    for divided in DIVIDED {
        let ways: Vec<Option<Way>> = lines.iter().map(|line| divided.way(line)).collect();
        // A lone down comment is not a mark; for ordinary words, the up mark has to come first.
        let names_tool = divided.prefix.len() > 1;
        let is_divided = match names_tool {
            true => ways.contains(&Some(Way::Up)),
            false => ways.iter().flatten().next() == Some(&Way::Up),
        };
        if is_divided {
            return Some((divided.tool, kept(&lines, &ways, Way::Down)));
        }
    }
    for (tool, separator) in SEPARATORS {
        let ways: Vec<Option<Way>> = lines
            .iter()
            .map(|line| (comment(line).is_some_and(|text| text.starts_with(separator))).then_some(Way::Down))
            .collect();
        if ways.contains(&Some(Way::Down)) {
            return Some((tool, kept(&lines, &ways, Way::Up)));
        }
    }
    None
}

/// Atlas: the start of a file in an archive: `-- migration.sql --` is the way up, and checks and `-- down.sql --` are not.
fn archived(line: &str) -> Option<Way> {
    let name = line.trim().strip_prefix("-- ")?.strip_suffix(" --")?.trim();
    let is_file = name.ends_with(".sql") && !name.contains(char::is_whitespace);
    is_file.then_some(if name == "migration.sql" { Way::Up } else { Way::Down })
}

/// Whether the file is an Atlas checkpoint, which supersedes earlier files.
pub(super) fn is_checkpoint(text: &str) -> bool {
    text.lines().take_while(|line| line.starts_with("--")).any(|line| line.starts_with("-- atlas:checkpoint"))
}

/// The lines of the up part.
fn kept(lines: &[&str], ways: &[Option<Way>], first: Way) -> String {
    let mut way = first;
    let mut out = String::new();
    for (line, mark) in lines.iter().zip(ways) {
        way = mark.unwrap_or(way);
        if way == Way::Up && mark.is_none() {
            out.push_str(line);
        } else {
            out.extend(line.chars().filter(|char| matches!(char, '\n' | '\r')));
        }
    }
    out
}

/// The text of a line that is only a comment: in lower case, without spaces and surrounding punctuation.
fn comment(line: &str) -> Option<String> {
    let line = line.trim().trim_start_matches('\u{feff}');
    let inner = line.strip_prefix("--").or_else(|| line.strip_prefix('#'))?;
    let inner = inner.trim_matches(|char: char| char == '-' || char.is_whitespace());
    Some(inner.chars().filter(|char| !char.is_whitespace()).flat_map(char::to_lowercase).collect())
}

impl Divided {
    fn way(&self, line: &str) -> Option<Way> {
        if !line.trim_start_matches('\u{feff}').trim_start().starts_with(['-', '#']) {
            return None;
        }
        let text = comment(line)?;
        let rest = text.strip_prefix(self.prefix)?;
        let rest = rest.trim_start_matches(['=', '!']).trim_end_matches(['=', ':', '*', '+']);
        // Longer words first: `downs` is not `down` with options.
        [(self.up, Way::Up), (self.down, Way::Down)].into_iter().find_map(|(word, way)| {
            let behind = rest.strip_prefix(word)?;
            (behind.is_empty() || self.options).then_some(way)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(&str, &str)>) {
        let found = way_up(text);
        let found = found.as_ref().map(|(tool, sql)| (*tool, sql.trim()));
        assert_eq!(found, expect, "{text:?}");
    }

    #[test]
    fn each_tool_by_its_marks() {
        for (tool, up, down) in [
            ("dbmate", "-- migrate:up", "-- migrate:down"),
            ("dbmate", "--migrate:up transaction:false", "-- migrate:down transaction:false"),
            ("goose", "-- +goose Up", "-- +goose Down"),
            ("goose", "  -- +GOOSE UP", "--+goose down"),
            ("sql-migrate", "-- +migrate Up notransaction", "-- +migrate Down"),
            ("micrate", "-- +micrate Up", "-- +micrate Down"),
            ("rambler", "-- rambler up", "-- rambler down"),
            ("shmig", "-- ==== UP ====", "-- ==== DOWN ===="),
            ("Play", "# --- !Ups", "# --- !Downs"),
            ("Play", "-- !Ups", "-- !Downs"),
            ("node-pg-migrate", "-- Up Migration", "-- Down Migration"),
            ("marks", "-- Up", "-- Down"),
        ] {
            check(&format!("{up}\nCREATE 1;\n{down}\nDROP 1;\n"), Some((tool, "CREATE 1;")));
        }
        let archive = "-- atlas:txtar\n\n-- checks.sql --\nSELECT 1;\n-- migration.sql --\nCREATE 1;\n-- down.sql --\nDROP 1;\n";
        check(archive, Some(("Atlas", "CREATE 1;")));
        let back_first = "-- migrate:down\nDROP 1;\n-- migrate:up\nCREATE 1;\n";
        check(back_first, Some(("dbmate", "CREATE 1;")));
        check("CREATE 1;\n---- create above / drop below ----\nDROP 1;\n", Some(("tern", "CREATE 1;")));
        check("-- // first\nCREATE 1;\n-- //@UNDO\nDROP 1;\n", Some(("MyBatis", "-- // first\nCREATE 1;")));
    }

    #[test]
    fn comments_that_only_speak_of_it_are_no_marks() {
        for text in [
            "CREATE 1;",
            "-- migrate down is not supported\nCREATE 1;\n-- going down the list\nCREATE 2;",
            "CREATE 1;\n-- Down\nCREATE 2;",
            "-- set up\nCREATE 1;\n-- down\nCREATE 2;",
            "-- the up migration is below\nCREATE 1;",
            "SELECT '\n-- x';",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn lines_keep_their_numbers() {
        let (_, sql) = way_up("x;\r\n-- migrate:up\r\na;\r\n-- migrate:down\r\nb;\r\n").expect("marks");
        assert_eq!(sql, "\r\n\r\na;\r\n\r\n\r\n");
        assert!(
            is_checkpoint("-- atlas:checkpoint\n\nCREATE 1;")
                && !is_checkpoint("CREATE 1; -- atlas:checkpoint")
        );
    }
}
