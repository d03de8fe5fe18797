//! The client api of a node over HTTP: `POST /{api}` for each api that it has, `GET /status`,
//! `GET /`. `POST /clock` makes the node's clock wrong; nobody but a harness asks for that.

use super::clock::Clock;
use super::node_loop::Mail;
use crate::clock_fault::ClockFault;
use crate::node::{Node, NodeId};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt;
use serde::Serialize;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

/// How many requests may wait for their answer at once; one more is refused with 503.
pub(super) const REQUESTS_MAX: usize = 4096;

struct Front<N: Node> {
    inbox: mpsc::Sender<Mail<N>>,
    waiting: Semaphore,
    clock: Clock,
    help: String,
}

/// Serves clients. Never returns, but on an error of the listener itself.
pub(super) async fn serve<N: Node + 'static>(
    listener: TcpListener,
    id: NodeId,
    inbox: mpsc::Sender<Mail<N>>,
    clock: Clock,
) -> io::Result<()> {
    let apis: Vec<&str> = [N::API].iter().chain(N::MORE_APIS).copied().collect();
    let help = help(id, &apis, listener.local_addr()?);
    let front = Front { inbox, waiting: Semaphore::new(REQUESTS_MAX), clock, help };
    let served = apis
        .iter()
        .fold(Router::new(), |router, api| router.route(&format!("/{api}"), post(request::<N>)));
    let router = served
        .route("/status", get(status::<N>))
        .route("/clock", post(clock_fault::<N>))
        .route("/", get(|State(front): State<Arc<Front<N>>>| async move { front.help.clone() }))
        .fallback(|State(front): State<Arc<Front<N>>>| async move {
            (StatusCode::NOT_FOUND, front.help.clone())
        })
        .with_state(Arc::new(front));
    let listener = listener.tap_io(|stream| {
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!("cannot set TCP_NODELAY on a client's connection: {error}");
        }
    });
    axum::serve(listener, router).await
}

/// Hands a request to the node and waits for its answer, for as long as the client does.
async fn request<N: Node>(State(front): State<Arc<Front<N>>>, body: Bytes) -> Response {
    let request = match serde_json::from_slice(&body) {
        Ok(request) => request,
        Err(error) => {
            let text = format!("this is no request of the api: {error}\n\n{}", front.help);
            return (StatusCode::BAD_REQUEST, text).into_response();
        }
    };
    let Ok(_permit) = front.waiting.try_acquire() else {
        let text = format!("{REQUESTS_MAX} requests wait already\n");
        return (StatusCode::SERVICE_UNAVAILABLE, text).into_response();
    };
    let (reply, answer) = oneshot::channel();
    ask(&front, Mail::Request { request, reply }, answer).await
}

async fn status<N: Node>(State(front): State<Arc<Front<N>>>) -> Response {
    let (reply, answer) = oneshot::channel();
    ask(&front, Mail::Status(reply), answer).await
}

async fn clock_fault<N: Node>(State(front): State<Arc<Front<N>>>, body: Bytes) -> Response {
    match serde_json::from_slice::<ClockFault>(&body) {
        Ok(fault) => {
            tracing::info!("the clock: {fault:?}");
            front.clock.apply(fault);
            StatusCode::NO_CONTENT.into_response()
        }
        Err(error) => (StatusCode::BAD_REQUEST, format!("this is no fault of a clock: {error}\n"))
            .into_response(),
    }
}

async fn ask<N: Node, T: Serialize>(
    front: &Front<N>,
    mail: Mail<N>,
    answer: oneshot::Receiver<T>,
) -> Response {
    // If the node stops, nobody knows what became of the request.
    const STOPPED: (StatusCode, &str) = (StatusCode::INTERNAL_SERVER_ERROR, "the node stopped\n");
    if front.inbox.send(mail).await.is_err() {
        return STOPPED.into_response();
    }
    let Ok(answer) = answer.await else { return STOPPED.into_response() };
    match serde_json::to_vec(&answer) {
        Ok(json) => ([(header::CONTENT_TYPE, "application/json")], json).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")).into_response(),
    }
}

fn help(id: NodeId, apis: &[&str], addr: SocketAddr) -> String {
    let example = |api: &str| match api {
        "kv" => r#"{"op":"write","key":"k1","value":1}"#,
        "orders" => r#"{"op":"read","order":"o1"}"#,
        "txn" => r#"{"op":"txn","ops":[["append","k2",1],["r","k2",null]]}"#,
        _ => "{...}",
    };
    let lines =
        apis.iter().map(|api| format!("  curl -d '{}' http://{addr}/{api}\n", example(api)));
    format!(
        "This is node {id}. It answers JSON:\n\n{}  curl http://{addr}/status\n",
        lines.collect::<String>()
    )
}
