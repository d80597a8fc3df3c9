//! A query saved as JSON: an entry of a `.sqlx` directory, a line of a `.jsonl` file.

use crate::sql::Dialect;

/// The text of a saved query.
///
/// # Errors
///
/// Why it cannot be read, as a fragment, with a position only if the text has several lines.
pub fn saved_query(text: &str) -> Result<String, String> {
    saved_entry(text).map(|(query, _)| query)
}

/// The text of a saved query, and the database that it names.
///
/// # Errors
///
/// As for `saved_query`.
pub fn saved_entry(text: &str) -> Result<(String, Option<Dialect>), String> {
    #[derive(serde::Deserialize)]
    struct Saved {
        query: String,
        #[serde(default)]
        db_name: serde_json::Value,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let entry = |Saved { query, db_name }| (query, db_name.as_str().and_then(Dialect::from_name));
    serde_json::from_str(text).map(entry).map_err(|error| {
        let error = error.to_string();
        let has_lines = text.trim_end().contains('\n');
        // The position is relative to the line, which the message names already.
        if has_lines { error } else { error.split(" at line ").next().unwrap_or_default().to_owned() }
    })
}
