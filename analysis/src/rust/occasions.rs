//! On which occasions a function runs, judging by where its name occurs in the workspace: never, by hand, for
//! administrators, for an export. A name that may mean several functions means all of them.

mod paths;
mod programs;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub(crate) use self::paths::above_source;
use self::paths::{copies_data, is_of_copies, path_words};
use self::programs::{knows_server, reads_arguments};
use super::lex::named::{Named, is_admin, is_one_off, named, names_of_functions};
use super::lex::relevant::names_of;
use super::source::SourceFile;

/// An occasion on which alone a function runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Occasion {
    /// No `mod` declares its file, so that it is not compiled.
    Uncompiled,
    /// Nothing that runs names it.
    Never,
    /// Nothing that runs names it but tests.
    InTests,
    /// Only tests are built with its crate.
    ForTests,
    /// A command line reaches it, or code that runs once.
    ByHand,
    /// It runs while a program or one of its tasks starts.
    AtStart,
    /// Only administrators run it.
    ForAdmins,
    /// It makes a copy of the data, or reads one back.
    ForCopy,
    /// It answers requests: whatever its name and file are called, it runs again and again.
    OnRequest,
}

/// A file of the workspace.
#[derive(Debug, Clone)]
pub struct NamedFile<'t> {
    /// The path as shown.
    pub path: &'t str,
    /// The file's source.
    pub text: &'t str,
    /// A name that only its crate has.
    pub crate_name: &'t str,
    /// The crates that its code can name.
    pub externs: &'t Arc<HashMap<String, String>>,
    /// Whether it is test code.
    pub in_test: bool,
    /// Whether no `mod` declares it.
    pub is_undeclared: bool,
    /// Whether only the tests of other crates are built with its crate.
    pub is_test_support: bool,
    /// Whether its crate is a program of this name that is made for the command line, as far as its name tells.
    pub is_command: bool,
}

/// The occasions of the functions of a workspace, by file and line of their name.
#[derive(Debug, Default)]
pub struct Occasions {
    functions: HashMap<(String, u32), Vec<Occasion>>,
    /// The files that are not compiled.
    uncompiled: HashSet<String>,
    /// Whether the workspace has a program. Code of others calls a library, in loops that are not seen.
    has_program: bool,
}

/// A function by its file, and its position there.
type Id = (usize, usize);

struct Workspace<'t> {
    files: &'t [NamedFile<'t>],
    named: Vec<Named<'t>>,
    /// The places of each name: its file, and the function that contains it.
    mentions: HashMap<&'t str, Vec<(usize, Option<usize>)>>,
    /// What the names that imports give stand for.
    renamed: HashMap<&'t str, Vec<&'t str>>,
    traits: HashSet<&'t str>,
    /// The functions of each name outside of tests.
    by_name: HashMap<&'t str, Vec<Id>>,
    live: HashSet<Id>,
}

