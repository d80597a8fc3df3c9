//! Runs the targets, each in its own process, because it may overflow its stack, hang or exhaust memory.
//!
//! `query-budget-fuzz [--seconds N] [--inputs N] [--seed N] [--keep] [TARGET ..]` runs as many at a time as there
//! are cores, and exits with 1 if something broke; `query-budget-fuzz replay TARGET FILE ..` reruns inputs that
//! broke.
//! For `scripts/growth`, `query-budget-fuzz kinds` lists the kinds of growing workspaces, with the sizes from
//! which to measure, and `query-budget-fuzz write KIND N DIR` writes one and prints its size in bytes.

use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus};
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use query_budget_fuzz::growth::KINDS;
use query_budget_fuzz::targets::{self, ALL, Target};
use query_budget_fuzz::worker::{self, Job};

/// An input that takes longer counts as a hang.
const MAX_INPUT_TIME: Duration = Duration::from_secs(30);
/// A process that uses more counts as exhausting memory; what it keeps from input to input is far less.
const MOST_MEMORY: u64 = 1 << 30;
/// The number of findings in one target that ends its run.
const MOST_FINDINGS: u32 = 5;

/// Writes the workspace with this many of a kind, and returns its size in bytes.
fn write(kind: &str, many: &str, dir: &Path) -> Result<usize, String> {
    let kind = KINDS.iter().find(|known| known.name == kind).ok_or(format!("no kind is named `{kind}`"))?;
    let many = many.parse().map_err(|_| format!("`{many}` is no number"))?;
    let mut bytes = 0;
    for (path, text) in (kind.files)(many) {
        bytes += text.len();
        let path = dir.join(path);
        let written =
            path.parent().map_or(Ok(()), std::fs::create_dir_all).and_then(|()| std::fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(bytes)
}

struct Options {
    seconds: u64,
    /// The maximum number of inputs per target, so that every machine tries the same ones.
    most: u64,
    seed: u64,
    keeps: bool,
    targets: Vec<Target>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["replay", target, files @ ..] => {
            for file in files {
                let text = std::fs::read_to_string(file).unwrap_or_else(|error| panic!("{file}: {error}"));
                targets::run(target, &text);
                println!("{file}: holds");
            }
            ExitCode::SUCCESS
        }
        ["worker", rest @ ..] => worker(rest),
        ["kinds"] => {
            KINDS.iter().for_each(|kind| println!("{} {}", kind.name, kind.start));
            ExitCode::SUCCESS
        }
        ["write", kind, many, dir] => match write(kind, many, Path::new(dir)) {
            Ok(bytes) => {
                println!("{bytes}");
                ExitCode::SUCCESS
            }
            Err(why) => {
                eprintln!("{why}");
                ExitCode::from(2)
            }
        },
        _ => match options(&words) {
            Ok(options) => run(&options),
            Err(why) => {
                eprintln!("{why}");
                ExitCode::from(2)
            }
        },
    }
}

fn options(words: &[&str]) -> Result<Options, String> {
    let mut options = Options { seconds: 20, most: u64::MAX, seed: 1, keeps: false, targets: Vec::new() };
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let mut number =
            || words.next().and_then(|word| word.parse().ok()).ok_or(format!("{word} takes a number"));
        match *word {
            "--seconds" => options.seconds = number()?,
            "--inputs" => options.most = number()?,
            "--seed" => options.seed = number()?,
            "--keep" => options.keeps = true,
            name => {
                let target = ALL.into_iter().find(|target| target.name == name);
                options.targets.push(target.ok_or(format!("no target is named `{name}`"))?);
            }
        }
    }
    if options.targets.is_empty() {
        options.targets = ALL.to_vec();
    }
    Ok(options)
}

/// The folder of a target.
fn folder(target: Target) -> PathBuf {
    let built = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    built.join("fuzzing").join(target.name)
}

