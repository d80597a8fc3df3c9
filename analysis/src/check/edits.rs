//! Edits: each is tried on its query before it is offered, then mapped to the file that holds the query.

use std::ops::Range;

use super::Checker;
use crate::finding::{Applicability, Finding, InFile, Place, Target};
use crate::lints;
use crate::rust::{Allow, Literals, Site};
use crate::schema::Schema;
use crate::sql::text::LineIndex;
use crate::sql::{Dialect, Query};
use crate::types::{self, Described};

/// A query that edits are tried on.
pub(super) struct Subject<'a> {
    pub(super) sql: &'a str,
    pub(super) query: &'a Query,
    pub(super) dialect: Dialect,
    pub(super) site: Option<&'a Site>,
    pub(super) allows: &'a [Allow],
}

impl Checker<'_> {
    /// Tries the edits of each finding: the result has to parse and resolve, with one such finding fewer.
    /// Edits that fail are dropped; edits that change what the caller binds or reads are not applied
    /// unattended.
    pub(super) fn try_edits(&self, subject: &Subject<'_>, findings: &mut [Finding]) {
        for at in 0..findings.len() {
            let Some(finding) = findings.get(at) else { continue };
            let is_of_file = finding.edits.iter().any(|edit| edit.target == Target::File);
            if is_of_file || finding.applicability().is_none_or(|it| it == Applicability::Part) {
                continue;
            }
            let before = findings.iter().filter(|other| other.lint == finding.lint).count();
            let outcome = self.attempt(subject, finding, before);
            let Some(finding) = findings.get_mut(at) else { continue };
            match outcome {
                None => finding.edits.clear(),
                Some(same_types) => {
                    let least = if same_types { Applicability::Machine } else { Applicability::Maybe };
                    for edit in &mut finding.edits {
                        edit.applicability = edit.applicability.max(least);
                    }
                }
            }
        }
    }

    /// Whether the query after a finding's edits still takes the same parameters and returns the same
    /// columns; `None` if the edits do not help or break the query.
    fn attempt(&self, subject: &Subject<'_>, finding: &Finding, before: usize) -> Option<bool> {
        let sql = finding.edited(subject.sql)?;
        let after = self.examine_once(&sql, subject.site, subject.allows, &[]);
        let query = after.query.as_ref().ok()?;
        let left = after.findings.iter().filter(|other| other.lint == finding.lint).count();
        let is_refused = |finding: &Finding| {
            lints::by_name(finding.lint).is_some_and(|lint| lint.is(lints::Trait::Refused))
        };
        // An unknown name may hide further problems, which appear once it is fixed.
        let is_wrong =
            !is_refused(finding) && (after.findings.iter().any(is_refused) || !query.problems.is_empty());
        if left >= before || is_wrong || query.parameters != subject.query.parameters {
            return None;
        }
        let schema = self.schema?;
        Some(takes_and_gives_the_same(subject, query, schema))
    }
}

/// Whether two queries have parameters and columns of the same types. Decided by PostgreSQL's rules alone:
/// other databases do not check the type of a parameter.
fn takes_and_gives_the_same(subject: &Subject<'_>, after: &Query, schema: &Schema) -> bool {
    if subject.dialect != Dialect::Postgres {
        return true;
    }
    let before = types::describe(subject.query, schema, subject.dialect);
    let after = types::describe(after, schema, subject.dialect);
    let parameters = |described: &Described| -> Option<Vec<String>> {
        described.parameters.iter().map(|it| Some(it.ty.known()?.name.clone())).collect()
    };
    let columns = |described: &Described| -> Option<Vec<(String, String, Option<bool>)>> {
        if described.unknown.is_some() {
            return None;
        }
        let of = |it: &types::Column| Some((it.name.clone(), it.ty.known()?.name.clone(), it.nullable));
        described.columns.iter().map(of).collect()
    };
    let same = |a: Option<_>, b: Option<_>| a.is_some() && a == b;
    same(parameters(&before), parameters(&after))
        && columns(&before).is_some()
        && columns(&before) == columns(&after)
}

