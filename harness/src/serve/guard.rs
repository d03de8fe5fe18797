//! Who may ask, and what every answer carries.
//!
//! A page of another site can make a browser send requests here. It cannot read the answers, but
//! under a name of its own that leads to loopback it could; so the host that was asked for must be
//! this one. And what changes something is done only for pages of this server.

use super::problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::SocketAddr;
use std::sync::Arc;

/// What this server's own pages may load and do.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
                      connect-src 'self'; img-src data:; base-uri 'none'; form-action 'self'; \
                      frame-ancestors 'none'";

/// The names under which this server may be asked.
#[derive(Clone, Debug)]
pub(super) struct Guard(Arc<[String]>);

impl Guard {
    pub(super) fn of(address: SocketAddr) -> Guard {
        let port = address.port();
        let mut names = vec![address.to_string(), format!("localhost:{port}")];
        if port == 80 {
            names.extend([address.ip().to_string(), "localhost".into()]);
        }
        Guard(names.into())
    }

    fn knows(&self, host: &str) -> bool {
        self.0.iter().any(|name| name.eq_ignore_ascii_case(host))
    }

    fn allows(&self, method: &Method, headers: &HeaderMap) -> bool {
        let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        if !text(header::HOST).is_some_and(|host| self.knows(host)) {
            return false;
        }
        if [Method::GET, Method::HEAD].contains(method) {
            return true;
        }
        let origin = text(header::ORIGIN).and_then(|origin| origin.strip_prefix("http://"));
        origin.is_some_and(|host| self.knows(host))
    }
}

/// Lets through who may ask, and adds the headers.
pub(super) async fn check(State(guard): State<Guard>, request: Request, next: Next) -> Response {
    let mut response = if guard.allows(request.method(), request.headers()) {
        next.run(request).await
    } else {
        problem(StatusCode::FORBIDDEN, "This was asked for under a name that is not this server's.")
    };
    let headers = response.headers_mut();
    let policy = HeaderValue::from_static(POLICY);
    // A file's policy is stricter and stays.
    headers.entry(header::CONTENT_SECURITY_POLICY).or_insert(policy);
    for (name, value) in [
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}
