//! A query that was saved as JSON: an entry of a `.sqlx` folder, a line of a `.jsonl` file.

/// The text of a saved query.
///
/// # Errors
///
/// Why there is none, as a fragment; the position stands in it only where the text has several lines.
pub fn saved_query(text: &str) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Saved {
        query: String,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map(|Saved { query }| query).map_err(|error| {
        let error = error.to_string();
        let has_lines = text.trim_end().contains('\n');
        // The position is one inside the line, which is named already.
        if has_lines { error } else { error.split(" at line ").next().unwrap_or_default().to_owned() }
    })
}
