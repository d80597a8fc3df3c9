//! Items that are made by macros of the project's own: functions above all, which others call.

use std::collections::{HashMap, HashSet};

use proc_macro2::{Span, TokenStream};
use syn::parse::{Parse, ParseStream, Parser};
use syn::{ImplItem, Item, Macro, TraitItem};

use super::items::macro_of;
use super::{delegated, expand, pasted, spans};
use crate::rust::graph::imports;
use crate::rust::graph::neighbours::Told;

/// How many macros may make each other.
const MAX_MACRO_DEPTH: usize = 16;

/// How many items macros may make in a file.
const MAX_MADE_ITEMS: usize = 5_000;

/// Puts what macros make in their place, where it may run a query.
pub(in crate::rust) fn spread(items: &mut Vec<Item>, told: &Told) {
    let outer = told.macros.iter().filter_map(|(name, rules)| Some((name.clone(), rules.parse().ok()?)));
    let mut macros: HashMap<String, imports::Macro> =
        outer.map(|(name, rules): (String, TokenStream)| (name, macro_of(rules, &told.aliases))).collect();
    collect(items, &mut macros, &told.aliases);
    Spread { macros, left: MAX_MADE_ITEMS, at: Vec::new() }.items(items);
}

/// Collects the macros that are defined among items.
fn collect(items: &[Item], macros: &mut HashMap<String, imports::Macro>, aliases: &HashSet<String>) {
    for item in items {
        match item {
            Item::Macro(item) => {
                if let Some(name) = &item.ident {
                    macros.insert(name.to_string(), macro_of(item.mac.tokens.clone(), aliases));
                }
            }
            Item::Use(item) => {
                for (name, new) in imports::renamed(&item.tree) {
                    if let Some(of) = macros.get(&name).filter(|_| !macros.contains_key(&new)).cloned() {
                        macros.insert(new, of);
                    }
                }
            }
            Item::Mod(item) => item.content.iter().for_each(|(_, items)| collect(items, macros, aliases)),
            _ => {}
        }
    }
}

struct Spread {
    macros: HashMap<String, imports::Macro>,
    left: usize,
    /// Where the macros around are used.
    at: Vec<Span>,
}

impl Spread {
    fn items(&mut self, items: &mut Vec<Item>) {
        for mut item in std::mem::take(items) {
            match &mut item {
                Item::Macro(mac) if mac.ident.is_none() => {
                    if let Some((at, mut made)) = self.made(&mac.mac) {
                        let depth = self.at.len();
                        self.at.extend(at);
                        self.items(&mut made);
                        self.at.truncate(depth);
                        items.append(&mut made);
                        continue;
                    }
                }
                Item::Mod(inner) => {
                    inner.content.iter_mut().for_each(|(_, items)| self.items(items));
                }
                Item::Impl(inner) => {
                    let members = std::mem::take(&mut inner.items).into_iter();
                    inner.items = members.flat_map(|member| self.member(member)).collect();
                }
                Item::Trait(inner) => {
                    let members = std::mem::take(&mut inner.items).into_iter();
                    let made = |member| match member {
                        TraitItem::Macro(mac) => match self.made(&mac.mac) {
                            Some((_, made)) => made,
                            None => vec![TraitItem::Macro(mac)],
                        },
                        member => vec![member],
                    };
                    inner.items = members.flat_map(made).collect();
                }
                _ => {}
            }
            items.push(item);
        }
    }

    fn member(&mut self, member: ImplItem) -> Vec<ImplItem> {
        match member {
            ImplItem::Macro(mac) => match self.made(&mac.mac) {
                Some((_, made)) => made,
                None => delegated::methods(&mac.mac).unwrap_or_else(|| vec![ImplItem::Macro(mac)]),
            },
            member => vec![member],
        }
    }

    /// What a macro makes, and where it is used; `None` where that is the place of the code that it is given.
    fn made<T: Parse>(&mut self, mac: &Macro) -> Option<(Option<Span>, Vec<T>)> {
        let name = mac.path.segments.last()?.ident.to_string();
        let (at, made) = match self.macros.get(&name) {
            Some(of) if self.at.len() < MAX_MACRO_DEPTH && of.is_querying(&self.macros) => {
                let at = self.at.first().copied().unwrap_or_else(|| spans::of_path(&mac.path));
                (Some(at), expand::expand(&of.rules, &mac.tokens, at)?)
            }
            None if pasted::pastes(&name) => (None, pasted::pasted(mac.tokens.clone())),
            _ => return None,
        };
        let all = |input: ParseStream<'_>| {
            let mut all = Vec::new();
            while !input.is_empty() {
                all.push(input.parse()?);
            }
            Ok(all)
        };
        let made: Vec<T> = all.parse2(made).ok()?;
        self.left = self.left.checked_sub(made.len())?;
        Some((at, made))
    }
}
