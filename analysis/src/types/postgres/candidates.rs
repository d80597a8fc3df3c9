//! Chooses among functions or operators of the same name, by the rules in the chapter "Type Conversion".

use std::sync::Arc;

use super::arena::Ty;
use super::coerce::{Context, is_polymorphic};
use super::session::{Session, Value};

/// A possible function, aggregate or operator.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Its arguments, expanded to the number in the call.
    pub(super) args: Vec<Ty>,
    pub(super) result: Ty,
    /// Whether it returns NULL for NULL.
    pub(super) strict: bool,
    /// Whether it returns a set.
    pub(super) set: bool,
    /// `f`, `a`, `w`, `p`; `o` for an operator.
    pub(super) kind: u8,
    /// Its columns, if it returns rows with names.
    pub(super) outs: Vec<(String, Ty)>,
    /// Whether it is user-defined, so that its behaviour is unknown.
    pub(super) of_schema: bool,
    /// Whether its last argument is variadic and stands for several in this call.
    pub(super) spread: bool,
}

impl Candidate {
    /// An operator without further information.
    pub(super) fn operator(args: Vec<Ty>, result: Ty) -> Candidate {
        let (outs, kind) = (Vec::new(), b'o');
        Candidate { args, result, strict: false, set: false, kind, outs, of_schema: false, spread: false }
    }
}

/// The result of choosing among candidates.
#[derive(Debug)]
pub(super) enum Choice {
    One(Arc<Candidate>),
    /// No candidate accepts these arguments.
    None,
    /// Several candidates are equally good.
    Several,
}

/// The types that the polymorphic types of a call stand for.
#[derive(Debug, Default, Clone, Copy)]
struct Generic {
    element: Option<Ty>,
    array: Option<Ty>,
    range: Option<Ty>,
    multirange: Option<Ty>,
    compatible: Option<Ty>,
    compatible_range: Option<Ty>,
}

