//! Findings as JSON. The keys are part of the command line's interface: new ones may be added, none is
//! renamed.

use serde_json::{Value, json};

use crate::finding::{Edit, Finding, InFile, Place, Sighting, Target};
use crate::notice::Notice;

/// A finding as an object.
pub fn finding(finding: &Finding) -> Value {
    let mut value = json!({
        "lint": finding.lint,
        "level": finding.level.as_str(),
        "message": finding.message,
        "function": (!finding.function.is_empty()).then_some(&*finding.function),
        "sql": finding.sql.as_deref(),
        "help": lines(&finding.help),
        "notes": finding.notes,
        "related": finding.related.iter().map(|related| {
            let mut value = json!({ "message": related.message });
            put_place(&mut value, &related.place);
            value
        }).collect::<Vec<_>>(),
    });
    put_place(&mut value, &finding.place);
    if !finding.places.is_empty() {
        let place_of = |sighting: &Sighting| {
            let function = (!sighting.function.is_empty()).then_some(&*sighting.function);
            let mut value = json!({ "function": function });
            put_place(&mut value, &sighting.place);
            value
        };
        value["places"] = finding.places.iter().map(place_of).collect();
    }
    if !finding.edits.is_empty() {
        value["edits"] = finding.edits.iter().map(edit).collect();
    }
    if let Some(excerpt) = &finding.excerpt {
        value["excerpt"] = json!({
            "text": &*excerpt.text,
            "start": excerpt.span.start,
            "end": excerpt.span.end,
            "label": excerpt.label,
        });
    }
    value
}

/// An edit: its place in the file, if known, and its bytes in the query.
fn edit(edit: &Edit) -> Value {
    let mut value = json!({
        "replacement": edit.replacement,
        "applicability": edit.applicability.as_str(),
    });
    if edit.target == Target::Sql {
        value["sql_start"] = json!(edit.span.start);
        value["sql_end"] = json!(edit.span.end);
    }
    if let Some(InFile { bytes, replacement }) = &edit.in_file {
        value["byte_start"] = json!(bytes.start);
        value["byte_end"] = json!(bytes.end);
        value["written"] = json!(replacement);
    }
    put_place(&mut value, &edit.start);
    if edit.end.line > 0 {
        value["end_line"] = json!(edit.end.line);
        value["end_column"] = json!(edit.end.column);
    }
    value
}

/// Several imperatives as one text; `None` if there are none.
fn lines(help: &[String]) -> Option<String> {
    (!help.is_empty()).then(|| help.join("\n"))
}

/// A notice as an object.
pub fn notice(notice: &Notice) -> Value {
    let mut value = json!({
        "kind": notice.kind.as_str(),
        "severity": notice.kind.severity().as_str(),
        "message": notice.message,
        "help": lines(&notice.help),
        "notes": notice.notes,
    });
    put_place(&mut value, &notice.place);
    value
}

/// Adds `file`, `line` and `column`; null if unknown.
pub fn put_place(value: &mut Value, place: &Place) {
    value["file"] = if place.file.is_empty() { Value::Null } else { json!(&*place.file) };
    value["line"] = if place.line == 0 { Value::Null } else { json!(place.line) };
    value["column"] = if place.column == 0 { Value::Null } else { json!(place.column) };
}
