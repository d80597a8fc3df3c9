//! Findings as SARIF 2.1.0 objects, the format of code scanning.

use serde_json::{Value, json};

use crate::baseline::Known;
use crate::finding::{Applicability, Finding, InFile, Level, Place};
use crate::lints::{self, Lint};
use crate::notice::{Notice, Severity};

use super::inert;

/// The key of our fingerprints; the version grows when their computation changes.
const FINGERPRINT: &str = "queryBudget/v1";

/// All lints as rules, in the order of `lints::ALL`; `level` is the level in this run.
pub fn rules(level: impl Fn(&Lint) -> Level) -> Vec<Value> {
    lints::ALL.iter().map(|lint| rule(lint, level(lint))).collect()
}

fn rule(lint: &Lint, level: Level) -> Value {
    let page = lint.page();
    json!({
        "id": lint.name,
        "name": camel_case(lint.name),
        "shortDescription": { "text": lint.summary },
        "fullDescription": { "text": lint.summary },
        "help": { "text": page, "markdown": page },
        "helpUri": lint.url(),
        "defaultConfiguration": { "enabled": level > Level::Allow, "level": word(level) },
        "properties": { "tags": ["sql", "performance", lint.group.as_str()] },
    })
}

/// A finding as a result; it refers to the rules of [`rules`].
pub fn result(finding: &Finding) -> Value {
    let mut message = finding.message.clone();
    for help in &finding.help {
        message += &format!("\nhelp: {help}");
    }
    for note in &finding.notes {
        message += &format!("\nnote: {note}");
    }
    let mut result = json!({
        "ruleId": finding.lint,
        "level": word(finding.level),
        "message": { "text": inert(&message, false) },
        "partialFingerprints": {
            FINGERPRINT: format!("{:016x}", Known::of(finding, &*finding.place.file).fingerprint()),
        },
    });
    if let Some(index) = lints::ALL.iter().position(|lint| lint.name == finding.lint) {
        result["ruleIndex"] = json!(index);
    }
    if let Some(mut location) = location(&finding.place) {
        if !finding.function.is_empty() {
            let function = json!({ "fullyQualifiedName": &*finding.function, "kind": "function" });
            location["logicalLocations"] = json!([function]);
        }
        result["locations"] = json!([location]);
    }
    let related = finding.related.iter().enumerate().filter_map(|(id, related)| {
        let mut location = location(&related.place)?;
        location["id"] = json!(id);
        location["message"] = json!({ "text": inert(&related.message, false) });
        Some(location)
    });
    let related: Vec<Value> = related.collect();
    if !related.is_empty() {
        result["relatedLocations"] = json!(related);
    }
    if let Some(fix) = fix(finding) {
        result["fixes"] = json!([fix]);
    }
    if let Some(sql) = &finding.sql {
        result["properties"] = json!({ "sql": &**sql });
    }
    result
}

/// The edits of a finding as one fix; `None` if there are none, or they need manual changes as well.
fn fix(finding: &Finding) -> Option<Value> {
    if finding.applicability()? == Applicability::Part {
        return None;
    }
    let mut replacements = Vec::new();
    for edit in &finding.edits {
        let InFile { replacement, .. } = edit.in_file.as_ref()?;
        replacements.push(json!({
            "deletedRegion": {
                "startLine": edit.start.line,
                "startColumn": edit.start.column,
                "endLine": edit.end.line,
                "endColumn": edit.end.column,
            },
            "insertedContent": { "text": replacement },
        }));
    }
    let first = finding.edits.first()?;
    if finding.edits.iter().any(|edit| edit.start.file != first.start.file) {
        return None;
    }
    let description = finding.help.first().map_or("edit", String::as_str);
    Some(json!({
        "description": { "text": inert(description, false) },
        "artifactChanges": [{ "artifactLocation": artifact(&first.start.file), "replacements": replacements }],
    }))
}

