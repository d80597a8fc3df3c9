//! The connection to the server: a single one, re-established in the background when it breaks, and the
//! invalidations still to be sent.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use ::redis::aio::MultiplexedConnection;
use ::redis::{AsyncConnectionConfig, Client, RedisError, RedisResult};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::super::tables::Tags;
use super::wire;

/// The wait after the first failure to reach the server, and the maximum wait after further failures.
pub(super) const FIRST_WAIT: Duration = Duration::from_millis(50);
pub(super) const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// A connection, tied to one run of one server.
#[derive(Clone)]
pub(super) struct Live {
    pub(super) connection: MultiplexedConnection,
    /// The prefix of all keys.
    pub(super) prefix: Arc<str>,
    pub(super) telling: Telling,
    patience: Duration,
    generation: u64,
}

impl Live {
    /// The answer, unless it times out.
    pub(super) async fn waiting<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
        match tokio::time::timeout(self.patience, answer).await {
            Ok(answer) => answer,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        }
    }
}

/// How the server is told of an invalidation.
#[derive(Clone)]
pub(super) enum Telling {
    /// By new tokens for the tags, which readers of entries on the server compare.
    ByTokens,
    /// By a message for all who listen, with this sender, who needs none.
    ByMessage(wire::Token),
}

/// The connection, and the task that re-establishes it.
pub(super) struct Kept {
    client: Client,
    name: String,
    telling: Telling,
    patience: Duration,
    state: Mutex<State>,
    errors: AtomicU64,
    /// Signals that there is work.
    wake: Arc<Notify>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// Tags whose invalidation the server has not received. Until then, its content is not trusted.
    owed: BTreeSet<String>,
    /// Tags whose invalidation is being sent.
    telling: BTreeSet<String>,
    keeper: Option<JoinHandle<()>>,
    generation: u64,
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.wake.notify_one();
    }
}

impl Kept {
    pub(super) fn new(client: Client, name: String, patience: Duration, telling: Telling) -> Arc<Self> {
        let (state, errors, wake) = (Mutex::default(), AtomicU64::new(0), Arc::default());
        Arc::new(Self { client, name, telling, patience, state, errors, wake })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Connects, unless that takes too long.
    pub(super) async fn begin(self: &Arc<Self>) {
        let _ = self.mend().await;
        self.look_after(&mut self.state());
    }

    /// The connection, if there is one and nothing remains to be sent. Does not wait.
    pub(super) fn live(self: &Arc<Self>) -> Option<Live> {
        let mut state = self.state();
        if state.live.is_some() && state.owed.is_empty() && state.telling.is_empty() {
            return state.live.clone();
        }
        self.look_after(&mut state);
        None
    }

    /// The server's answer; after an error or a timeout, the connection is re-established.
    pub(super) fn heard<T>(self: &Arc<Self>, live: &Live, answer: RedisResult<T>) -> Option<T> {
        let error = match answer {
            Ok(answer) => return Some(answer),
            Err(error) => error,
        };
        self.errors.fetch_add(1, Ordering::Relaxed);
        let mut state = self.state();
        // A command that the server rejects, for example because it is full, says nothing about the
        // connection.
        let is_refusal = error.kind() == ::redis::ErrorKind::Server(::redis::ServerErrorKind::ResponseError);
        let is_current = state.live.as_ref().is_some_and(|current| current.generation == live.generation);
        if is_current && !is_refusal {
            state.live = None;
            self.look_after(&mut state);
        }
        None
    }

    /// Sends the invalidation of tags, and queues it if that fails or nobody waits for it any more; returns whether the
    /// server has received it.
    pub(super) async fn tell(self: &Arc<Self>, tags: Tags) -> bool {
        let Some(live) = self.live() else {
            self.owe(&tags);
            return false;
        };
        let mut owed = Owed { kept: self, tags: Some(tags) };
        let told = match &owed.tags {
            Some(tags) => self.heard(&live, wire::tell(&live, tags.iter()).await),
            None => None,
        };
        if told.is_some() {
            owed.tags = None;
        }
        told.is_some()
    }

    /// Queues the invalidation of tags, to be sent as soon as possible.
    pub(super) fn owe(self: &Arc<Self>, tags: &Tags) {
        let mut state = self.state();
        state.owed.extend(tags.iter().map(str::to_owned));
        self.look_after(&mut state);
    }

    pub(super) fn pending(&self) -> usize {
        let state = self.state();
        state.owed.union(&state.telling).count()
    }

    pub(super) fn errors(&self) -> u64 {
        self.errors.load(Ordering::Relaxed)
    }

    /// Ensures that a task repairs what is broken, for as long as its runtime lives.
    fn look_after(self: &Arc<Self>, state: &mut State) {
        let is_there = state.keeper.as_ref().is_some_and(|keeper| !keeper.is_finished());
        if !is_there && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let task = keep(Arc::downgrade(self), Arc::clone(&self.wake));
            state.keeper = Some(runtime.spawn(task));
        }
        self.wake.notify_one();
    }

