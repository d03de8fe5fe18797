//! A comparison as a page that needs nothing but itself: the table, the lattice of models drawn
//! once for each column, what breaks models, and how well targets served. No script is in it, and
//! its policy allows none.

use super::Comparison;
use super::column::{Cell, Column};
use super::lattice::{self, Row};
use super::service::{Outage, Service};
use super::text::share_words;
use crate::document::{self, Document};
use crate::text;
use maud::{Markup, html};
use quorate_checkers::verdict::Valid;

const STYLE: &str = include_str!("../../assets/compare.css");

/// The height of a model's box, and the space between layers.
const BOX: f64 = 26.0;
const LAYER: f64 = 62.0;
/// The space between the boxes of a layer, and around the picture.
const GAP: f64 = 14.0;
/// The width of a letter, roughly.
const LETTER: f64 = 6.6;

/// The page.
pub fn render(comparison: &Comparison) -> String {
    let names: Vec<&str> = comparison.columns.iter().map(|column| column.name.as_str()).collect();
    let title = format!("What {} keep", names.join(" and "));
    let body = html! {
        main {
            h1 { "Which models hold" }
            (letters(comparison))
            (table(comparison))
            (pictures(comparison))
            (reasons(comparison))
            (services(comparison))
        }
        footer {
            p { "Made by Quorate " (env!("CARGO_PKG_VERSION")) "; the page opens no connection." }
        }
    };
    document::render(&Document {
        title: &title,
        version: env!("CARGO_PKG_VERSION"),
        style: STYLE,
        script: None,
        body: &body,
    })
}

fn letters(comparison: &Comparison) -> Markup {
    let told = |column: &Column| {
        let letters = column.service.as_ref()?.pacelc.clone()?;
        Some((column.name.clone(), letters))
    };
    let told: Vec<(String, String)> = comparison.columns.iter().filter_map(told).collect();
    html! {
        @if !told.is_empty() {
            ul.letters {
                @for (name, letters) in &told {
                    li { (text::visible(name)) " " b { (letters) } }
                }
            }
        }
    }
}

fn table(comparison: &Comparison) -> Markup {
    html! {
        div.wide {
            table {
                thead {
                    tr {
                        th scope="col" { "model" }
                        @for column in &comparison.columns {
                            th scope="col" title=(text::visible(&column.source)) {
                                (text::visible(&column.name))
                            }
                        }
                    }
                }
                tbody {
                    @for row in &comparison.rows {
                        tr {
                            th scope="row" title=(row.about) { (row.name) }
                            @for column in &comparison.columns {
                                (cell(comparison.cell(row, column)))
                            }
                        }
                    }
                }
                tfoot { (feet(comparison)) }
            }
        }
    }
}

fn cell(cell: Option<&Cell>) -> Markup {
    html! {
        @match cell {
            None => td.none { "·" },
            Some(cell) => {
                td class=(class(cell.valid)) title=[cell.why.as_deref().map(text::visible)] {
                    (cell.words())
                }
            }
        }
    }
}

/// The rows below the models.
fn feet(comparison: &Comparison) -> Markup {
    let late = comparison.columns.iter().any(|column| column.lateness.is_some());
    let words = |column: &Column| column.lateness_words().unwrap_or(("·".into(), "·".into()));
    html! {
        tr {
            th scope="row" { "strongest" }
            @for column in &comparison.columns {
                td {
                    @if column.strongest.is_empty() { "none" } @else { (column.strongest.join(", ")) }
                }
            }
        }
        @if late {
            tr {
                th scope="row" title="every read sees one of the k latest writes" { "versions behind (k)" }
                @for column in &comparison.columns { td { (words(column).0) } }
            }
            tr {
                th scope="row" { "time behind" }
                @for column in &comparison.columns { td { (words(column).1) } }
            }
        }
    }
}

fn class(valid: Valid) -> &'static str {
    match valid {
        Valid::True => "yes",
        Valid::False => "no",
        Valid::Unknown => "unknown",
    }
}

fn pictures(comparison: &Comparison) -> Markup {
    html! {
        section {
            h2 { "The lattice" }
            p.quiet { "Each line leads from a model down to a weaker one. ✓ holds, ✗ fails, ? is undecided." }
            @for column in &comparison.columns {
                figure {
                    (picture(&lattice::of(column.family), column))
                    figcaption { (text::visible(&column.name)) }
                }
            }
        }
    }
}

/// Where each model's box stands.
struct Place {
    x: f64,
    y: f64,
}