impl Session<'_> {
    /// The candidates that accept arguments of these types.
    pub(super) fn matching<'c>(
        &mut self,
        candidates: impl Iterator<Item = &'c Arc<Candidate>>,
        args: &[Ty],
    ) -> Vec<Arc<Candidate>> {
        let mut matching = Vec::new();
        for candidate in candidates {
            let mut pairs = candidate.args.iter().zip(args);
            let fits = candidate.args.len() == args.len()
                && pairs.all(|(to, from)| self.converts(*from, *to, Context::Implicit).unwrap_or(true))
                && self.generic(&candidate.args, args).is_some();
            if fits {
                matching.push(Arc::clone(candidate));
            }
        }
        matching
    }

    /// The best of the matching candidates.
    pub(super) fn choose(&mut self, candidates: Vec<Arc<Candidate>>, args: &[Ty]) -> Choice {
        let mut left = candidates;
        match left.len() {
            0 => return Choice::None,
            1 => return left.pop().map_or(Choice::None, Choice::One),
            _ => {}
        }
        let bases: Vec<Ty> = args.iter().map(|ty| self.types.base(*ty)).collect();
        let exact = |session: &mut Self, candidate: &Candidate| {
            let pairs = candidate.args.iter().zip(&bases);
            pairs.filter(|(to, from)| **from != Ty::UNKNOWN && session.types.same(**to, **from)).count()
        };
        left = self.keep_best(left, exact);
        if left.len() == 1 {
            return left.pop().map_or(Choice::None, Choice::One);
        }
        let preferred = |session: &mut Self, candidate: &Candidate| {
            let pairs = candidate.args.iter().zip(&bases);
            let good = |(to, from): &(&Ty, &Ty)| {
                **from != Ty::UNKNOWN
                    && (session.types.same(**to, **from) || session.is_preferred(**to, **from))
            };
            pairs.filter(good).count()
        };
        left = self.keep_best(left, preferred);
        if left.len() == 1 {
            return left.pop().map_or(Choice::None, Choice::One);
        }
        if !bases.contains(&Ty::UNKNOWN) {
            return Choice::Several;
        }
        left = self.by_category(left, &bases);
        if left.len() == 1 {
            return left.pop().map_or(Choice::None, Choice::One);
        }
        self.as_the_known_ones(left, &bases)
    }

    fn is_preferred(&mut self, to: Ty, from: Ty) -> bool {
        let category = self.types.info(from).category;
        let to = self.types.info(to);
        to.preferred && to.category == category
    }

    fn keep_best(
        &mut self,
        candidates: Vec<Arc<Candidate>>,
        score: impl Fn(&mut Self, &Candidate) -> usize,
    ) -> Vec<Arc<Candidate>> {
        let scored: Vec<(usize, Arc<Candidate>)> =
            candidates.into_iter().map(|candidate| (score(self, &candidate), candidate)).collect();
        let best = scored.iter().map(|(score, _)| *score).max().unwrap_or(0);
        scored.into_iter().filter(|(score, _)| *score == best).map(|(_, candidate)| candidate).collect()
    }

    /// Arguments without a type are assumed to be in the category that the candidates agree on, strings
    /// first.
    fn by_category(&mut self, candidates: Vec<Arc<Candidate>>, bases: &[Ty]) -> Vec<Arc<Candidate>> {
        let mut wanted: Vec<Option<(u8, bool)>> = vec![None; bases.len()];
        for (at, _) in bases.iter().enumerate().filter(|(_, base)| **base == Ty::UNKNOWN) {
            let mut category: Option<(u8, bool)> = None;
            let mut conflict = false;
            for candidate in &candidates {
                let Some(ty) = candidate.args.get(at) else { continue };
                let info = self.types.info(*ty);
                let (found, preferred) = (info.category, info.preferred);
                category = Some(match category {
                    None => (found, preferred),
                    Some((known, has)) if known == found => (known, has || preferred),
                    Some(_) if found == b'S' => (b'S', preferred),
                    Some(known) => {
                        conflict = true;
                        known
                    }
                });
            }
            if conflict && category.is_none_or(|(category, _)| category != b'S') {
                return candidates;
            }
            if let Some(slot) = wanted.get_mut(at) {
                *slot = category;
            }
        }
        let mut kept = Vec::new();
        for candidate in &candidates {
            let mut fits = true;
            for (ty, wanted) in candidate.args.iter().zip(&wanted) {
                if let Some((category, preferred)) = wanted {
                    let info = self.types.info(*ty);
                    fits &= info.category == *category && (!preferred || info.preferred);
                }
            }
            if fits {
                kept.push(Arc::clone(candidate));
            }
        }
        if kept.is_empty() { candidates } else { kept }
    }

    /// As a last resort, arguments without a type are assumed to have the type of the others.
    fn as_the_known_ones(&mut self, candidates: Vec<Arc<Candidate>>, bases: &[Ty]) -> Choice {
        let mut known = bases.iter().filter(|base| **base != Ty::UNKNOWN);
        let Some(first) = known.next() else { return Choice::Several };
        if !known.all(|base| self.types.same(*base, *first)) {
            return Choice::Several;
        }
        let all = vec![*first; bases.len()];
        let mut fitting = self.matching(candidates.iter(), &all);
        match (fitting.pop(), fitting.len()) {
            (Some(one), 0) => Choice::One(one),
            _ => Choice::Several,
        }
    }

    /// The types that the polymorphic types in the declaration stand for; `None` if the actual types
    /// contradict each other.
    fn generic(&mut self, declared: &[Ty], actual: &[Ty]) -> Option<Generic> {
        let mut found = Generic::default();
        let mut compatible: Vec<Value> = Vec::new();
        let mut saw_compatible = false;
        for (declared, actual) in declared.iter().zip(actual) {
            if matches!(*declared, Ty::ANYCOMPATIBLE | Ty::ANYCOMPATIBLEARRAY | Ty::ANYCOMPATIBLENONARRAY) {
                saw_compatible = true;
            }
            if *actual == Ty::UNKNOWN || !is_polymorphic(*declared) {
                continue;
            }
            if *actual == Ty::OPAQUE {
                return Some(Generic {
                    element: Some(Ty::OPAQUE),
                    array: Some(Ty::OPAQUE),
                    range: Some(Ty::OPAQUE),
                    compatible: Some(Ty::OPAQUE),
                    ..found
                });
            }
            let base = self.types.base(*actual);
            let mut put = |slot: &mut Option<Ty>, ty: Ty| match slot {
                Some(known) => self.types.same(*known, ty),
                None => {
                    *slot = Some(ty);
                    true
                }
            };
            let fits = match *declared {
                Ty::ANYELEMENT => put(&mut found.element, *actual),
                Ty::ANYNONARRAY => {
                    self.types.element(base).is_none_or(|_| !self.is_array(base)) && {
                        let known = found.element.replace(*actual);
                        known.is_none_or(|known| self.types.same(known, *actual))
                    }
                }
                Ty::ANYENUM => put(&mut found.element, *actual) && self.types.info(base).class == b'e',
                Ty::ANYARRAY => put(&mut found.array, base) && self.is_array(base),
                Ty::ANYRANGE => put(&mut found.range, base) && self.types.info(base).class == b'r',
                Ty::ANYMULTIRANGE => put(&mut found.multirange, base) && self.types.info(base).class == b'm',
                Ty::ANYCOMPATIBLE => {
                    compatible.push(Value::of(*actual, false));
                    true
                }
                Ty::ANYCOMPATIBLENONARRAY => {
                    compatible.push(Value::of(*actual, false));
                    !self.is_array(base)
                }
                Ty::ANYCOMPATIBLEARRAY => match self.types.element(base) {
                    Some(element) if self.is_array(base) => {
                        compatible.push(Value::of(element, false));
                        true
                    }
                    _ => false,
                },
                Ty::ANYCOMPATIBLERANGE => {
                    put(&mut found.compatible_range, base) && self.types.info(base).class == b'r'
                }
                _ => true,
            };
            if !fits {
                return None;
            }
        }
        self.complete(found, saw_compatible, &mut compatible)
    }

    pub(super) fn is_array(&mut self, ty: Ty) -> bool {
        ty == Ty::RECORDARRAY || self.types.info(ty).category == b'A'
    }

    /// Element, array and range types of one family determine each other.
    fn complete(
        &mut self,
        mut found: Generic,
        saw_compatible: bool,
        compatible: &mut Vec<Value>,
    ) -> Option<Generic> {
        if let Some(multirange) = found.multirange {
            let range = self.types.info(multirange).base?;
            if found.range.is_some_and(|known| !self.types.same(known, range)) {
                return None;
            }
            found.range = Some(range);
        }
        let of_array = found.array.and_then(|array| self.types.element(array));
        let of_range = found.range.and_then(|range| self.types.info(range).base);
        for inner in [of_array, of_range].into_iter().flatten() {
            match found.element {
                Some(known) if !self.types.same(known, inner) => return None,
                _ => found.element = Some(inner),
            }
        }
        if let Some(range) = found.compatible_range {
            let inner = self.types.info(range).base?;
            compatible.push(Value::of(inner, false));
        }
        if saw_compatible || !compatible.is_empty() {
            found.compatible = Some(self.common(compatible).ok()?);
        }
        Some(found)
    }

    /// The argument types and result of a candidate for these arguments, with polymorphic types replaced.
    /// `None` if they cannot be determined.
    pub(super) fn settled(&mut self, candidate: &Candidate, actual: &[Ty]) -> Option<(Vec<Ty>, Ty)> {
        let generic = self.generic(&candidate.args, actual)?;
        let args = candidate.args.clone();
        let mut settled = Vec::with_capacity(args.len());
        for (declared, actual) in args.iter().zip(actual) {
            let keeps = *actual != Ty::UNKNOWN
                && !matches!(
                    *declared,
                    Ty::ANYCOMPATIBLE | Ty::ANYCOMPATIBLEARRAY | Ty::ANYCOMPATIBLENONARRAY
                );
            settled.push(match is_polymorphic(*declared) {
                true if keeps => *actual,
                true => self.stands_for(*declared, generic)?,
                false => *declared,
            });
        }
        let result = match is_polymorphic(candidate.result) {
            true => self.stands_for(candidate.result, generic)?,
            false => candidate.result,
        };
        Some((settled, result))
    }

    /// The columns of a candidate, with polymorphic types replaced.
    pub(super) fn settled_outs(&mut self, candidate: &Candidate, actual: &[Ty]) -> Vec<(String, Ty)> {
        let generic = self.generic(&candidate.args, actual).unwrap_or_default();
        let outs = candidate.outs.clone();
        let settle = |(name, ty): (String, Ty)| match is_polymorphic(ty) {
            true => (name, self.stands_for(ty, generic).unwrap_or(Ty::OPAQUE)),
            false => (name, ty),
        };
        outs.into_iter().map(settle).collect()
    }

    fn stands_for(&mut self, declared: Ty, generic: Generic) -> Option<Ty> {
        match declared {
            Ty::ANYELEMENT | Ty::ANYNONARRAY | Ty::ANYENUM => generic.element,
            Ty::ANYARRAY => match (generic.array, generic.element) {
                (Some(array), _) => Some(array),
                (None, Some(Ty::OPAQUE)) => Some(Ty::OPAQUE),
                (None, Some(element)) => self.types.array_of(element),
                (None, None) => None,
            },
            Ty::ANYRANGE => generic.range,
            Ty::ANYMULTIRANGE => match (generic.multirange, generic.range) {
                (Some(multirange), _) => Some(multirange),
                (None, Some(range)) => {
                    let name = self.types.info(range).name.replace("range", "multirange");
                    self.types.builtin(&name)
                }
                (None, None) => None,
            },
            Ty::ANYCOMPATIBLE | Ty::ANYCOMPATIBLENONARRAY => generic.compatible,
            Ty::ANYCOMPATIBLEARRAY => match generic.compatible? {
                Ty::OPAQUE => Some(Ty::OPAQUE),
                element => self.types.array_of(element),
            },
            Ty::ANYCOMPATIBLERANGE => generic.compatible_range,
            other => Some(other),
        }
    }
}
