//! Index hints and samples.

use sqlparser::ast;

use super::Resolver;
use crate::sql::expr::Expr;
use crate::sql::query::Asked;

impl Resolver<'_> {
    /// A `TABLESAMPLE`. The built-in methods take a percentage, those of extensions a number.
    pub(super) fn sample(&mut self, sample: &ast::TableSampleKind) -> Option<Asked> {
        let (ast::TableSampleKind::BeforeTableAlias(sample) | ast::TableSampleKind::AfterTableAlias(sample)) =
            sample;
        let size = self.expr(&sample.quantity.as_ref()?.value);
        Some(match size {
            Expr::Call(call) if sample.name.is_none() => {
                let ty = match call.name.as_str() {
                    "system_rows" => "int8",
                    "system_time" => "float8",
                    _ => return None,
                };
                Asked::Sample { size: call.args.into_iter().next()?, ty }
            }
            size => Asked::Sample { size, ty: "float4" },
        })
    }
}

/// The restriction that an index hint puts on a search; hints for ORDER BY or GROUP BY put none.
pub(super) fn asked(hint: &ast::TableIndexHints) -> Option<Asked> {
    use ast::TableIndexHintForClause as For;
    if !matches!(hint.for_clause, None | Some(For::Join)) {
        return None;
    }
    let names = hint.index_names.iter().map(|name| name.value.clone()).collect();
    Some(match hint.hint_type {
        ast::TableIndexHintType::Ignore => Asked::Ignore(names),
        ast::TableIndexHintType::Use | ast::TableIndexHintType::Force => Asked::Use(names),
    })
}
