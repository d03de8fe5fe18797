//! Every order with its story, for the scripts, which draw the one that is chosen as a sequence
//! diagram: a line a service, and on these, in order of time, what clients asked and heard, what
//! each service did, and the messages about the order.
//!
//! The story is the checker's ([`quorate_checkers::orders::sagas`]), with the messages put in. It
//! is kept as columns like the operations (`columns`): `orders` has a row for each order, `story`
//! one for each thing that happened, order by order. Texts are numbered from 1, and stand once
//! however often they are said; the order's own name in them is [`SELF`].

use super::columns::{Table, packed, varint, zigzag};
use super::lives::{self, Absence};
use super::{Sources, embed, text};
use crate::messages::{Fate, Message};
use maud::{Markup, html};
use quorate_checkers::history::History;
use quorate_checkers::orders::{self, story::How, story::Line, story::Saga};
use quorate_checkers::value::Value;
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// At most so many rows are kept of an order, and at most so many of them messages.
const ROWS_MAX: usize = 160;
const MESSAGES_MAX: usize = 90;
/// At most so many messages are kept of all orders: first those about orders that a finding names,
/// then those that got lost or came again, then any.
const MESSAGES_TOTAL_MAX: usize = 4_000;
/// Messages count if they were sent so long before the first line or after the last.
const MARGIN: u64 = 50_000_000;
/// Nanoseconds.
const MICRO: u64 = 1_000;
/// Longer words are cut.
const WORDS_MAX: usize = 200;
/// Stands for the name of the order that a text is about.
const SELF: &str = "\u{1}";
/// How the saga log gets to the replica repeats what the log tells.
const COPIES: &str = "log";

/// The columns, by the names that the scripts know; times are in microseconds.
const OF_ORDER: [&str; 10] = [
    "id",
    "customer",
    "item",
    "quantity",
    "amount",
    "address",
    "end",
    "compensated",
    "rows",
    "left",
];
const OF_ROW: [&str; 7] = ["at", "from", "to", "look", "words", "event", "took"];

/// Bits of the column `look`.
mod look {
    /// From one line to another; what is lost does not get there.
    pub(super) const ARROW: u64 = 0;
    pub(super) const LOST: u64 = 1;
    /// On the lines from one to another.
    pub(super) const DEED: u64 = 2;
    /// It arrived once more.
    pub(super) const TWICE: u64 = 4;
}

/// The lines of the diagrams, from the left.
struct Lifelines {
    names: Vec<String>,
    of_node: BTreeMap<String, usize>,
    /// Those of the orders service, first and last.
    orders: (usize, usize),
}

/// Something that happened to an order.
struct Row {
    at: u64,
    from: usize,
    to: usize,
    look: u64,
    words: String,
    event: Option<u32>,
    took: Option<u64>,
}

/// What the scripts must know beside the columns.
#[derive(Serialize)]
struct Data {
    orders: Columns,
    story: Columns,
    lines: Vec<String>,
    gaps: Vec<Gap>,
    /// The anomalies that are about an order: their number, and the order's.
    findings: Vec<(usize, usize)>,
}

#[derive(Serialize)]
struct Columns {
    count: usize,
    columns: &'static [&'static str],
}

/// A line whose node is down or stands still.
#[derive(Serialize)]
struct Gap {
    line: usize,
    begin: u64,
    end: Option<u64>,
    still: bool,
}

/// All orders of a run, in the order in which they began.
pub(super) struct Sagas<'a> {
    sagas: Vec<Saga<'a>>,
    numbers: BTreeMap<&'a str, usize>,
}