/// A file that holds the targets of edits.
#[derive(Debug)]
pub struct EditedFile<'s> {
    text: &'s str,
    /// The length of the byte order mark before it.
    mark: usize,
    lines: LineIndex<'s>,
    literals: Literals<'s>,
}

impl<'s> EditedFile<'s> {
    /// The file with this text.
    pub fn new(source: &'s str) -> EditedFile<'s> {
        let text = source.strip_prefix('\u{feff}').unwrap_or(source);
        let (lines, literals) = (LineIndex::new(text), Literals::new(text));
        EditedFile { text, mark: source.len() - text.len(), lines, literals }
    }

    /// Maps the edits of a finding to the file. If one edit cannot be located exactly, none is mapped: half of a
    /// rewrite is useless.
    pub fn place(&self, finding: &mut Finding) {
        let sql = finding.sql.clone();
        let mut is_placed = true;
        for edit in &mut finding.edits {
            let old = sql.as_deref().and_then(|sql| sql.get(edit.span.clone()));
            let placed = match edit.target {
                _ if edit.start.line == 0 => None,
                Target::File => {
                    let bytes = byte_at(&self.lines, &edit.start)..byte_at(&self.lines, &edit.end);
                    Some((with_blank_line(self.text, bytes, &edit.replacement), edit.replacement.clone()))
                }
                Target::Sql => old.and_then(|old| self.replaced(&edit.start, old, &edit.replacement)),
            };
            let Some((bytes, replacement)) = placed else {
                is_placed = false;
                break;
            };
            edit.start = place_at(&self.lines, &edit.start, bytes.start);
            edit.end = place_at(&self.lines, &edit.start, bytes.end);
            edit.in_file =
                Some(InFile { bytes: bytes.start + self.mark..bytes.end + self.mark, replacement });
        }
        if !is_placed {
            finding.edits.iter_mut().for_each(|edit| edit.in_file = None);
        }
    }

    /// The bytes that an edit of SQL replaces in the file, and their replacement.
    fn replaced(&self, start: &Place, old: &str, new: &str) -> Option<(Range<usize>, String)> {
        let at = byte_at(&self.lines, start);
        match start.file.rsplit('.').next() {
            Some("rs") => self.literals.rewritten(at, old, new),
            Some("sql") => {
                self.text.get(at..)?.starts_with(old).then(|| (at..at + old.len(), new.to_owned()))
            }
            // In JSON the text is escaped, and generated by another program.
            _ => None,
        }
    }
}

/// The range to delete, extended to the whole line if nothing else remains on it.
fn with_blank_line(text: &str, bytes: Range<usize>, replacement: &str) -> Range<usize> {
    if !replacement.is_empty() {
        return bytes;
    }
    let before = text.get(..bytes.start).unwrap_or_default();
    let after = text.get(bytes.end..).unwrap_or_default();
    let start = before.trim_end_matches([' ', '\t']).len();
    let blank = after.trim_start_matches([' ', '\t']);
    let blank = blank.strip_prefix('\r').unwrap_or(blank);
    let is_alone = start == 0 || before.get(..start).is_some_and(|line| line.ends_with('\n'));
    match blank.strip_prefix('\n') {
        Some(rest) if is_alone => start..text.len() - rest.len(),
        // What follows moves up to the deleted text's place.
        None if after.starts_with([' ', '\t']) => {
            bytes.start..text.len() - after.trim_start_matches([' ', '\t']).len()
        }
        _ => bytes,
    }
}

fn byte_at(lines: &LineIndex<'_>, place: &Place) -> usize {
    lines.offset(u64::from(place.line), u64::from(place.column.max(1)))
}

fn place_at(lines: &LineIndex<'_>, like: &Place, byte: usize) -> Place {
    let (line, column) = lines.line_column(byte);
    let number = |value: usize| u32::try_from(value).unwrap_or(u32::MAX);
    Place { file: like.file.clone(), line: number(line), column: number(column) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Config;
    use crate::schema::Replay;

    /// The source after all edits that may be applied unattended, or after any edit with `all`.
    fn fixed(source: &str, all: bool) -> String {
        let mut replay = Replay::new(Dialect::Postgres);
        replay.apply(lints::EXAMPLE_SCHEMA, "example.sql");
        let config = Config::default();
        let checker = Checker::new(&config, Some(&replay.schema), Dialect::Postgres);
        let (scan, calls) = crate::rust::scan("lib.rs", source).expect("it is Rust").follow_alone();
        let mut edits = Vec::new();
        for mut finding in checker.file(&scan, &calls, &|_| None).findings {
            EditedFile::new(source).place(&mut finding);
            let limit = if all { Applicability::Maybe } else { Applicability::Machine };
            if finding.applicability().is_some_and(|it| it <= limit) {
                edits.extend(finding.edits.into_iter().filter_map(|edit| edit.in_file));
            }
        }
        edits.sort_by_key(|edit| std::cmp::Reverse(edit.bytes.start));
        let mut fixed = source.to_owned();
        for edit in edits {
            fixed.replace_range(edit.bytes, &edit.replacement);
        }
        fixed
    }

    fn in_function(statement: &str) -> String {
        format!("async fn run(db: &PgPool) {{\n    {statement}\n}}\n")
    }

    #[track_caller]
    fn check(source: &str, expected: &str, all: bool) {
        assert_eq!(fixed(&in_function(source), all), in_function(expected));
    }

    #[test]
    fn a_day_becomes_a_range() {
        // The date of a timestamp depends on the session's time zone.
        let zoned =
            r#"sqlx::query!("SELECT id FROM logs WHERE date(created_at) = $1 ORDER BY id LIMIT 9", day);"#;
        check(zoned, zoned, false);
        check(
            r#"sqlx::query!("SELECT id FROM logs WHERE date(created_at) = $1 AND output = 'é' ORDER BY id LIMIT 9", day);"#,
            r#"sqlx::query!("SELECT id FROM logs WHERE created_at >= $1::date AND created_at < $1::date + 1 AND output = 'é' ORDER BY id LIMIT 9", day);"#,
            true,
        );
        check(
            "sqlx::query!(\"SELECT id \\\n        FROM logs \\\n        WHERE output <> $2 \\\n          AND created_at::date = $1\", day, out);",
            "sqlx::query!(\"SELECT id \\\n        FROM logs \\\n        WHERE output <> $2 \\\n          AND created_at >= $1::date AND created_at < $1::date + 1\", day, out);",
            true,
        );
    }

    #[test]
    fn what_a_caller_binds_stays_of_its_type() {
        let source =
            r#"sqlx::query!("SELECT name FROM events WHERE user_id::text = $1 ORDER BY id LIMIT 9", user);"#;
        check(source, source, false);
        let bound = r#"sqlx::query!("SELECT name FROM events WHERE user_id = $1::bigint ORDER BY id LIMIT 9", user);"#;
        check(source, bound, true);
        check(
            r#"sqlx::query!("SELECT name FROM events WHERE user_id::int = $1 ORDER BY id LIMIT 9", user);"#,
            r#"sqlx::query!("SELECT name FROM events WHERE user_id = $1::int ORDER BY id LIMIT 9", user);"#,
            false,
        );
        check(
            r#"sqlx::query!("SELECT name FROM events WHERE user_id::int = ANY($1) ORDER BY id LIMIT 9", &users);"#,
            r#"sqlx::query!("SELECT name FROM events WHERE user_id = ANY($1::int[]) ORDER BY id LIMIT 9", &users);"#,
            false,
        );
    }

    #[test]
    fn words_are_added_where_they_change_no_row() {
        check(
            r#"sqlx::query!("SELECT 'a' AS kind, id FROM events WHERE user_id = $1 UNION SELECT 'b', id FROM users WHERE id = $1", user).fetch_one(db).await;"#,
            r#"sqlx::query!("SELECT 'a' AS kind, id FROM events WHERE user_id = $1 UNION ALL SELECT 'b', id FROM users WHERE id = $1", user).fetch_one(db).await;"#,
            false,
        );
        let first = r#"sqlx::query!("SELECT name FROM events WHERE user_id = $1 ORDER BY id;", user).fetch_one(db).await;"#;
        check(first, &first.replace("id;", "id LIMIT 1;"), false);
        for other in [
            first.replace("id;", "id FOR UPDATE"),
            first.replace("SELECT name", "SELECT name, pg_advisory_lock(id)"),
            first.replace("ORDER BY id;", "AND pg_try_advisory_lock(id) ORDER BY id"),
        ] {
            check(&other, &other, true);
        }
    }

    #[test]
    fn of_several_unions_those_without_duplicates_are_not_told_apart() {
        let source = r#"sqlx::query!("SELECT 'a', id FROM events WHERE id IN (SELECT id FROM servers UNION SELECT id FROM users) UNION SELECT 'b', id FROM users").fetch_one(db).await;"#;
        check(source, source, true);
    }

    #[test]
    fn the_key_is_an_order_for_those_who_look() {
        let source = r#"sql!("SELECT name FROM events WHERE user_id = $1 LIMIT 5 OFFSET 10", user).fetch_all(db).await;"#;
        check(source, source, false);
        check(source, &source.replace("LIMIT", "ORDER BY id LIMIT"), true);
    }

    #[test]
    fn not_in_becomes_not_exists() {
        check(
            r#"sqlx::query!("SELECT id FROM servers s WHERE s.id NOT IN (SELECT server_id FROM events WHERE is_active OR name = $1) ORDER BY id LIMIT 5", name);"#,
            r#"sqlx::query!("SELECT id FROM servers s WHERE NOT EXISTS (SELECT 1 FROM events WHERE events.server_id = s.id AND (is_active OR name = $1)) ORDER BY id LIMIT 5", name);"#,
            true,
        );
        let captured =
            r#"sqlx::query!("SELECT id FROM events WHERE server_id NOT IN (SELECT server_id FROM events)");"#;
        check(captured, captured, true);
    }

    #[test]
    fn a_slip_in_a_name_is_put_right_by_those_who_look() {
        let source = r##"sql!(r#"SELECT "nmae" FROM event WHERE id = $1"#, 1).fetch_one(db).await;"##;
        check(source, source, false);
        check(
            source,
            r##"sql!(r#"SELECT "nmae" FROM events WHERE id = $1"#, 1).fetch_one(db).await;"##,
            true,
        );
        check(
            r##"sql!(r#"SELECT "nmae" FROM events WHERE id = $1"#, 1).fetch_one(db).await;"##,
            r##"sql!(r#"SELECT name FROM events WHERE id = $1"#, 1).fetch_one(db).await;"##,
            true,
        );
    }

    #[test]
    fn an_allow_that_silences_nothing_goes_with_its_line() {
        check(
            "// query-budget: allow(missing_limit): one row\n    sql!(\"SELECT name FROM servers WHERE id = 1\").fetch_all(db).await;",
            "sql!(\"SELECT name FROM servers WHERE id = 1\").fetch_all(db).await;",
            false,
        );
        check(
            "sql!(#[allow(missing_limit = \"one row\")] \"SELECT name FROM servers WHERE id = 1\").fetch_all(db).await;",
            "sql!(\"SELECT name FROM servers WHERE id = 1\").fetch_all(db).await;",
            false,
        );
        let goes_on = "// query-budget: allow(missing_limit): one row\n    // and no more\n    sql!(\"SELECT name FROM servers WHERE id = 1\").fetch_all(db).await;";
        check(goes_on, goes_on, false);
    }

    #[test]
    fn an_edit_across_two_literals_is_none() {
        let source = r#"sqlx::query(concat!("SELECT id FROM logs WHERE date(created_", "at) = $1 ORDER BY id LIMIT 9")).bind(1);"#;
        check(source, source, true);
        check(
            r#"sqlx::query(concat!("SELECT id FROM logs ", "WHERE date(created_at) = $1", " ORDER BY id LIMIT 9")).bind(1);"#,
            r#"sqlx::query(concat!("SELECT id FROM logs ", "WHERE created_at >= $1::date AND created_at < $1::date + 1", " ORDER BY id LIMIT 9")).bind(1);"#,
            true,
        );
    }
}
