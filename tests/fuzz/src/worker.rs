//! One target, driven: inputs are made from those that brought something new, one after another, until the time is over
//! or one of them breaks what has to hold.

use std::collections::HashSet;
use std::io::{self, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::{Random, mutated};
use crate::targets::Target;

/// As much stack as a test's thread has; the compiler's threads, in which the macros run, have more.
const STACK: usize = 2 << 20;

/// The most inputs that are held.
const LARGEST_POOL: usize = 50_000;

/// What the last panic said, wherever it was caught.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// Where and for how long a target is driven.
#[derive(Debug, Clone)]
pub struct Job {
    /// The target.
    pub target: Target,
    /// Where the numbers start.
    pub seed: u64,
    /// How long at most.
    pub time: Duration,
    /// How many inputs at most.
    pub most: u64,
    /// The folder for the input at hand, findings, and inputs that brought something new.
    pub folder: PathBuf,
    /// Whether those that brought something new are kept there for the next run.
    pub keeps: bool,
}

/// How a job ended.
#[derive(Debug)]
pub struct Ended {
    /// How many inputs were tried.
    pub inputs: u64,
    /// How many of them brought something new, and were built upon.
    pub pool: usize,
    /// What broke, and by which input.
    pub broke: Option<(String, String)>,
}

/// The file that holds the input at hand, for when the process does not survive it.
pub fn current(folder: &Path) -> PathBuf {
    folder.join("current")
}

/// Runs a job.
///
/// # Errors
///
/// When its folder or the corpus cannot be read or written.
pub fn work(job: &Job) -> io::Result<Ended> {
    std::panic::set_hook(Box::new(|info| {
        *PANIC.lock().unwrap_or_else(PoisonError::into_inner) = Some(info.to_string());
    }));
    std::fs::create_dir_all(&job.folder)?;
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, || drive(job))?;
        thread.join().unwrap_or_else(|_| Err(io::Error::other("the runner broke")))
    })
}

/// The inputs that are committed, and those that earlier runs kept.
fn corpus(job: &Job) -> io::Result<Vec<String>> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(job.target.name);
    let mut texts = Vec::new();
    for folder in [committed, job.folder.join("kept")] {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path)?;
            // A file of several inputs has a line of `====` between them.
            texts.extend(text.split("\n====\n").map(str::to_owned));
        }
    }
    Ok(texts)
}

fn drive(job: &Job) -> io::Result<Ended> {
    let mut pool = corpus(job)?;
    let first = pool.clone();
    let mut random = Random::new(job.seed);
    let mut seen: HashSet<u64> = HashSet::new();
    let mut file = std::fs::File::create(current(&job.folder))?;
    let kept = job.folder.join("kept");
    if job.keeps {
        std::fs::create_dir_all(&kept)?;
    }
    let start = Instant::now();
    let mut inputs: u64 = 0;
    let mut first = first.into_iter();
    while start.elapsed() < job.time && inputs < job.most {
        let given = first.next();
        let is_given = given.is_some();
        let text = given.unwrap_or_else(|| mutated(&mut random, &pool));
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        inputs += 1;
        let features = catch_unwind(AssertUnwindSafe(|| (job.target.run)(&text).into_numbers()));
        if let Some(why) = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(Ended { inputs, pool: pool.len(), broke: Some((why, text)) });
        }
        let mut is_new = false;
        for feature in features.unwrap_or_default() {
            is_new |= seen.insert(feature);
        }
        if is_new && !is_given && pool.len() < LARGEST_POOL {
            if job.keeps {
                std::fs::write(kept.join(format!("{}-{inputs}", job.seed)), &text)?;
            }
            pool.push(text);
        }
    }
    Ok(Ended { inputs, pool: pool.len(), broke: None })
}
