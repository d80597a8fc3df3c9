//! The commands sent to the server.

use std::fmt::Write;
use std::hash::{BuildHasher, RandomState};

use ::redis::{RedisError, RedisResult, cmd, pipe};
use serde::{Deserialize, Serialize};

use super::super::key::Key;
use super::super::tables::Tags;
use super::keeper::{Live, Telling};

/// The value that an invalidation replaces: 128 bits that never recur.
pub(super) type Token = [u8; 16];

/// A token that nobody reads expires after a week, and its entries with it.
const TOKEN_SECONDS: u64 = 7 * 24 * 3600;

pub(super) fn token() -> Token {
    // Its keys are random, and different each time.
    let random = RandomState::new();
    let mut token = [0; 16];
    token[..8].copy_from_slice(&random.hash_one(0).to_le_bytes());
    token[8..].copy_from_slice(&random.hash_one(1).to_le_bytes());
    token
}

fn name_of_key(live: &Live, key: &Key) -> String {
    let mut name = format!("{}:k:", live.prefix);
    for byte in key.0 {
        let _ = write!(name, "{byte:02x}");
    }
    name
}

fn name_of_tag(live: &Live, tag: &str) -> String {
    format!("{}:t:{tag}", live.prefix)
}

/// An entry as stored on the server, and the tokens of its tags.
pub(super) struct Seen {
    entry: Option<Vec<u8>>,
    pub(super) tokens: Vec<Option<Token>>,
    /// By the server's clock, in milliseconds.
    pub(super) at: Option<u64>,
}

impl Seen {
    fn of(answer: Vec<Option<Vec<u8>>>, at: Option<u64>) -> Self {
        let mut answer = answer.into_iter();
        let entry = answer.next().flatten();
        let tokens = answer.map(|token| Token::try_from(token?).ok()).collect();
        Self { entry, tokens, at }
    }

    /// The value, if the entry's tokens are those of its tags.
    pub(super) fn value(&self) -> Option<&[u8]> {
        let mut rest = self.entry.as_deref()?;
        for token in &self.tokens {
            let (of_entry, after) = rest.split_first_chunk::<16>()?;
            if token.as_ref() != Some(of_entry) {
                return None;
            }
            rest = after;
        }
        Some(rest)
    }
}

/// Looks up an entry.
pub(super) async fn look(live: &Live, key: &Key, tags: &Tags) -> RedisResult<Seen> {
    let mut names = cmd("MGET");
    names.arg(name_of_key(live, key));
    tags.iter().for_each(|tag| {
        names.arg(name_of_tag(live, tag));
    });
    let answer = live.waiting(names.query_async(&mut live.connection.clone())).await?;
    Ok(Seen::of(answer, None))
}

/// Looks up an entry, creates tokens for those of its tags that have none, and reads the time.
pub(super) async fn look_and_mark(live: &Live, key: &Key, tags: &Tags) -> RedisResult<Seen> {
    let mut commands = pipe();
    commands.cmd("TIME");
    let mut names = cmd("MGET");
    names.arg(name_of_key(live, key));
    for tag in tags.iter() {
        let name = name_of_tag(live, tag);
        names.arg(&name);
        commands.cmd("SET").arg(name).arg(&token()[..]).arg("NX").arg("EX").arg(TOKEN_SECONDS).ignore();
    }
    commands.add_command(names);
    let mut connection = live.connection.clone();
    type Answer = ((u64, u64), Vec<Option<Vec<u8>>>);
    let ((seconds, micros), answer): Answer = live.waiting(commands.query_async(&mut connection)).await?;
    Ok(Seen::of(answer, Some(seconds.saturating_mul(1_000) + micros / 1_000)))
}

/// Stores an entry until a time of the server's clock.
pub(super) async fn keep(
    live: &Live,
    key: &Key,
    tokens: &[Token],
    value: &[u8],
    until: u64,
) -> RedisResult<()> {
    let mut entry = Vec::with_capacity(tokens.len() * 16 + value.len());
    tokens.iter().for_each(|token| entry.extend_from_slice(token));
    entry.extend_from_slice(value);
    let mut set = cmd("SET");
    set.arg(name_of_key(live, key)).arg(entry).arg("PXAT").arg(until);
    live.waiting(set.query_async(&mut live.connection.clone())).await
}

/// Tells the server that these tags are invalid.
pub(super) async fn tell<'t>(live: &Live, tags: impl Iterator<Item = &'t str>) -> RedisResult<()> {
    match &live.telling {
        Telling::ByTokens => replace_tokens(live, tags).await,
        Telling::ByMessage(sender) => publish(live, &Message { sender: *sender, tags: tags.collect() }).await,
    }
}

/// An invalidation for all who listen.
#[derive(Serialize, Deserialize)]
pub(super) struct Message<'t> {
    pub(super) sender: Token,
    #[serde(borrow)]
    pub(super) tags: Vec<&'t str>,
}

/// The channel of the messages of all caches with this name.
pub(super) fn channel(name: &str) -> String {
    format!("{name}:invalidated")
}

async fn publish(live: &Live, message: &Message<'_>) -> RedisResult<()> {
    let encoded = rmp_serde::to_vec(message).map_err(std::io::Error::other)?;
    let mut publish = cmd("PUBLISH");
    publish.arg(channel(&live.prefix)).arg(encoded);
    live.waiting(publish.query_async(&mut live.connection.clone())).await
}

/// Gives these tags new tokens.
async fn replace_tokens<'t>(live: &Live, tags: impl Iterator<Item = &'t str>) -> RedisResult<()> {
    let mut commands = pipe();
    for tag in tags {
        let name = name_of_tag(live, tag);
        commands.cmd("SET").arg(name).arg(&token()[..]).arg("EX").arg(TOKEN_SECONDS);
    }
    // Each answer is checked: a full server, or a replica, rejects commands, and then nothing has been
    // invalidated.
    let answers: Vec<String> = live.waiting(commands.query_async(&mut live.connection.clone())).await?;
    match answers.iter().all(|answer| answer == "OK") {
        true => Ok(()),
        false => Err(RedisError::from(std::io::Error::other("an invalidation was refused"))),
    }
}

/// The id of the server's run.
pub(super) async fn run_id(connection: &mut ::redis::aio::MultiplexedConnection) -> RedisResult<String> {
    let info: String = cmd("INFO").arg("server").query_async(connection).await?;
    let id = info.lines().find_map(|line| line.strip_prefix("run_id:"));
    id.map(|id| id.trim().to_owned())
        .ok_or_else(|| RedisError::from(std::io::Error::other("no run_id in INFO")))
}
