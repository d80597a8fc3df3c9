//! Walks the code of a file in evaluation order, and records queries, calls, loops and exits.
//!
//! [`items`] walks from the file to its functions, [`expressions`] through their bodies; macros, calls, loops
//! and branches have a file each. A value has a [`shape`] (what a loop over it means), a type ([`typing`])
//! and a text ([`sql_text`]).

mod advance;
pub(in crate::rust) mod allows;
mod alone;
mod branches;
mod built;
mod caches;
mod closures;
mod collected;
mod counted;
mod declarations;
mod delegated;
mod demanded;
mod drawn;
mod driver_calls;
mod elsewhere;
mod endless;
mod ends;
mod errors;
mod everyday;
mod excerpt;
mod exits;
pub(in crate::rust) mod expand;
mod expressions;
mod fresh;
mod functions;
mod handed;
mod invocations;
pub(in crate::rust) mod items;
mod joined;
mod latches;
mod lazy;
mod locals;
mod loops;
mod macro_body;
mod macros;
pub(in crate::rust) mod made;
mod numbers;
mod origin;
mod outputs;
mod own;
pub(in crate::rust) mod pace;
mod parts;
mod pasted;
mod patterns;
pub(in crate::rust) mod purpose;
mod reach;
mod ready;
mod rows;
mod sea_query;
mod services;
mod shape;
mod signature;
mod signs;
mod sites;
mod spans;
pub(in crate::rust) mod sql_text;
mod steps;
mod transactions;
mod typing;
mod unwritten;
pub(in crate::rust) mod variables;
mod views;
mod whether;

use std::rc::Rc;
use std::sync::Arc;

use syn::Pat;

use crate::rust::flow::{CallRef, Callee, Flow};
use crate::rust::function::Function;
use crate::rust::graph::imports::Imports;
use crate::rust::lex::own::Own;
use crate::rust::place_at;
use crate::rust::site::{Allow, Call, Loop, Origin, Site};
use crate::rust::source::ModuleItems;
use crate::rust::type_ref::{Parameters, TypeRef};
use allows::Comments;
pub(in crate::rust) use caches::is_of_cache;
pub(in crate::rust) use everyday::is_everyday;
pub(in crate::rust) use fresh::gives_new;
use locals::Locals;
use loops::Runs;
pub(in crate::rust) use reach::SERVICES;
use shape::Shape;
use sql_text::{ByPath, Constants};
pub(in crate::rust) use transactions::is_type_of_transactions;

/// The queries that a value is, as positions among the sites; usually empty.
pub(in crate::rust) type Queries = Vec<usize>;

/// The state of the walk over one file.
pub(in crate::rust) struct Walker<'f> {
    pub(in crate::rust) file: Arc<str>,
    pub(in crate::rust) imports: Imports,
    pub(in crate::rust) constants: Constants<'f>,
    /// What the functions of the file give.
    outputs: ByPath<outputs::Output<'f>>,
    pub(in crate::rust) comments: Comments,
    /// Whether the file mentions sqlx at all.
    pub(in crate::rust) knows_sqlx: bool,
    /// Whether the file or its crate names another driver.
    pub(in crate::rust) knows_drivers: bool,

    pub(in crate::rust) sites: Vec<Site>,
    pub(in crate::rust) functions: Vec<Function>,
    pub(in crate::rust) allows: Vec<Allow>,
    pub(in crate::rust) unparsed_macros: usize,
    /// Where the macros are used whose expansions are walked, and how they are written there, outermost first.
    pub(in crate::rust) expanding: Vec<(proc_macro2::Span, String)>,
    /// The number of macros expanded so far within the outermost one.
    pub(in crate::rust) expansions: usize,
    /// The builders and prepared statements among the sites.
    pub(in crate::rust) made: std::collections::HashMap<usize, ready::Made>,
    /// The connections on which statements among the sites were prepared.
    pub(in crate::rust) prepared_on: std::collections::HashMap<usize, Call>,
    /// The constants that were read for the current expression.
    pub(in crate::rust) known: numbers::Known,
    /// The project's methods that share a name with a library's.
    pub(in crate::rust) own: Arc<Own>,
    /// The number of calls so far.
    pub(in crate::rust) calls: usize,

    pub(in crate::rust) module: Vec<String>,
    pub(in crate::rust) items: Vec<ModuleItems>,
    /// The types of the file's statics.
    pub(in crate::rust) statics: std::collections::HashMap<String, TypeRef>,
    /// The enclosing type or trait.
    pub(in crate::rust) owner: Owner,
    /// The type parameters in scope.
    pub(in crate::rust) parameters: Parameters,
    /// The constants among the parameters of the enclosing `impl` or trait.
    pub(in crate::rust) const_parameters: Vec<String>,
    pub(in crate::rust) in_test: bool,
    /// The state of the current function.
    pub(in crate::rust) here: FunctionState,
}

