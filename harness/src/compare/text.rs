//! A comparison as text: the table first, then what shows it.

use super::Comparison;
use super::column::Column;
use super::service::{Service, Share};
use crate::out::Style;
use crate::outln;
use crate::summary::wrap;
use quorate_checkers::verdict::Valid;

/// The widest cell that is not cut.
const CELL_MAX: usize = 34;

/// Prints it.
pub fn print(comparison: &Comparison) {
    let style = Style::stdout();
    let names: Vec<&str> = comparison.columns.iter().map(|column| column.name.as_str()).collect();
    let mut table = Table::new(&names);
    for row in &comparison.rows {
        let cells = comparison.columns.iter().map(|column| match comparison.cell(row, column) {
            None => ("·".to_owned(), None),
            Some(cell) => (cell.words(), Some(cell.valid)),
        });
        table.rows.push((row.name.to_owned(), cells.collect()));
    }
    table.rows.push((String::new(), Vec::new()));
    let plain = |text: String| (text, None);
    let strongest = |column: &Column| match column.strongest[..] {
        [] => plain("none".into()),
        _ => plain(column.strongest.join(", ")),
    };
    table.rows.push(("strongest".into(), comparison.columns.iter().map(strongest).collect()));
    if comparison.columns.iter().any(|column| column.lateness.is_some()) {
        let late = |column: &Column| column.lateness_words();
        let cells = |pick: fn((String, String)) -> String| -> Vec<_> {
            let all = comparison.columns.iter();
            all.map(|column| plain(late(column).map_or("·".into(), pick))).collect()
        };
        table.rows.push(("versions behind (k)".into(), cells(|(versions, _)| versions)));
        table.rows.push(("time behind".into(), cells(|(_, time)| time)));
    }
    table.print(style);
    for column in &comparison.columns {
        print_reasons(column, style);
    }
    for column in &comparison.columns {
        if let Some(service) = &column.service {
            print_service(&column.name, service, style);
        }
    }
    print_letters(comparison, style);
}

/// A cell, perhaps with its verdict.
type Shown = (String, Option<Valid>);

/// Rows of cells by name.
struct Table<'a> {
    names: &'a [&'a str],
    rows: Vec<(String, Vec<Shown>)>,
}

impl<'a> Table<'a> {
    fn new(names: &'a [&'a str]) -> Table<'a> {
        Table { names, rows: Vec::new() }
    }

    fn print(&self, style: Style) {
        let first = self.rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        let widths: Vec<usize> = (0..self.names.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|(_, cells)| cells.get(at));
                let widest = cells.map(|(text, _)| text.chars().count()).max().unwrap_or(0);
                widest.max(self.names[at].chars().count()).min(CELL_MAX)
            })
            .collect();
        let names: Vec<String> = self
            .names
            .iter()
            .zip(&widths)
            .map(|(name, width)| format!("  {}", style.bold(&format!("{name:width$}"))))
            .collect();
        outln!("{:first$}{}", "", names.concat().trim_end());
        for (name, cells) in &self.rows {
            let cells: Vec<String> = cells
                .iter()
                .zip(&widths)
                .map(|((text, valid), width)| {
                    let padded = format!("{text:width$}");
                    let painted = match valid {
                        Some(Valid::True) => style.good(&padded),
                        Some(Valid::False) => style.bad(&padded),
                        Some(Valid::Unknown) => style.unsure(&padded),
                        None => padded,
                    };
                    format!("  {painted}")
                })
                .collect();
            outln!("{}", format!("{name:first$}{}", cells.concat()).trim_end());
        }
    }
}

fn print_reasons(column: &Column, style: Style) {
    for evidence in &column.evidence {
        outln!();
        outln!("{} is not {}", style.bold(&column.name), style.bold(evidence.model));
        outln!("{}", wrap(&evidence.anomaly.explanation, 2));
        for operation in &evidence.operations {
            outln!("  {operation}");
        }
    }
    let unknown = |cell: &&super::column::Cell| cell.valid == Valid::Unknown;
    let mut reasons: Vec<&str> = Vec::new();
    for why in column.cells.values().filter(unknown).filter_map(|cell| cell.why.as_deref()) {
        if !reasons.contains(&why) {
            reasons.push(why);
        }
    }
    for why in reasons {
        outln!();
        outln!("{} is undecided:", style.bold(&column.name));
        outln!("{}", wrap(why, 2));
    }
}

fn print_service(name: &str, service: &Service, style: Style) {
    outln!();
    outln!("{}", style.bold(name));
    for (what, share) in [
        ("outside faults", &service.outside_faults),
        ("during faults", &service.during_faults),
        ("without a partition", &service.without_partition),
        ("during partitions", &service.during_partitions),
    ] {
        outln!("  {what:20}  {}", share_words(share));
    }
    if let Some(worst) = service.worst_node {
        let what = "worst node";
        outln!("  {what:20}  {:.1} % of what it answers without a partition", 100.0 * worst);
    }
    for outage in service.outages.iter().filter(|outage| !outage.windows_ms.is_empty()) {
        let windows = outage.windows_ms.iter();
        let windows: Vec<String> =
            windows.map(|(begin, end)| format!("{begin:.0} to {end:.0} ms")).collect();
        outln!(
            "  {:20}  nobody answered {} ({} {}, {:.0} to {:.0} ms)",
            "unavailable",
            windows.join(", "),
            outage.fault,
            outage.on,
            outage.begin_ms,
            outage.end_ms,
        );
    }
}

/// `98.2 % of 4012 operations answered, p50 1.2 ms, p99 30.4 ms`.
pub(super) fn share_words(share: &Share) -> String {
    let Some(answered) = share.answered_share() else { return "no operations".into() };
    let latency = match (share.p50_ms, share.p99_ms) {
        (Some(p50), Some(p99)) => format!(", p50 {p50:.2} ms, p99 {p99:.2} ms"),
        _ => String::new(),
    };
    format!("{:.1} % of {} operations answered{latency}", 100.0 * answered, share.operations)
}

fn print_letters(comparison: &Comparison, style: Style) {
    let letters: Vec<String> = comparison
        .columns
        .iter()
        .filter_map(|column| {
            let letters = column.service.as_ref()?.pacelc.as_ref()?;
            Some(format!("{}: {letters}", column.name))
        })
        .collect();
    if !letters.is_empty() {
        outln!();
        outln!("{}", style.bold(&letters.join(", ")));
    }
}
