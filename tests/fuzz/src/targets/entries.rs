//! An entry of a `.sqlx` folder, and a line of a file of queries.

use query_budget_analysis::Config;
use query_budget_analysis::check::Checker;
use query_budget_analysis::project::saved_query;

use super::SCHEMAS;
use super::query::told;
use crate::features::Features;

pub(super) fn run(text: &str) -> Features {
    let mut features = Features::default();
    let sql = match saved_query(text) {
        Ok(sql) => sql,
        Err(error) => {
            features.said("error", &error);
            return features;
        }
    };
    let config = Config::default();
    for schema in SCHEMAS.iter() {
        let checked = Checker::new(&config, Some(schema), schema.dialect).bare(&sql, &[]);
        for finding in &checked.findings {
            told(finding, &sql);
            features.said((schema.dialect.as_str(), finding.lint), &finding.message);
        }
    }
    features
}