/// The lattice as the column keeps it.
fn picture(rows: &[Row], column: &Column) -> Markup {
    let depths = lattice::depths(rows);
    let longest = rows.iter().map(|row| row.name.len()).max().unwrap_or(0);
    let side = longest as f64 * LETTER + 34.0;
    let layers = depths.iter().max().map_or(0, |deepest| deepest + 1);
    let sizes: Vec<usize> =
        (0..layers).map(|layer| depths.iter().filter(|depth| **depth == layer).count()).collect();
    let widest = sizes.iter().max().copied().unwrap_or(1) as f64;
    let width = widest * (side + GAP) + GAP;
    let height = layers as f64 * LAYER - (LAYER - BOX) + 2.0 * GAP;
    let mut placed = vec![0_usize; layers];
    let places: Vec<Place> = depths
        .iter()
        .map(|layer| {
            let own = sizes[*layer] as f64 * (side + GAP) - GAP;
            let x = (width - own) / 2.0 + placed[*layer] as f64 * (side + GAP);
            placed[*layer] += 1;
            Place { x, y: GAP + *layer as f64 * LAYER }
        })
        .collect();
    let lines = rows.iter().zip(&places).flat_map(|(above, from)| {
        let below = rows.iter().zip(&places);
        below.filter(|(row, _)| lattice::stands_below(above, row)).map(move |(_, to)| (from, to))
    });
    html! {
        svg viewBox=(format!("0 0 {width:.0} {height:.0}")) role="img"
            aria-label=(format!("Which models {} keeps", text::visible(&column.name))) {
            @for (from, to) in lines {
                line x1=(n(from.x + side / 2.0)) y1=(n(from.y + BOX))
                    x2=(n(to.x + side / 2.0)) y2=(n(to.y)) {}
            }
            @for (row, place) in rows.iter().zip(&places) {
                @let valid = column.cells.get(row.name).map(|cell| cell.valid);
                g class=(valid.map_or("none", class)) {
                    title { (row.name) ": " (row.about) }
                    rect x=(n(place.x)) y=(n(place.y)) width=(n(side)) height=(n(BOX)) rx="4" {}
                    text x=(n(place.x + side / 2.0)) y=(n(place.y + 17.0)) text-anchor="middle" {
                        (mark(valid)) " " (row.name)
                    }
                }
            }
        }
    }
}

fn mark(valid: Option<Valid>) -> &'static str {
    match valid {
        Some(Valid::True) => "✓",
        Some(Valid::False) => "✗",
        _ => "?",
    }
}

/// A coordinate.
fn n(at: f64) -> String {
    format!("{at:.1}")
}

fn reasons(comparison: &Comparison) -> Markup {
    let any = comparison.columns.iter().any(|column| !column.evidence.is_empty());
    html! {
        @if any {
            section {
                h2 { "What breaks them" }
                @for column in &comparison.columns {
                    @for evidence in &column.evidence {
                        article {
                            h3 { (text::visible(&column.name)) " is not " (evidence.model) }
                            p { (text::visible(&evidence.anomaly.explanation)) }
                            pre { (text::visible(&evidence.operations.join("\n"))) }
                        }
                    }
                }
            }
        }
    }
}

fn services(comparison: &Comparison) -> Markup {
    let served: Vec<(&str, &Service)> = comparison
        .columns
        .iter()
        .filter_map(|column| Some((column.name.as_str(), column.service.as_ref()?)))
        .collect();
    html! {
        @if !served.is_empty() {
            section {
                h2 { "How they served" }
                @for (name, service) in &served {
                    article {
                        h3 { (text::visible(name)) }
                        dl {
                            dt { "outside faults" } dd { (share_words(&service.outside_faults)) }
                            dt { "during faults" } dd { (share_words(&service.during_faults)) }
                            dt { "without a partition" } dd { (share_words(&service.without_partition)) }
                            dt { "during partitions" } dd { (share_words(&service.during_partitions)) }
                            @if let Some(worst) = service.worst_node {
                                dt { "worst node" }
                                dd { (format!("{:.1} % of what it answers without a partition", 100.0 * worst)) }
                            }
                        }
                        (outages(&service.outages))
                    }
                }
            }
        }
    }
}

fn outages(outages: &[Outage]) -> Markup {
    html! {
        @if !outages.is_empty() {
            div.wide {
                table {
                    thead {
                        tr { th { "fault" } th { "on" } th { "ms" } th { "meanwhile" } th { "nobody answered, ms" } }
                    }
                    tbody {
                        @for outage in outages {
                            tr {
                                td { (text::visible(&outage.fault)) }
                                td { (text::visible(&outage.on)) }
                                td { (format!("{:.0} to {:.0}", outage.begin_ms, outage.end_ms)) }
                                td { (share_words(&outage.during)) }
                                td {
                                    @for (begin, end) in &outage.windows_ms {
                                        (format!("{begin:.0} to {end:.0} ")) br;
                                    }
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}
