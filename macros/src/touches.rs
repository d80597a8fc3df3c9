//! The tables that a query reads and writes, as data for run time.

use proc_macro2::TokenStream;
use query_budget_analysis::project::Project;
use query_budget_analysis::schema::Schema;
use query_budget_analysis::sql::{self, Query};
use query_budget_analysis::touches::{self, Touches};
use quote::quote;

/// `.touching(&Tables { .. })`, for the site of the query; empty without the feature `cache`.
pub(crate) fn of(project: &Project, query: Option<&Query>, text: &str) -> TokenStream {
    if !cfg!(feature = "cache") {
        return TokenStream::new();
    }
    let schema = project.schema.as_deref();
    let touches = touches::of(query, text, schema, project.dialect);
    let reads = touches.reads.iter().map(ToString::to_string);
    let writes = touches.writes.iter().map(ToString::to_string);
    let (reads_unknown, writes_unknown) = (touches.reads_unknown, touches.writes_unknown);
    let digest = schema.map_or(0, |schema| digest(&touches, schema));
    quote! {
        .touching(&::query_budget::__private::Tables {
            reads: &[#(#reads),*],
            writes: &[#(#writes),*],
            reads_unknown: #reads_unknown,
            writes_unknown: #writes_unknown,
            schema: #digest,
        })
    }
}

/// A hash of the definitions of the tables that are read, which a migration changes.
fn digest(touches: &Touches, schema: &Schema) -> u64 {
    let tables = touches.reads.iter().map(|name| (schema.stored(name), schema.views.get(name)));
    sql::fingerprint(&format!("{:?}", tables.collect::<Vec<_>>()))
}