impl<'a> Sagas<'a> {
    /// Those of a history; nothing where it is not one of orders.
    pub(super) fn of(sources: &Sources<'a>) -> Option<Sagas<'a>> {
        if !orders::fits(sources.history) {
            return None;
        }
        let mut sagas = orders::sagas(sources.history).ok()?;
        sagas.retain(|saga| !saga.story.is_empty());
        sagas.sort_by_key(|saga| saga.story.first().map(|line| line.at));
        let numbers = sagas.iter().enumerate().map(|(at, saga)| (saga.id, at)).collect();
        Some(Sagas { sagas, numbers })
    }

    /// The number of an order.
    pub(super) fn number(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// How the orders ended, each word once.
    pub(super) fn ends(&self) -> BTreeSet<&'static str> {
        self.sagas.iter().map(|saga| saga.end).collect()
    }

    /// The blocks of data.
    pub(super) fn data(&self, sources: &Sources<'_>) -> Markup {
        let lines = Lifelines::of(&self.sagas);
        let about = |(at, anomaly): (usize, &quorate_checkers::verdict::Anomaly)| {
            Some((at + 1, self.number(anomaly.evidence.get("order")?.as_str()?)?))
        };
        let findings: Vec<(usize, usize)> =
            sources.verdict.anomalies.iter().enumerate().filter_map(about).collect();
        let named = findings.iter().map(|(_, number)| *number).collect();
        let mut messages = chosen(&self.messages(sources), &named);
        let mut encoder = Encoder::default();
        for (at, saga) in self.sagas.iter().enumerate() {
            let (kept, left) = messages.remove(&at).unwrap_or_default();
            encoder.push(saga, &lines.rows(saga, &kept), left);
        }
        let data = Data {
            orders: Columns { count: self.sagas.len(), columns: &OF_ORDER },
            story: Columns { count: encoder.count, columns: &OF_ROW },
            gaps: lines.gaps(sources),
            lines: lines.names,
            findings,
        };
        html! {
            (embed::json("sagas", &data))
            (embed::bytes("orders-columns", &packed(&encoder.orders, &[])))
            (embed::bytes("story-columns", &packed(&encoder.rows, &encoder.texts.texts)))
        }
    }

    /// The messages about each order, by its number.
    fn messages<'m>(&self, sources: &Sources<'m>) -> BTreeMap<usize, Vec<&'m Message>> {
        let mut about: BTreeMap<usize, Vec<&Message>> = BTreeMap::new();
        for message in sources.messages {
            let named: BTreeSet<usize> =
                words(&message.text).filter_map(|word| self.number(word)).collect();
            for number in named {
                about.entry(number).or_default().push(message);
            }
        }
        about
    }
}

/// Of the messages about each order those that are kept, and how many are not.
fn chosen<'m>(
    about: &BTreeMap<usize, Vec<&'m Message>>,
    named: &BTreeSet<usize>,
) -> BTreeMap<usize, (Vec<&'m Message>, usize)> {
    let mut room = MESSAGES_TOTAL_MAX;
    let mut chosen: BTreeMap<usize, (Vec<&Message>, usize)> = BTreeMap::new();
    let ranked = |number: usize, all: &[&'m Message], wanted: u8| -> Vec<&'m Message> {
        let same = |a: &Message, b: &Message| {
            (&a.from, &a.to, &a.kind, &a.text) == (&b.from, &b.to, &b.kind, &b.text)
        };
        let rank = |message: &&&Message| {
            let again = || all.iter().filter(|other| same(message, other)).count() > 1;
            let tells = message.fate != Fate::Delivered || message.again.is_some() || again();
            if named.contains(&number) { 0 } else { u8::from(!tells) + 1 }
        };
        all.iter().filter(|message| rank(message) == wanted).copied().collect()
    };
    for wanted in 0..=2 {
        for (number, all) in about {
            let all = &all[..all.len().min(MESSAGES_MAX)];
            let (kept, left) = chosen.entry(*number).or_default();
            let of_rank = ranked(*number, all, wanted);
            let taken = of_rank.len().min(room);
            room -= taken;
            *left += of_rank.len() - taken;
            kept.extend(&of_rank[..taken]);
        }
    }
    chosen
}

/// The words of a text, among which names are.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !is_of_word(c)).filter(|word| !word.is_empty())
}

fn is_of_word(c: char) -> bool {
    c.is_alphanumeric() || "-_".contains(c)
}

/// The names of a history's orders; none where it is not one of orders.
pub(super) fn ids(history: &History) -> BTreeSet<&str> {
    if !orders::fits(history) {
        return BTreeSet::new();
    }
    let placed = history.ops().filter(|op| op.f().as_str() == "place");
    placed.filter_map(|op| op.key()?.as_str()).collect()
}