fn run(options: &Options) -> ExitCode {
    let (next, broke) = (AtomicUsize::new(0), AtomicU32::new(0));
    let drive_all = || {
        while let Some(target) = options.targets.get(next.fetch_add(1, Ordering::Relaxed)) {
            broke.fetch_add(drive(*target, options), Ordering::Relaxed);
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    std::thread::scope(|scope| (0..cores).for_each(|_| drop(scope.spawn(drive_all))));
    ExitCode::from(u8::from(broke.into_inner() > 0))
}

/// Runs one target for its time, again after each finding, and returns the number of findings.
fn drive(target: Target, options: &Options) -> u32 {
    let folder = folder(target);
    let end = SystemTime::now() + Duration::from_secs(options.seconds);
    let mut findings = 0;
    while findings < MOST_FINDINGS {
        let left = end.duration_since(SystemTime::now()).unwrap_or_default();
        if left.is_zero() {
            break;
        }
        let seed = options.seed + u64::from(findings);
        let Err(why) = watch(target, seed, left, options, &folder) else { break };
        findings += 1;
        let input = std::fs::read(worker::current(&folder)).unwrap_or_default();
        let saved = folder.join(format!("finding-{seed}-{findings}"));
        let is_saved = std::fs::write(&saved, input);
        println!("{}: {why}", target.name);
        match is_saved {
            Ok(()) => println!("  ask again: query-budget-fuzz replay {} {}", target.name, saved.display()),
            Err(error) => println!("  the input could not be saved: {error}"),
        }
    }
    findings
}

/// Runs the worker, and kills it if it hangs or uses too much memory; an error says what broke.
fn watch(target: Target, seed: u64, time: Duration, options: &Options, folder: &Path) -> Result<(), String> {
    let own = std::env::current_exe().map_err(|error| format!("could not find itself: {error}"))?;
    let mut command = Command::new(own);
    command.args(["worker", target.name, &seed.to_string(), &time.as_millis().to_string()]);
    command.arg(options.most.to_string()).arg(folder).arg(if options.keeps { "keep" } else { "drop" });
    let mut child = command.spawn().map_err(|error| format!("could not start: {error}"))?;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return ended(status),
            Ok(None) => {}
            Err(error) => return Err(format!("could not be waited for: {error}")),
        }
        std::thread::sleep(Duration::from_millis(200));
        let why = if is_stuck(folder) {
            format!("one input takes more than {} s", MAX_INPUT_TIME.as_secs())
        } else if memory(&child) > MOST_MEMORY {
            "one input takes more than 1 GB".to_owned()
        } else {
            continue;
        };
        let _ = child.kill();
        let _ = child.wait();
        return Err(why);
    }
}

fn ended(status: ExitStatus) -> Result<(), String> {
    match status.code() {
        Some(0) => Ok(()),
        Some(1) => Err("something does not hold, see above".to_owned()),
        _ => Err(format!("the process died: {status}")),
    }
}

/// Whether the current input has been running for too long.
fn is_stuck(folder: &Path) -> bool {
    let modified = std::fs::metadata(worker::current(folder)).and_then(|data| data.modified());
    modified.is_ok_and(|at| at.elapsed().is_ok_and(|elapsed| elapsed > MAX_INPUT_TIME))
}

/// The memory of a process, in bytes; 0 if the system does not report it.
fn memory(child: &Child) -> u64 {
    let told = std::fs::read_to_string(format!("/proc/{}/statm", child.id())).unwrap_or_default();
    told.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok()).unwrap_or(0) * 4096
}

fn worker(words: &[&str]) -> ExitCode {
    let [name, seed, millis, most, folder, keeps] = words else { return ExitCode::from(2) };
    let target = ALL.into_iter().find(|target| target.name == *name);
    let (Some(target), Ok(seed), Ok(millis), Ok(most)) = (target, seed.parse(), millis.parse(), most.parse())
    else {
        return ExitCode::from(2);
    };
    let time = Duration::from_millis(millis);
    let job = Job { target, seed, time, most, folder: PathBuf::from(folder), keeps: *keeps == "keep" };
    match worker::work(&job) {
        Ok(ended) => {
            println!("{name}: {} inputs, {} built upon", ended.inputs, ended.pool);
            let Some((why, text)) = ended.broke else { return ExitCode::SUCCESS };
            println!("{why}\n--\n{}\n--", text.chars().take(2_000).collect::<String>());
            ExitCode::from(1)
        }
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(2)
        }
    }
}
