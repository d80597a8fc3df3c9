//! The frame of every page: the head with a policy that blocks all external content, style, script, and the
//! bar at the top.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use query_budget_analysis::render::written_out;
use sha2::{Digest, Sha256};

const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// A page around `content`. `figures` are embedded for scripts that track reports over time.
pub(super) fn page(title: &str, subtitle: &str, figures: &serde_json::Value, content: &Markup) -> String {
    let markup = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="generator" content="query-budget";
                meta http-equiv="Content-Security-Policy" content=(policy());
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                meta name="color-scheme" content="light dark";
                title { (title) " · query-budget" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                a.skip href="#content" { "Skip to the content" }
                header.bar {
                    div.name { strong { (title) } span.muted { (subtitle) } }
                    div.tools hidden {
                        input type="search" id="search" placeholder="Search (/)" aria-label="Search" autocomplete="off" spellcheck="false";
                        button type="button" id="theme" title="Light or dark" aria-label="Light or dark" { "◐" }
                    }
                }
                main id="content" { (content) }
                script type="application/json" id="figures" { (PreEscaped(inert_json(figures))) }
                script { (PreEscaped(SCRIPT)) }
            }
        }
    };
    // Names of the database and texts of the source may hold characters that browsers obey.
    written_out(&markup.into_string()).into_owned()
}

/// The style and script of the page are allowed by their digests; nothing else is loaded or run.
fn policy() -> String {
    let digest = |text: &str| STANDARD.encode(Sha256::digest(text.as_bytes()));
    format!(
        "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        digest(STYLE),
        digest(SCRIPT)
    )
}

/// JSON that can neither end an element nor start a comment, whatever its texts contain.
fn inert_json(value: &serde_json::Value) -> String {
    value
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_in_a_page_ends_no_script() {
        let value = serde_json::json!({ "a": "</script><!--<script>\u{2028}&amp;" });
        let text = inert_json(&value);
        assert!(!text.contains(['<', '>', '&', '\u{2028}']), "{text}");
        assert_eq!(serde_json::from_str::<serde_json::Value>(&text).expect("JSON"), value);
    }

    #[test]
    fn what_browsers_obey_is_written_out() {
        let name = "a\u{202e}b\u{1b}c";
        let text = page(name, "", &serde_json::json!({ "name": name }), &html! { p { (name) } });
        assert!(
            text.contains("<p>a\\u202eb\\u001bc</p>") && text.contains("{\"name\":\"a\\u202eb\\u001bc\"}"),
            "{text}"
        );
        for text in [STYLE, SCRIPT] {
            assert_eq!(written_out(text), text, "their digests would no longer fit");
        }
    }

    #[test]
    fn style_and_script_ask_for_nothing_outside() {
        for text in [STYLE, SCRIPT] {
            for needle in ["://", "@import", "url(", "fetch(", "XMLHttpRequest", "innerHTML", "</"] {
                assert!(!text.contains(needle), "{needle}");
            }
        }
    }
}
