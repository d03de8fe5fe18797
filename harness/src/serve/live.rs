//! The page of the run that is going on, fed by server-sent events.

use super::follow::{Follower, Standing};
use super::{Shared, State, page as whole_page, problem};
use crate::results;
use axum::http::StatusCode;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use maud::html;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OwnedSemaphorePermit;

/// How often a page is told how the run stands.
const EVERY: Duration = Duration::from_millis(250);

/// What the page shows: names of fields of [`Standing`], with what they are called.
const FIGURES: [(&str, &str); 11] = [
    ("seconds", "time"),
    ("invoked", "operations"),
    ("ok", "ok"),
    ("fail", "fail"),
    ("info", "info"),
    ("rate", "rate"),
    ("median_ms", "median"),
    ("worst_ms", "longest"),
    ("leader", "leader"),
    ("faults", "faults in force"),
    ("verdict", "verdict so far"),
];

/// The page; scripts fill it.
pub(super) async fn page() -> Response {
    let body = html! {
        header.bar {
            h1 { "Live" span.of id="state" aria-live="polite" { "waiting" } }
            nav { a href="/" { "All runs" } }
        }
        main.live {
            p id="run" { "The latest run appears here as soon as there is one." }
            dl.figures {
                @for (field, name) in FIGURES { div { dt { (name) } dd id={ "figure-" (field) } { "–" } } }
            }
            figure {
                figcaption { "Rate and median latency of the last two minutes; faults shaded" }
                canvas id="chart" height="220" role="img" aria-label="rate and latency over time" {}
            }
            noscript { p { "This page needs scripts." } }
        }
    };
    whole_page("Live", Some("live.js"), &body)
}

/// Who follows the latest run, whichever that is.
struct Watch {
    shared: Arc<Shared>,
    follower: Option<Follower>,
    _seat: OwnedSemaphorePermit,
}

impl Watch {
    /// How the latest run stands; nothing if there is none.
    fn look(&mut self) -> Option<Standing> {
        let root = self.shared.root.path();
        let latest = root.join("latest").canonicalize().ok();
        let latest = latest.filter(|run| run.starts_with(root) && results::is_run(run))?;
        if self.follower.as_ref().is_none_or(|follower| follower.folder() != latest) {
            self.follower = Some(Follower::new(root, latest));
        }
        self.follower.as_mut().map(Follower::advance)
    }
}

/// The events: one whenever something changed.
pub(super) async fn events(state: State) -> Response {
    let Ok(seat) = Arc::clone(&state.followers).try_acquire_owned() else {
        let what = "Too many pages follow a run already.";
        return problem(StatusCode::SERVICE_UNAVAILABLE, what);
    };
    let watch = Watch { shared: Arc::clone(&state), follower: None, _seat: seat };
    let events =
        stream::unfold((watch, None), |(watch, last)| async move { next(watch, last).await });
    Sse::new(events).keep_alive(KeepAlive::default()).into_response()
}

type Step = (Result<Event, Infallible>, (Watch, Option<Standing>));

/// The next event that says something new.
async fn next(mut watch: Watch, last: Option<Standing>) -> Option<Step> {
    let mut first = last.is_none();
    loop {
        if !first {
            tokio::time::sleep(EVERY).await;
        }
        first = false;
        let looked = tokio::task::spawn_blocking(move || {
            let standing = watch.look();
            (watch, standing)
        });
        let standing;
        (watch, standing) = looked.await.ok()?;
        if standing.is_some() && standing != last {
            let event = Event::default().json_data(&standing).ok()?;
            return Some((Ok(event), (watch, standing)));
        }
    }
}
