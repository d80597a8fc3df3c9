//! The local variables in scope, as far as they matter here.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::flow::Flow;
use super::shape::Shape;
use super::site::SiteSql;
use super::types::TypeRef;
use super::walk::Queries;

/// A local variable.
pub(super) struct Local {
    pub(super) name: String,
    /// Its text, when it is SQL that is put together before it is used.
    pub(super) text: SiteSql,
    /// The queries it holds.
    pub(super) queries: Queries,
    /// What it holds.
    pub(super) shape: Shape,
    /// Its type, as far as it is told.
    pub(super) ty: TypeRef,
    /// The closure it is, until it is first used.
    pub(super) closure: Option<Rc<syn::ExprClosure>>,
    /// What that closure does, once it was used.
    pub(super) walked: Option<Rc<Walked>>,
    /// The number of loops around its declaration.
    pub(super) loops: usize,
}

/// A closure that was walked where it was first called.
pub(super) struct Walked {
    pub(super) flow: Flow,
    /// Its queries, by their positions among the sites.
    pub(super) sites: Range<usize>,
    /// The number of loops around that call.
    pub(super) loops: usize,
}

impl Local {
    /// A variable of which nothing is known.
    pub(super) fn new(name: String, loops: usize) -> Local {
        Local {
            name,
            text: SiteSql::Dynamic,
            queries: Queries::new(),
            shape: Shape::Unknown,
            ty: TypeRef::Unknown,
            closure: None,
            walked: None,
            loops,
        }
    }
}

/// The variables in scope; a later one hides an earlier one of the same name.
#[derive(Default)]
pub(super) struct Locals {
    list: Vec<Local>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Locals {
    pub(super) fn len(&self) -> usize {
        self.list.len()
    }

    pub(super) fn push(&mut self, local: Local) {
        self.by_name.entry(local.name.clone()).or_default().push(self.list.len());
        self.list.push(local);
    }

    /// Takes the variable that was declared last out of scope.
    pub(super) fn pop(&mut self) -> Option<Local> {
        let local = self.list.pop()?;
        self.by_name.get_mut(&local.name)?.pop();
        Some(local)
    }

    pub(super) fn get(&self, name: &str) -> Option<&Local> {
        self.list.get(*self.by_name.get(name)?.last()?)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Local> {
        self.list.get_mut(*self.by_name.get(name)?.last()?)
    }
}
