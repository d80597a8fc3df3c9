//! How many iterations a `loop` has at most that steps a number and leaves at a limit: `n += 1; if n >= 3 { break; }`.

use syn::{BinOp, Block, Expr, Stmt};

use super::counted::{self, Counter, LIMIT};
use super::exits::{block_ends_in, is_exit_of_loop};
use super::purpose::{self, Turns};
use super::shape::Shape;
use super::{Walker, numbers};

impl Walker<'_> {
    /// The turns of a `loop`, with their number if it counts them.
    pub(super) fn endless_turns(&self, body: &Block, turns: Turns) -> Turns {
        let most = (0..body.stmts.len()).find_map(|at| self.most_until(body, at));
        match most {
            Some(most) => Turns {
                exempt: turns.exempt.or(purpose::over(Shape::Fixed(None, false)).exempt),
                count: Some(most),
                exact: false,
            },
            None => turns,
        }
    }

    /// The most turns of a loop that the statement at a position leaves once a number reaches a limit.
    fn most_until(&self, body: &Block, at: usize) -> Option<u64> {
        let Stmt::Expr(Expr::If(node), _) = body.stmts.get(at)? else { return None };
        if !block_ends_in(&node.then_branch, &is_exit_of_loop) {
            return None;
        }
        let (name, steps) = self.steps_until(&node.cond)?;
        let is_step = |statement: &Stmt| match statement {
            Stmt::Expr(Expr::Binary(node), _) => counted::step(node, &name).is_some(),
            _ => false,
        };
        let step = body.stmts.iter().position(is_step)?;
        if counted::may_go_on(body.stmts.get(..step.max(at))?) {
            return None;
        }
        match step < at {
            // The first turn steps before it asks.
            true => Some(steps.max(1)),
            // The turn that leaves has begun, and has done what comes before.
            false => Some(steps.saturating_add(1)),
        }
    }

    /// The number that a condition compares with a limit, and the steps until it holds.
    fn steps_until(&self, condition: &Expr) -> Option<(String, u64)> {
        let compared = match condition {
            Expr::Paren(inner) => return self.steps_until(&inner.expr),
            Expr::Binary(both) if matches!(both.op, BinOp::Or(_)) => {
                return self.steps_until(&both.left).or_else(|| self.steps_until(&both.right));
            }
            Expr::Binary(compared) => compared,
            _ => return None,
        };
        let Expr::Path(path) = compared.left.as_ref() else { return None };
        let name = path.path.get_ident()?.to_string();
        let Counter { first, by, goes_up } = self.counter(&name)?;
        // It starts anew with the loop.
        if self.here.locals.get(&name)?.loops != self.here.loops.len() {
            return None;
        }
        let limit = numbers::single_number(&compared.right, self)?;
        let is_safe = match goes_up {
            true => limit.checked_add(by)? <= LIMIT,
            false => by == 1,
        };
        // The first number at which it holds, on the way.
        let end = match compared.op {
            BinOp::Ge(_) if goes_up => limit,
            BinOp::Gt(_) if goes_up => limit.checked_add(1)?,
            BinOp::Le(_) if !goes_up => limit,
            BinOp::Lt(_) if !goes_up => limit.checked_sub(1)?,
            BinOp::Eq(_) if by == 1 && if goes_up { first < limit } else { limit < first } => limit,
            _ => return None,
        };
        let way = if goes_up { end.saturating_sub(first) } else { first.saturating_sub(end) };
        is_safe.then_some((name, way.div_ceil(by)))
    }
}
