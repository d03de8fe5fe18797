//! Session tokens: what a client has seen, kept by the client.
//!
//! A token names for each key the version that the session has written or read at least. A read
//! waits for a replica that has come so far: *read your writes* and *monotonic reads* (Terry et
//! al., *Session Guarantees for Weakly Consistent Replicated Data*, 1994). A write has a stamp
//! above all versions in the token, and carries the token along; whoever reads its value joins it
//! to his own. So he will not read anything older than what the writer knew: *monotonic writes*
//! and *writes follow reads*, over all keys (as explicit dependencies in COPS, Lloyd et al. 2011).
//!
//! Tokens are about registers. Sets and counters pass them through.

use super::clock::{Stamp, Vector};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most keys that a token names.
pub const TOKEN_KEYS_MAX: usize = 256;

/// A version of a register.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Version {
    /// This stamp or a later one.
    Lww(Stamp),
    /// All that this vector has seen.
    Vector(Vector),
}

/// What a session has seen, by key.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Token(BTreeMap<String, Version>);

impl Token {
    /// A client's token; an empty text is the empty token.
    pub fn parse(text: &str) -> Result<Token, String> {
        if text.is_empty() {
            return Ok(Token::default());
        }
        let token: Token = serde_json::from_str(text).map_err(|_| "not a token".to_owned())?;
        if token.0.len() > TOKEN_KEYS_MAX {
            return Err(format!("a token names at most {TOKEN_KEYS_MAX} keys"));
        }
        Ok(token)
    }

    /// As it goes to a client.
    pub fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// Whether nothing was seen.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What was seen of a key.
    pub fn get(&self, key: &str) -> Option<&Version> {
        self.0.get(key)
    }

    /// This was seen too.
    pub fn see(&mut self, key: &str, version: Version) {
        match (self.0.get_mut(key), version) {
            (Some(Version::Lww(known)), Version::Lww(new)) => *known = new.max(*known),
            (Some(Version::Vector(known)), Version::Vector(new)) => known.join(&new),
            (_, version) => {
                self.0.insert(key.to_owned(), version);
            }
        }
    }

    /// All that the other session has seen was seen too.
    pub fn join(&mut self, other: &Token) {
        for (key, version) in &other.0 {
            self.see(key, version.clone());
        }
    }

    /// The latest stamp in it.
    pub fn latest(&self) -> u64 {
        let stamp = |version: &Version| match version {
            Version::Lww(stamp) => stamp.time,
            Version::Vector(_) => 0,
        };
        self.0.values().map(stamp).max().unwrap_or(0)
    }
}
