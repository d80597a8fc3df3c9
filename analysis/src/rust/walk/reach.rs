//! What a call reaches, judging by the names and types of its receiver and arguments: a database, or another service.

use std::fmt::Write as _;

use syn::Expr;

use super::Walker;
use super::excerpt::{MAX_EXCERPT_LENGTH, is_long_chain, written};
use super::own;
use super::sql_text::{plain, segments};
use super::variables;
use crate::rust::methods::{Yields, yields};
use crate::rust::type_ref::TypeRef;

/// The words in the names of what reaches a database.
const DATABASES: &[&str] = &[
    "conn",
    "connection",
    "dao",
    "database",
    "db",
    "executor",
    "pg",
    "pool",
    "postgres",
    "psql",
    "repo",
    "repository",
    "sql",
    "storage",
    "store",
    "transaction",
    "trx",
    "tx",
    "txn",
];

/// The endings of the names and types of what reaches a service elsewhere.
pub(in crate::rust) const SERVICES: &[&str] = &["api", "client", "http", "mailer", "rpc", "smtp", "webhook"];

impl Walker<'_> {
    /// Notes what the call that is recorded next reaches.
    pub(super) fn note_reach<'e>(&mut self, values: impl Iterator<Item = &'e Expr>) {
        let mut given = Vec::new();
        self.here.on_database = false;
        self.here.on_service = false;
        for value in values {
            let words = words_of(value);
            let on_database = self.is_of_database(value, &words);
            self.here.on_database |= on_database;
            self.here.on_service |= self.is_of_service(value, &words);
            if !(on_database && is_kept(value) && !self.is_of_turn(value)) {
                given.push(value);
            }
        }
        let mentioned: Option<Vec<Vec<String>>> =
            given.into_iter().map(variables::mentions_of_constant).collect();
        self.here.given = mentioned.map(|names| names.concat());
    }

    /// The number of loops around the declaration of a transaction that a call is given.
    pub(super) fn unit_of<'e>(&self, values: impl Iterator<Item = &'e Expr>) -> usize {
        let named: Vec<String> = values.flat_map(variables::mentions).collect();
        self.unit_of_names(named.iter())
    }

    pub(super) fn unit_of_names<'n>(&self, names: impl Iterator<Item = &'n String>) -> usize {
        let begun = names.filter_map(|name| self.here.locals.get(name).filter(|local| local.begins));
        begun.map(|local| local.loops).max().unwrap_or(0)
    }

    /// Whether a value is a pool or connection by its type.
    pub(super) fn is_handle(&self, value: &Expr) -> bool {
        let ty = self.type_of(value);
        is_handle(&self.in_file(&ty).unwrap_or(ty))
    }

    pub(super) fn is_database(&self, value: &Expr) -> bool {
        self.is_of_database(value, &words_of(value))
    }

    fn is_of_database(&self, value: &Expr, words: &str) -> bool {
        split(words).any(|word| DATABASES.contains(&word)) || is_connection(&self.type_of(value))
    }

    /// Whether a value may change in each iteration of a loop around it, whatever its name. A value that is borrowed anew in each
    /// iteration (`&mut *tx`) stays the same, unless the iteration itself created it.
    fn is_of_turn(&self, value: &Expr) -> bool {
        let is_borrowed = matches!(value, Expr::Reference(inner) if inner.mutability.is_some());
        variables::mentions(value).iter().any(|name| {
            self.here.locals.get(name).is_some_and(|local| local.loops > 0)
                || self.here.loops.iter().any(|around| {
                    around.elements.contains(name) || !is_borrowed && around.variables.contains(name)
                })
        })
    }

    /// Whether the element of a loop, as an argument or the receiver of a call, is what that call works on: a pool or
    /// connection, or what is named like one where the call gets no other.
    pub(super) fn is_worked_on(&self, value: &Expr, others: &[&Expr]) -> bool {
        let ty = self.type_of(value);
        if is_connection(&ty) && !self.is_own(&ty) || self.is_pool_of(value) {
            return true;
        }
        let is_connected = |other: &&Expr| {
            let ty = self.type_of(other);
            is_connection(&ty) && !self.is_own(&ty) || is_named_database(other)
        };
        let is_of_self = |other: &&Expr| matches!(other, Expr::Path(path) if path.path.is_ident("self"));
        (is_named_database(value) || is_connection(&ty))
            && !others.iter().any(is_connected)
            && !(self.is_own(&ty) && (others.iter().any(is_of_self) || self.is_without_connection(&ty)))
    }

    /// Whether a value is made of the pool or connection that a loop's element is: `Orders::new(pool.clone())`, `Orders { db: pool }`.
    pub(super) fn is_made_of_database(&self, value: &Expr) -> bool {
        let Some(around) = self.here.loops.last() else { return false };
        let is_given = |given: Vec<&Expr>| {
            let is_element =
                |value: &Expr| variables::mentions(value).iter().any(|name| around.elements.contains(name));
            (0..given.len()).any(|at| {
                let mut others = given.clone();
                let one = others.swap_remove(at);
                is_element(one)
                    && (connects(own::itself(one)) || self.is_worked_on(own::itself(one), &others))
            })
        };
        match own::itself(value) {
            Expr::Path(path) => path
                .path
                .get_ident()
                .and_then(|name| self.here.locals.get(&name.to_string()))
                .is_some_and(|local| local.on_its_own),
            Expr::Call(call) => own::constructs(call) && is_given(call.args.iter().collect()),
            Expr::Struct(made) => is_given(made.fields.iter().map(|field| &field.expr).collect()),
            _ => false,
        }
    }

    /// Whether a value is the pool or connection that another one keeps, in a field or given by a method of it: `&shard.pool`,
    /// `tenant.db()`, `pools[&name]`. What fetches through one gives rows, which keep none.
    fn is_pool_of(&self, value: &Expr) -> bool {
        match value {
            Expr::Reference(inner) => self.is_pool_of(&inner.expr),
            Expr::Paren(inner) => self.is_pool_of(&inner.expr),
            Expr::Field(_) | Expr::Index(_) => {
                self.in_file(&self.type_of(value)).is_some_and(|ty| is_connection(&ty))
            }
            Expr::MethodCall(call) if call.args.is_empty() => {
                matches!(plain(&call.method).as_str(), "pool" | "db" | "conn" | "connection" | "database")
            }
            _ => false,
        }
    }

    /// Whether a type is declared in this file, or in another of its crate.
    pub(super) fn is_own(&self, ty: &TypeRef) -> bool {
        let Some(path) = named(ty) else { return false };
        path.first().is_some_and(|first| matches!(first.as_str(), "crate" | "self" | "super"))
            || self.fields_of(path).is_some()
    }

    /// Whether a type is declared in this file, and no field of it keeps a connection.
    fn is_without_connection(&self, ty: &TypeRef) -> bool {
        let fields = named(ty).and_then(|path| self.fields_of(path));
        fields.is_some_and(|fields| {
            let keeps =
                |(name, ty): &(String, TypeRef)| DATABASES.contains(&name.as_str()) || is_connection(ty);
            !fields.iter().any(keeps)
        })
    }

    fn fields_of(&self, path: &[String]) -> Option<&[(String, TypeRef)]> {
        let mut types = self.items.iter().flat_map(|items| &items.types);
        types.find(|(name, _)| path.last() == Some(name)).map(|(_, fields)| fields.as_slice())
    }

    /// Whether a function may change the argument of this parameter: it is borrowed mutably, and is not a connection.
    pub(super) fn is_changed(&self, input: &syn::FnArg) -> bool {
        let (is_mutable, ty) = match input {
            syn::FnArg::Receiver(receiver) => {
                use syn::ReceiverKind::{Reference, Value};
                return !matches!(&receiver.kind, Value | Reference(_, _, None));
            }
            syn::FnArg::Typed(input) => match input.ty.as_ref() {
                syn::Type::Reference(reference) => (reference.mutability.is_some(), reference.elem.as_ref()),
                _ => return false,
            },
        };
        let ty = self.type_ref(ty);
        let is_transaction = named(&ty)
            .and_then(|path| path.last())
            .is_some_and(|last| last.ends_with("Transaction") || last.ends_with("Conn"));
        let of_executor = matches!(&ty, TypeRef::Implements(traits) if traits.iter().flatten().any(|name| {
            matches!(name.as_str(), "Executor" | "Acquire" | "PgExecutor" | "SqliteExecutor" | "MySqlExecutor")
        }));
        is_mutable && !((is_connection(&ty) || is_transaction) && !self.is_own(&ty) || of_executor)
    }

    /// Whether a parameter may be a closure or function.
    pub(super) fn is_code(&self, input: &syn::FnArg) -> bool {
        match input {
            syn::FnArg::Receiver(_) => false,
            syn::FnArg::Typed(input) => may_run(&self.type_ref(&input.ty)),
        }
    }

    fn is_of_service(&self, value: &Expr, words: &str) -> bool {
        let ends = |word: &str| SERVICES.iter().any(|end| word.ends_with(end));
        let of_type = || match self.type_of(value) {
            TypeRef::Named(path, _) => path.last().is_some_and(|last| ends(&last.to_ascii_lowercase())),
            _ => false,
        };
        split(words).any(ends) || of_type()
    }
}

