//! What the values that are bound to a query say about it: a constant that turns a condition off, a token that finds one row.

use crate::lints::QueryContext;
use crate::rust::Site;
use crate::sql::expr::{ColumnRef, Expr, Op};
use crate::sql::query::{Block, Body, Query};

/// A query as it runs with the constants that are bound to it; `None` if none of them matters. A text that several functions
/// share has conditions such as `($1 OR id = $2)`: with `false`, the row is found by its key.
pub(in crate::lints) fn with_constants(query: &Query, site: &Site) -> Option<Query> {
    if !site.arguments_complete || site.arguments.len() != query.parameters {
        return None;
    }
    let is_false = |number: usize| {
        let argument = number.checked_sub(1).and_then(|at| site.arguments.get(at));
        argument.is_some_and(|argument| argument.written == "false")
    };
    if !(1..=query.parameters).any(is_false) {
        return None;
    }
    let mut known = query.clone();
    let mut is_changed = false;
    for block in &mut known.blocks {
        let filter = match &mut block.body {
            Body::Select(select) => select.filter.as_mut(),
            Body::Write(write) => write.filter.as_mut(),
            Body::Set { .. } | Body::Values(_) | Body::Unknown => None,
        };
        if let Some(filter) = filter {
            is_changed |= simplify(filter, &is_false);
        }
    }
    is_changed.then_some(known)
}

/// Leaves out the alternatives of a condition that are false; returns whether there are any.
fn simplify(condition: &mut Expr, is_false: &dyn Fn(usize) -> bool) -> bool {
    match condition {
        Expr::And(parts) => {
            let mut is_changed = false;
            for part in parts {
                is_changed |= simplify(part, is_false);
            }
            is_changed
        }
        Expr::Or(arms) => {
            let before = arms.len();
            arms.retain(|arm| !matches!(arm.without_casts(), Expr::Parameter(number) if is_false(*number)));
            let is_changed = arms.len() < before && !arms.is_empty();
            if arms.len() == 1 {
                *condition = arms.remove(0);
            }
            is_changed
        }
        _ => false,
    }
}

/// Whether a condition of a block compares a column with a value that is random: the token of a session, or its hash. No two
/// rows have the same, whether or not the database knows.
pub(in crate::lints) fn finds_by_token(context: &QueryContext<'_>, block: &Block) -> bool {
    let is_bound = |side: &Expr| matches!(side.without_casts(), Expr::Parameter(_));
    context.is_raw()
        && block.filters().iter().any(|condition| match condition {
            Expr::Binary { op: Op::Eq, left, right } => {
                let column = match (is_bound(left), is_bound(right)) {
                    (false, true) => left.as_column(),
                    (true, false) => right.as_column(),
                    _ => None,
                };
                column.is_some_and(|column| is_token(&column.name))
            }
            _ => false,
        })
}

/// Whether the only condition compares keys with one value: a code or a name, whichever the value is.
pub(in crate::lints) fn is_by_one_value(context: &QueryContext<'_>, query: &Query, root: &Block) -> bool {
    let [Expr::Or(arms)] = root.filters() else { return false };
    let is_key = |column: &ColumnRef| {
        let table = column.relation.and_then(|id| context.table(query, id));
        table.is_some_and(|table| table.is_key(&column.name))
    };
    let value = |arm: &Expr| match arm {
        Expr::Binary { op: Op::Eq, left, right } => match (left.as_column(), right.without_casts()) {
            (Some(column), Expr::Parameter(number)) if is_key(column) => Some(*number),
            _ => None,
        },
        _ => None,
    };
    let first = arms.first().and_then(value);
    first.is_some() && arms.iter().all(|arm| value(arm) == first)
}

/// Words before `token` that tell a secret from another kind of token, such as that of a currency.
const SECRETS: &[&str] = &[
    "access",
    "activation",
    "api",
    "auth",
    "bearer",
    "confirmation",
    "csrf",
    "invitation",
    "invite",
    "login",
    "refresh",
    "reset",
    "session",
    "unsubscribe",
    "verification",
    "verify",
];

/// Whether a column of this name has a random value, or the hash of one: `reset_token`, `token_hash`, `api_key_hash`.
fn is_token(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let words: Vec<&str> = name.split('_').collect();
    match words.as_slice() {
        [.., secret, "hash" | "digest"] => matches!(*secret, "jti" | "key" | "secret" | "token"),
        [.., kind, "token"] => SECRETS.contains(kind),
        [.., last] => *last == "jti",
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::is_token;
    use crate::finding::Tier::Shown;
    use crate::lints::tests::tiers_in;

    #[test]
    fn tokens_of_accounts_are_told_from_those_of_currencies() {
        for name in ["token_hash", "refresh_token_hash", "password_reset_token", "api_key_hash", "jti"] {
            assert!(is_token(name), "{name}");
        }
        for name in ["token", "sell_token", "name_hash", "tokens", "block_hash", "hash", "key"] {
            assert!(!is_token(name), "{name}");
        }
    }

    #[test]
    fn a_constant_turns_an_alternative_off() {
        let check = |first: &str, expected: &[_]| {
            let sql = "SELECT name FROM events WHERE user_id = $3 AND ($1 OR id = $2)";
            let body =
                format!("sqlx::query({sql:?}).bind({first}).bind(id).bind(user).fetch_optional(db).await?;");
            assert_eq!(tiers_in("nonunique_fetch_one", &body), expected, "{first}");
        };
        check("false", &[]);
        check("true", &[Shown]);
        check("all", &[Shown]);
    }
}
