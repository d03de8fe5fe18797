//! Nodes in one process, over real sockets.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod host_toy;

use host_toy::Toy;
use quorate_targets::api::{Outcome, Request, Response, kv};
use quorate_targets::caller::Policy;
use quorate_targets::client::{AddressBook, Client};
use quorate_targets::host::{Host, HostError, HostOptions, Sockets};
use quorate_targets::node::NodeId;
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// A node that runs until it is told to stop.
struct Running {
    client: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<(), HostError>>,
}

impl Running {
    fn start(options: &HostOptions, sockets: Sockets) -> Self {
        let host = Host::<Toy>::start(options, sockets).unwrap();
        let client = host.client_addr();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(host.run_until(async { drop(stopped.await) }));
        Running { client, stop, task }
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.task.await.unwrap().unwrap();
    }
}

/// One node alone, and its client.
async fn alone(dir: &Path) -> (Running, Client) {
    let options = HostOptions::new("toy", NodeId(1), dir);
    let node = Running::start(&options, Sockets::bind(&options).await.unwrap());
    let client = client([(NodeId(1), node.client)]);
    (node, client)
}

fn client(entries: impl IntoIterator<Item = (NodeId, SocketAddr)>) -> Client {
    let book = AddressBook::default();
    for (node, addr) in entries {
        book.set(node, Some(addr));
    }
    Client::new(book, Policy { attempt: Duration::from_secs(20), ..patient() }).unwrap()
}

/// Loopback is quick, but the machine may be busy.
fn patient() -> Policy {
    Policy { total: Duration::from_secs(30), ..Policy::default() }
}

fn write(key: &str, value: i64) -> Request {
    let op = kv::Op::Write { key: key.into(), value: json!(value) };
    Request::Kv(kv::Request { op, session: None })
}

fn read(key: &str) -> Request {
    Request::Kv(kv::Request { op: kv::Op::Read { key: key.into() }, session: None })
}

fn done() -> Outcome {
    Outcome::Answered(Response::Kv(kv::Response::Done))
}

fn value(value: impl Into<Value>) -> Outcome {
    Outcome::Answered(Response::Kv(kv::Response::Value { value: value.into() }))
}

#[tokio::test]
async fn three_nodes_hear_each_other() {
    let dir = tempfile::tempdir().unwrap();
    let ids = [NodeId(1), NodeId(2), NodeId(3)];
    let mut prepared = Vec::new();
    for id in ids {
        let mut options = HostOptions::new("toy", id, dir.path().join(id.to_string()));
        options.members = ids.to_vec();
        let sockets = Sockets::bind(&options).await.unwrap();
        prepared.push((options, sockets));
    }
    let addrs: Vec<_> = prepared.iter().map(|(o, s)| (o.id, s.peer_addr())).collect();
    let mut nodes = Vec::new();
    for (mut options, sockets) in prepared {
        options.peers = addrs.iter().copied().filter(|(id, _)| *id != options.id).collect();
        nodes.push(Running::start(&options, sockets));
    }
    let mut client = client(ids.into_iter().zip(nodes.iter().map(|node| node.client)));
    for (number, writer) in (1..).zip(ids) {
        let key = format!("k{number}");
        assert_eq!(client.call(writer, write(&key, number)).await, done());
        for reader in ids {
            assert_eq!(client.call(reader, read(&key)).await, value(number));
        }
    }
    for node in nodes {
        node.stop().await;
    }
}

#[tokio::test]
async fn a_link_comes_back_after_the_peer_was_away() {
    let dir = tempfile::tempdir().unwrap();
    let mut options = HostOptions::new("toy", NodeId(1), dir.path());
    options.members = vec![NodeId(1), NodeId(2)];
    let peer = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = peer.local_addr().unwrap();
    options.peers = [(NodeId(2), addr)].into();
    let node = Running::start(&options, Sockets::bind(&options).await.unwrap());
    let mut client = client([(NodeId(1), node.client)]);
    // Accepts and closes, as a proxy does whose other side is gone; then is not there at all.
    drop(peer.accept().await.unwrap());
    drop(peer);
    assert_eq!(client.call(NodeId(1), write("k", 7)).await, done());
    let peer = TcpListener::bind(addr).await.unwrap();
    let (mut link, _) = peer.accept().await.unwrap();
    let expected = br#"{"from":1,"message":["k",7]}"#;
    // Behind its length and its checksum.
    let mut frame = vec![0; 8 + expected.len()];
    link.read_exact(&mut frame).await.unwrap();
    assert_eq!(frame[..4], (4 + expected.len() as u32).to_be_bytes());
    assert_eq!(frame[8..], expected[..]);
    node.stop().await;
}