impl Occasions {
    /// The occasions of functions in these files; `is_by_hand` returns whether a function, by its file and
    /// name, runs once or by hand.
    pub fn of(files: &[NamedFile<'_>], is_by_hand: &dyn Fn(&str, &str) -> bool) -> Occasions {
        let mut workspace = Workspace::read(files);
        workspace.live = workspace.live(true);
        let commands = workspace.command_crates();
        let undeclared = files.iter().filter(|file| file.is_undeclared);
        let uncompiled = undeclared.map(|file| file.path.to_owned()).collect();
        let mut all = Occasions { has_program: workspace.has_program(), uncompiled, ..Occasions::default() };
        if workspace.is_application() {
            let unused = workspace.functions().filter(|id| workspace.is_unused(*id)).collect();
            workspace.note(&mut all, &unused, Occasion::Never);
            let served = workspace.live(false);
            let tested =
                workspace.functions().filter(|id| workspace.is_live_code(*id) && !served.contains(id));
            workspace.note(&mut all, &tested.collect(), Occasion::InTests);
        }
        let supports = |id: &Id| files.get(id.0).is_some_and(|file| file.is_test_support);
        workspace.note(&mut all, &workspace.functions().filter(supports).collect(), Occasion::ForTests);
        let is_of = |id: Id, file: &NamedFile<'_>, name: &str| {
            let is_by_hand = match workspace.answers(id) {
                true => is_by_hand(above_source(file.path), ""),
                false => is_by_hand(file.path, name),
            };
            is_by_hand || commands.contains(file.crate_name) && workspace.get(id).is_some()
        };
        let by_hand = workspace.reached_only_from(&is_of);
        let once = workspace.of_one_off_modules(&by_hand);
        let by_hand = match once.is_empty() {
            true => by_hand,
            false => workspace.reached_only_from(&|id: Id, file: &NamedFile<'_>, name: &str| {
                once.contains(&id) || is_of(id, file, name)
            }),
        };
        workspace.note(&mut all, &by_hand, Occasion::ByHand);
        // Administrators of a campaign or an organisation are its customers, and many.
        let structs: HashSet<&str> =
            workspace.named.iter().flat_map(|it| it.structs.iter().copied()).collect();
        let of_all = |of: Option<&str>| of.is_some_and(|of| !structs.contains(of));
        let of_admins: Vec<bool> = files.iter().map(|file| path_words(file.path).any(is_admin)).collect();
        let asks = |id: Id, _: &NamedFile<'_>, name: &str| {
            is_admin(name)
                || of_admins.get(id.0) == Some(&true)
                || workspace.get(id).is_some_and(|it| it.asks_for_admin || of_all(it.admin_of))
        };
        let for_admins = workspace.reached_only_from(&asks);
        workspace.note(&mut all, &for_admins, Occasion::ForAdmins);
        let copies = |id: Id, file: &NamedFile<'_>, name: &str| {
            let answers = workspace.answers(id);
            copies_data(name, answers) || path_words(file.path).any(|word| is_of_copies(word, answers))
        };
        let for_copy = workspace.reached_only_from(&copies);
        workspace.note(&mut all, &for_copy, Occasion::ForCopy);
        let answering = workspace.functions().filter(|id| workspace.answers(*id)).collect();
        workspace.note(&mut all, &answering, Occasion::OnRequest);
        all
    }

    /// Sets the occasions of the functions and queries of a source.
    pub fn tell(&self, source: &mut SourceFile) {
        if let Some(path) = source.scan.functions.first().map(|function| function.place.file.to_string())
            && self.uncompiled.contains(&path)
        {
            source.scan.functions.iter_mut().for_each(|it| it.occasions.push(Occasion::Uncompiled));
            source.scan.sites.iter_mut().for_each(|it| it.occasions.push(Occasion::Uncompiled));
            return;
        }
        let mut of_path: HashMap<Arc<str>, Vec<Occasion>> = HashMap::new();
        for function in &mut source.scan.functions {
            let key = (function.place.file.to_string(), function.place.line);
            let own = self.functions.get(&key).map_or(&[][..], Vec::as_slice);
            function.occasions.extend(own);
            // Two functions of one path are told apart by conditions that are not known here.
            of_path
                .entry(Arc::clone(&function.path))
                .and_modify(|known| known.retain(|it| own.contains(it)))
                .or_insert_with(|| own.to_vec());
        }
        for site in &mut source.scan.sites {
            site.is_paged |= !self.has_program;
            site.occasions.extend(of_path.get(&site.function).into_iter().flatten());
        }
    }
}