    /// Connects if necessary, and sends pending invalidations; returns whether both succeeded.
    async fn mend(&self) -> bool {
        let known = self.state().live.clone();
        let live = match known {
            Some(live) => live,
            None => match self.connect().await {
                Ok(live) => live,
                Err(_) => {
                    self.errors.fetch_add(1, Ordering::Relaxed);
                    return false;
                }
            },
        };
        loop {
            let telling = {
                let mut state = self.state();
                // What an aborted task was about to send.
                let mut telling = std::mem::take(&mut state.telling);
                telling.append(&mut state.owed);
                if telling.is_empty() {
                    state.live = Some(live);
                    return true;
                }
                state.telling.clone_from(&telling);
                telling
            };
            let told = wire::tell(&live, telling.iter().map(String::as_str)).await;
            let mut state = self.state();
            if told.is_ok() {
                state.telling.clear();
                continue;
            }
            self.errors.fetch_add(1, Ordering::Relaxed);
            let untold = std::mem::take(&mut state.telling);
            state.owed.extend(untold);
            state.live = None;
            return false;
        }
    }

    async fn connect(&self) -> RedisResult<Live> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(self.patience))
            .set_response_timeout(Some(self.patience));
        let connecting = async {
            let mut connection = self.client.get_multiplexed_async_connection_with_config(&config).await?;
            let prefix = match self.telling {
                Telling::ByTokens => format!("{}:{}", self.name, wire::run_id(&mut connection).await?),
                // It names a channel: nothing that the server may have kept is read.
                Telling::ByMessage(_) => self.name.clone(),
            };
            RedisResult::Ok((connection, prefix))
        };
        let (connection, prefix) = match tokio::time::timeout(self.patience * 2, connecting).await {
            Ok(connected) => connected?,
            Err(_) => return Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        };
        let generation = {
            let mut state = self.state();
            state.generation += 1;
            state.generation
        };
        let (prefix, telling) = (prefix.into(), self.telling.clone());
        Ok(Live { connection, prefix, telling, patience: self.patience, generation })
    }
}

/// An invalidation that is queued when this is dropped.
struct Owed<'k> {
    kept: &'k Arc<Kept>,
    tags: Option<Tags>,
}

impl Drop for Owed<'_> {
    fn drop(&mut self) {
        if let Some(tags) = &self.tags {
            self.kept.owe(tags);
        }
    }
}

/// Repairs whenever it is woken; retries with growing delays if the server is unreachable.
async fn keep(kept: Weak<Kept>, wake: Arc<Notify>) {
    let mut wait = FIRST_WAIT;
    loop {
        let Some(there) = kept.upgrade() else { return };
        let is_well = there.mend().await;
        drop(there);
        if is_well {
            wait = FIRST_WAIT;
            wake.notified().await;
        } else {
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }
}
