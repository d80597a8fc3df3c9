//! The typed form of a call: how values are bound and rows are read, or the errors in either.

use proc_macro2::TokenStream;
use query_budget_analysis::sql::batch::Refusal;
use quote::quote;

use crate::arguments::Parameter;
use crate::emit::{self, Misuse};
use crate::input::{MacroCall, Sql};
use crate::rows::{self, Plan};
use crate::types::Types;

/// A call whose parts match.
pub(crate) struct Fitted<M> {
    /// The derived statement.
    pub(crate) made: M,
    /// What the parameters accept, by position, if known.
    pub(crate) parameters: Vec<Option<Parameter>>,
    /// How rows are read.
    pub(crate) plan: Plan,
}

/// Matches a call with its types; `None`, with messages, if that fails. If the database refuses the query,
/// the lack of types is not reported on top. Columns of uncertain nullability are reported as well.
pub(crate) fn fitted<M>(
    query: &MacroCall,
    sql: &Sql,
    types: Option<&Types<'_>>,
    made: Result<M, Refusal>,
    messages: &mut TokenStream,
    is_refused: bool,
) -> Option<Fitted<M>> {
    let checked = types.filter(|_| query.kind.checked);
    let parameters =
        checked.map_or_else(|| Ok(Vec::new()), |types| types.parameters(&query.arguments, &sql.text));
    let fitted = match (made, parameters, rows::plan(query, sql, types)) {
        (Ok(made), Ok(parameters), Ok(plan)) => Fitted { made, parameters, plan },
        _ if is_refused => return None,
        (made, parameters, plan) => {
            let made = made.err().map(|refusal| Misuse::new(sql.marked, refusal.message, refusal.help));
            let others = parameters.err().into_iter().chain(plan.err()).flatten();
            let misuses: Vec<Misuse> = made.into_iter().chain(others).take(2).collect();
            messages.extend(emit::misuses(&misuses));
            return None;
        }
    };
    for doubt in types.into_iter().flat_map(|types| rows::doubts(query, types)) {
        let doubt = emit::warning("nullable_column", &doubt, sql.marked);
        *messages = quote!(#doubt #messages);
    }
    Some(fitted)
}
