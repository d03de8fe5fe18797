//! The proxies over real sockets: what passes, what is swallowed, what survives restarts.

#![expect(clippy::unwrap_used, reason = "what goes wrong in a test fails it")]

use quorate::nemesis::Grudge;
use quorate::proxy::{Fate, LinkId, Mode, Network, Shaping};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_targets::sim::Delay;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

const N1: NodeId = NodeId(1);
const N2: NodeId = NodeId(2);
const FORWARD: LinkId = (N1, N2);

/// Longer than anything here takes on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(20);

async fn network() -> Network {
    Network::open(&[N1, N2], Seed(1), Instant::now()).await.unwrap()
}

async fn listen(network: &Network, node: NodeId) -> TcpListener {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    network.set_peer(node, Some(listener.local_addr().unwrap()));
    listener
}

fn address(network: &Network, (from, to): LinkId) -> SocketAddr {
    network.peer_addresses(from).find(|(peer, _)| *peer == to).unwrap().1
}

async fn connect(network: &Network, link: LinkId) -> TcpStream {
    TcpStream::connect(address(network, link)).await.unwrap()
}

async fn accept(listener: &TcpListener) -> TcpStream {
    timeout(PATIENCE, listener.accept()).await.unwrap().unwrap().0
}

fn frame(body: &str) -> Vec<u8> {
    let mut frame = (body.len() as u32).to_be_bytes().to_vec();
    frame.extend(body.as_bytes());
    frame
}

async fn send(stream: &mut TcpStream, body: &str) {
    stream.write_all(&frame(body)).await.unwrap();
}

async fn receive(stream: &mut TcpStream) -> String {
    let read = async {
        let length = stream.read_u32().await.unwrap();
        let mut body = vec![0; length as usize];
        stream.read_exact(&mut body).await.unwrap();
        String::from_utf8(body).unwrap()
    };
    timeout(PATIENCE, read).await.unwrap()
}

/// Waits until the network says that it is so.
async fn until(mut so: impl FnMut() -> bool) {
    let wait = async {
        while !so() {
            tokio::task::yield_now().await;
        }
    };
    timeout(PATIENCE, wait).await.unwrap();
}

#[tokio::test]
async fn a_cut_link_swallows_frames_and_keeps_both_ends_up() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "one").await;
    let mut receiver = accept(&listener).await;
    assert_eq!(receive(&mut receiver).await, "one");

    network.partition(&Grudge::from([(N2, vec![N1])]));
    send(&mut sender, "two").await;
    send(&mut sender, "three").await;
    until(|| network.counters()[&FORWARD].dropped == 2).await;

    network.heal();
    send(&mut sender, "four").await;
    assert_eq!(receive(&mut receiver).await, "four", "on the same two connections");

    let fates: Vec<_> = network.messages().into_iter().map(|m| (m.bytes, m.fate)).collect();
    let expected = [(3, Fate::Forwarded), (3, Fate::Cut), (5, Fate::Cut), (4, Fate::Forwarded)];
    assert_eq!(fates, expected);
    let counters = network.counters()[&FORWARD];
    assert_eq!((counters.frames, counters.bytes, counters.dropped), (2, 4 + 3 + 4 + 4, 2));
}

#[tokio::test]
async fn a_grudge_cuts_one_direction_alone() {
    let network = network().await;
    let (at_1, at_2) = (listen(&network, N1).await, listen(&network, N2).await);
    network.partition(&Grudge::from([(N1, vec![N2])]));
    let (mut to_2, mut to_1) =
        (connect(&network, FORWARD).await, connect(&network, (N2, N1)).await);
    send(&mut to_1, "unheard").await;
    send(&mut to_2, "heard").await;
    assert_eq!(receive(&mut accept(&at_2).await).await, "heard");
    until(|| network.counters()[&(N2, N1)].dropped == 1).await;

    network.heal();
    send(&mut to_1, "at last").await;
    assert_eq!(receive(&mut accept(&at_1).await).await, "at last");
}

