//! Expressions.

use sqlparser::ast::{self, BinaryOperator as B, UnaryOperator as U};

use super::Resolver;
use crate::sql::dialect::Dialect;
use crate::sql::expr::{Call, Expr, LikeKind, Literal, Op, Test};
use crate::sql::query::{BlockId, Role};
use crate::sql::type_names;

impl Resolver<'_> {
    /// Resolves an expression in the current scopes.
    pub(super) fn expr(&mut self, expr: &ast::Expr) -> Expr {
        use ast::Expr as E;
        self.check_form(expr);
        match expr {
            E::Identifier(ident) => self.column(ident),
            E::CompoundIdentifier(parts) => self.compound(parts),
            E::Nested(inner) => self.expr(inner),
            E::Value(value) => self.value(&value.value),
            E::BinaryOp { .. } => self.binary(expr),
            E::UnaryOp { op: U::Not | U::BangNot, expr } => Expr::Not(self.boxed(expr)),
            E::UnaryOp { op, expr } => Expr::Unary { op: op.to_string(), expr: self.boxed(expr) },
            E::IsNull(inner) => self.is(inner, Test::Null, false),
            E::IsNotNull(inner) => self.is(inner, Test::Null, true),
            E::IsTrue(inner) => self.is(inner, Test::True, false),
            E::IsNotTrue(inner) => self.is(inner, Test::True, true),
            E::IsFalse(inner) => self.is(inner, Test::False, false),
            E::IsNotFalse(inner) => self.is(inner, Test::False, true),
            E::IsUnknown(inner) => self.is(inner, Test::Unknown, false),
            E::IsNotUnknown(inner) => self.is(inner, Test::Unknown, true),
            E::IsDistinctFrom(left, right) => self.infix(Op::NotSame, left, right),
            E::IsNotDistinctFrom(left, right) => self.infix(Op::Same, left, right),
            E::InList { expr, list, negated } => {
                Expr::InList { expr: self.boxed(expr), list: self.list(list), negated: *negated }
            }
            E::InSubquery { expr, subquery, negated } => {
                self.check_listed(subquery);
                let expr = self.boxed(expr);
                Expr::InQuery {
                    expr,
                    query: self.subquery(subquery, Role::In),
                    op: Op::Eq,
                    negated: *negated,
                }
            }
            E::InUnnest { expr, array_expr, negated } => {
                let (left, right) = (self.boxed(expr), self.boxed(array_expr));
                let any = Expr::Any { left, op: Op::Eq, right, all: false };
                if *negated { Expr::Not(Box::new(any)) } else { any }
            }
            E::Between { expr, negated, low, high } => Expr::Between {
                expr: self.boxed(expr),
                low: self.boxed(low),
                high: self.boxed(high),
                negated: *negated,
            },
            E::Like { negated, any, expr, pattern, .. } => {
                self.like(expr, pattern, LikeKind::Like, *negated, *any)
            }
            E::ILike { negated, any, expr, pattern, .. } => {
                self.like(expr, pattern, LikeKind::ILike, *negated, *any)
            }
            E::SimilarTo { negated, expr, pattern, .. } => {
                self.like(expr, pattern, LikeKind::Similar, *negated, false)
            }
            E::RLike { negated, expr, pattern, .. } => {
                self.like(expr, pattern, LikeKind::Regex, *negated, false)
            }
            E::AnyOp { left, compare_op, right, .. } => self.any(left, compare_op, right, false),
            E::AllOp { left, compare_op, right } => self.any(left, compare_op, right, true),
            E::Cast { expr, data_type, .. } => {
                Expr::Cast { expr: self.boxed(expr), ty: type_names::folded(&data_type.to_string()) }
            }
            E::Convert { expr, data_type: None, .. } => self.other("convert", &[expr]),
            E::Convert { expr, data_type: Some(data_type), .. } => {
                Expr::Cast { expr: self.boxed(expr), ty: type_names::folded(&data_type.to_string()) }
            }
            E::TypedString(typed) => {
                let expr = Box::new(self.value(&typed.value.value));
                Expr::Cast { expr, ty: type_names::folded(&typed.data_type.to_string()) }
            }
            E::Collate { expr, collation } => {
                Expr::Collate { expr: self.boxed(expr), collation: self.object_name(collation).1 }
            }
            E::Function(function) => self.call(function),
            E::Case { operand, conditions, else_result, .. } => Expr::Case {
                operand: operand.as_ref().map(|operand| self.boxed(operand)),
                arms: conditions
                    .iter()
                    .map(|arm| (self.expr(&arm.condition), self.expr(&arm.result)))
                    .collect(),
                otherwise: else_result.as_ref().map(|otherwise| self.boxed(otherwise)),
            },
            E::Exists { subquery, negated } => {
                Expr::Exists { query: self.subquery(subquery, Role::Exists), negated: *negated }
            }
            E::Subquery(query) => Expr::Subquery(self.subquery(query, Role::Scalar)),
            E::Tuple(items) => Expr::Row(self.list(items)),
            E::Array(array) => Expr::Array(self.list(&array.elem)),
            E::CompoundFieldAccess { root, access_chain } => {
                let root = self.expr(root);
                self.access(root, access_chain)
            }
            E::JsonAccess { value, .. } => self.other("json", &[value]),
            E::AtTimeZone { timestamp, time_zone } => self.other("at time zone", &[timestamp, time_zone]),
            E::Extract { field, expr, .. } => {
                let field = field.to_string().to_lowercase();
                let what = format!("extract {}", field.trim_matches('\''));
                self.other(&what, &[expr])
            }
            E::Ceil { expr, .. } => self.builtin("ceil", &[expr]),
            E::Floor { expr, .. } => self.builtin("floor", &[expr]),
            E::Position { expr, r#in } => self.builtin("position", &[expr, r#in]),
            E::Substring { expr, substring_from, substring_for, shorthand, .. } => {
                let mut args: Vec<&ast::Expr> = vec![expr];
                args.extend(substring_from.as_deref());
                let first = ast::Expr::value(ast::Value::Number("1".to_owned(), false));
                args.extend(substring_from.is_none().then_some(&first).filter(|_| substring_for.is_some()));
                args.extend(substring_for.as_deref());
                // Two functions, but in MySQL.
                let is_short = *shorthand && self.dialect != Dialect::MySql;
                self.builtin(if is_short { "substr" } else { "substring" }, &args)
            }
            E::Trim { .. } => self.trim(expr),
            E::Overlay { expr, overlay_what, overlay_from, overlay_for } => {
                let mut args: Vec<&ast::Expr> = vec![expr, overlay_what, overlay_from];
                args.extend(overlay_for.as_deref());
                self.builtin("overlay", &args)
            }
            E::Interval(written) => self.interval(written),
            E::IsJson { expr, .. } => self.other("is json", &[expr]),
            E::IsNormalized { expr, .. } => self.other("is normalized", &[expr]),
            E::GroupingSets(sets) | E::Cube(sets) | E::Rollup(sets) => {
                let parts = sets.iter().flatten().map(|part| self.expr(part)).collect();
                Expr::Other { what: "grouping sets".to_owned(), parts }
            }
            E::MatchAgainst { columns, match_value, .. } => {
                // A single full-text index has to contain all the columns, or the database rejects the query,
                // so the first suffices.
                let mut columns = columns.iter().map(|name| self.object_column(name));
                let left = columns.next().unwrap_or(Expr::Literal(Literal::Null));
                for _ in columns {}
                let right = self.value(&match_value.value);
                let op = Op::Other("match".to_owned());
                Expr::Binary { op, left: Box::new(left), right: Box::new(right) }
            }
            E::MemberOf(member) => self.other("member of", &[&member.value, &member.array]),
            E::Named { expr, .. } | E::OuterJoin(expr) | E::Prior(expr) | E::Prefixed { value: expr, .. } => {
                self.expr(expr)
            }
            E::Wildcard(_) => Expr::Other { what: "*".to_owned(), parts: Vec::new() },
            E::QualifiedWildcard(name, _) => self.whole_row(name),
            // From other databases.
            E::Struct { values, .. } => Expr::Row(self.list(values)),
            E::Dictionary(_) | E::Map(_) | E::Lambda(_) => {
                Expr::Other { what: short(expr), parts: Vec::new() }
            }
        }
    }

    pub(super) fn list(&mut self, list: &[ast::Expr]) -> Vec<Expr> {
        list.iter().map(|item| self.expr(item)).collect()
    }

    fn boxed(&mut self, expr: &ast::Expr) -> Box<Expr> {
        Box::new(self.expr(expr))
    }

    fn is(&mut self, expr: &ast::Expr, test: Test, negated: bool) -> Expr {
        Expr::Is { expr: self.boxed(expr), test, negated }
    }

    fn infix(&mut self, op: Op, left: &ast::Expr, right: &ast::Expr) -> Expr {
        Expr::Binary { op, left: self.boxed(left), right: self.boxed(right) }
    }

    fn other(&mut self, what: &str, parts: &[&ast::Expr]) -> Expr {
        Expr::Other { what: what.to_owned(), parts: parts.iter().map(|part| self.expr(part)).collect() }
    }

    fn builtin(&mut self, name: &str, args: &[&ast::Expr]) -> Expr {
        let args = args.iter().map(|arg| self.expr(arg)).collect();
        Expr::Call(Call::plain(name, args))
    }

    /// `a.b`, `schema.table.column`, `(row).field` written without parentheses.
    fn compound(&mut self, parts: &[ast::Ident]) -> Expr {
        match parts {
            [] => Expr::Literal(Literal::Null),
            [one] => self.column(one),
            [qualifier @ .., last] => self.qualified_column(qualifier, last),
        }
    }

    pub(super) fn object_column(&mut self, name: &ast::ObjectName) -> Expr {
        let parts: Vec<ast::Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        self.compound(&parts)
    }

    pub(super) fn whole_row(&mut self, name: &ast::ObjectName) -> Expr {
        let parts: Vec<ast::Ident> = name.0.iter().filter_map(|part| part.as_ident()).cloned().collect();
        match self.find_relation(&parts) {
            Some((_, relation)) => Expr::WholeRow(relation),
            None => Expr::Other { what: "*".to_owned(), parts: Vec::new() },
        }
    }

    /// Infix operators. Chains are left-deep and may be long, so they are descended in a loop.
    fn binary(&mut self, expr: &ast::Expr) -> Expr {
        let mut spine = Vec::new();
        let mut leftmost = expr;
        while let ast::Expr::BinaryOp { left, op, right } = leftmost {
            spine.push((op, right.as_ref()));
            leftmost = left;
        }
        let mut result = self.expr(leftmost);
        while let Some((op, right)) = spine.pop() {
            self.check_operator(op, right);
            let right = self.expr(right);
            result = match op {
                B::And => join(result, right, |expr| matches!(expr, Expr::And(_)), Expr::And),
                B::Or => join(result, right, |expr| matches!(expr, Expr::Or(_)), Expr::Or),
                op => {
                    // Only the query of the assignment itself has to run on its own.
                    if let (B::Assignment, Some(block)) = (op, self.current_block()) {
                        self.block_mut(block).is_volatile = true;
                    }
                    self.operation(op, result, right)
                }
            };
        }
        result
    }

    fn operation(&self, op: &B, left: Expr, right: Expr) -> Expr {
        let like = |left, right, kind, negated| Expr::Like {
            expr: Box::new(left),
            pattern: Box::new(right),
            kind,
            negated,
        };
        match op {
            B::PGLikeMatch => like(left, right, LikeKind::Like, false),
            B::PGNotLikeMatch => like(left, right, LikeKind::Like, true),
            B::PGILikeMatch => like(left, right, LikeKind::ILike, false),
            B::PGNotILikeMatch => like(left, right, LikeKind::ILike, true),
            B::PGRegexMatch | B::Regexp => like(left, right, LikeKind::Regex, false),
            B::PGRegexIMatch => like(left, right, LikeKind::IRegex, false),
            B::PGRegexNotMatch => like(left, right, LikeKind::Regex, true),
            B::PGRegexNotIMatch => like(left, right, LikeKind::IRegex, true),
            B::Glob => like(left, right, LikeKind::Glob, false),
            // The mark of an operator before its operand.
            B::Custom(op) if op.starts_with(' ') => prefixed(op.trim_start(), left, right),
            op => Expr::Binary { op: self.operator(op), left: Box::new(left), right: Box::new(right) },
        }
    }

    /// PostgreSQL has no `<=>` of its own; that of an extension is a distance.
    fn operator(&self, op: &B) -> Op {
        match op {
            B::Spaceship if self.dialect == Dialect::Postgres => Op::Other("<=>".to_owned()),
            op => operator(op),
        }
    }

    fn like(
        &mut self,
        expr: &ast::Expr,
        pattern: &ast::Expr,
        kind: LikeKind,
        negated: bool,
        any: bool,
    ) -> Expr {
        // The parser reads `ALL (..)` after LIKE as a call.
        if let Some(array) = all_of(pattern) {
            let op = Op::Other("like".to_owned());
            return Expr::Any { left: self.boxed(expr), op, right: self.boxed(array), all: true };
        }
        let (expr, pattern) = (self.boxed(expr), self.boxed(pattern));
        if any {
            let op = Op::Other("like".to_owned());
            return Expr::Any { left: expr, op, right: pattern, all: negated };
        }
        Expr::Like { expr, pattern, kind, negated }
    }

    fn any(&mut self, left: &ast::Expr, op: &B, right: &ast::Expr, all: bool) -> Expr {
        let left = self.boxed(left);
        let op = self.operator(op);
        match right {
            ast::Expr::Subquery(query) => {
                self.check_listed(query);
                Expr::InQuery { expr: left, query: self.subquery(query, Role::In), op, negated: all }
            }
            ast::Expr::Nested(inner) if matches!(inner.as_ref(), ast::Expr::Subquery(_)) => {
                let ast::Expr::Subquery(query) = inner.as_ref() else { return *left };
                Expr::InQuery { expr: left, query: self.subquery(query, Role::In), op, negated: all }
            }
            right => Expr::Any { left, op, right: self.boxed(right), all },
        }
    }

    pub(super) fn subquery(&mut self, query: &ast::Query, role: Role) -> BlockId {
        let parent = self.current_block();
        self.query(query, role, parent)
    }

    fn value(&mut self, value: &ast::Value) -> Expr {
        use ast::Value as V;
        Expr::Literal(match value {
            // They were numbered before parsing.
            V::Placeholder(name) => {
                let number = crate::sql::parameters::numbered(name).unwrap_or(0);
                let passed = self.parameters.as_ref().and_then(|(_, all)| all.get(number.checked_sub(1)?));
                return passed.map_or(Expr::Parameter(number), |(_, value)| value.clone());
            }
            V::Null => Literal::Null,
            V::Boolean(value) => Literal::Bool(*value),
            V::Number(text, _) => Literal::Number(text.clone()),
            V::SingleQuotedString(text) | V::EscapedStringLiteral(text) | V::NationalStringLiteral(text) => {
                Literal::Text(text.clone())
            }
            V::DoubleQuotedString(text) | V::UnicodeStringLiteral(text) => Literal::Text(text.clone()),
            V::DollarQuotedString(text) => Literal::Text(text.value.clone()),
            other => Literal::Other(other.to_string()),
        })
    }

    /// Fields and elements of an expression, one after the other.
    pub(super) fn access(&mut self, mut expr: Expr, chain: &[ast::AccessExpr]) -> Expr {
        let is_slice = |access: &ast::AccessExpr| {
            matches!(access, ast::AccessExpr::Subscript(ast::Subscript::Slice { .. }))
        };
        // One slice makes slices of all subscripts.
        let has_slice = chain.iter().any(is_slice);
        for (at, access) in chain.iter().enumerate() {
            expr = match access {
                ast::AccessExpr::Dot(ast::Expr::Identifier(ident)) => {
                    let field = self.fold(ident);
                    if let Some(column) = self.column_of_row(&expr, &field, ident) {
                        expr = column;
                        continue;
                    }
                    self.check_field(&expr, &field, self.bytes(ident.span));
                    Expr::Access { expr: Box::new(expr), field: Some(field), subscripts: Vec::new() }
                }
                ast::AccessExpr::Dot(_) => {
                    Expr::Access { expr: Box::new(expr), field: Some("*".to_owned()), subscripts: Vec::new() }
                }
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) if has_slice => {
                    let parts = vec![expr, self.expr(index)];
                    Expr::Other { what: "slice".to_owned(), parts }
                }
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => {
                    let subscript = self.expr(index);
                    match expr {
                        // `list[1][2]` is one element.
                        Expr::Access { expr, field: None, mut subscripts } if at > 0 => {
                            subscripts.push(subscript);
                            Expr::Access { expr, field: None, subscripts }
                        }
                        expr => {
                            let subscripts = vec![subscript];
                            Expr::Access { expr: Box::new(expr), field: None, subscripts }
                        }
                    }
                }
                ast::AccessExpr::Subscript(ast::Subscript::Slice { lower_bound, upper_bound, stride }) => {
                    let bounds = [lower_bound, upper_bound, stride];
                    let bounds = bounds.into_iter().flatten().map(|bound| self.expr(bound));
                    let parts = [expr].into_iter().chain(bounds).collect();
                    Expr::Other { what: "slice".to_owned(), parts }
                }
            };
        }
        expr
    }
}

