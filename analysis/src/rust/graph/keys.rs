//! Whether a call in a loop reads by a key of each element, or by one that is the same for all: values are followed from the
//! call to what its query is given.

use super::calls::CallGraph;
use crate::rust::flow::CallRef;
use crate::rust::site::{Origin, Site};
use crate::rust::source::FunctionId;

/// What the query that a call in a loop reaches is given, as far as that is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Key {
    /// It may be either.
    #[default]
    Unknown,
    /// Nothing that changes from element to element.
    Same,
    /// A value of the element.
    OfElement,
}

/// What is known of the values of a call, by position.
#[derive(Default)]
struct Values {
    varying: Vec<usize>,
    unknown: Vec<usize>,
}

impl CallGraph<'_> {
    /// What the query is given that a call of one of these functions reaches first.
    pub(super) fn key(&self, call: &CallRef, targets: &[FunctionId]) -> Key {
        let mut values = Values { varying: call.varying.clone(), unknown: Vec::new() };
        let target = self.nearest_target(targets);
        let end =
            target.and_then(|target| self.walk_to_query(target, |_, call| values = values.through(call)));
        let end = end.and_then(|(at, site)| Some((self.get(at)?.1, site)));
        end.map_or(Key::Unknown, |(function, site)| values.key(site, &function.inputs))
    }
}

impl Values {
    /// What the values of a function's parameters make of those of a call in it.
    fn through(&self, call: &CallRef) -> Values {
        let has = |origins: &[Origin], known: &[usize]| {
            origins.iter().any(|origin| matches!(origin, Origin::Parameter(at) if known.contains(at)))
        };
        let is_other = |origin: &Origin| !matches!(origin, Origin::Parameter(_));
        let mut values = Values::default();
        for (at, origins) in call.passed.iter().enumerate() {
            if has(origins, &self.varying) {
                values.varying.push(at);
            } else if has(origins, &self.unknown) || origins.iter().any(is_other) {
                values.unknown.push(at);
            }
        }
        // A method whose receiver and arguments were not noted.
        if call.passed.is_empty() {
            values.unknown.extend(0..=call.arguments);
        }
        values
    }

    /// What a query is given in a function with these parameters.
    fn key(&self, site: &Site, inputs: &[(String, usize)]) -> Key {
        let mut key = if site.arguments_complete { Key::Same } else { Key::Unknown };
        for name in site.arguments.iter().flat_map(|argument| &argument.mentions) {
            match inputs.iter().find(|(input, _)| input == name) {
                Some((_, at)) if self.varying.contains(at) => return Key::OfElement,
                Some((_, at)) if !self.unknown.contains(at) => {}
                _ => key = Key::Unknown,
            }
        }
        key
    }
}
