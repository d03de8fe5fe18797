//! Several runs side by side: `/compare?run=A&run=B`, the page of `quorate compare`.

use super::{State, failed, problem};
use crate::compare::column::{Column, Limits};
use crate::compare::{Comparison, page};
use crate::{load, text};
use anyhow::{Context, Result};
use axum::extract::RawQuery;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// At most so many runs are compared at once.
const RUNS_MAX: usize = 12;
/// What is undecided of a run by then stays so.
const TIMEOUT: Duration = Duration::from_mins(1);

/// Compares the runs that the query names.
pub(super) async fn compare(state: State, RawQuery(query): RawQuery) -> Response {
    let named = runs(&query.unwrap_or_default());
    let found: Option<Vec<PathBuf>> = named.iter().map(|path| state.root.run(path)).collect();
    let Some(folders) = found.filter(|folders| (2..=RUNS_MAX).contains(&folders.len())) else {
        let what = format!("Name from 2 to {RUNS_MAX} runs that are below the results.");
        return problem(StatusCode::BAD_REQUEST, &what);
    };
    let Ok(permit) = Arc::clone(&state.judge).try_acquire_owned() else {
        return problem(StatusCode::CONFLICT, "Other runs are being judged; try again later.");
    };
    let compared = tokio::task::spawn_blocking(move || {
        let columns = named.iter().zip(&folders).map(|(name, folder)| column(name, folder));
        let columns: Result<Vec<Column>> = columns.collect();
        drop(permit);
        columns.map(|columns| page::render(&Comparison::of(columns)))
    });
    match compared.await.context("comparing broke off").flatten() {
        Ok(page) => {
            let kind = HeaderValue::from_static("text/html; charset=utf-8");
            let policy = HeaderValue::from_static(POLICY);
            let headers = [(header::CONTENT_TYPE, kind), (header::CONTENT_SECURITY_POLICY, policy)];
            (headers, page).into_response()
        }
        Err(error) => failed(&error),
    }
}

/// The page has its style within itself, and no script.
const POLICY: &str = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; \
                      frame-ancestors 'none'";

/// The values of `run` in a query.
fn runs(query: &str) -> Vec<String> {
    query.split('&').filter_map(|part| part.strip_prefix("run=")).map(text::from_url).collect()
}

fn column(name: &str, folder: &std::path::Path) -> Result<Column> {
    let loaded = load::load(folder, Some(folder), None)?;
    let begun = Instant::now();
    let stop = || begun.elapsed() > TIMEOUT;
    let limits = Limits { threads: 0, stop: &stop };
    let source = name.to_owned();
    Column::of(text::label(name), source, &loaded.history, loaded.plan.as_ref(), limits)
}
