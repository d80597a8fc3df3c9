//! Functions that answer requests, judging by their attributes and by what they take and give.

use super::Reader;

impl Reader<'_, '_> {
    /// Whether the word at the current position, in the head of a function, is one of what a server hands to those that answer
    /// requests, or takes from them: `State(db): State<PgPool>`, `web::Json<New>`, `-> impl IntoResponse`.
    pub(super) fn is_of_request(&self, word: &str) -> bool {
        let is_pattern = || self.sign(self.at + 1) == Some(b'(');
        let is_qualifier = || self.sign(self.at + 1) == Some(b':') && self.sign(self.at + 2) == Some(b':');
        match word {
            "HttpRequest" | "HttpResponse" | "IntoResponse" | "Multipart" | "Responder"
            | "WebSocketUpgrade" => true,
            "Extension" | "Form" | "Json" | "Path" | "Query" | "State" => is_pattern(),
            "web" => is_qualifier(),
            _ => false,
        }
    }
}

/// Whether an attribute says that the function below it answers requests: `#[post("/orders")]`.
pub(super) fn is_route(attribute: &str) -> bool {
    matches!(attribute, "delete" | "get" | "patch" | "post" | "put" | "route")
}
