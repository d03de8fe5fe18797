//! Judging a run again: its verdict and its report are written anew.

use super::{State, failed, problem};
use crate::results::{self, file};
use crate::{checking, load, report};
use anyhow::{Context, Result};
use axum::extract::Path as UrlPath;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use std::path::Path;
use std::sync::Arc;

/// Judges, then leads back to the run in the list.
pub(super) async fn check(state: State, UrlPath(path): UrlPath<String>) -> Response {
    let Some(folder) = state.root.run(&path) else {
        return problem(StatusCode::NOT_FOUND, "There is no such run below the results.");
    };
    let Ok(permit) = Arc::clone(&state.judge).try_acquire_owned() else {
        return problem(StatusCode::CONFLICT, "Another run is being judged; try again when it is.");
    };
    let judged = tokio::task::spawn_blocking(move || {
        let judged = judge(&folder);
        drop(permit);
        judged
    });
    match judged.await.context("judging broke off").flatten() {
        Ok(()) => Redirect::to(&format!("/#{}", crate::text::url(path.trim_end_matches('/'))))
            .into_response(),
        Err(error) => failed(&error),
    }
}

fn judge(folder: &Path) -> Result<()> {
    let loaded = load::load(folder, Some(folder), None)?;
    let plan = loaded.plan.as_ref().context("the run has no plan.json that can be read")?;
    let mut verdict = checking::check(&loaded.history, &checking::Request::of_plan(plan)?);
    verdict.notes = loaded.remarks();
    results::write_json(&folder.join(file::VERDICT), &verdict)?;
    report::write(folder, plan, &loaded.history, &verdict)
}
