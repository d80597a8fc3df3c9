//! Iterators and streams of which only some elements are drawn: their closures run no more often.

use std::ptr;

use syn::{Expr, ExprMethodCall};

use super::loops::Runs;
use super::{Queries, Walker, numbers, purpose};
use crate::rust::walk::shape::Shape;

impl Walker<'_> {
    /// Walks what a method is called on; how many elements it draws of that limits how often closures in it run.
    pub(super) fn receiver_of(&mut self, node: &ExprMethodCall, method: &str) -> Queries {
        let mark = self.here.drawn.len();
        if let Some(most) = self.most_drawn(node, method) {
            let mut on = node.receiver.as_ref();
            while let Expr::MethodCall(inner) = on
                && gives_one_for_one(&inner.method.to_string())
            {
                self.here.drawn.push((ptr::from_ref(inner).addr(), most));
                on = &inner.receiver;
            }
        }
        let queries = self.expr(&node.receiver);
        self.here.drawn.truncate(mark);
        queries
    }

    /// How many elements a method draws at most, without drawing any ahead.
    fn most_drawn(&self, node: &ExprMethodCall, method: &str) -> Option<u64> {
        match method {
            "take" if node.args.len() == 1 => Some(numbers::number(node.args.first()?, self, 0)?.most),
            "next" | "try_next" if node.args.is_empty() => Some(1),
            _ => None,
        }
    }

    /// How often a method runs its closure, given how many of its elements are drawn.
    pub(super) fn as_drawn(&self, node: &ExprMethodCall, runs: Runs) -> Runs {
        let address = ptr::from_ref(node).addr();
        let most = self.here.drawn.iter().filter(|(of, _)| *of == address).map(|(_, most)| *most).min();
        match (most, runs) {
            (Some(most), Runs::PerElement { over, turns, place, origins, element, collected, is_map })
                if turns.count.is_none_or(|count| count > most) =>
            {
                let turns = purpose::over(Shape::Fixed(Some(most), false));
                Runs::PerElement { over, turns, place, origins, element, collected, is_map }
            }
            (_, runs) => runs,
        }
    }
}

/// Whether each element that is drawn of what a method gives is one that is drawn of what it is called on.
fn gives_one_for_one(method: &str) -> bool {
    matches!(
        method,
        "boxed"
            | "boxed_local"
            | "by_ref"
            | "cloned"
            | "copied"
            | "enumerate"
            | "fuse"
            | "inspect"
            | "inspect_err"
            | "inspect_ok"
            | "map"
            | "map_err"
            | "map_ok"
            | "then"
    )
}
