//! The messages between the nodes as Lamport drew them: a line a node, an arrow a message, from
//! the moment of sending to the moment of arrival.
//!
//! Most messages repeat what was said before (heartbeats, acknowledgements). Where there are too
//! many to be read, one is drawn only if nothing of its form was said on its wire since sender or
//! receiver last changed; a rule that knows nothing of any protocol.

use super::arrows::{self, Kinds};
use super::faults::Window;
use super::lives::{self, Gap};
use super::passages::Passages;
use super::{Sources, StatusLine, lanes, plots, text};
use crate::messages::{Fate, Message};
use maud::{Markup, html};
use quorate_checkers::history::OpView;
use std::collections::{BTreeMap, BTreeSet};

/// At most this many messages are drawn around an anomaly.
const AROUND_MAX: usize = 110;
/// At least this many are, where there are so many before it.
const AROUND_MIN: usize = 24;
/// At most this many are drawn of a whole run.
const WHOLE_MAX: usize = 260;
/// How wide a diagram may become; wider than the page, it is scrolled.
const WIDTH_MAX: f64 = 5_600.0;

/// What a diagram is drawn of.
pub(super) struct Scene<'a> {
    /// The nodes, from the top.
    pub(super) nodes: Vec<String>,
    pub(super) messages: Vec<&'a Message>,
    pub(super) ops: Vec<OpView<'a>>,
    pub(super) lives: BTreeMap<String, Vec<Gap>>,
    pub(super) statuses: &'a [StatusLine],
    pub(super) windows: &'a [Window],
    pub(super) time: Passages,
    pub(super) kinds: Kinds,
}

/// The messages of a whole run, as a section; nothing where there are none. It is meant for runs
/// that were reduced.
pub(super) fn section(sources: &Sources<'_>, windows: &[Window]) -> Markup {
    if sources.messages.is_empty() || sources.plan.script.is_none() {
        return html! {};
    }
    let chosen = choose_whole(sources);
    let ops = sources.history.ops().collect();
    html! {
        section id="messages" aria-labelledby="messages-title" {
            h2 id="messages-title" {
                "Every message that mattered"
                span.of { (text::count(chosen.len(), "message")) " of " (text::thousands(sources.messages.len() as u64)) }
            }
            (figure(sources, windows, chosen, ops))
        }
    }
}

/// The messages around some operations of an anomaly, from `begin` to `end`; nothing where none
/// are known.
pub(super) fn around(
    sources: &Sources<'_>,
    windows: &[Window],
    ops: &[OpView<'_>],
    (begin, end): (u64, u64),
) -> Markup {
    let chosen = choose_around(sources, begin, end);
    if chosen.is_empty() || sources.plan.script.is_some() {
        return html! {};
    }
    html! {
        details open {
            summary { "The messages between the nodes at that time" }
            (figure(sources, windows, chosen, ops.to_vec()))
        }
    }
}

fn figure<'a>(
    sources: &Sources<'a>,
    windows: &'a [Window],
    messages: Vec<&'a Message>,
    ops: Vec<OpView<'a>>,
) -> Markup {
    let spans: Vec<(u64, u64)> = messages
        .iter()
        .map(|message| (message.sent, message.end().max(message.again.unwrap_or(0))))
        .collect();
    let lives = lives::of(sources.history);
    let first = spans.iter().map(|span| span.0).min().unwrap_or(0);
    let last = spans.iter().map(|span| span.1).max().unwrap_or(0);
    let turns = lives.values().flatten().flat_map(|gap| [Some(gap.begin), gap.end]).flatten();
    let turns = turns.filter(|at| (first..=last).contains(at)).map(|at| (at, at));
    let all: Vec<(u64, u64)> = spans.iter().copied().chain(turns).collect();
    let scene = Scene {
        nodes: sources.plan.members().iter().map(ToString::to_string).collect(),
        kinds: Kinds::of(&messages),
        ops: lanes::within(ops, first, last),
        time: Passages::new(&all, arrows::LEFT, WIDTH_MAX),
        messages,
        lives,
        statuses: sources.statuses,
        windows,
    };
    html! {
        figure {
            figcaption.quiet {
                span { "Time runs to scale from left to right; a gap in the lines is time in which nothing new was said." }
                (scene.kinds.key())
                (plots::fault_key(windows))
            }
            div.lamport tabindex="0" role="group"
                aria-label="Messages between the nodes. The arrow keys step through them; a table of them follows." {
                (arrows::drawing(&scene))
            }
            p.told.code aria-live="polite" { "← → or a click: what a message says" }
            (table(&scene.messages))
        }
    }
}