/// A notice as a notification about the run.
pub fn notification(notice: &Notice) -> Value {
    let mut message = notice.message.clone();
    for help in &notice.help {
        message += &format!("\nhelp: {help}");
    }
    let level = match notice.kind.severity() {
        Severity::Error => "error",
        Severity::Warning => "warning",
        Severity::Note => "note",
    };
    told(level, notice.kind.as_str(), &message, &notice.place)
}

/// A notification about the run.
pub fn told(level: &str, kind: &str, message: &str, place: &Place) -> Value {
    let mut value = json!({
        "level": level,
        "message": { "text": inert(message, false) },
        "descriptor": { "id": kind },
    });
    if let Some(location) = location(place) {
        value["locations"] = json!([location]);
    }
    value
}

/// A place as a location; `None` if it is unknown.
fn location(place: &Place) -> Option<Value> {
    if place.file.is_empty() {
        return None;
    }
    // A finding about a whole file goes to its first line: without a line it would not be displayed.
    let mut region = json!({ "startLine": place.line.max(1) });
    if place.line > 0 && place.column > 0 {
        region["startColumn"] = json!(place.column);
    }
    Some(json!({ "physicalLocation": { "artifactLocation": artifact(&place.file), "region": region } }))
}

/// A file, named as in a log.
fn artifact(file: &str) -> Value {
    let uri = uri(file);
    let mut artifact = json!({ "uri": uri });
    if !uri.starts_with("file:") {
        artifact["uriBaseId"] = json!("%SRCROOT%");
    }
    artifact
}

/// A path as a URI reference.
fn uri(path: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=@".contains(&byte);
    let encoded: String = path
        .bytes()
        .map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    if path.starts_with('/') { format!("file://{encoded}") } else { encoded }
}

fn word(level: Level) -> &'static str {
    match level {
        Level::Deny => "error",
        Level::Warn => "warning",
        Level::Allow => "none",
    }
}

/// `missing_limit` as `MissingLimit`.
fn camel_case(name: &str) -> String {
    let words = name.split('_').map(|word| {
        let mut chars = word.chars();
        chars.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + chars.as_str())
    });
    words.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fingerprint_does_not_move_with_its_line() {
        let of = |line: u32, sql: &str| {
            let mut finding = Finding::new("missing_limit", "nothing bounds the rows");
            finding.place = Place { file: "src/a.rs".into(), line, column: 5 };
            finding.sql = Some(sql.into());
            result(&finding)["partialFingerprints"][FINGERPRINT].as_str().map(str::to_owned)
        };
        assert_eq!(of(3, "SELECT id FROM t"), of(90, "SELECT id\n FROM t"));
        assert_ne!(of(3, "SELECT id FROM t"), of(3, "SELECT id FROM u"));
        assert_eq!(of(3, "SELECT 1").as_deref(), Some("9bf316a8cca7a4c6"), "it is the same for good");
    }

    #[test]
    fn paths_are_encoded() {
        for (path, expected) in [
            ("src/a.rs", "src/a.rs"),
            ("src/a b%#é.rs", "src/a%20b%25%23%C3%A9.rs"),
            ("c:x.rs", "c%3Ax.rs"),
            ("/x/a.rs", "file:///x/a.rs"),
        ] {
            assert_eq!(uri(path), expected);
        }
    }

    #[test]
    fn every_lint_is_a_rule_with_its_page() {
        let rules = rules(|lint| lint.group.level());
        assert_eq!(rules.len(), lints::ALL.len());
        for rule in rules {
            let help = rule["help"]["markdown"].as_str().unwrap_or_default();
            assert!(help.starts_with("## What it does\n"), "{rule}");
            assert!(rule["helpUri"].as_str().is_some_and(|uri| uri.ends_with(".md")), "{rule}");
        }
        assert_eq!(camel_case("query_in_loop"), "QueryInLoop");
    }
}
