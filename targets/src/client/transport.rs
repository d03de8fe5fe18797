//! One attempt over HTTP, and what its failure means.

use crate::api::{Request, Response, kv, orders, store, txn};
use crate::caller::Event;
use crate::clock_fault::ClockFault;
use crate::node::Status;
use reqwest::StatusCode;
use serde::{Serialize, de::DeserializeOwned};
use std::error::Error;
use std::fmt::Write;
use std::net::SocketAddr;
use std::time::Duration;

/// On the loopback interface a connection is there at once, or never.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Connections to nodes, kept for the next request.
#[derive(Debug)]
pub(super) struct Transport {
    http: reqwest::Client,
}

impl Transport {
    pub(super) fn new() -> reqwest::Result<Self> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .http1_only()
            .tcp_nodelay(true)
            .connect_timeout(CONNECT_TIMEOUT)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Transport { http })
    }

    /// Asks the node at `addr` once.
    pub(super) async fn ask(&self, addr: SocketAddr, request: &Request) -> Event {
        match request {
            Request::Kv(request) => {
                let answer = self.post(addr, "kv", request).await.map(Response::Kv);
                fate(answer, |reason| Response::Kv(kv::Response::Error { definite: true, reason }))
            }
            Request::Orders(request) => {
                let answer = self.post(addr, "orders", request).await.map(Response::Orders);
                let error = |reason| orders::Response::Error { definite: true, reason };
                fate(answer, |reason| Response::Orders(error(reason)))
            }
            // A superset of the key-value api, under the same path.
            Request::Store(request) => {
                let answer = self.post(addr, "kv", request).await.map(Response::Store);
                let error = |reason| store::Response::Error { definite: true, reason };
                fate(answer, |reason| Response::Store(error(reason)))
            }
            Request::Txn(request) => {
                let answer = self.post(addr, "txn", request).await.map(Response::Txn);
                fate(answer, |reason| Response::Txn(txn::Response::Refused { reason }))
            }
        }
    }

    /// Whether the node has done this to its clock.
    pub(super) async fn set_clock(&self, addr: SocketAddr, fault: ClockFault) -> bool {
        let request = self.http.post(format!("http://{addr}/clock")).json(&fault);
        request.send().await.is_ok_and(|response| response.status().is_success())
    }

    /// How the node stands; nothing if it does not say.
    pub(super) async fn status(&self, addr: SocketAddr) -> Option<Status> {
        let response = self.http.get(format!("http://{addr}/status")).send().await.ok()?;
        response.error_for_status().ok()?.json().await.ok()
    }

    async fn post<A: Serialize, B: DeserializeOwned>(
        &self,
        addr: SocketAddr,
        api: &str,
        body: &A,
    ) -> Result<B, Failure> {
        let sent = self.http.post(format!("http://{addr}/{api}")).json(body).send().await;
        let response = sent.map_err(|error| {
            // A connection that was not made carried nothing.
            if error.is_connect() || error.is_builder() {
                Failure::Refused(chain(&error))
            } else {
                Failure::Lost(chain(&error))
            }
        })?;
        let status = response.status();
        let body = response.bytes().await.map_err(|error| Failure::Lost(chain(&error)))?;
        let text = || String::from_utf8_lossy(&body).lines().next().unwrap_or("").to_owned();
        match status {
            StatusCode::OK => serde_json::from_slice(&body)
                .map_err(|error| Failure::Lost(format!("the answer is malformed: {error}"))),
            // The host says both before the node sees anything.
            StatusCode::SERVICE_UNAVAILABLE => Err(Failure::Refused(text())),
            StatusCode::BAD_REQUEST => Err(Failure::Malformed(text())),
            other => Err(Failure::Lost(format!("{other}: {}", text()))),
        }
    }
}

/// Why there is no answer.
enum Failure {
    /// The node certainly saw nothing.
    Refused(String),
    /// It may have.
    Lost(String),
    /// The host could not read the request, so the node saw nothing, nor ever will.
    Malformed(String),
}

/// What became of an attempt; a request that the host could not read is an answer like another.
fn fate(answer: Result<Response, Failure>, error: impl FnOnce(String) -> Response) -> Event {
    match answer {
        Ok(response) => Event::Answered(response),
        Err(Failure::Refused(why)) => Event::Refused(why),
        Err(Failure::Lost(why)) => Event::Lost(why),
        Err(Failure::Malformed(reason)) => Event::Answered(error(reason)),
    }
}

/// An error and its sources, in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        // Writing to a string cannot fail.
        let _ = write!(text, ": {error}");
        source = error.source();
    }
    text
}
