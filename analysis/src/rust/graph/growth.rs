//! Whether a loop grows with the data: its elements come from a query's rows, from another service, or from what a caller
//! brings. A call in a loop over a few elements that the program or a request determines is seldom worth a change.

use std::collections::{HashMap, HashSet};

use super::calls::CallGraph;
use crate::rust::drivers;
use crate::rust::flow::{CallRef, Callee, Demanded};
use crate::rust::lex::own;
use crate::rust::site::{Fetched, Loop, LoopKind, Origin, Site, SiteSql};
use crate::rust::source::FunctionId;
use crate::rust::type_ref::TypeRef;
use crate::sql::query::Body;
use crate::sql::{Dialect, resolve};

/// The maximum number of callers that are followed to where a parameter comes from.
const MAX_CALLER_DEPTH: usize = 5;

/// The maximum number of calls that are followed to the query whose rows they give.
const FARTHEST: usize = 4;

/// Why a loop that does not grow is seldom worth a change, as a note.
pub(super) const FEW_ELEMENTS: &str =
    "the elements are parts of one row or path, or the source determines them";

/// What is known of the number of a loop's elements, in the order in which the loop is more likely to grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Growth {
    /// They come neither from a query nor from a service.
    Few,
    /// A request brings them.
    Requested,
    /// Nothing is known of them.
    Unknown,
    /// They come from a service, or something else that the function waits for.
    Answered,
    /// They are rows of a query, or made from such.
    Rows,
}

/// The calls of each function outside of test code: the caller, and what it passes.
pub(super) type Callers<'a> = HashMap<FunctionId, Vec<(FunctionId, &'a CallRef)>>;

impl<'a> CallGraph<'a> {
    /// The calls of each function.
    pub(super) fn callers(&self) -> Callers<'a> {
        let mut callers: Callers<'a> = HashMap::new();
        for caller in self.all_functions() {
            let Some((_, function)) = self.get(caller).filter(|(_, it)| !it.in_test) else { continue };
            for call in function.flow.calls() {
                for target in self.targets(caller.source, call) {
                    callers.entry(*target).or_default().push((caller, call));
                }
            }
        }
        callers
    }

    /// Why a call in a loop, the one at `index` around it, is seldom worth a change: nothing says that its elements grow
    /// with the data, and one statement for all would not be simple either.
    pub(super) fn why_few(
        &self,
        caller: FunctionId,
        call: &CallRef,
        index: usize,
        callers: &Callers<'_>,
    ) -> Option<String> {
        let growth = self.growth(caller, &call.loops, index, callers);
        let is_brought = call.loops.get(index).is_some_and(|around| {
            around.origins.iter().any(|it| matches!(it, Origin::Parameter(_) | Origin::Request))
        });
        let why = match growth {
            Growth::Requested | Growth::Unknown if is_brought && self.only_checks(caller.source, call) => {
                "it only checks that what the caller names is there: the first that is missing ends the function"
            }
            Growth::Rows | Growth::Answered | Growth::Unknown => return None,
            Growth::Requested if self.is_simple(caller.source, call) => return None,
            Growth::Requested => {
                "the elements come from a request, and each iteration does more than one thing"
            }
            Growth::Few => FEW_ELEMENTS,
        };
        Some(why.to_owned())
    }

    /// Whether a call looks up what has to be there, of which nothing is kept but one value: an id, or none.
    fn only_checks(&self, source: usize, call: &CallRef) -> bool {
        let is_one_value = || {
            let text = self.end_of(self.targets(source, call)).and_then(super::turn::text_of);
            let reads_one = |text: &str, dialect| {
                let Ok(query) = resolve(text, dialect, None) else { return false };
                let body = query.root.map(|root| &query.block(root).body);
                matches!(body, Some(Body::Select(select)) if matches!(select.projection.as_slice(), [only] if only.as_column().is_some()))
            };
            text.is_some_and(|text| Dialect::ALL.into_iter().any(|dialect| reads_one(text, dialect)))
        };
        let is_checked = match call.demanded {
            Demanded::No => false,
            Demanded::Dropped => true,
            Demanded::Named => is_one_value(),
        };
        is_checked && self.is_simple(source, call)
    }

    /// The growth of loops, up to the one at `index`: the most that is known of one of them.
    pub(super) fn growth(
        &self,
        caller: FunctionId,
        loops: &[Loop],
        index: usize,
        callers: &Callers<'_>,
    ) -> Growth {
        let work = loops.iter().take(index + 1).filter(|around| around.exempt.is_none());
        let of_loop = |around: &Loop| match around.kind {
            LoopKind::Loop => Growth::Unknown,
            _ => self.of_origins(caller, &around.origins, 0, &mut HashSet::new(), callers),
        };
        work.map(of_loop).max().unwrap_or(Growth::Unknown)
    }

    fn of_origins(
        &self,
        function: FunctionId,
        origins: &[Origin],
        depth: usize,
        seen: &mut HashSet<(FunctionId, usize)>,
        callers: &Callers<'_>,
    ) -> Growth {
        let of_one = |origin: &Origin| match *origin {
            Origin::Given(line, column) => self.of_given(function, (line, column)),
            Origin::Parameter(position) => self.of_parameter(function, position, depth, seen, callers),
            Origin::Request => Growth::Requested,
            Origin::Segment => Growth::Few,
            Origin::Unknown => Growth::Unknown,
        };
        origins.iter().map(of_one).max().unwrap_or(Growth::Few)
    }

    /// The growth of the arguments that the callers of a function pass as a parameter. Callers elsewhere may
    /// pass anything.
    fn of_parameter(
        &self,
        function: FunctionId,
        position: usize,
        depth: usize,
        seen: &mut HashSet<(FunctionId, usize)>,
        callers: &Callers<'_>,
    ) -> Growth {
        let calls = callers.get(&function).map_or(&[][..], Vec::as_slice);
        if calls.is_empty() || depth >= MAX_CALLER_DEPTH {
            return Growth::Unknown;
        }
        if !seen.insert((function, position)) {
            return Growth::Unknown;
        }
        let passed = |(caller, call): &(FunctionId, &CallRef)| match call.passed.get(position) {
            Some(origins) => self.of_origins(*caller, origins, depth + 1, seen, callers),
            None => Growth::Unknown,
        };
        calls.iter().map(passed).max().unwrap_or(Growth::Unknown)
    }

    /// The growth of the elements that the call or query at a place returns.
    fn of_given(&self, id: FunctionId, place: (u32, u32)) -> Growth {
        let Some((source, function)) = self.get(id) else { return Growth::Unknown };
        let is_here = |site: &&Site| {
            site.call.as_ref().is_some_and(|call| (call.place.line, call.place.column) == place)
                && site.place.file == function.place.file
        };
        if let Some(site) = source.scan.sites.iter().find(is_here) {
            return if gives_rows(site) { Growth::Rows } else { Growth::Few };
        }
        let called = function.flow.calls().find(|call| (call.place.line, call.place.column) == place);
        let Some(call) = called else { return Growth::Unknown };
        let targets = self.targets(id.source, call);
        let lists = |target: &FunctionId| self.get(*target).is_some_and(|(_, it)| it.lists);
        if !targets.is_empty() && targets.iter().all(lists) {
            return Growth::Few;
        }
        if targets.iter().any(|target| self.queries(*target)) {
            let gives_many = |target: &FunctionId| {
                self.get(*target).is_some_and(|(_, it)| holds_list(&it.returns))
                    || self.reads_many(*target, 0, &mut HashSet::new())
            };
            return if targets.iter().any(gives_many) { Growth::Rows } else { Growth::Few };
        }
        match call.awaited {
            true if call.on_database => Growth::Unknown,
            true => Growth::Answered,
            false if makes_collection(&call.callee) => Growth::Few,
            false => Growth::Unknown,
        }
    }

    /// Whether a function reads all rows of a query, itself or in what it calls.
    fn reads_many(&self, id: FunctionId, depth: usize, seen: &mut HashSet<FunctionId>) -> bool {
        if depth > FARTHEST || !seen.insert(id) {
            return false;
        }
        let Some((source, function)) = self.get(id) else { return false };
        if function.flow.queries().any(|at| source.scan.sites.get(at).is_some_and(gives_rows)) {
            return true;
        }
        function.flow.calls().any(|call| {
            let mut targets = self.targets(id.source, call).iter();
            targets.any(|target| self.reads_many(*target, depth + 1, seen))
        })
    }
}