/// The type or trait that encloses a function.
#[derive(Debug, Clone, Default)]
pub(in crate::rust) struct Owner {
    pub(in crate::rust) name: Option<String>,
    /// The type of `Self`.
    pub(in crate::rust) ty: TypeRef,
    /// The trait implemented by the `impl` block.
    pub(in crate::rust) implements: Option<Vec<String>>,
}

/// The state of the current function; saved as a whole while a nested function is walked.
#[derive(Default)]
pub(in crate::rust) struct FunctionState {
    /// Its path inside the file; empty outside functions.
    pub(in crate::rust) path: Arc<str>,
    /// What it does, up to the current position.
    pub(in crate::rust) flow: Vec<Flow>,
    pub(in crate::rust) locals: Locals,
    /// The enclosing loops, outermost first.
    pub(in crate::rust) loops: Vec<Loop>,
    /// For each loop, whether it is certainly left before its next iteration.
    pub(in crate::rust) leaving: Vec<bool>,
    /// The loops and blocks around that `break` and `continue` can leave, outermost first.
    pub(in crate::rust) targets: Vec<exits::Target>,
    /// The number of loops outside the current closure: `return` does not leave those.
    pub(in crate::rust) closure: usize,
    /// The number of loops that run the current code only when a buffer is full.
    pub(in crate::rust) flushing: usize,
    /// Whether the current code runs only when a buffer is full, in a loop or not.
    pub(in crate::rust) flushes: bool,
    /// The position of the outermost loop that runs the current code only on a cache miss.
    pub(in crate::rust) kept: Option<usize>,
    /// The variables that name caches.
    pub(in crate::rust) kept_names: Rc<caches::Names>,
    /// The loop, counted from 1, whose iterations each call something different here; 0 for none.
    pub(in crate::rust) dispatching: usize,
    /// Stored as `CallRef::unit` of the next recorded call.
    pub(in crate::rust) unit: usize,
    /// Stored as `CallRef::transactions` of the next recorded call.
    pub(in crate::rust) transactions: Vec<usize>,
    /// Stored as `CallRef::typed` of the next recorded call.
    pub(in crate::rust) typed: Vec<(usize, TypeRef)>,
    /// Stored as `CallRef::sends` of the next recorded call.
    pub(in crate::rust) sends: bool,
    /// Stored as `CallRef::varying` of the next recorded call.
    pub(in crate::rust) varying: Vec<usize>,
    /// The transactions that are open on connections other than themselves.
    pub(in crate::rust) open: Vec<transactions::Open>,
    /// The beginnings of transactions by a method of what does not become one, as written, each with the number of sites before it
    /// and of loops around it.
    pub(in crate::rust) begun: Vec<(String, usize, usize)>,
    /// The function of the next call that is given closures, as the type of what it gives.
    pub(in crate::rust) callee: TypeRef,
    /// The function that the next closure is passed to, as the type of what it gives, and the position of the argument.
    pub(in crate::rust) handing: Option<(TypeRef, usize)>,
    /// Stored as `CallRef::on_database` of the next recorded call.
    pub(in crate::rust) on_database: bool,
    /// Stored as `CallRef::code` of the next recorded call.
    pub(in crate::rust) code: Vec<usize>,
    /// Stored as `CallRef::takes_connection` of the next recorded call.
    pub(in crate::rust) takes_connection: bool,
    /// Stored as `CallRef::on_service` of the next recorded call.
    pub(in crate::rust) on_service: bool,
    /// Stored as `CallRef::given` of the next recorded call.
    pub(in crate::rust) given: Option<Vec<String>>,
    /// Stored as `CallRef::passed` of the next recorded call.
    pub(in crate::rust) passed: Vec<Vec<Origin>>,
    /// The loop, counted from 1, whose iterations each do one of a few things here; 0 for none.
    pub(in crate::rust) sorting: usize,
    /// Whether the current code runs only after an error.
    pub(in crate::rust) rare: bool,
    /// One more than the number of loops around the innermost condition that decides whether the current code runs; 0 for none.
    pub(in crate::rust) chosen: usize,
    /// The call of the current statement whose result is demanded.
    pub(in crate::rust) demanded: Option<(proc_macro2::Span, crate::rust::flow::Demanded)>,
    /// The number of sites that were made outside the current branch.
    pub(in crate::rust) branched: usize,
    /// The first lines of the enclosing statements.
    pub(in crate::rust) lines: Vec<u32>,
    /// The allows of the function.
    pub(in crate::rust) allows: Vec<Allow>,
    /// Whether it reports writes to a cache.
    pub(in crate::rust) tells: bool,
    /// The calls of iterators' methods, by their address, of which the call around them draws a limited number of elements.
    pub(in crate::rust) drawn: Vec<(usize, u64)>,
}

