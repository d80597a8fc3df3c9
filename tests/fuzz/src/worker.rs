//! Runs one target: inputs are derived from those with new effects, one after another, until the time is over
//! or one of them breaks a property.

use std::collections::HashSet;
use std::io::{self, Seek, Write};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::mutate::{Random, mutated};
use crate::targets::Target;

/// The stack size of a test's thread; the compiler's threads, in which the macros run, have more.
const STACK: usize = 2 << 20;

/// The maximum number of inputs in the pool.
const LARGEST_POOL: usize = 50_000;

/// The message of the last panic, wherever it was caught.
static PANIC: Mutex<Option<String>> = Mutex::new(None);

/// The parameters of a run.
#[derive(Debug, Clone)]
pub struct Job {
    /// The target.
    pub target: Target,
    /// The seed.
    pub seed: u64,
    /// The maximum time.
    pub time: Duration,
    /// The maximum number of inputs.
    pub most: u64,
    /// The folder for the current input, findings, and inputs with new effects.
    pub folder: PathBuf,
    /// Whether inputs with new effects are kept there for the next run.
    pub keeps: bool,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Ended {
    /// The number of inputs tried.
    pub inputs: u64,
    /// The number of inputs with new effects, from which others were derived.
    pub pool: usize,
    /// What broke, and by which input.
    pub broke: Option<(String, String)>,
}

/// The file with the current input, in case the process does not survive it.
pub fn current(folder: &Path) -> PathBuf {
    folder.join("current")
}

/// Runs a job.
///
/// # Errors
///
/// If its folder or the corpus cannot be read or written.
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

/// The committed inputs, and those that earlier runs kept.
fn corpus(job: &Job) -> io::Result<Vec<String>> {
    let committed = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(job.target.name);
    let mut texts = Vec::new();
    for folder in [committed, job.folder.join("kept")] {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
        paths.sort();
        for path in paths {
            let text = std::fs::read_to_string(&path)?;
            // In a file with several inputs they are separated by lines of `====`.
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