impl<'t> Workspace<'t> {
    fn read(files: &'t [NamedFile<'t>]) -> Workspace<'t> {
        let words: HashSet<&str> = files.iter().flat_map(|file| names_of_functions(file.text)).collect();
        let mut named: Vec<Named<'t>> =
            files.iter().map(|file| named(file.text, file.in_test, &words)).collect();
        let mut mentions: HashMap<&str, Vec<(usize, Option<usize>)>> = HashMap::new();
        let declared: HashSet<&str> = named.iter().flat_map(|it| &it.functions).map(|it| it.name).collect();
        let mut renamed: HashMap<&str, Vec<&str>> = HashMap::new();
        for (new, before) in named.iter().flat_map(|named| &named.renamed) {
            renamed.entry(new).or_default().push(before);
        }
        for (file, named) in named.iter_mut().enumerate() {
            for (name, function) in std::mem::take(&mut named.mentions) {
                let mut mention = |meant: &'t str| {
                    if declared.contains(meant) {
                        let places = mentions.entry(meant).or_default();
                        if places.last() != Some(&(file, function)) {
                            places.push((file, function));
                        }
                    }
                };
                // Few names are renamed.
                match renamed.contains_key(name) {
                    true => names_of(name, &renamed).into_iter().for_each(mention),
                    false => mention(name),
                }
            }
        }
        let traits = named.iter().flat_map(|named| named.traits.iter().copied()).collect();
        let mut by_name: HashMap<&str, Vec<Id>> = HashMap::new();
        for (file, named) in named.iter().enumerate() {
            for (at, function) in named.functions.iter().enumerate().filter(|(_, it)| !it.in_test) {
                by_name.entry(function.name).or_default().push((file, at));
            }
        }
        Workspace { files, named, mentions, renamed, traits, by_name, live: HashSet::new() }
    }

    fn functions(&self) -> impl Iterator<Item = Id> + '_ {
        let of_file =
            |(file, named): (usize, &Named<'_>)| (0..named.functions.len()).map(move |at| (file, at));
        self.named.iter().enumerate().flat_map(of_file)
    }

    fn get(&self, (file, at): Id) -> Option<&super::lex::named::Declared<'t>> {
        self.named.get(file)?.functions.get(at)
    }

    fn answers(&self, id: Id) -> bool {
        self.get(id).is_some_and(|it| it.answers)
    }

    /// Whether something other than its name may run a function: `main`, an attribute, a trait of another crate.
    fn is_root(&self, id: Id) -> bool {
        self.get(id)
            .is_some_and(|it| it.is_marked || it.implements.is_some_and(|name| !self.traits.contains(name)))
    }

    /// The functions that may run: from those that something else runs, by the names in them; `with_tests` is whether
    /// what tests call counts. It may be meant to run, though nothing runs it yet.
    fn live(&self, with_tests: bool) -> HashSet<Id> {
        let mut names_in: HashMap<Id, Vec<&str>> = HashMap::new();
        let mut open: Vec<Id> =
            self.by_name.values().flatten().copied().filter(|id| self.is_root(*id)).collect();
        let tested = self.named.iter().filter(|_| with_tests).flat_map(|named| &named.tested);
        let mut names: Vec<&str> = tested.flat_map(|name| names_of(name, &self.renamed)).collect();
        for (name, places) in &self.mentions {
            for (file, function) in places {
                match function {
                    Some(at) => names_in.entry((*file, *at)).or_default().push(name),
                    None => names.push(name),
                }
            }
        }
        let mut known: HashSet<&str> = HashSet::new();
        let mut live = HashSet::new();
        loop {
            while let Some(id) = open.pop() {
                if live.insert(id) {
                    names.extend(names_in.get(&id).into_iter().flatten());
                }
            }
            let Some(name) = names.pop() else { break };
            if known.insert(name) {
                open.extend(self.by_name.get(name).into_iter().flatten());
            }
        }
        live
    }

    fn is_live_code(&self, id: Id) -> bool {
        self.live.contains(&id) && self.get(id).is_some_and(|it| !it.in_test)
    }

    /// Whether the workspace is a program, of which all code is seen: code that nothing in it names does not run. Names that
    /// macros make of parts are not seen.
    fn is_application(&self) -> bool {
        self.has_program() && !self.named.iter().any(|named| named.is_pasted)
    }

    /// Whether some file outside of tests and examples is a program.
    fn has_program(&self) -> bool {
        self.files.iter().zip(&self.named).any(|(file, named)| {
            let is_program = !file.in_test && !file.path.split('/').any(|part| part == "examples");
            is_program && named.functions.iter().any(|it| matches!(it.name, "main" | "rocket") && !it.in_test)
        })
    }

    /// The crates that programs of the workspace are made of, and the programs themselves.
    fn crates_of_programs(&self) -> HashSet<&str> {
        let mut open: Vec<&str> = Vec::new();
        for (file, named) in self.files.iter().zip(&self.named) {
            let is_main =
                named.functions.iter().any(|it| matches!(it.name, "main" | "rocket") && !it.in_test);
            if is_main && !file.path.split('/').any(|part| part == "examples") {
                open.push(file.crate_name);
            }
        }
        self.made_of(open)
    }

    /// These crates, and those of the workspace that they are made of.
    fn made_of<'s>(&'s self, mut open: Vec<&'s str>) -> HashSet<&'s str> {
        let mut found: HashSet<&str> = HashSet::new();
        while let Some(name) = open.pop() {
            if found.insert(name) {
                let of_crate = self.files.iter().find(|file| file.crate_name == name);
                open.extend(of_crate.into_iter().flat_map(|file| file.externs.values()).map(String::as_str));
            }
        }
        found
    }

    fn is_unused(&self, id: Id) -> bool {
        let Some(function) = self.get(id) else { return false };
        !function.in_test && !self.live.contains(&id)
    }

    /// The programs that are made for the command line: they read its arguments, and neither they nor what they are made of
    /// knows a server.
    fn command_crates(&self) -> HashSet<&str> {
        let programs = self.files.iter().zip(&self.named).filter(|(file, named)| {
            !file.in_test && named.functions.iter().any(|it| it.name == "main" && !it.in_test)
        });
        let mut found = HashSet::new();
        for (file, _) in programs {
            let is_command = file.is_command || reads_arguments(file.text) && !self.serves(file);
            if is_command {
                found.insert(file.crate_name);
            }
        }
        found
    }

    /// Whether a program, or a crate of the workspace that it is made of, knows a library by which it would serve, or has an
    /// endless loop.
    fn serves(&self, program: &NamedFile<'_>) -> bool {
        let crates = self.made_of(vec![program.crate_name]);
        let mut of_program = self.files.iter().filter(|it| crates.contains(it.crate_name) && !it.in_test);
        of_program.any(|file| knows_server(file.text))
    }

    /// The functions for which `is_of` holds, and those that only such functions name.
    fn reached_only_from(&self, is_of: &dyn Fn(Id, &NamedFile<'_>, &str) -> bool) -> HashSet<Id> {
        let told = |id: Id| {
            let file = self.files.get(id.0);
            file.zip(self.get(id)).is_some_and(|(file, function)| is_of(id, file, function.name))
        };
        let mut found: HashSet<Id> = self.functions().filter(|id| told(*id)).collect();
        // Code outside of functions belongs to its file.
        let is_of_file =
            |file: usize| self.files.get(file).is_some_and(|it| is_of((file, usize::MAX), it, ""));
        let of_file: Vec<bool> = (0..self.files.len()).map(is_of_file).collect();
        if found.is_empty() {
            return found;
        }
        let mut names_in: HashMap<Id, Vec<&str>> = HashMap::new();
        let mut left: HashMap<&str, usize> = HashMap::new();
        let mut open: Vec<&str> = Vec::new();
        let others = self.by_name.iter().filter(|(_, ids)| !ids.iter().any(|id| self.is_root(*id)));
        for (&name, _) in others {
            match self.places_outside(name, &found, &of_file, &mut names_in) {
                None => {}
                Some(0) => open.push(name),
                Some(places) => {
                    left.insert(name, places);
                }
            }
        }
        while let Some(name) = open.pop() {
            for id in self.by_name.get(name).into_iter().flatten().filter(|id| found.insert(**id)) {
                for other in names_in.remove(id).into_iter().flatten() {
                    let Some(places) = left.get_mut(other) else { continue };
                    *places = places.saturating_sub(1);
                    if *places == 0 {
                        open.push(other);
                    }
                }
            }
        }
        found
    }

    /// In how many places outside of what is `found` a name is used that run; `None` if nothing that runs uses it. `names_in`
    /// gets the name for each function that is such a place.
    fn places_outside(
        &self,
        name: &'t str,
        found: &HashSet<Id>,
        of_file: &[bool],
        names_in: &mut HashMap<Id, Vec<&'t str>>,
    ) -> Option<usize> {
        let (mut is_used, mut outside) = (false, 0);
        for (file, function) in self.mentions.get(name).into_iter().flatten() {
            let Some(id) = function.map(|at| (*file, at)) else {
                is_used = true;
                outside += usize::from(of_file.get(*file) != Some(&true));
                continue;
            };
            // A function that calls itself says nothing.
            if !self.live.contains(&id) || self.get(id).is_some_and(|it| it.name == name && !it.in_test) {
                continue;
            }
            is_used = true;
            if !found.contains(&id) {
                outside += 1;
                names_in.entry(id).or_default().push(name);
            }
        }
        is_used.then_some(outside)
    }

    /// The functions of modules that are named after a change of the data that is made once, `migrate` and `backfill`, unless
    /// something else names the module that runs again and again: neither `main` nor one of these functions, which run by hand.
    fn of_one_off_modules(&self, by_hand: &HashSet<Id>) -> HashSet<Id> {
        let runs_again = |id: Id| {
            let is_live = !self.has_program() || self.live.contains(&id);
            is_live
                && !by_hand.contains(&id)
                && self.get(id).is_some_and(|it| it.name != "main" && !it.in_test)
        };
        let mut found = HashSet::new();
        for (at, (file, named)) in self.files.iter().zip(&self.named).enumerate() {
            let module = path_words(file.path).filter(|word| *word != "mod").last();
            let Some(module) = module.filter(|name| is_one_off(name)) else {
                continue;
            };
            let is_used =
                self.named.iter().enumerate().filter(|(other, _)| *other != at).any(|(other, named)| {
                    let mut users = named.one_off.iter().filter(|(name, _)| *name == module);
                    users.any(|(_, function)| runs_again((other, *function)))
                });
            if !is_used && !file.in_test {
                let all = named.functions.iter().enumerate().filter(|(_, function)| !function.answers);
                found.extend(all.map(|(function, _)| (at, function)));
            }
        }
        found
    }

    fn note(&self, all: &mut Occasions, functions: &HashSet<Id>, occasion: Occasion) {
        let crates = self.crates_of_programs();
        for id in functions {
            let (Some(file), Some(function)) = (self.files.get(id.0), self.get(*id)) else { continue };
            // What no program is made of, others may use.
            if matches!(occasion, Occasion::Never | Occasion::InTests) && !crates.contains(file.crate_name) {
                continue;
            }
            all.functions.entry((file.path.to_owned(), function.line)).or_default().push(occasion);
        }
    }
}

#[cfg(test)]
mod tests;
