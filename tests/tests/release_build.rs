//! Off means off: in a release build a budget changes no instruction, and a counted query adds none; neither
//! does a typed one compared with sqlx's own macros.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use query_budget_tests::{copy_fixture, outside_cargo};

/// The instructions of each function, with names and labels masked, and how many functions are equal.
type Functions = BTreeMap<Vec<String>, usize>;

/// A fixture with some of its features: its name, the fixture, and the features as in a manifest.
type Variant = (&'static str, &'static str, &'static str);

/// Those for which `query-budget` has the same features: one build compiles them side by side.
static BUILT: LazyLock<BTreeMap<&str, Functions>> = LazyLock::new(|| {
    build(
        "release",
        &[
            ("bare", "release", ""),
            ("budget", "release", "\"budget\""),
            ("counted", "release", "\"counted\""),
            ("theirs", "release-typed", ""),
            ("ours", "release-typed", "\"ours\""),
        ],
    )
});

#[test]
fn a_budget_changes_no_instruction() {
    let bare = &BUILT["bare"];
    assert!(count(bare) > 1_000, "the fixture has its functions in it");
    assert_eq!(*bare, BUILT["budget"], "the functions are the same");
    let enforced =
        build("release-enforced", &[("enforced", "release", "\"budget\", \"query-budget/enforce\"")]);
    assert_ne!(*bare, enforced["enforced"], "the comparison sees a scope that is there");
}

#[test]
fn a_counted_query_adds_no_instruction() {
    // Fewer: rows are mapped without boxing the stream a second time.
    let (bare, counted) = (count(&BUILT["bare"]), count(&BUILT["counted"]));
    assert!(counted <= bare, "{counted} instructions where sqlx has {bare}");
}

#[test]
fn a_typed_query_adds_no_instruction_to_that_of_sqlx() {
    let (theirs, ours) = (count(&BUILT["theirs"]), count(&BUILT["ours"]));
    assert!(theirs > 1_000, "the fixture has its queries in it");
    assert!(ours <= theirs, "{ours} instructions where sqlx has {theirs}");
}

/// The futures of counted queries are as large as those of sqlx, give or take the place of the site; a function with a budget
/// is as large as one without.
#[test]
fn futures_are_as_large_as_those_of_sqlx() {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join("release-sizes");
    copy_fixture("release", &root);
    let output = outside_cargo(&root, env!("CARGO_TARGET_TMPDIR"))
        .args(["run", "--quiet", "--bin", "sizes"])
        .output()
        .expect("run cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let printed = String::from_utf8(output.stdout).expect("text");
    let sizes: Vec<(&str, usize, usize)> = printed
        .lines()
        .map(|line| {
            let (name, sizes) = line.split_once(' ').expect("a name");
            let (theirs, ours) = sizes.split_once(' ').expect("two sizes");
            (name, theirs.parse().expect("a size"), ours.parse().expect("a size"))
        })
        .collect();
    println!("{printed}");
    assert_eq!(sizes.len(), 8, "{printed}");
    for (name, theirs, ours) in sizes {
        assert!(theirs > 0 && ours <= theirs + 16, "{name}: {ours} bytes where sqlx has {theirs}");
        assert!(name != "function" || ours == theirs, "a budget adds {ours} - {theirs} bytes");
    }
}

fn count(functions: &Functions) -> usize {
    functions.iter().map(|(instructions, times)| instructions.len() * times).sum()
}

/// The functions of each variant, built as the packages of one workspace outside of this one, with the same versions of
/// all dependencies.
fn build(workspace: &str, variants: &[Variant]) -> BTreeMap<&'static str, Functions> {
    let root = Path::new(env!("CARGO_TARGET_TMPDIR")).join(workspace);
    let _ = fs::remove_dir_all(&root);
    let mut profile = String::new();
    for (name, fixture, features) in variants {
        let package = root.join(name);
        copy_fixture(fixture, &package);
        let manifest = package.join("Cargo.toml");
        let text = fs::read_to_string(&manifest).expect("the manifest");
        let (package, of_workspace) = text.split_once("[profile.dev]").expect("a profile");
        let package = package
            .replace(&format!("name = \"{fixture}-fixture\""), &format!("name = \"{name}\""))
            .replace("[workspace]\n", "")
            .replace("[features]\n", &format!("[features]\ndefault = [{features}]\n"));
        fs::write(manifest, package).expect("the manifest is written");
        profile = format!("[profile.dev]{of_workspace}");
    }
    fs::rename(root.join(variants[0].0).join("Cargo.lock"), root.join("Cargo.lock")).expect("a lock file");
    let members = variants.iter().map(|(name, ..)| format!("{name:?}")).collect::<Vec<_>>().join(", ");
    let manifest = format!("[workspace]\nresolver = \"3\"\nmembers = [{members}]\n\n{profile}");
    fs::write(root.join("Cargo.toml"), manifest).expect("the manifest is written");
    let output = outside_cargo(&root, env!("CARGO_TARGET_TMPDIR"))
        .args(["build", "--quiet", "--lib", "--workspace"])
        .env("RUSTC_WORKSPACE_WRAPPER", env!("CARGO_BIN_EXE_rustc-with-assembly"))
        .env("QUERY_BUDGET_ASSEMBLY", &root)
        .env("SQLX_OFFLINE", "true")
        .output()
        .expect("run cargo");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let assembly = |name: &str| fs::read_to_string(root.join(format!("{name}.s"))).expect("the assembly");
    variants.iter().map(|(name, ..)| (*name, functions(&assembly(name)))).collect()
}

fn functions(assembly: &str) -> Functions {
    let mut functions = Functions::new();
    let mut inside: Option<Vec<String>> = None;
    for line in assembly.lines() {
        if line.starts_with("\t.type\t") && line.ends_with(",@function") {
            inside = Some(Vec::new());
        } else if line.starts_with("\t.size\t") {
            if let Some(instructions) = inside.take() {
                *functions.entry(instructions).or_default() += 1;
            }
        } else if let Some(instructions) = &mut inside
            && line.starts_with('\t')
            && !line.starts_with("\t.")
        {
            instructions.push(blot(line.trim()));
        }
    }
    functions
}

/// The instruction with every symbol and label replaced, since they contain hashes of the features.
fn blot(instruction: &str) -> String {
    let part_of_name = |c: char| c.is_ascii_alphanumeric() || "_.$@".contains(c);
    let mut words = Vec::new();
    for word in instruction.split_inclusive(|c| !part_of_name(c)) {
        let name = word.trim_end_matches(|c| !part_of_name(c));
        let symbol = ["_ZN", "_R", ".L"].iter().any(|prefix| name.starts_with(prefix));
        words.push(if symbol { word.replacen(name, "SYMBOL", 1) } else { word.to_owned() });
    }
    words.concat()
}
