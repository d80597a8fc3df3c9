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

/// The stack size of the compiler's threads, in which the macros run.
const STACK: usize = 8 << 20;

/// The maximum size of the pool in bytes, so that what a process takes beyond it is taken by one input.
const LARGEST_POOL: usize = 64 << 20;

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

/// The committed inputs. In a file with several they are separated by lines of `====`.
fn corpus(job: &Job) -> io::Result<Vec<String>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(job.target.name);
    let mut texts = Vec::new();
    for path in files(&folder) {
        let text = std::fs::read_to_string(&path)?;
        texts.extend(text.split("\n====\n").map(str::to_owned));
    }
    Ok(texts)
}

/// The files of a folder by name; none if there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

/// The inputs from which others are derived.
struct Pool {
    texts: Vec<String>,
    bytes: usize,
}

impl Pool {
    fn push(&mut self, text: String) -> bool {
        let fits = self.bytes + text.len() <= LARGEST_POOL;
        if fits {
            self.bytes += text.len();
            self.texts.push(text);
        }
        fits
    }
}

fn drive(job: &Job) -> io::Result<Ended> {
    let mut pool = Pool { texts: Vec::new(), bytes: 0 };
    let mut random = Random::new(job.seed);
    let mut seen: HashSet<u64> = HashSet::new();
    let mut file = std::fs::File::create(current(&job.folder))?;
    let kept = job.folder.join("kept");
    if job.keeps {
        std::fs::create_dir_all(&kept)?;
    }
    let start = Instant::now();
    let mut inputs: u64 = 0;
    let mut committed = corpus(job)?.into_iter();
    let mut earlier = files(&kept).into_iter();
    while start.elapsed() < job.time && inputs < job.most {
        let committed = committed.next();
        let is_committed = committed.is_some();
        let earlier = if is_committed { None } else { earlier.next() };
        let text = match (committed, &earlier) {
            (Some(text), _) => text,
            (None, Some(path)) => std::fs::read_to_string(path)?,
            (None, None) => mutated(&mut random, &pool.texts),
        };
        file.set_len(0)?;
        file.rewind()?;
        file.write_all(text.as_bytes())?;
        inputs += 1;
        let features = catch_unwind(AssertUnwindSafe(|| (job.target.run)(&text).into_numbers()));
        if let Some(why) = PANIC.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(Ended { inputs, pool: pool.texts.len(), broke: Some((why, text)) });
        }
        let mut is_new = false;
        for feature in features.unwrap_or_default() {
            is_new |= seen.insert(feature);
        }
        let is_kept = (is_new || is_committed) && pool.push(text.clone());
        match earlier {
            // Kept by an earlier run, and now no longer new.
            Some(path) if job.keeps && !is_kept => std::fs::remove_file(path)?,
            None if job.keeps && is_kept && !is_committed => {
                std::fs::write(kept.join(format!("{}-{inputs}", job.seed)), text)?;
            }
            _ => {}
        }
    }
    Ok(Ended { inputs, pool: pool.texts.len(), broke: None })
}
