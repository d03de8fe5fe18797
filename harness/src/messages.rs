//! The messages between the nodes of a run: `messages.jsonl`, one a line, in the order of sending.
//!
//! A run sends hundreds of thousands; the file holds a bounded choice, those around what went
//! wrong first, then the newest. A message has a kind and says something; both are taken from its
//! text, whatever the target is: from debug text in a simulation, from the beginning of a JSON
//! frame behind a proxy.

mod words;

pub use words::plain;

use crate::{proxy, results};
use anyhow::{Context, Result};
use quorate_targets::node::NodeId;
use quorate_targets::sim::{Letter, post};
use serde::{Deserialize, Serialize};
use std::fs;
use std::io::Write;
use std::path::Path;

/// So many messages are written.
pub const WRITTEN_MAX: usize = 20_000;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Fate {
    /// Its receiver, or the receiver's socket, took it.
    Delivered,
    /// It was lost by chance.
    Lost,
    /// It was lost at a cut link.
    Cut,
    /// Its receiver was down, or there was no room for it.
    Dropped,
    /// Nothing, as far as the run went.
    Open,
}

impl Fate {
    /// Its name in the file.
    pub fn as_str(self) -> &'static str {
        match self {
            Fate::Delivered => "delivered",
            Fate::Lost => "lost",
            Fate::Cut => "cut",
            Fate::Dropped => "dropped",
            Fate::Open => "open",
        }
    }
}

/// A message. Times are nanoseconds since the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Its place in the order of sending, from 0; where numbers are missing, so are messages.
    pub number: u64,
    /// The sender.
    pub from: String,
    /// The receiver.
    pub to: String,
    /// When it was sent; over proxies, when the proxy had all of it.
    pub sent: u64,
    /// What became of it.
    pub fate: Fate,
    /// When it was delivered, or lost; absent where nothing became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<u64>,
    /// When it was delivered once more, if it was duplicated.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub again: Option<u64>,
    /// Which message of the protocol it is.
    pub kind: String,
    /// What it says, cut.
    pub text: String,
}

impl Message {
    /// When it was over, as far as is known.
    pub fn end(&self) -> u64 {
        self.ended.unwrap_or(self.sent).max(self.sent)
    }
}

/// The messages of a simulation.
pub fn of_letters<'a>(letters: impl Iterator<Item = &'a Letter>) -> Vec<Message> {
    let message = |letter: &Letter| {
        let (kind, text) = words::of_debug(&letter.text);
        Message {
            number: letter.number,
            from: letter.from.to_string(),
            to: letter.to.to_string(),
            sent: letter.sent.0,
            fate: match letter.fate {
                post::Fate::Open => Fate::Open,
                post::Fate::Delivered => Fate::Delivered,
                post::Fate::Lost => Fate::Lost,
                post::Fate::Cut => Fate::Cut,
                post::Fate::Dropped => Fate::Dropped,
            },
            ended: letter.ended.map(|at| at.0),
            again: letter.again.map(|at| at.0),
            kind,
            text,
        }
    };
    letters.map(message).collect()
}

/// The messages that proxies remember, by time. A frame that a proxy delivered twice is one
/// message.
pub fn of_frames(frames: &[proxy::Message]) -> Vec<Message> {
    let mut messages: Vec<Message> = Vec::with_capacity(frames.len());
    let mut last: std::collections::BTreeMap<(NodeId, NodeId), usize> = [].into();
    for frame in frames {
        let ended = frame.time.0 + frame.kept.0;
        let (kind, text) = words::of_json(&frame.head);
        let link = (frame.from, frame.to);
        // Of one link, at one moment and of one content: copies.
        if let Some(twin) = last.get(&link).and_then(|place| messages.get_mut(*place))
            && (twin.sent, &twin.text) == (frame.time.0, &text)
            && twin.ended != Some(ended)
            && twin.again.is_none()
        {
            twin.again = Some(ended);
            continue;
        }
        last.insert(link, messages.len());
        messages.push(Message {
            number: messages.len() as u64,
            from: frame.from.to_string(),
            to: frame.to.to_string(),
            sent: frame.time.0,
            fate: match frame.fate {
                proxy::Fate::Forwarded => Fate::Delivered,
                // Its receiver sees that it is damaged, and drops it.
                proxy::Fate::Lost | proxy::Fate::Corrupted => Fate::Lost,
                proxy::Fate::Cut => Fate::Cut,
                proxy::Fate::Overflow | proxy::Fate::Unreachable => Fate::Dropped,
            },
            ended: Some(ended),
            again: None,
            kind,
            text,
        });
    }
    messages
}