#[tokio::test]
async fn a_held_link_delivers_when_it_passes_again() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "before").await;
    let mut receiver = accept(&listener).await;
    assert_eq!(receive(&mut receiver).await, "before");

    network.set_mode(FORWARD, Mode::Hold);
    for number in 0..100 {
        send(&mut sender, &number.to_string()).await;
    }
    network.set_mode(FORWARD, Mode::Pass);
    send(&mut sender, "after").await;
    for number in 0..100 {
        assert_eq!(receive(&mut receiver).await, number.to_string());
    }
    assert_eq!(receive(&mut receiver).await, "after");
}

#[tokio::test]
async fn a_slow_link_is_slow_and_loses_nothing_when_it_is_quick_again() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let delay = Duration::from_millis(50);
    let fixed = |delay: Duration| Delay::Fixed(delay.into());
    network.set_shaping(FORWARD, Shaping { delay: fixed(delay), ..Shaping::default() });
    let mut sender = connect(&network, FORWARD).await;
    let began = Instant::now();
    send(&mut sender, "slow").await;
    let mut receiver = accept(&listener).await;
    assert_eq!(receive(&mut receiver).await, "slow");
    assert!(began.elapsed() >= delay);

    let hours = Duration::from_hours(2);
    network.set_shaping(FORWARD, Shaping { delay: fixed(hours), ..Shaping::default() });
    send(&mut sender, "late").await;
    network.set_shaping(FORWARD, Shaping::default());
    send(&mut sender, "prompt").await;
    assert_eq!(receive(&mut receiver).await, "late");
    assert_eq!(receive(&mut receiver).await, "prompt");
}

#[tokio::test]
async fn a_damaged_frame_arrives_whole_and_is_told_apart() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    network.set_shaping(FORWARD, Shaping { corrupt: 1.0, ..Shaping::default() });
    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "000").await;
    let mut receiver = accept(&listener).await;
    assert_eq!(receiver.read_u32().await.unwrap(), 3);
    let mut body = [0; 3];
    receiver.read_exact(&mut body).await.unwrap();
    let bits: u32 = body.iter().map(|byte| (byte ^ b'0').count_ones()).sum();
    assert_eq!(bits, 1, "{body:?}");

    network.set_shaping(FORWARD, Shaping::default());
    send(&mut sender, "intact").await;
    assert_eq!(receive(&mut receiver).await, "intact");
    let fates: Vec<_> = network.messages().into_iter().map(|m| m.fate).collect();
    assert_eq!(fates, [Fate::Corrupted, Fate::Forwarded]);
}

#[tokio::test]
async fn a_receiver_that_restarts_elsewhere_is_found() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "first life").await;
    assert_eq!(receive(&mut accept(&listener).await).await, "first life");

    network.set_peer(N2, None);
    drop(listener);
    send(&mut sender, "to nobody").await;
    until(|| network.counters()[&FORWARD].dropped == 1).await;
    let fate = network.messages().last().unwrap().fate;
    assert_eq!(fate, Fate::Unreachable);

    let listener = listen(&network, N2).await;
    send(&mut sender, "second life").await;
    assert_eq!(receive(&mut accept(&listener).await).await, "second life");
}

#[tokio::test]
async fn what_a_dying_sender_had_half_sent_is_not_forwarded() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "whole").await;
    let mut receiver = accept(&listener).await;
    assert_eq!(receive(&mut receiver).await, "whole");
    sender.write_all(&frame("torn")[..6]).await.unwrap();
    drop(sender);

    let mut sender = connect(&network, FORWARD).await;
    send(&mut sender, "whole again").await;
    assert_eq!(receive(&mut receiver).await, "whole again");
}

#[tokio::test]
async fn a_large_frame_passes_as_it_is() {
    let network = network().await;
    let listener = listen(&network, N2).await;
    let mut sender = connect(&network, FORWARD).await;
    let body = "x".repeat(3 << 20);
    let writing = tokio::spawn(async move {
        send(&mut sender, &body).await;
        send(&mut sender, "small").await;
        sender
    });
    let mut receiver = accept(&listener).await;
    assert_eq!(receive(&mut receiver).await.len(), 3 << 20);
    assert_eq!(receive(&mut receiver).await, "small");
    writing.await.unwrap();
}