/// Whether a call opens a pool or connection: `PgPool::connect(url)`.
fn connects(value: &Expr) -> bool {
    let Expr::Call(call) = value else { return false };
    let Expr::Path(function) = call.func.as_ref() else { return false };
    match segments(&function.path).as_slice() {
        [.., owner, opens] => {
            (owner.ends_with("Pool") || owner.ends_with("Connection"))
                && (opens.starts_with("connect") || opens.starts_with("open"))
        }
        _ => false,
    }
}

/// Whether a value is a variable that is named like a database or a connection to one: `shard`, `tenant_db`.
fn is_named_database(value: &Expr) -> bool {
    let is_word =
        |word: &str| matches!(word, "conn" | "connection" | "database" | "db" | "pool" | "replica" | "shard");
    match value {
        Expr::Reference(inner) => is_named_database(&inner.expr),
        Expr::Unary(inner) => is_named_database(&inner.expr),
        Expr::Paren(inner) => is_named_database(&inner.expr),
        Expr::Path(path) => {
            path.path.get_ident().is_some_and(|name| name.to_string().rsplit('_').next().is_some_and(is_word))
        }
        _ => false,
    }
}

/// Whether a value of a type may be called; pointers of functions are of no known type.
pub(super) fn may_run(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Implements(traits) | TypeRef::Object(traits) => {
            traits.iter().filter_map(|path| path.last()).any(|name| name.contains("Fn") || name == "Future")
        }
        TypeRef::Named(_, arguments) => arguments.iter().any(|ty| *ty != TypeRef::Unknown && may_run(ty)),
        TypeRef::Unknown => true,
        _ => false,
    }
}