/// How much a message tells of orders, least first: one that got lost most, then the others that
/// name one, then the rest. `ids` are the orders' names.
pub(super) fn rank(message: &Message, ids: &BTreeSet<&str>) -> u8 {
    if message.kind == COPIES || !words(&message.text).any(|word| ids.contains(word)) {
        return 2;
    }
    u8::from(message.fate == Fate::Delivered)
}

impl Lifelines {
    /// Clients, the nodes that they asked about orders, and the other services.
    fn of(sagas: &[Saga<'_>]) -> Lifelines {
        let all = || sagas.iter().flat_map(|saga| &saga.story);
        let asked: BTreeSet<&str> =
            all().filter(|line| line.how != How::Does).filter_map(|l| l.node.as_deref()).collect();
        let mut names = vec!["clients".to_owned()];
        let mut of_node = BTreeMap::new();
        for node in asked {
            of_node.insert(node.to_owned(), names.len());
            names.push(format!("{} orders", text::label(node)));
        }
        if of_node.is_empty() {
            names.push("orders".to_owned());
        }
        let orders = (1, names.len() - 1);
        let others: BTreeSet<(Option<&str>, &str)> = all()
            .filter(|line| line.how == How::Does && line.who != "orders")
            .map(|line| (line.node.as_deref(), line.who.as_str()))
            .collect();
        for (node, who) in others {
            let node = node.unwrap_or_default();
            let key = if node.is_empty() { who } else { node };
            if !of_node.contains_key(key) {
                of_node.insert(key.to_owned(), names.len());
                names.push(text::label(format!("{node} {who}").trim_start()));
            }
        }
        Lifelines { names, of_node, orders }
    }

    /// What happened to an order, in order of time.
    fn rows(&self, saga: &Saga<'_>, messages: &[&Message]) -> Vec<Row> {
        let mut rows: Vec<Row> = saga.story.iter().map(|line| self.told(line)).collect();
        let times = || saga.story.iter().map(|line| u64::try_from(line.at).unwrap_or(0));
        let first = times().min().unwrap_or(0).saturating_sub(MARGIN);
        let last = times().max().unwrap_or(0).saturating_add(MARGIN);
        let about = messages.iter().filter(|message| (first..=last).contains(&message.sent));
        rows.extend(about.filter_map(|message| self.sent(message)));
        rows.sort_by_key(|row| row.at);
        rows.truncate(ROWS_MAX);
        for row in &mut rows {
            row.words = text::cut(&about_itself(&row.words, saga.id), WORDS_MAX);
        }
        rows
    }

    /// A line of the story as a row.
    fn told(&self, line: &Line) -> Row {
        let node = line.node.as_deref().unwrap_or_default();
        let service = self.of_node.get(node).or_else(|| self.of_node.get(&line.who)).copied();
        let asked = service.unwrap_or(self.orders.0);
        let (from, to, look) = match line.how {
            How::Asks => (0, asked, look::ARROW),
            How::Hears => (asked, 0, look::ARROW),
            How::Does => {
                let (first, last) = service.map_or(self.orders, |line| (line, line));
                (first, last, look::DEED)
            }
        };
        let client = line.how != How::Does;
        let words = if client { format!("{}: {}", line.who, line.what) } else { line.what.clone() };
        let at = u64::try_from(line.at).unwrap_or_default();
        Row { at, from, to, look, words, event: line.event, took: None }
    }

    /// A message as a row; none for one between nodes that have no line.
    fn sent(&self, message: &Message) -> Option<Row> {
        let from = *self.of_node.get(&message.from)?;
        let to = *self.of_node.get(&message.to)?;
        let arrived = message.fate == Fate::Delivered;
        let fate = if arrived { String::new() } else { format!(" ({})", message.fate.as_str()) };
        let look = if arrived { look::ARROW } else { look::LOST };
        let twice = if message.again.is_some() { look::TWICE } else { 0 };
        Some(Row {
            at: message.sent,
            from,
            to,
            look: look | twice,
            words: format!("{}{fate} {}", message.kind, without_details(&message.text)),
            event: None,
            took: message.ended.filter(|_| arrived).map(|at| at.saturating_sub(message.sent)),
        })
    }

    /// When nodes with a line were not there.
    fn gaps(&self, sources: &Sources<'_>) -> Vec<Gap> {
        let mut gaps = Vec::new();
        for (node, absences) in lives::of(sources.history) {
            let Some(line) = self.of_node.get(&node).copied() else { continue };
            gaps.extend(absences.iter().map(|gap| Gap {
                line,
                begin: gap.begin,
                end: gap.end,
                still: gap.what == Absence::Paused,
            }));
        }
        gaps
    }
}

/// A message repeats all of an order, which is told once beside the diagram.
fn without_details(text: &str) -> String {
    let end = |from: usize| text[from..].find(['}', ')']).map(|length| from + length);
    match text.find("customer").and_then(|from| Some((from, end(from)?))) {
        Some((from, to)) => format!("{}…{}", &text[..from], &text[to..]),
        None => text.to_owned(),
    }
}

/// The text with [`SELF`] for the order's name, where that is a word.
fn about_itself(text: &str, id: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = if id.is_empty() { None } else { rest.find(id) } {
        let (before, after) = (&rest[..at], &rest[at + id.len()..]);
        let apart = |c: Option<char>| c.is_none_or(|c| !is_of_word(c));
        let whole = apart(before.chars().next_back().or_else(|| out.chars().next_back()))
            && apart(after.chars().next());
        out.push_str(before);
        out.push_str(if whole { SELF } else { id });
        rest = after;
    }
    out + rest
}

#[derive(Default)]
struct Encoder {
    orders: [Vec<u8>; OF_ORDER.len()],
    rows: [Vec<u8>; OF_ROW.len()],
    texts: Table,
    /// Rows so far, and when the last of them was.
    count: usize,
    last: u64,
}

impl Encoder {
    fn push(&mut self, saga: &Saga<'_>, rows: &[Row], left: usize) {
        let field = |name: &str| saga.details.and_then(|details| details.get(name));
        let number = |name| zigzag(field(name).and_then(Value::as_int).unwrap_or(0));
        let named = |name| field(name).map(super::ops::plain);
        let quantity = number("quantity");
        let amount = number("amount");
        let columns = [
            self.text(saga.id),
            named("customer").map_or(0, |text| self.text(&text)),
            named("item").map_or(0, |text| self.text(&text)),
            quantity,
            amount,
            named("address").map_or(0, |text| self.text(&text)),
            self.text(saga.end),
            u64::from(saga.compensated),
            rows.len() as u64,
            left as u64,
        ];
        for (column, number) in self.orders.iter_mut().zip(columns) {
            varint(column, number);
        }
        for row in rows {
            let at = row.at / MICRO;
            let columns = [
                zigzag(at as i64 - self.last as i64),
                row.from as u64,
                row.to as u64,
                row.look,
                self.text(&row.words),
                row.event.map_or(0, |event| 1 + u64::from(event)),
                row.took.map_or(0, |took| 1 + took / MICRO),
            ];
            for (column, number) in self.rows.iter_mut().zip(columns) {
                varint(column, number);
            }
            self.last = at;
        }
        self.count += rows.len();
    }

    fn text(&mut self, text: &str) -> u64 {
        1 + self.texts.number(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_orders_name_is_replaced_where_it_is_a_word() {
        let told = |text| about_itself(text, "o1").replace(SELF, "*");
        assert_eq!(told("o1"), "*");
        assert_eq!(told("place o1: o1 is here"), "place *: * is here");
        assert_eq!(told("o17, zo1, {id:o1}"), "o17, zo1, {id:*}");
        assert_eq!(told("o1o1 o1-o1 o1"), "o1o1 o1-o1 *");
        assert_eq!(about_itself("nothing", ""), "nothing");
    }

    #[test]
    fn details_are_told_once() {
        let text = "token:1,order:{id:o1,customer:c1,item:i2,address:here},why:no";
        assert_eq!(without_details(text), "token:1,order:{id:o1,…},why:no");
        assert_eq!(
            without_details("token:1,order:{id:o1,customer:c"),
            "token:1,order:{id:o1,customer:c"
        );
        assert_eq!(without_details("seq: 3"), "seq: 3");
    }
}
