//! The client against servers that fail in every way: what it says must be what is certain.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate_targets::api::{Outcome, Request, Response, kv};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client};
use quorate_targets::node::NodeId;
use serde_json::json;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

const N1: NodeId = NodeId(1);
const DONE: &str = "HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"result\":\"done\"}";

/// What a server does with the request that it has read.
#[derive(Clone, Copy)]
enum Deed {
    /// Says this, and goes on.
    Say(&'static str),
    /// Says this, and closes.
    SayAndClose(&'static str),
    /// Resets the connection.
    Reset,
    /// Says nothing.
    Hang,
}

/// A server that treats the requests of each connection by the script, the last deed for all
/// that follow. Returns its address and how many requests it has read.
async fn server(script: &'static [Deed]) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, script, Arc::clone(&counter)));
        }
    });
    (addr, count)
}

async fn serve(mut stream: TcpStream, script: &[Deed], count: Arc<AtomicUsize>) {
    for number in 0.. {
        if !read_request(&mut stream).await {
            return;
        }
        count.fetch_add(1, Ordering::SeqCst);
        match script[number.min(script.len() - 1)] {
            Deed::Say(text) => stream.write_all(text.as_bytes()).await.unwrap(),
            Deed::SayAndClose(text) => return stream.write_all(text.as_bytes()).await.unwrap(),
            Deed::Reset => return stream.set_zero_linger().unwrap(),
            Deed::Hang => std::future::pending().await,
        }
    }
}

/// Reads head and body of one request; false if the connection ends before.
async fn read_request(stream: &mut TcpStream) -> bool {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let head = head.to_lowercase();
            let length = head.split("content-length: ").nth(1).unwrap();
            let length: usize = length.lines().next().unwrap().parse().unwrap();
            if body.len() >= length {
                return true;
            }
        }
        if !matches!(stream.read_buf(&mut bytes).await, Ok(read) if read > 0) {
            return false;
        }
    }
}

fn client(addr: Option<SocketAddr>, policy: Policy) -> Client {
    let book = AddressBook::default();
    book.set(N1, addr);
    Client::new(book, policy).unwrap()
}

/// One attempt, as patient as a busy machine needs.
fn once() -> Policy {
    let total = Duration::from_secs(20);
    Policy { attempt: total, total, pause: total }
}

fn write() -> Request {
    let op = kv::Op::Write { key: "k".into(), value: json!(1) };
    let session = Some(kv::Session { client: 1, seq: 1 });
    Request::Kv(kv::Request { op, session })
}

fn done() -> Outcome {
    Outcome::Answered(Response::Kv(kv::Response::Done))
}

/// What the client makes of a server that treats its one request so.
async fn check(deed: &'static [Deed], expected: fn(&Outcome) -> bool) {
    let (addr, count) = server(deed).await;
    let outcome = client(Some(addr), once()).call(N1, write()).await;
    assert!(expected(&outcome), "{outcome:?}");
    assert_eq!(count.load(Ordering::SeqCst), 1, "nothing is repeated in secret");
}

fn unknown(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Unknown(_))
}

