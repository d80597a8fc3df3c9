//! [`Bus`]: invalidations as messages between caches in memory, over pub/sub.
//!
//! A cache listens on a channel and forgets what the others have written. A message that is sent while a connection is broken
//! is lost, so a cache forgets everything when it listens again, and is not read in between. A connection may also break
//! unnoticed: whoever listens asks the server again and again whether it still answers, and what was last confirmed too
//! long ago is not read either.

use std::pin::pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::{Duration, Instant};

use ::redis::aio::{PubSubSink, PubSubStream};
use ::redis::{Client, Msg, RedisError, RedisResult, Value};
use futures_util::StreamExt;
use futures_util::future::{Either, select};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::super::memory::Versions;
use super::super::tables::Tags;
use super::keeper::{FIRST_WAIT, Kept, LONGEST_WAIT, Telling};
use super::{InvalidUrl, PATIENCE, client, wire};

/// How long a cache is read after the server was last known to reach it.
const CONFIRMED: Duration = Duration::from_secs(1);
/// The time between two questions whether it does.
const BETWEEN: Duration = Duration::from_millis(250);

/// The connections of a cache in memory to others of its name.
pub(crate) struct Bus {
    kept: Arc<Kept>,
    ear: Arc<Ear>,
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Bus {
    /// Connects, unless that takes too long.
    pub(crate) async fn to(url: &str, name: &str, versions: Arc<Versions>) -> Result<Self, InvalidUrl> {
        let (client, sender) = (client(url)?, wire::token());
        let kept = Kept::new(client.clone(), name.to_owned(), PATIENCE, Telling::ByMessage(sender));
        let ear = Arc::new(Ear {
            client,
            channel: wire::channel(name),
            sender,
            versions,
            began: Instant::now(),
            confirmed: AtomicU64::new(0),
            is_there: Notify::new(),
        });
        let bus = Self { kept, ear, listener: Mutex::default() };
        bus.kept.begin().await;
        bus.look_after();
        let _ = timeout(PATIENCE * 2, bus.ear.is_there.notified()).await;
        Ok(bus)
    }

    /// Whether all messages that others sent until recently have arrived.
    pub(crate) fn is_heard(&self) -> bool {
        let is_heard = self.ear.is_confirmed();
        if !is_heard {
            self.look_after();
        }
        is_heard
    }

    /// Ensures that a task listens, for as long as its runtime lives.
    fn look_after(&self) {
        let mut listener = self.listener.lock().unwrap_or_else(PoisonError::into_inner);
        let is_there = listener.as_ref().is_some_and(|listener| !listener.is_finished());
        if !is_there && let Ok(runtime) = tokio::runtime::Handle::try_current() {
            *listener = Some(runtime.spawn(listen(Arc::downgrade(&self.ear))));
        }
    }

    /// Sends an invalidation to all others; returns whether the server has it.
    pub(crate) async fn tell(&self, tags: Tags) -> bool {
        self.kept.tell(tags).await
    }

    /// The same, without waiting.
    pub(crate) fn tell_soon(&self, tags: &Tags) {
        self.kept.owe(tags);
    }

    pub(crate) fn pending(&self) -> usize {
        self.kept.pending()
    }

    pub(crate) fn errors(&self) -> u64 {
        self.kept.errors()
    }
}

impl Drop for Bus {
    fn drop(&mut self) {
        let listener = self.listener.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(listener) = listener {
            listener.abort();
        }
    }
}

/// What the messages of others take effect on.
struct Ear {
    client: Client,
    channel: String,
    /// The sender of this cache's own messages, which have taken effect before they are sent.
    sender: wire::Token,
    versions: Arc<Versions>,
    began: Instant,
    /// Until when the cache is read, in microseconds since it began.
    confirmed: AtomicU64,
    /// Signals that somebody listens.
    is_there: Notify,
}

impl Ear {
    fn is_confirmed(&self) -> bool {
        self.began.elapsed().as_micros() < u128::from(self.confirmed.load(Ordering::SeqCst))
    }

    /// Everything that was sent until then has arrived.
    fn confirm(&self, then: Instant) {
        let until = (then + CONFIRMED).saturating_duration_since(self.began).as_micros();
        self.confirmed.store(u64::try_from(until).unwrap_or(u64::MAX), Ordering::SeqCst);
    }

    fn is_lost(&self) {
        self.confirmed.store(0, Ordering::SeqCst);
    }

    fn heard(&self, message: &Msg) {
        match rmp_serde::from_slice::<wire::Message>(message.get_payload_bytes()) {
            Ok(message) if message.sender == self.sender => {}
            Ok(message) => message.tags.iter().for_each(|tag| self.versions.raise(tag)),
            // Of another version of this crate.
            Err(_) => self.versions.raise_all(),
        }
    }

    async fn connect(&self) -> RedisResult<(PubSubSink, PubSubStream)> {
        let connecting = async {
            let (mut sink, stream) = self.client.get_async_pubsub().await?.split();
            sink.subscribe(&self.channel).await?;
            Ok((sink, stream))
        };
        match timeout(PATIENCE * 2, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))),
        }
    }
}

/// Listens as long as the cache is there, over one connection after the other.
async fn listen(ear: Weak<Ear>) {
    let mut wait = FIRST_WAIT;
    loop {
        let Some(there) = ear.upgrade() else { return };
        let asked = Instant::now();
        if let Ok(connection) = there.connect().await {
            // What was sent until now may have been missed.
            there.versions.raise_all();
            there.confirm(asked);
            there.is_there.notify_one();
            drop(there);
            listen_on(&ear, connection).await;
            if let Some(there) = ear.upgrade() {
                there.is_lost();
            }
            wait = FIRST_WAIT;
        } else {
            drop(there);
        }
        sleep(wait).await;
        wait = (wait * 2).min(LONGEST_WAIT);
    }
}

/// Listens until the connection is lost.
async fn listen_on(ear: &Weak<Ear>, (mut sink, mut stream): (PubSubSink, PubSubStream)) {
    loop {
        if hearing(ear, &mut stream, sleep(BETWEEN)).await.is_none() {
            return;
        }
        let asked = Instant::now();
        let answer = hearing(ear, &mut stream, timeout(CONFIRMED, sink.ping::<Value>())).await;
        let (Some(Ok(Ok(_))), Some(ear)) = (answer, ear.upgrade()) else { return };
        ear.confirm(asked);
    }
}

/// The output of a future, and until then the effect of messages; `None` if there will be no more of them.
async fn hearing<F: Future>(ear: &Weak<Ear>, stream: &mut PubSubStream, future: F) -> Option<F::Output> {
    let mut future = pin!(future);
    loop {
        match select(stream.next(), future.as_mut()).await {
            Either::Left((message, _)) => ear.upgrade()?.heard(&message?),
            Either::Right((output, _)) => return Some(output),
        }
    }
}