/// The messages of a run, but for repetitions if there are too many.
fn choose_whole<'a>(sources: &Sources<'a>) -> Vec<&'a Message> {
    let all = between_nodes(sources.messages);
    let mut chosen = if all.len() <= WHOLE_MAX { all } else { telling(sources, &all) };
    let least = chosen.len().saturating_sub(WHOLE_MAX);
    chosen.drain(..least);
    chosen
}

/// The messages between two moments, but for repetitions if there are too many, and some that
/// went before if there are few.
fn choose_around<'a>(sources: &Sources<'a>, begin: u64, end: u64) -> Vec<&'a Message> {
    let mut before = between_nodes(sources.messages);
    before.retain(|message| message.sent <= end);
    let telling = telling(sources, &before);
    let within = |message: &&Message| message.end() >= begin;
    let mut chosen: Vec<&Message> = before.into_iter().filter(within).collect();
    if chosen.len() > AROUND_MAX {
        chosen = telling.iter().copied().filter(|message| within(message)).collect();
    }
    if chosen.len() < AROUND_MIN {
        let earlier = telling.iter().rev().filter(|message| !within(message));
        chosen.extend(earlier.take(AROUND_MIN - chosen.len()));
        chosen.sort_by_key(|message| message.number);
    }
    chosen.split_off(chosen.len().saturating_sub(AROUND_MAX))
}

fn between_nodes(messages: &[Message]) -> Vec<&Message> {
    messages.iter().filter(|message| message.from != message.to).collect()
}

/// Those that say something new on their wire.
fn telling<'a>(sources: &Sources<'_>, messages: &[&'a Message]) -> Vec<&'a Message> {
    let mut changes = changes(sources);
    changes.reverse();
    let mut heard: BTreeMap<(&str, &str), BTreeSet<String>> = BTreeMap::new();
    let mut told = Vec::new();
    for message in messages {
        while let Some((_, node)) = changes.pop_if(|(time, _)| *time <= message.sent) {
            heard.retain(|(from, to), _| *from != node && *to != node);
        }
        let words = message.text.chars().filter(|c| !c.is_ascii_digit());
        let form: String = message.kind.chars().chain(words).collect();
        let lost = message.fate != Fate::Delivered;
        let form = format!("{lost}{form}");
        if heard.entry((&message.from, &message.to)).or_default().insert(form) {
            told.push(*message);
        }
    }
    told
}

/// When which node changed: its role or term, its being there. In order of time.
fn changes(sources: &Sources<'_>) -> Vec<(u64, String)> {
    let mut changes: Vec<(u64, String)> = Vec::new();
    let mut last: BTreeMap<&str, (&str, u64)> = BTreeMap::new();
    for line in sources.statuses {
        for (node, status) in &line.nodes {
            let now = (status.role.as_str(), status.term);
            if last.insert(node, now).is_some_and(|before| before != now) {
                changes.push((line.time, node.clone()));
            }
        }
    }
    for (node, gaps) in lives::of(sources.history) {
        let moments = gaps.iter().flat_map(|gap| [Some(gap.begin), gap.end]).flatten();
        changes.extend(moments.map(|at| (at, node.clone())));
    }
    changes.sort();
    changes
}

/// The same for those who cannot see the drawing.
fn table(messages: &[&Message]) -> Markup {
    html! {
        details {
            summary { "The messages as a table" }
            div.scroll.steps {
                table {
                    thead {
                        tr {
                            @for name in ["sent", "from", "to", "kind", "became", "after", "says"] {
                                th scope="col" { (name) }
                            }
                        }
                    }
                    tbody { @for message in messages { (row(message)) } }
                }
            }
        }
    }
}

fn row(message: &Message) -> Markup {
    let after = message
        .ended
        .map_or_else(|| "—".into(), |at| text::span(at.max(message.sent) - message.sent));
    html! {
        tr {
            td { (arrows::moment(message.sent)) }
            td { (text::label(&message.from)) }
            td { (text::label(&message.to)) }
            td { (text::label(&message.kind)) }
            td { (message.fate.as_str()) @if message.again.is_some() { ", twice" } }
            td { (after) }
            td.code { (text::visible(&message.text)) }
        }
    }
}