/// At most so many of them, in their order: those of the least rank first, then the newest.
pub fn choose(messages: Vec<Message>, most: usize, rank: impl Fn(&Message) -> u8) -> Vec<Message> {
    if messages.len() <= most {
        return messages;
    }
    let mut chosen: Vec<(u8, Message)> =
        messages.into_iter().map(|message| (rank(&message), message)).collect();
    chosen.sort_by_key(|(rank, message)| (*rank, std::cmp::Reverse(message.number)));
    chosen.truncate(most);
    chosen.sort_by_key(|(_, message)| message.number);
    chosen.into_iter().map(|(_, message)| message).collect()
}

/// Writes the file.
pub fn write(path: &Path, messages: &[Message]) -> Result<()> {
    results::replace(path, |out| {
        for message in messages {
            serde_json::to_writer(&mut *out, message)?;
            out.write_all(b"\n")?;
        }
        Ok(())
    })
}

/// Reads the file; nothing where there is none. A line that is none, as a run that died may leave
/// it, is an error only if others follow.
pub fn read(path: &Path) -> Result<Vec<Message>> {
    if !path.is_file() {
        return Ok(Vec::new());
    }
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut messages = Vec::new();
    let mut lines = text.lines().enumerate().peekable();
    while let Some((at, line)) = lines.next() {
        match serde_json::from_str(line) {
            Ok(message) => messages.push(message),
            Err(_) if lines.peek().is_none() && !text.ends_with('\n') => {}
            Err(error) => {
                return Err(error).with_context(|| {
                    format!("{}, line {}: not a message", path.display(), at + 1)
                });
            }
        }
    }
    Ok(messages)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_checkers::history::Nanos;

    fn message(number: u64, sent: u64) -> Message {
        let (from, to) = ("n1".to_owned(), "n2".to_owned());
        let (kind, text) = ("append".to_owned(), "term: 3".to_owned());
        let (fate, ended, again) = (Fate::Delivered, Some(sent + 5), None);
        Message { number, from, to, sent, fate, ended, again, kind, text }
    }

    #[test]
    fn those_near_what_went_wrong_are_kept_then_the_newest() {
        let all: Vec<Message> = (0..10).map(|n| message(n, n * 100)).collect();
        let kept = |most| -> Vec<u64> {
            let far = |m: &Message| u8::from(m.sent > 301 || m.end() < 205);
            choose(all.clone(), most, far).iter().map(|m| m.number).collect()
        };
        assert_eq!(kept(10), (0..10).collect::<Vec<_>>());
        assert_eq!(kept(4), [2, 3, 8, 9]);
        assert_eq!(kept(1), [3]);
    }

    #[test]
    fn what_is_written_is_read_and_a_torn_end_is_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("messages.jsonl");
        assert_eq!(read(&path).unwrap(), []);
        let all = [message(0, 1), Message { fate: Fate::Open, ended: None, ..message(7, 2) }];
        write(&path, &all).unwrap();
        assert_eq!(read(&path).unwrap(), all);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        assert_eq!(read(&path).unwrap(), all[..1]);
        fs::write(&path, "{}\n").unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("line 1"));
    }

    #[test]
    fn copies_of_a_frame_are_one_message() {
        let frame = |time, kept| proxy::Message {
            time: Nanos(time),
            from: NodeId(1),
            to: NodeId(2),
            bytes: 40,
            fate: proxy::Fate::Forwarded,
            kept: Nanos(kept),
            head: br#"{"from":1,"message":{"type":"append","term":3}}"#.as_slice().into(),
        };
        let messages = of_frames(&[frame(10, 5), frame(10, 9), frame(20, 5)]);
        let seen: Vec<_> = messages.iter().map(|m| (m.number, m.sent, m.ended, m.again)).collect();
        assert_eq!(seen, [(0, 10, Some(15), Some(19)), (1, 20, Some(25), None)]);
        assert_eq!((messages[0].kind.as_str(), messages[0].text.as_str()), ("append", "term:3"));
    }
}
