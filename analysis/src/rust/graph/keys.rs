//! Whether a call in a loop reads by a key of each element, or by one that is the same for all: values are followed from the
//! call to what its query is given.

use super::calls::{CallGraph, first_query};
use crate::rust::flow::CallRef;
use crate::rust::site::{Origin, Site};
use crate::rust::source::FunctionId;

/// The maximum number of calls that are followed.
const MAX_CALL_DEPTH: usize = 8;

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
        let Some(mut at) = self.nearest_target(targets) else { return Key::Unknown };
        for _ in 0..=MAX_CALL_DEPTH {
            match self.call_towards_query(at) {
                Some((call, target)) => {
                    values = values.through(call);
                    at = target;
                }
                None => {
                    let Some((source, function)) = self.get(at) else { return Key::Unknown };
                    let site = first_query(&function.flow, &source.scan.sites);
                    let site = site.and_then(|at| source.scan.sites.get(at));
                    return site.map_or(Key::Unknown, |site| values.key(site, &function.inputs));
                }
            }
        }
        Key::Unknown
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
