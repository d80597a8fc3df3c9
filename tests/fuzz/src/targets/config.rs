//! A configuration, and a baseline: both are parsed, and the baseline is written so that it parses as the
//! same.

use query_budget_analysis::baseline::Baseline;
use query_budget_analysis::{config, render};

use crate::features::Features;

pub(super) fn run(text: &str) -> Features {
    let mut features = Features::default();
    match config::parse(text, "query-budget.toml") {
        Ok(parsed) => {
            features.counted("lints", parsed.lint_keys.len());
            features.said("config", &format!("{:?}", parsed.config.dialect));
        }
        Err(notice) => {
            features.said("notice", &notice.message);
            let shown = render::text_notice(&notice, render::Style { color: false });
            let bad = |c: char| c.is_control() && c != '\n' && c != '\t';
            assert!(!shown.contains(bad), "text that a terminal obeys: {shown:?}");
            assert!(!render::github_notice(&notice).contains(['\n', '\r']), "a second line in a log");
        }
    }
    match Baseline::parse(text, "baseline.toml") {
        Ok(baseline) => {
            let again = Baseline::parse(&baseline.write(), "baseline.toml");
            assert!(again.is_ok_and(|again| again.findings == baseline.findings), "a baseline is not kept");
            features.counted("baseline", baseline.findings.len());
        }
        Err(broken) => features.said("baseline", &broken.message),
    }
    features
}