/// Joins two conditions under one AND or OR, flattening both sides.
fn join(left: Expr, right: Expr, same: fn(&Expr) -> bool, make: fn(Vec<Expr>) -> Expr) -> Expr {
    let parts = |expr: Expr| match expr {
        Expr::And(all) | Expr::Or(all) if same(&make(Vec::new())) => all,
        other => vec![other],
    };
    let mut all = if same(&left) { parts(left) } else { vec![left] };
    if same(&right) {
        all.extend(parts(right));
    } else {
        all.push(right);
    }
    make(all)
}

/// An operator before its operand, which the rewrite wrote after NULL, or only the operand if it has no name; what
/// binds tighter took the NULL.
fn prefixed(op: &str, before: Expr, operand: Expr) -> Expr {
    match before {
        Expr::Literal(Literal::Null) if op.is_empty() => operand,
        Expr::Literal(Literal::Null) => Expr::Unary { op: op.to_owned(), expr: Box::new(operand) },
        before => Expr::Other { what: "prefix".to_owned(), parts: vec![before, operand] },
    }
}

fn operator(op: &B) -> Op {
    match op {
        B::Eq => Op::Eq,
        B::NotEq => Op::NotEq,
        B::Lt => Op::Lt,
        B::LtEq => Op::LtEq,
        B::Gt => Op::Gt,
        B::GtEq => Op::GtEq,
        B::Spaceship => Op::Same,
        B::StringConcat => Op::Concat,
        B::Plus => Op::Arithmetic('+'),
        B::Minus => Op::Arithmetic('-'),
        B::Multiply => Op::Arithmetic('*'),
        B::Divide | B::DuckIntegerDivide => Op::Arithmetic('/'),
        B::MyIntegerDivide => Op::Other("div".to_owned()),
        B::Modulo => Op::Arithmetic('%'),
        B::PGCustomBinaryOperator(parts) => match parts.last().map(String::as_str) {
            Some("=") => Op::Eq,
            last => Op::Other(last.unwrap_or_default().to_owned()),
        },
        other => Op::Other(other.to_string().to_lowercase()),
    }
}

/// The array of `ALL (array)`.
fn all_of(pattern: &ast::Expr) -> Option<&ast::Expr> {
    let ast::Expr::Function(call) = pattern else { return None };
    let ([ast::ObjectNamePart::Identifier(name)], ast::FunctionArguments::List(list)) =
        (call.name.0.as_slice(), &call.args)
    else {
        return None;
    };
    let [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(array))] = list.args.as_slice() else {
        return None;
    };
    (name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all")).then_some(array)
}

/// The start of an expression that is not analysed.
fn short(expr: &ast::Expr) -> String {
    expr.to_string().chars().take(40).collect::<String>().to_lowercase()
}
