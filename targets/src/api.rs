//! What clients may ask of a target, by kind of database. A workload is written against an
//! api, so that every target with that api can run it.

pub mod kv;
pub mod orders;
pub mod store;
pub mod txn;

/// A request of any api.
#[derive(Clone, Debug, PartialEq)]
pub enum Request {
    /// Of the key-value api.
    Kv(kv::Request),
    /// Of the api of order services.
    Orders(orders::Request),
    /// Of the transactional api.
    Txn(txn::Request),
    /// Of the api of eventually consistent stores.
    Store(store::Request),
}

/// A response of any api.
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// Of the key-value api.
    Kv(kv::Response),
    /// Of the api of order services.
    Orders(orders::Response),
    /// Of the transactional api.
    Txn(txn::Response),
    /// Of the api of eventually consistent stores.
    Store(store::Response),
}

/// What a client knows in the end of one logical operation, retries included.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The target answered. (The answer may itself be an error that says whether it is definite.)
    Answered(Response),
    /// It certainly had no effect and never will: no attempt reached the target, or none of those
    /// that can have one.
    Refused(String),
    /// Some attempt may have reached the target, or may yet.
    Unknown(String),
}

impl TryFrom<Request> for kv::Request {
    type Error = Request;

    fn try_from(request: Request) -> Result<kv::Request, Request> {
        match request {
            Request::Kv(request) => Ok(request),
            other => Err(other),
        }
    }
}

/// A store serves the key-value api too.
impl TryFrom<Request> for store::Request {
    type Error = Request;

    fn try_from(request: Request) -> Result<store::Request, Request> {
        match request {
            Request::Kv(request) => Ok(request.into()),
            Request::Store(request) => Ok(request),
            other => Err(other),
        }
    }
}

impl From<kv::Response> for Response {
    fn from(response: kv::Response) -> Response {
        Response::Kv(response)
    }
}

impl From<store::Response> for Response {
    fn from(response: store::Response) -> Response {
        Response::Store(response)
    }
}

impl Response {
    /// The answer in the api in which `request` was asked.
    #[must_use]
    pub fn in_api_of(self, request: &Request) -> Response {
        match (request, self) {
            (Request::Kv(_), Response::Store(response)) => Response::Kv(response.into()),
            (_, response) => response,
        }
    }
}

impl TryFrom<Request> for orders::Request {
    type Error = Request;

    fn try_from(request: Request) -> Result<orders::Request, Request> {
        match request {
            Request::Orders(request) => Ok(request),
            other => Err(other),
        }
    }
}

impl From<orders::Response> for Response {
    fn from(response: orders::Response) -> Response {
        Response::Orders(response)
    }
}