/// The path of a type, or of the elements of a collection.
pub(super) fn named(ty: &TypeRef) -> Option<&[String]> {
    match ty {
        TypeRef::Element(of) | TypeRef::Inside(of) => named(of),
        TypeRef::Method(of, name) if matches!(name.as_str(), "iter" | "iter_mut" | "into_iter" | "clone") => {
            named(of)
        }
        TypeRef::Named(path, arguments) => match path.last().map(String::as_str) {
            Some(
                "[]" | "Vec" | "VecDeque" | "Option" | "Result" | "Arc" | "Rc" | "Box" | "HashSet"
                | "BTreeSet",
            ) => arguments.first().and_then(named),
            _ => Some(path),
        },
        _ => None,
    }
}

/// Whether a value is a variable or field, or what a method without arguments returns of one: `&mut *tx`, `state.db()`.
fn is_kept(value: &Expr) -> bool {
    match value {
        Expr::Path(_) => true,
        Expr::Reference(inner) => is_kept(&inner.expr),
        Expr::Unary(inner) => is_kept(&inner.expr),
        Expr::Paren(inner) => is_kept(&inner.expr),
        Expr::Field(field) => is_kept(&field.base),
        Expr::MethodCall(call) => call.args.is_empty() && is_kept(&call.receiver),
        _ => false,
    }
}

