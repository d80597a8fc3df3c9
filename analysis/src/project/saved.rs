//! A query saved as JSON: an entry of a `.sqlx` directory, a line of a `.jsonl` file.

/// The text of a saved query.
///
/// # Errors
///
/// Why it cannot be read, as a fragment, with a position only if the text has several lines.
pub fn saved_query(text: &str) -> Result<String, String> {
    #[derive(serde::Deserialize)]
    struct Saved {
        query: String,
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    serde_json::from_str(text).map(|Saved { query }| query).map_err(|error| {
        let error = error.to_string();
        let has_lines = text.trim_end().contains('\n');
        // The position is relative to the line, which the message names already.
        if has_lines { error } else { error.split(" at line ").next().unwrap_or_default().to_owned() }
    })
}
