//! Resolves glob imports. Modules that import each other's names form one group, so that a cycle is walked
//! once.

use std::collections::HashSet;

/// The maximum length of a chain of globs.
const MAX_GLOB_CHAIN: usize = 24;

/// Given the globs of each module: the group of each module, and for each group the modules that its globs
/// reach, nearest first, including its own.
pub(super) fn reach(targets: &[Vec<usize>]) -> (Vec<usize>, Vec<Vec<usize>>) {
    let groups = groups(targets);
    let count = groups.iter().max().map_or(0, |last| last + 1);
    let mut members: Vec<Vec<usize>> = vec![Vec::new(); count];
    for (module, group) in groups.iter().enumerate() {
        members.get_mut(*group).into_iter().for_each(|members| members.push(module));
    }
    let next: Vec<Vec<usize>> = members
        .iter()
        .map(|members| {
            let mut seen = HashSet::new();
            let targets = members.iter().filter_map(|module| targets.get(*module)).flatten();
            targets
                .filter_map(|target| groups.get(*target).copied())
                .filter(|group| seen.insert(*group))
                .collect()
        })
        .collect();
    let reach = (0..count).map(|group| reached(group, &members, &next)).collect();
    (groups, reach)
}

/// The modules that a group reaches.
fn reached(from: usize, members: &[Vec<usize>], next: &[Vec<usize>]) -> Vec<usize> {
    // Without globs, only the module itself is reachable.
    if next.get(from).is_none_or(Vec::is_empty) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut seen = HashSet::from([from]);
    let mut layer = vec![from];
    for _ in 0..MAX_GLOB_CHAIN {
        let mut deeper = Vec::new();
        for group in layer {
            found.extend(members.get(group).into_iter().flatten());
            deeper.extend(next.get(group).into_iter().flatten().copied().filter(|group| seen.insert(*group)));
        }
        layer = deeper;
    }
    found
}

/// The group of each module; modules that reach each other share one (Tarjan's algorithm, without recursion).
pub(super) fn groups(targets: &[Vec<usize>]) -> Vec<usize> {
    const NONE: usize = usize::MAX;
    let count = targets.len();
    let (mut index, mut low, mut group) = (vec![NONE; count], vec![NONE; count], vec![NONE; count]);
    let (mut stack, mut counter, mut groups) = (Vec::new(), 0, 0);
    for start in 0..count {
        let mut work = vec![(start, 0)];
        while let Some((at, edge)) = work.pop() {
            if edge == 0 {
                if index[at] != NONE {
                    continue;
                }
                (index[at], low[at]) = (counter, counter);
                counter += 1;
                stack.push(at);
            }
            match targets[at].get(edge).copied().filter(|target| *target < count) {
                Some(target) => {
                    work.push((at, edge + 1));
                    if index[target] == NONE {
                        work.push((target, 0));
                    } else if group[target] == NONE {
                        low[at] = low[at].min(index[target]);
                    }
                }
                None => {
                    // All targets are done, so this module reaches what they reach.
                    for target in
                        targets[at].iter().filter(|target| **target < count && group[**target] == NONE)
                    {
                        low[at] = low[at].min(low[*target]);
                    }
                    if low[at] == index[at] {
                        while let Some(member) = stack.pop() {
                            group[member] = groups;
                            if member == at {
                                break;
                            }
                        }
                        groups += 1;
                    }
                }
            }
        }
    }
    group
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ring_is_one_group_and_a_chain_is_walked_in_order() {
        let ring: Vec<Vec<usize>> =
            (0..50).map(|at| (0..50).filter(|other| *other != at).collect()).collect();
        let (groups, reach) = reach(&ring);
        assert!(groups.iter().all(|group| *group == groups[0]));
        assert_eq!(reach.iter().map(Vec::len).sum::<usize>(), 50);
        let (groups, reached) = super::reach(&[vec![1], vec![2], vec![], vec![0]]);
        assert_eq!(reached[groups[3]], [3, 0, 1, 2]);
        assert_eq!(reached[groups[2]], [0usize; 0]);
    }

    #[test]
    fn long_chains_are_followed_so_far_only() {
        let chain: Vec<Vec<usize>> = (0..10_000).map(|at| vec![at + 1]).collect();
        let (_, reached) = reach(&chain);
        assert!(reached.iter().map(Vec::len).sum::<usize>() <= 10_000 * MAX_GLOB_CHAIN);
    }
}