/// The names in a value that is a variable, field or chain of methods, in lower case; none of a long chain.
fn words_of(value: &Expr) -> String {
    match value {
        Expr::Reference(inner) => words_of(&inner.expr),
        Expr::Paren(inner) => words_of(&inner.expr),
        value if is_long_chain(value) => String::new(),
        Expr::Path(_) | Expr::Field(_) | Expr::MethodCall(_) | Expr::Unary(_) => {
            let mut names = String::new();
            // Together with what is between them, they are too short to be cut off.
            let mut text = match names_of(value, &mut names) {
                Some(()) if names.len() < MAX_EXCERPT_LENGTH => names,
                _ => written(value),
            };
            text.make_ascii_lowercase();
            text
        }
        _ => String::new(),
    }
}

fn split(words: &str) -> impl Iterator<Item = &str> {
    words.split(|c: char| !c.is_alphanumeric())
}

/// Appends the names and signs in a variable, field or chain of methods without arguments, with more between them than
/// when it is written out, which takes longer; `None` if there is anything else.
fn names_of(value: &Expr, names: &mut String) -> Option<()> {
    if names.len() > MAX_EXCERPT_LENGTH {
        return None;
    }
    let mut add = |name: &dyn std::fmt::Display| write!(names, "{name}...").ok();
    match value {
        Expr::Path(path) if path.qself.is_none() => {
            let parts = &path.path.segments;
            if path.path.leading_colon.is_some() || parts.iter().any(|part| !part.arguments.is_none()) {
                return None;
            }
            parts.iter().try_for_each(|part| add(&part.ident))
        }
        Expr::Field(field) => {
            let syn::Member::Named(name) = &field.member else { return None };
            add(name)?;
            names_of(&field.base, names)
        }
        Expr::MethodCall(call) if call.args.is_empty() && call.turbofish.is_none() => {
            add(&call.method)?;
            names_of(&call.receiver, names)
        }
        Expr::Unary(inner) if matches!(inner.op, syn::UnOp::Deref(_)) => {
            add(&'*')?;
            names_of(&inner.expr, names)
        }
        Expr::Await(inner) => {
            add(&"await")?;
            names_of(&inner.base, names)
        }
        Expr::Try(inner) => {
            add(&'?')?;
            names_of(&inner.expr, names)
        }
        Expr::Reference(inner) => {
            add(&"mut")?;
            names_of(&inner.expr, names)
        }
        _ => None,
    }
}

/// The field that an expression is, by reference or not.
pub(super) fn field(value: &Expr) -> Option<String> {
    match value {
        Expr::Reference(inner) => field(&inner.expr),
        Expr::Unary(inner) => field(&inner.expr),
        Expr::Paren(inner) => field(&inner.expr),
        Expr::Field(field) => match &field.member {
            syn::Member::Named(name) => Some(name.to_string()),
            syn::Member::Unnamed(_) => None,
        },
        _ => None,
    }
}

/// Whether a type is a pool or connection, or what gives one of it.
fn is_handle(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Method(of, name) => {
            let keeps = matches!(yields(name), Some(Yields::View | Yields::Copy));
            (keeps || matches!(name.as_str(), "acquire" | "begin")) && is_handle(of)
        }
        TypeRef::Inside(of) => is_handle(of),
        ty => is_connection(ty),
    }
}

/// Whether a type is a pool or connection, or an element of a collection of these.
pub(super) fn is_connection(ty: &TypeRef) -> bool {
    match ty {
        TypeRef::Element(of) | TypeRef::Inside(of) | TypeRef::Method(of, _) => is_connection(of),
        TypeRef::Field(of, name) if name.ends_with("::0") => is_connection(of),
        TypeRef::Named(path, arguments) => {
            let last = path.last().map(String::as_str).unwrap_or_default();
            last.ends_with("Pool") || last.ends_with("Connection") || arguments.iter().any(is_connection)
        }
        _ => false,
    }
}