impl<'f> Walker<'f> {
    pub(in crate::rust) fn new(file: &str, comments: Comments, imports: Imports) -> Walker<'f> {
        Walker {
            file: file.into(),
            imports,
            constants: Constants::default(),
            outputs: ByPath::default(),
            comments,
            knows_sqlx: false,
            knows_drivers: false,
            sites: Vec::new(),
            functions: Vec::new(),
            allows: Vec::new(),
            unparsed_macros: 0,
            expanding: Vec::new(),
            expansions: 0,
            made: std::collections::HashMap::new(),
            prepared_on: std::collections::HashMap::new(),
            known: numbers::Known::default(),
            own: Arc::default(),
            calls: 0,
            module: Vec::new(),
            items: Vec::new(),
            statics: std::collections::HashMap::new(),
            owner: Owner::default(),
            parameters: Parameters::new(),
            const_parameters: Vec::new(),
            in_test: false,
            here: FunctionState::default(),
        }
    }

    /// Saves the state of the current function and starts another; returns the saved state.
    pub(in crate::rust) fn enter_function(&mut self, path: Arc<str>, allows: Vec<Allow>) -> FunctionState {
        std::mem::replace(&mut self.here, FunctionState { path, allows, ..FunctionState::default() })
    }

    /// Restores a saved state.
    pub(in crate::rust) fn leave_function(&mut self, outer: FunctionState) {
        let left = std::mem::replace(&mut self.here, outer);
        if left.tells {
            let sites = self.sites.iter_mut().rev().filter(|site| site.function == left.path);
            sites.for_each(|site| site.told = true);
        }
    }

    /// The flow of what `walk` walks.
    pub(in crate::rust) fn sequence(&mut self, walk: impl FnOnce(&mut Self)) -> Flow {
        let outer = std::mem::take(&mut self.here.flow);
        walk(self);
        Flow::seq(std::mem::replace(&mut self.here.flow, outer))
    }

    pub(in crate::rust) fn emit(&mut self, flow: Flow) {
        if !flow.is_empty() {
            self.here.flow.push(flow);
        }
    }

    /// The enclosing loops, as a site here records them.
    pub(in crate::rust) fn loops_here(&self) -> Vec<Loop> {
        let leaving = self.here.leaving.iter().chain(std::iter::repeat(&false));
        // What a service does in an iteration does not depend on the loop that starts the service.
        let service = self.here.loops.iter().rposition(|around| around.exempt == Some(purpose::SERVICE));
        let seen = self.here.loops.iter().zip(leaving).enumerate().map(|(index, (around, leaves))| {
            let starts_service = service.is_some_and(|service| index < service);
            let exempt = around.exempt.or(leaves.then_some(purpose::LEAVES));
            let exempt = exempt.or(starts_service.then_some(purpose::SERVICE));
            let is_kept = self.here.kept.is_some_and(|kept| index >= kept);
            let exempt = exempt.or(is_kept.then_some(purpose::KEPT));
            let exempt = exempt.or((index < self.here.flushing).then_some(purpose::BATCHES));
            Loop { exempt, ..around.clone() }
        });
        seen.collect()
    }

    /// The loops around a query here, outermost first: a query in an arm of a `match` on the elements runs
    /// for some of them only.
    pub(in crate::rust) fn loops_of_site(&self) -> Vec<Loop> {
        let mut loops = self.loops_here();
        for matched in [self.here.sorting, self.here.dispatching] {
            if let Some(around) = matched.checked_sub(1).and_then(|index| loops.get_mut(index)) {
                around.pace = around.pace.or(Some(pace::SORTED));
            }
        }
        loops
    }

    /// Brings the variables of a pattern into scope.
    pub(in crate::rust) fn bind(&mut self, pattern: &Pat) {
        self.bind_as(pattern, Shape::Unknown);
    }

    /// Brings the variables of a pattern into scope, with this shape.
    pub(in crate::rust) fn bind_as(&mut self, pattern: &Pat, shape: Shape) {
        self.bind_from(pattern, shape, &[Origin::Unknown]);
    }

    /// Walks with variables that go out of scope afterwards; closures that were never called are walked then.
    pub(in crate::rust) fn scoped<T>(&mut self, walk: impl FnOnce(&mut Self) -> T) -> T {
        let mark = self.here.locals.len();
        let result = walk(self);
        while self.here.locals.len() > mark {
            let Some(local) = self.here.locals.pop() else { break };
            self.end_held(&local.name);
            if let Some(closure) = local.closure {
                // It was not called here: it is stored, or unused.
                self.closure(&closure, &Runs::Unknown(format!("closure {}", local.name)));
            }
        }
        result
    }

    pub(in crate::rust) fn emit_call(
        &mut self,
        span: proc_macro2::Span,
        written: String,
        callee: Callee,
        awaited: bool,
        arguments: usize,
    ) {
        // Nothing is noted of its arguments.
        (self.here.unit, self.here.transactions) = (0, Vec::new());
        (self.here.typed, self.here.varying) = (Vec::new(), Vec::new());
        self.here.code = Vec::new();
        self.emit_numbered(None, span, written, callee, awaited, arguments);
    }

    /// Records a call; closures passed to it may already refer to its number.
    pub(in crate::rust) fn emit_numbered(
        &mut self,
        number: Option<usize>,
        span: proc_macro2::Span,
        written: String,
        callee: Callee,
        awaited: bool,
        arguments: usize,
    ) {
        let place = place_at(&self.file, span.start());
        let mut loops = self.loops_here();
        if let Some(around) = self.here.dispatching.checked_sub(1).and_then(|index| loops.get_mut(index)) {
            around.exempt = around.exempt.or(Some(purpose::DISPATCHES));
        }
        if let Some(around) = self.here.sorting.checked_sub(1).and_then(|index| loops.get_mut(index)) {
            around.pace = around.pace.or(Some(pace::SORTED));
        }
        let demanded = self.here.demanded.filter(|(at, _)| place_at(&self.file, at.start()) == place);
        let batched = self.here.flushes;
        let allows = self.allows_at([place.line, place.line]);
        let number = number.unwrap_or_else(|| {
            self.calls += 1;
            self.calls - 1
        });
        let unit = std::mem::take(&mut self.here.unit);
        let on_database = std::mem::take(&mut self.here.on_database);
        self.here.flow.push(Flow::Call(Box::new(CallRef {
            number,
            place,
            written,
            callee,
            awaited,
            arguments,
            loops,
            unit,
            transactions: std::mem::take(&mut self.here.transactions),
            typed: std::mem::take(&mut self.here.typed),
            rare: self.here.rare,
            chosen: self.here.chosen > self.here.loops.len(),
            isolated: false,
            on_service: std::mem::take(&mut self.here.on_service),
            on_database,
            takes_connection: std::mem::take(&mut self.here.takes_connection),
            code: std::mem::take(&mut self.here.code),
            given: std::mem::take(&mut self.here.given),
            passed: std::mem::take(&mut self.here.passed),
            sends: std::mem::take(&mut self.here.sends),
            varying: std::mem::take(&mut self.here.varying),
            demanded: demanded.map(|(_, demanded)| demanded).unwrap_or_default(),
            batched,
            allows,
        })));
    }

    /// The allows at these lines: in comments above them or above an enclosing statement, and of the whole
    /// function.
    pub(in crate::rust) fn allows_at(&self, lines: [u32; 2]) -> Vec<Allow> {
        let mut allows = Vec::new();
        let mut seen = Vec::new();
        for &line in lines.iter().chain(self.here.lines.iter().rev()) {
            if !seen.contains(&line) {
                seen.push(line);
                allows.extend(self.comments.above(line).iter().cloned());
            }
        }
        allows.extend(self.here.allows.iter().cloned());
        allows
    }
}
