//! The post: the messages of a run, each with what became of it, the latest so many kept.
//!
//! The trace tells of a message in several entries and forgets all kinds of events alike; who
//! draws messages wants each one whole. What a message says is its debug text, cut; formatting
//! stops there, so that a long message costs no more than a short one. The moments at which nodes
//! took another role or term lie here too, since whoever draws messages draws them as well.

use super::time::Nanos;
use crate::node::{NodeId, Status};
use std::collections::VecDeque;
use std::fmt::{self, Debug, Write};

/// What a message says is cut here, in bytes.
pub const TEXT_MAX: usize = 200;

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is under way, or waits at a held wire or a paused node.
    Open,
    /// Its receiver took it.
    Delivered,
    /// It was lost by chance.
    Lost,
    /// It was lost at a cut wire.
    Cut,
    /// Its receiver was down, or had no room.
    Dropped,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Letter {
    /// Its number, ascending in the order of sending.
    pub number: u64,
    /// The sender.
    pub from: NodeId,
    /// The receiver.
    pub to: NodeId,
    /// When it left.
    pub sent: Nanos,
    /// What became of it; of one that is under way twice, what became of the better copy.
    pub fate: Fate,
    /// When it was delivered first, or lost.
    pub ended: Option<Nanos>,
    /// When it was delivered once more.
    pub again: Option<Nanos>,
    /// What it says.
    pub text: Box<str>,
}

/// A node took another role or term.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// When.
    pub time: Nanos,
    /// Which.
    pub node: NodeId,
    /// How it stands since.
    pub status: Status,
}

/// The messages of a run.
#[derive(Clone, Debug)]
pub struct Post {
    limit: usize,
    letters: VecDeque<Letter>,
    turns: Vec<Turn>,
}

impl Post {
    /// Keeps the latest `limit` messages; none where that is 0.
    #[must_use]
    pub(super) fn new(limit: usize) -> Post {
        Post { limit, letters: VecDeque::new(), turns: Vec::new() }
    }

    /// Whether anything is kept.
    pub(super) fn is_kept(&self) -> bool {
        self.limit > 0
    }

    /// A node took another role or term.
    pub(super) fn turn(&mut self, time: Nanos, node: NodeId, status: Status) {
        if self.turns.len() < self.limit {
            self.turns.push(Turn { time, node, status });
        }
    }

    /// The turns since they were last taken, in order.
    pub(super) fn take_turns(&mut self) -> Vec<Turn> {
        std::mem::take(&mut self.turns)
    }

    /// The messages that are kept, in the order of sending.
    pub fn letters(&self) -> impl ExactSizeIterator<Item = &Letter> {
        self.letters.iter()
    }

    /// A message leaves. Numbers ascend.
    pub(super) fn send(
        &mut self,
        number: u64,
        from: NodeId,
        to: NodeId,
        sent: Nanos,
        message: &dyn Debug,
    ) {
        if self.limit == 0 {
            return;
        }
        if self.letters.len() >= self.limit {
            self.letters.pop_front();
        }
        let text = told(message).into();
        let (fate, ended, again) = (Fate::Open, None, None);
        self.letters.push_back(Letter { number, from, to, sent, fate, ended, again, text });
    }

    /// Something became of a message, if it is still kept.
    pub(super) fn end(&mut self, number: u64, at: Nanos, fate: Fate) {
        let place = self.letters.binary_search_by_key(&number, |letter| letter.number);
        let Some(letter) = place.ok().and_then(|place| self.letters.get_mut(place)) else { return };
        match (letter.fate, fate) {
            (Fate::Delivered, Fate::Delivered) => letter.again = Some(at),
            (Fate::Delivered, _) => {}
            _ => (letter.fate, letter.ended) = (fate, Some(at)),
        }
    }
}

/// The debug text, cut.
fn told(message: &dyn Debug) -> String {
    struct Cut(String);
    impl Write for Cut {
        fn write_str(&mut self, part: &str) -> fmt::Result {
            let room = TEXT_MAX - self.0.len();
            if part.len() <= room {
                self.0.push_str(part);
                return Ok(());
            }
            let end = (0..=room).rev().find(|end| part.is_char_boundary(*end)).unwrap_or(0);
            self.0.push_str(&part[..end]);
            Err(fmt::Error) // there is no need to format the rest
        }
    }
    let mut text = Cut(String::new());
    if write!(text, "{message:?}").is_err() {
        text.0.push('…');
    }
    text.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_became_of_messages_is_kept_of_the_latest() {
        let mut post = Post::new(2);
        for number in 0..3 {
            post.send(number, NodeId(1), NodeId(2), Nanos(number), &"x");
        }
        post.end(0, Nanos(5), Fate::Delivered);
        post.end(1, Nanos(6), Fate::Delivered);
        post.end(1, Nanos(7), Fate::Delivered);
        post.end(2, Nanos(8), Fate::Cut);
        post.end(3, Nanos(9), Fate::Cut);
        let letters: Vec<_> =
            post.letters().map(|l| (l.number, l.fate, l.ended, l.again)).collect();
        let at = |ns| Some(Nanos(ns));
        assert_eq!(letters, [(1, Fate::Delivered, at(6), at(7)), (2, Fate::Cut, at(8), None)]);
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(told(&"short"), "\"short\"");
        let long = told(&"é".repeat(TEXT_MAX));
        assert!(long.len() <= TEXT_MAX + '…'.len_utf8() && long.ends_with("é…"), "{long}");
    }
}