#[tokio::test]
async fn a_request_that_arrived_and_has_no_good_answer_is_unknown() {
    check(&[Deed::Reset], unknown).await;
    check(&[Deed::SayAndClose("")], unknown).await;
    check(&[Deed::SayAndClose("HTTP/1.1 200 OK\r\nContent-Le")], unknown).await;
    check(&[Deed::SayAndClose("HTTP/1.1 200 OK\r\nContent-Length: 17\r\n\r\n{\"res")], unknown)
        .await;
    check(&[Deed::Say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")], unknown).await;
    check(&[Deed::Say("HTTP/1.1 500 Oh\r\nContent-Length: 2\r\n\r\nno")], unknown).await;
    check(&[Deed::Say("HTTP/1.1 404 Oh\r\nContent-Length: 0\r\n\r\n")], unknown).await;
    check(&[Deed::Say("nonsense\r\n\r\n")], unknown).await;
}

#[tokio::test]
async fn a_redirect_is_not_followed() {
    const AWAY: &str = "HTTP/1.1 307 Away\r\nLocation: /kv\r\nContent-Length: 0\r\n\r\n";
    check(&[Deed::Say(AWAY)], unknown).await;
}

#[tokio::test]
async fn what_the_host_turned_away_did_not_happen() {
    const FULL: &str = "HTTP/1.1 503 Full\r\nContent-Length: 4\r\n\r\nfull";
    const BAD: &str = "HTTP/1.1 400 Bad\r\nContent-Length: 3\r\n\r\nbad";
    check(&[Deed::Say(FULL)], |o| matches!(o, Outcome::Refused(why) if why == "full")).await;
    check(&[Deed::Say(BAD)], |outcome| {
        let Outcome::Answered(Response::Kv(kv::Response::Error { definite, reason })) = outcome
        else {
            return false;
        };
        *definite && reason == "bad"
    })
    .await;
}

#[tokio::test]
async fn a_good_answer_is_an_answer() {
    check(&[Deed::Say(DONE)], |outcome| *outcome == done()).await;
    check(&[Deed::SayAndClose(DONE)], |outcome| *outcome == done()).await;
}

#[tokio::test]
async fn where_nobody_listens_nothing_arrives() {
    let quick = Policy {
        attempt: Duration::from_secs(10),
        total: Duration::from_millis(30),
        pause: Duration::from_millis(5),
    };
    let outcome = client(None, quick).call(N1, write()).await;
    assert_eq!(outcome, Outcome::Refused("n1 is down".into()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    drop(listener);
    let outcome = client(Some(addr), quick).call(N1, write()).await;
    assert!(matches!(&outcome, Outcome::Refused(why) if why.contains("refused")), "{outcome:?}");
}

#[tokio::test]
async fn silence_is_unknown() {
    let (addr, count) = server(&[Deed::Hang]).await;
    let short = Policy {
        attempt: Duration::from_millis(60),
        total: Duration::from_millis(200),
        pause: Duration::from_millis(1),
    };
    let outcome = client(Some(addr), short).call(N1, write()).await;
    assert!(unknown(&outcome), "{outcome:?}");
    assert!(count.load(Ordering::SeqCst) > 1, "a request with a session is repeated");
}

#[tokio::test]
async fn a_kept_connection_is_used_again_and_its_break_hides_no_repetition() {
    let (addr, count) = server(&[Deed::Say(DONE), Deed::Say(DONE), Deed::Reset]).await;
    let mut client = client(Some(addr), once());
    assert_eq!(client.call(N1, write()).await, done());
    assert_eq!(client.call(N1, write()).await, done());
    let outcome = client.call(N1, write()).await;
    assert!(unknown(&outcome), "the third request of the connection was read: {outcome:?}");
    assert_eq!(count.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_node_is_found_again_on_another_port() {
    let (first, _) = server(&[Deed::Say(DONE)]).await;
    let (second, count) = server(&[Deed::Say(DONE)]).await;
    let book = AddressBook::default();
    let mut client = Client::new(book.clone(), once()).unwrap();
    for addr in [first, second] {
        book.set(N1, Some(addr));
        assert_eq!(client.call(N1, write()).await, done());
    }
    assert_eq!(count.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn status_is_there_or_not() {
    let good = "HTTP/1.1 200 OK\r\nContent-Length: 79\r\n\r\n\
        {\"role\":\"leader\",\"leader\":1,\"term\":3,\"commit\":2,\"applied\":2,\"ready\":true}      ";
    for (say, there) in [(good, true), ("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", false)] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut bytes = Vec::new();
            while !bytes.ends_with(b"\r\n\r\n") {
                stream.read_buf(&mut bytes).await.unwrap();
            }
            stream.write_all(say.as_bytes()).await.unwrap();
        });
        let status = client(Some(addr), once()).status(N1).await;
        assert_eq!(status.is_some_and(|status| status.role == "leader"), there);
    }
}
