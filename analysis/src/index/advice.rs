//! The smallest set of indexes that serves what is not served: one that is the beginning of another is that other, and
//! keys compared for equality are put in the order that lets one index serve several queries.

use super::advise::Wanted;

/// An index to make, and whom it serves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Advice {
    /// The index.
    pub index: Wanted,
    /// The queries it serves, by the positions they were given with, in order.
    pub serves: Vec<usize>,
}

/// The indexes that serve all of `wanted`, each with the position of its query; those that serve most queries first.
pub fn advise<'w>(wanted: impl IntoIterator<Item = (usize, &'w Wanted)>) -> Vec<Advice> {
    let mut wanted: Vec<(usize, &Wanted)> = wanted.into_iter().collect();
    // Shorter ones first: a longer one extends them.
    wanted.sort_by(|(_, a), (_, b)| a.columns.len().cmp(&b.columns.len()).then_with(|| a.cmp(b)));
    let mut orders: Vec<Order<'_>> = Vec::new();
    for (query, index) in wanted {
        match orders.iter_mut().find_map(|order| order.with(index).map(|with| (order, with))) {
            Some((order, with)) => {
                order.keys = with;
                order.serves.push(query);
            }
            None => orders.push(Order { first: index, keys: groups(index), serves: vec![query] }),
        }
    }
    let mut advice: Vec<Advice> = orders.into_iter().map(Order::finish).collect();
    advice.sort_by(|a, b| b.serves.len().cmp(&a.serves.len()).then_with(|| a.index.cmp(&b.index)));
    advice
}

/// The keys of an index in the making: groups in order, each with keys that may still stand in any order.
struct Order<'w> {
    first: &'w Wanted,
    keys: Vec<Vec<String>>,
    serves: Vec<usize>,
}

/// The keys of one wanted index: those compared for equality, then each other by itself.
fn groups(wanted: &Wanted) -> Vec<Vec<String>> {
    let equal = wanted.columns.get(..wanted.equal).unwrap_or_default().to_vec();
    let rest = wanted.columns.get(wanted.equal..).unwrap_or_default();
    let rest = rest.iter().map(|key| vec![key.clone()]);
    std::iter::once(equal).filter(|group| !group.is_empty()).chain(rest).collect()
}

impl Order<'_> {
    /// The keys when the index serves `wanted` as well; `None` when no order of them does.
    fn with(&self, wanted: &Wanted) -> Option<Vec<Vec<String>>> {
        let same = self.first.table == wanted.table
            && self.first.predicate == wanted.predicate
            && self.first.method == wanted.method;
        if !same {
            return None;
        }
        let mut own = self.keys.iter().cloned();
        let mut rest: Option<Vec<String>> = None;
        let mut keys = Vec::new();
        for mut group in groups(wanted) {
            while !group.is_empty() {
                let Some(next) = rest.take().or_else(|| own.next()) else {
                    keys.push(std::mem::take(&mut group));
                    break;
                };
                let (shared, other): (Vec<String>, Vec<String>) =
                    next.into_iter().partition(|key| group.contains(key));
                if shared.is_empty() {
                    return None;
                }
                group.retain(|key| !shared.contains(key));
                // What is left of a group stands behind what is shared; both cannot have something left.
                if !other.is_empty() && !group.is_empty() {
                    return None;
                }
                keys.push(shared);
                rest = Some(other).filter(|other| !other.is_empty());
            }
        }
        keys.extend(rest);
        keys.extend(own);
        Some(keys)
    }

    fn finish(self) -> Advice {
        let mut serves = self.serves;
        serves.sort_unstable();
        serves.dedup();
        let columns: Vec<String> = self.keys.into_iter().flatten().collect();
        Advice { index: Wanted { columns, equal: 0, ..self.first.clone() }, serves }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Name;

    fn wanted(table: &str, columns: &[&str]) -> Wanted {
        let columns: Vec<String> = columns.iter().map(|column| (*column).to_owned()).collect();
        Wanted { table: Name::new(table), equal: columns.len(), columns, predicate: None, method: None }
    }

    #[test]
    fn an_index_serves_what_its_beginning_would() {
        let (a, ab, b) = (wanted("t", &["a"]), wanted("t", &["a", "b"]), wanted("t", &["b"]));
        let found = advise([(0, &a), (1, &ab), (2, &b), (3, &a)]);
        let line = |advice: &Advice| format!("{} for {:?}", advice.index.columns.join(" "), advice.serves);
        assert_eq!(found.iter().map(line).collect::<Vec<_>>(), ["a b for [0, 1, 3]", "b for [2]"]);
    }

    #[test]
    fn equality_keys_stand_in_the_order_that_serves_most() {
        let (ab, b) = (wanted("t", &["a", "b"]), wanted("t", &["b"]));
        let range = Wanted { equal: 1, ..wanted("t", &["b", "c"]) };
        let found = advise([(0, &ab), (1, &b)]);
        assert_eq!(found.iter().map(|advice| advice.index.columns.join(" ")).collect::<Vec<_>>(), ["b a"]);
        // After `b` one wants `a` next and the other `c`.
        assert_eq!(advise([(0, &ab), (1, &range)]).len(), 2);
    }

    #[test]
    fn tables_predicates_and_methods_are_kept_apart() {
        let plain = wanted("t", &["a"]);
        let other = wanted("u", &["a"]);
        let partial = Wanted { predicate: Some("a > 0".to_owned()), ..plain.clone() };
        let hash = Wanted { method: Some(("hash", "")), ..plain.clone() };
        assert_eq!(advise([(0, &plain), (0, &other), (0, &partial), (0, &hash)]).len(), 4);
        assert_eq!(advise([]), []);
    }
}
