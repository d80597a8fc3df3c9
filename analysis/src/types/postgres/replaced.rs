//! Functions of a schema in whose place the planner puts their query.

use super::plan::Reading;
use crate::sql::outer_joins::padded;
use crate::sql::query::{RelationId, Source};

impl Reading<'_> {
    /// Whether the planner may put the query of a function of the schema in place of its call: it does if the function
    /// is written in SQL and changes nothing.
    pub(super) fn may_be_replaced(&self, id: RelationId) -> bool {
        let relation = self.query.relation(id);
        let Source::Function(name, _) = &relation.source else { return false };
        let mut texts = self.schema.functions_named(name).flat_map(|(_, texts)| texts);
        relation.inlined.is_some() || texts.any(|text| is_steady_sql(text))
    }

    /// Whether the planner may put a query in place of a call whose outer joins are not followed.
    pub(super) fn may_be_padded_within(&self, id: RelationId) -> bool {
        let relation = self.query.relation(id);
        if !self.may_be_replaced(id) {
            return false;
        }
        match relation.inlined {
            Some(block) => {
                let mut inner = self.query.block_ids().filter(|(id, _)| self.query.is_within(*id, block));
                inner.any(|(_, block)| !padded(block).is_empty())
            }
            // Views have joins of their own.
            None => {
                let Source::Function(name, _) = &relation.source else { return false };
                let mut texts = self.schema.functions_named(name).flat_map(|(_, texts)| texts);
                let views = || self.schema.views.keys().map(|view| view.name.as_str());
                texts.any(|text| {
                    ["left", "right", "full"].into_iter().chain(views()).any(|it| has_word(text, it))
                })
            }
        }
    }
}

/// Whether a statement may create a function in SQL that is stable or immutable.
fn is_steady_sql(text: &str) -> bool {
    has_word(text, "sql") && (has_word(text, "stable") || has_word(text, "immutable"))
}

fn has_word(text: &str, wanted: &str) -> bool {
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_');
    words.any(|word| word.eq_ignore_ascii_case(wanted))
}

#[cfg(test)]
mod tests {
    use super::is_steady_sql;

    #[test]
    fn functions_in_sql_that_change_nothing_are_replaced() {
        for (text, expect) in [
            ("CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql STABLE AS $$ SELECT 1 $$", true),
            ("create function f() returns setof t as 'select 1' immutable language SQL", true),
            ("CREATE FUNCTION f() RETURNS SETOF t LANGUAGE sql AS $$ SELECT 1 $$", false),
            ("CREATE FUNCTION f() RETURNS SETOF t LANGUAGE plpgsql STABLE AS $$ BEGIN END $$", false),
        ] {
            assert_eq!(is_steady_sql(text), expect, "{text}");
        }
    }
}
