//! Files below the results folder.

use super::{State, failed, problem};
use crate::results;
use anyhow::{Context, Result};
use axum::body::Body;
use axum::extract::Path as UrlPath;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use std::path::{Path, PathBuf};
use tokio::fs::File;
use tokio_util::io::ReaderStream;

/// What a report may do: run its own scripts, without being a page of this server.
const REPORT_POLICY: &str = "sandbox allow-scripts allow-downloads; default-src 'none'; \
                             script-src 'unsafe-inline'; style-src 'unsafe-inline'; \
                             img-src data:; base-uri 'none'; form-action 'none'; \
                             frame-ancestors 'none'";
/// What any other file may do: nothing.
const FILE_POLICY: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";

/// Folders within folders of a run, its shrunk one's among them.
const DEPTH_MAX: usize = 10;

/// The results folder. Nothing outside of it is ever opened.
#[derive(Debug)]
pub(super) struct Root(PathBuf);

impl Root {
    pub(super) fn open(results: &Path) -> Result<Root> {
        let root = results
            .canonicalize()
            .with_context(|| format!("cannot open the results folder {}", results.display()))?;
        Ok(Root(root))
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The file or folder with a path of names and slashes; nothing if there is none, or it is
    /// outside, by its name or by a link.
    pub(super) fn find(&self, path: &str) -> Option<PathBuf> {
        let plain = |name: &str| !["", ".", ".."].contains(&name) && !name.contains(['\\', '\0']);
        let path = path.strip_suffix('/').unwrap_or(path);
        if !path.split('/').all(plain) {
            return None;
        }
        let full = self.0.join(path).canonicalize().ok()?;
        (full.starts_with(&self.0) && full != self.0).then_some(full)
    }
}

impl Root {
    /// The run with this path, if neither it nor anything in it is a link that leads outside:
    /// to judge a run is to read its files and to write some.
    pub(super) fn run(&self, path: &str) -> Option<PathBuf> {
        let folder = self.find(path).filter(|folder| results::is_run(folder))?;
        self.holds(&folder, 0).then_some(folder)
    }

    /// Whether all links in a folder stay inside.
    fn holds(&self, folder: &Path, depth: usize) -> bool {
        let Ok(entries) = std::fs::read_dir(folder) else { return false };
        depth < DEPTH_MAX
            && entries.into_iter().all(|entry| {
                let Ok(entry) = entry else { return false };
                match entry.file_type() {
                    Ok(kind) if kind.is_symlink() => {
                        entry.path().canonicalize().is_ok_and(|full| full.starts_with(&self.0))
                    }
                    Ok(kind) if kind.is_dir() => self.holds(&entry.path(), depth + 1),
                    Ok(_) => true,
                    Err(_) => false,
                }
            })
    }
}

/// A file of a run, or the report of a folder.
pub(super) async fn file(state: State, UrlPath(path): UrlPath<String>) -> Response {
    let missing = || problem(StatusCode::NOT_FOUND, "There is no such file below the results.");
    let Some(full) = state.root.find(&path) else { return missing() };
    if full.is_dir() {
        let report = format!("{}/{}", path.trim_end_matches('/'), results::file::REPORT);
        return match state.root.find(&report) {
            Some(_) => {
                Redirect::to(&format!("/runs/{}", crate::text::url(&report))).into_response()
            }
            None => missing(),
        };
    }
    match open(&full).await {
        Ok(response) => response,
        Err(error) => failed(&error),
    }
}

async fn open(path: &Path) -> Result<Response> {
    let cannot = || format!("cannot read {}", path.display());
    let file = File::open(path).await.with_context(cannot)?;
    let length = file.metadata().await.with_context(cannot)?;
    anyhow::ensure!(length.is_file(), "{} is no file", path.display());
    let (kind, policy) = kind(path);
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static(kind)),
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(policy)),
    ];
    Ok((headers, Body::from_stream(ReaderStream::new(file))).into_response())
}

/// Type and policy by the name. Only reports are ever read as HTML.
fn kind(path: &Path) -> (&'static str, &'static str) {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
    match extension {
        "html" => ("text/html; charset=utf-8", REPORT_POLICY),
        "json" | "jsonl" | "log" | "txt" | "edn" | "md" => {
            ("text/plain; charset=utf-8", FILE_POLICY)
        }
        _ => ("application/octet-stream", FILE_POLICY),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let results = folder.path().join("results");
        std::fs::create_dir_all(results.join("a/b")).unwrap();
        std::fs::write(results.join("a/b/plan.json"), "{}").unwrap();
        std::fs::write(folder.path().join("secret"), "s").unwrap();
        std::os::unix::fs::symlink("../../secret", results.join("a/link")).unwrap();
        std::os::unix::fs::symlink("a/b", results.join("latest")).unwrap();
        let root = Root::open(&results).unwrap();
        for inside in ["a/b/plan.json", "a/b", "a/b/", "latest/plan.json"] {
            assert!(root.find(inside).is_some(), "{inside}");
        }
        for outside in [
            "",
            "/",
            ".",
            "..",
            "../secret",
            "a/../../secret",
            "a/link",
            "/etc/passwd",
            "a//b",
            "a\\b",
            "a/b/\0",
        ] {
            assert_eq!(root.find(outside), None, "{outside:?}");
        }
    }
}
