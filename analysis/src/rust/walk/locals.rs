//! The local variables in scope, as far as they matter here.

use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use super::Queries;
use super::shape::Shape;
use crate::rust::flow::Flow;
use crate::rust::site::{Built, Origin, SiteSql};
use crate::rust::type_ref::TypeRef;

/// A local variable.
pub(in crate::rust) struct Local {
    pub(in crate::rust) name: String,
    /// Its text, if it is SQL built before use.
    pub(in crate::rust) text: SiteSql,
    /// What is known of its text if that is built at run time.
    pub(in crate::rust) built: Option<Built>,
    /// The queries in it, if it is a collection.
    pub(in crate::rust) collected: Queries,
    pub(in crate::rust) queries: Queries,
    /// The shape of its value.
    pub(in crate::rust) shape: Shape,
    /// Where its value comes from.
    pub(in crate::rust) origins: Vec<Origin>,
    /// Its type, as far as it is known.
    pub(in crate::rust) ty: TypeRef,
    /// The closure in it, until its first use.
    pub(in crate::rust) closure: Option<Rc<syn::ExprClosure>>,
    /// What that closure does, once it was used.
    pub(in crate::rust) walked: Option<Rc<Walked>>,
    /// The functions that it may be.
    pub(in crate::rust) functions: Vec<syn::ExprPath>,
    /// The position of the variable whose closure it is by another name.
    pub(in crate::rust) same_as: Option<usize>,
    pub(in crate::rust) number: Option<u64>,
    /// How it is stepped, if it is a number.
    pub(in crate::rust) counter: Option<super::counted::Counter>,
    /// How it changes, if that is once at most.
    pub(in crate::rust) latch: Option<super::latches::Latch>,
    /// Whether it is a text that begins with the wildcard of LIKE.
    pub(in crate::rust) is_infix: bool,
    /// Whether no two of its elements are equal, as far as its code says.
    pub(in crate::rust) is_unique: bool,
    /// The position of the parameter that it is, counted from 0, including the receiver.
    pub(in crate::rust) parameter: Option<usize>,
    /// Whether it works on a database that an element of a loop names.
    pub(in crate::rust) on_its_own: bool,
    /// Whether it is a transaction that begins with it.
    pub(in crate::rust) begins: bool,
    /// The number of loops around its declaration.
    pub(in crate::rust) loops: usize,
}

/// A closure that was walked at its first call.
pub(in crate::rust) struct Walked {
    pub(in crate::rust) flow: Flow,
    /// Its queries, as positions among the sites.
    pub(in crate::rust) sites: Range<usize>,
    /// The number of loops around that call.
    pub(in crate::rust) loops: usize,
}

impl Local {
    /// A variable without any information.
    pub(in crate::rust) fn new(name: String, loops: usize) -> Local {
        Local {
            name,
            text: SiteSql::Dynamic,
            built: None,
            collected: Queries::new(),
            queries: Queries::new(),
            shape: Shape::Unknown,
            origins: vec![Origin::Unknown],
            ty: TypeRef::Unknown,
            closure: None,
            walked: None,
            functions: Vec::new(),
            same_as: None,
            number: None,
            counter: None,
            latch: None,
            is_infix: false,
            is_unique: false,
            parameter: None,
            on_its_own: false,
            begins: false,
            loops,
        }
    }
}

/// The variables in scope; later ones shadow earlier ones of the same name.
#[derive(Default)]
pub(in crate::rust) struct Locals {
    list: Vec<Local>,
    by_name: HashMap<String, Vec<usize>>,
}

impl Locals {
    pub(in crate::rust) fn len(&self) -> usize {
        self.list.len()
    }

    pub(in crate::rust) fn push(&mut self, local: Local) {
        self.by_name.entry(local.name.clone()).or_default().push(self.list.len());
        self.list.push(local);
    }

    /// Removes the most recently declared variable from scope.
    pub(in crate::rust) fn pop(&mut self) -> Option<Local> {
        let local = self.list.pop()?;
        self.by_name.get_mut(&local.name)?.pop();
        Some(local)
    }

    pub(in crate::rust) fn get(&self, name: &str) -> Option<&Local> {
        self.list.get(*self.by_name.get(name)?.last()?)
    }

    /// The position of a variable.
    pub(in crate::rust) fn position(&self, name: &str) -> Option<usize> {
        self.by_name.get(name)?.last().copied()
    }

    /// The position of the variable that has the closure of this one.
    pub(in crate::rust) fn closure_at(&self, name: &str) -> Option<usize> {
        let at = *self.by_name.get(name)?.last()?;
        Some(self.list.get(at)?.same_as.unwrap_or(at))
    }

    pub(in crate::rust) fn at(&self, position: usize) -> Option<&Local> {
        self.list.get(position)
    }

    pub(in crate::rust) fn at_mut(&mut self, position: usize) -> Option<&mut Local> {
        self.list.get_mut(position)
    }

    pub(in crate::rust) fn get_mut(&mut self, name: &str) -> Option<&mut Local> {
        self.list.get_mut(*self.by_name.get(name)?.last()?)
    }
}