#[tokio::test]
async fn what_was_acknowledged_is_there_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    for round in 0..3 {
        let (node, mut client) = alone(dir.path()).await;
        for earlier in 0..round {
            let key = format!("k{earlier}");
            assert_eq!(client.call(NodeId(1), read(&key)).await, value(earlier));
        }
        assert_eq!(client.call(NodeId(1), write(&format!("k{round}"), round)).await, done());
        node.stop().await;
    }
}

/// Sends one HTTP request as it is, and returns the answer's status and text.
async fn raw(addr: SocketAddr, head: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(addr).await.unwrap();
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    (answer[9..12].parse().unwrap(), answer)
}

#[tokio::test]
async fn the_client_api_explains_itself() {
    let dir = tempfile::tempdir().unwrap();
    let (node, client) = alone(dir.path()).await;
    let cases = [
        ("GET /", "", 200, "curl -d"),
        ("GET /status", "", 200, r#""role":"toy""#),
        ("POST /kv", r#"{"op":"write","key":"a","value":1}"#, 200, r#"{"result":"done"}"#),
        ("POST /kv", r#"{"op":"write","key":"a"}"#, 400, "missing field `value`"),
        ("POST /kv", "{", 400, "EOF while parsing"),
        ("POST /kv", "", 400, "curl -d"),
        ("POST /txn", "{}", 404, "curl -d"),
        ("GET /kv", "", 405, ""),
    ];
    for (head, body, status, part) in cases {
        let (seen, text) = raw(node.client, head, body).await;
        assert!(seen == status && text.contains(part), "{head} {body}: {text}");
    }
    let status = client.status(NodeId(1)).await.unwrap();
    assert_eq!((status.role.as_str(), status.applied), ("toy", 1));
    assert_eq!(client.status(NodeId(2)).await, None);
    node.stop().await;
}

#[tokio::test]
async fn a_request_without_an_answer_is_held_until_the_client_goes() {
    let dir = tempfile::tempdir().unwrap();
    let (node, mut client) = alone(dir.path()).await;
    let mut held = TcpStream::connect(node.client).await.unwrap();
    let body = r#"{"op":"read","key":"later"}"#;
    let request = format!("POST /kv HTTP/1.1\r\nHost: x\r\nContent-Length: 27\r\n\r\n{body}");
    held.write_all(request.as_bytes()).await.unwrap();
    let silence = tokio::time::timeout(Duration::from_millis(50), held.readable()).await;
    assert!(silence.is_err(), "nothing to answer yet");
    assert_eq!(client.call(NodeId(1), write("later", 5)).await, done());
    let mut answer = [0; 12];
    held.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
    node.stop().await;
}

#[tokio::test]
async fn bad_options_are_refused_before_anything_runs() {
    let dir = tempfile::tempdir().unwrap();
    let good = HostOptions::new("toy", NodeId(1), dir.path());
    let refused = async |change: &dyn Fn(&mut HostOptions), part: &str| {
        let mut options = good.clone();
        change(&mut options);
        let error = match Sockets::bind(&options).await {
            Ok(sockets) => Host::<Toy>::start(&options, sockets).err().unwrap(),
            Err(error) => error,
        };
        assert!(error.to_string().contains(part), "{error}");
        error.is_usage()
    };
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = taken.local_addr().unwrap();
    let in_use = format!("cannot listen on {addr} for peers");
    assert!(!refused(&|o| o.peer_listen = addr, &in_use).await);
    let open = "0.0.0.0:0".parse().unwrap();
    assert!(refused(&|o| o.client_listen = open, "0.0.0.0:0 is not a loopback").await);
    assert!(refused(&|o| o.members = vec![NodeId(2)], "n1 among them").await);
    assert!(refused(&|o| o.members = vec![NodeId(1); 2], "each node once").await);
    assert!(refused(&|o| o.members.push(NodeId(2)), "address of peer n2 is missing").await);
    let option = ("speed".to_owned(), "9".to_owned());
    assert!(refused(&|o| o.options.extend([option.clone()]), "no option speed").await);
    let error = quorate_targets::host::run(&HostOptions::new("raft-kw", NodeId(1), dir.path()));
    let error = error.unwrap_err();
    assert!(error.is_usage() && error.to_string().contains("there is: raft-kv"), "{error}");
}