/// Whether a call makes a collection of the standard library. What is added to it later has origins of its own.
fn makes_collection(callee: &Callee) -> bool {
    let Callee::Path(path) = callee else { return false };
    let [.., ty, name] = path.as_slice() else { return false };
    let is_collection = matches!(
        ty.as_str(),
        "Vec" | "VecDeque" | "HashMap" | "HashSet" | "BTreeMap" | "BTreeSet" | "BinaryHeap" | "String"
    );
    is_collection && matches!(name.as_str(), "new" | "default" | "with_capacity" | "from")
}

/// Whether all rows of a query are read where it is run; where that is not seen, they may be. An INSERT of rows that stand in
/// its text returns no more than those.
fn gives_rows(site: &Site) -> bool {
    !inserts_values(site)
        && site.call.as_ref().is_none_or(|call| {
            call.fetched() == Fetched::All
                || call.method == "fetch_many"
                || drivers::fetched(&call.method) == Fetched::All
        })
}

/// Whether a query inserts the rows that stand in its text: `INSERT INTO t (a) VALUES ($1), ($2) RETURNING id`.
fn inserts_values(site: &Site) -> bool {
    let SiteSql::Literal(literal) = &site.sql else { return false };
    let text = literal.text.to_ascii_lowercase();
    let mut words = text.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|word| !word.is_empty());
    matches!(words.next(), Some("insert" | "replace"))
        && words.find(|word| matches!(*word, "values" | "select" | "table" | "with")) == Some("values")
}

/// Whether a type is a collection, or holds one as a type argument: `Result<Vec<Event>>`.
fn holds_list(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Named(path, arguments) => {
            let name = path.last().map_or("", String::as_str);
            let is_list = own::is_collection(name) || matches!(name, "[]" | "BoxStream" | "Page");
            is_list || arguments.iter().any(holds_list)
        }
        TypeRef::Implements(traits) => {
            traits.iter().any(|path| path.last().is_some_and(|name| name == "Stream" || name == "Iterator"))
        }
        _ => false,
    }
}
