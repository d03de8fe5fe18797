//! `quorate serve`: the runs below a results folder in a browser.
//!
//! It listens on a loopback address, answers only those who asked for that address (so that no
//! page elsewhere can reach it under a name of its own), and reads nothing outside of the results
//! folder. Pages load their own scripts and styles and nothing else. What lies in the folder is
//! hostile: its texts are escaped, its files are served as plain text or as downloads, and reports
//! run in a sandbox, without access to this server.

mod archive;
mod files;
mod follow;
mod guard;
mod list;
mod live;
mod recheck;
mod runs;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use files::Root;
use maud::{DOCTYPE, Markup, html};
use runs::Index;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

/// At most so many pages follow a run at once.
const FOLLOWERS_MAX: usize = 16;

/// What all requests share.
struct Shared {
    root: Root,
    index: Index,
    /// One run is judged again at a time.
    judge: Arc<Semaphore>,
    followers: Arc<Semaphore>,
}

type State = axum::extract::State<Arc<Shared>>;

/// A server that listens and has yet to serve.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    router: Router,
    address: SocketAddr,
}

impl Server {
    /// Listens. Fails if the address is no loopback address, or the folder cannot be read.
    pub async fn bind(results: &Path, address: SocketAddr) -> Result<Server> {
        anyhow::ensure!(address.ip().is_loopback(), "{address} is no loopback address");
        let shared = Shared {
            root: Root::open(results)?,
            index: Index::default(),
            judge: Arc::new(Semaphore::new(1)),
            followers: Arc::new(Semaphore::new(FOLLOWERS_MAX)),
        };
        let listener = TcpListener::bind(address)
            .await
            .with_context(|| format!("cannot listen on {address}; name another --port"))?;
        let address = listener.local_addr().context("the listener has no address")?;
        Ok(Server { listener, router: router(Arc::new(shared), address), address })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until the process ends.
    pub async fn run(self) -> Result<()> {
        axum::serve(self.listener, self.router).await.context("the server failed")
    }
}

fn router(shared: Arc<Shared>, address: SocketAddr) -> Router {
    let guard = guard::Guard::of(address);
    Router::new()
        .route("/", get(list::page))
        .route("/live", get(live::page))
        .route("/live/events", get(live::events))
        .route("/runs/{*path}", get(files::file))
        .route("/zip/{*path}", get(archive::zip))
        .route("/check/{*path}", post(recheck::check))
        .route("/assets/serve.css", get(|| asset("text/css", STYLE)))
        .route("/assets/list.js", get(|| asset("text/javascript", LIST)))
        .route("/assets/live.js", get(|| asset("text/javascript", LIVE)))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "There is no such page.") })
        .with_state(shared)
        .layer(axum::middleware::from_fn_with_state(guard, guard::check))
}

const STYLE: &str = concat!(
    include_str!("../assets/report/colours.css"),
    include_str!("../assets/serve/serve.css")
);
const LIST: &str = include_str!("../assets/serve/list.js");
const LIVE: &str = include_str!("../assets/serve/live.js");

async fn asset(kind: &'static str, text: &'static str) -> Response {
    let kind = HeaderValue::from_static(kind);
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}

/// A page of this server.
fn page(title: &str, script: Option<&str>, body: &Markup) -> Response {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Quorate" }
                link rel="icon" href="data:,";
                link rel="stylesheet" href="/assets/serve.css";
                @if let Some(script) = script { script src={ "/assets/" (script) } defer {} }
            }
            body { (body) }
        }
    };
    let kind = HeaderValue::from_static("text/html; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], page.into_string()).into_response()
}

/// A page that says what is wrong.
fn problem(status: StatusCode, what: &str) -> Response {
    let body = html! {
        main.problem {
            h1 { (status.as_u16()) " " (status.canonical_reason().unwrap_or("")) }
            p { (what) }
            p { a href="/" { "All runs" } }
        }
    };
    (status, page("Not here", None, &body)).into_response()
}

/// A page that says that something failed, and how.
fn failed(error: &anyhow::Error) -> Response {
    problem(StatusCode::INTERNAL_SERVER_ERROR, &crate::text::visible(&format!("{error:#}")))
}
