//! Crates that exist for the tests of others.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::Crate;

/// Words in the name of a package that say that it is for tests.
const WORDS: &[&str] = &["fixture", "fixtures", "mock", "mocks", "test", "testing", "testkit", "tests"];

/// The folders of the crates that only the tests of other crates are built with: all that depend on one name it in their
/// `[dev-dependencies]`, or are such crates themselves. A library that others use looks the same where the workspace has
/// just a crate of its tests, so that its name says what it is for, or a program of the workspace has it in its tests.
pub(super) fn find(crates: &[Crate]) -> BTreeSet<PathBuf> {
    let of_programs = of_programs(crates);
    let mut found: BTreeSet<PathBuf> = BTreeSet::new();
    loop {
        let more = crates.iter().filter(|it| {
            let dependents = || crates.iter().filter(|by| by.dependencies.contains_key(&it.dir));
            let is_tested = |by: &Crate| found.contains(&by.dir) || !by.built_in.contains(&it.dir);
            let mut in_programs = dependents().filter(|by| of_programs.contains(by.dir.as_path()));
            let is_meant = it.is_named_for_tests() || in_programs.next().is_some();
            is_meant && !it.is_program() && dependents().next().is_some() && dependents().all(is_tested)
        });
        let more: Vec<PathBuf> = more.map(|it| it.dir.clone()).filter(|dir| !found.contains(dir)).collect();
        if more.is_empty() {
            return found;
        }
        found.extend(more);
    }
}

/// The folders of the programs, and of all crates that they are built with.
fn of_programs(crates: &[Crate]) -> BTreeSet<&Path> {
    let mut open: Vec<&Crate> = crates.iter().filter(|it| it.is_program()).collect();
    let mut found = BTreeSet::new();
    while let Some(next) = open.pop() {
        if found.insert(next.dir.as_path()) {
            open.extend(crates.iter().filter(|it| next.built_in.contains(&it.dir)));
        }
    }
    found
}

impl Crate {
    /// Whether it has a program besides tests and examples.
    fn is_program(&self) -> bool {
        let is_example =
            |root: &Path| root.strip_prefix(&self.dir).is_ok_and(|inside| inside.starts_with("examples"));
        self.targets.iter().any(|it| !it.is_lib && !it.is_test && !is_example(&it.root))
    }

    fn is_named_for_tests(&self) -> bool {
        let words = self.package.as_deref().unwrap_or_default().split(['-', '_']);
        words.into_iter().any(|word| WORDS.contains(&word))
    }
}
