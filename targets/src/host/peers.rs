//! The links between peers: frames over TCP, one connection for each direction.
//!
//! A frame is its length (4 bytes, big-endian), the CRC-32 of what follows (the same), and a JSON
//! object, `{"from":1,"message":...}`. One that was damaged on its way is dropped: TCP has
//! checksums of its own, but what stands between two nodes may change what it forwards. Each
//! node opens one connection to each peer and only writes to it; the peer only reads. So every
//! *directed* link is a connection of its own, that a proxy between the two can cut or slow
//! alone. A message may get lost at any time; one that arrives is whole, and those of one
//! connection arrive in order.

use super::node_loop::Mail;
use super::outbox::Outbox;
use crate::node::{Node, NodeId};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt, stream};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

/// The largest frame, its length not counted.
pub(super) const FRAME_BYTES_MAX: usize = 64 << 20;
/// How many connections of peers are served at once.
const CONNECTIONS_MAX: usize = 256;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);
/// The rest before the first attempt to connect again; it doubles up to the other.
const BACK_OFF_MIN: Duration = Duration::from_millis(25);
const BACK_OFF_MAX: Duration = Duration::from_millis(200);

#[derive(Serialize, Deserialize)]
struct Frame<M> {
    from: NodeId,
    message: M,
}

/// The bytes of the checksum.
const SUM: usize = 4;

/// A frame without its length, ready for an [`Outbox`].
pub(super) fn encode<M: Serialize>(from: NodeId, message: &M) -> serde_json::Result<Bytes> {
    let mut frame = vec![0; SUM];
    serde_json::to_writer(&mut frame, &Frame { from, message })?;
    let (sum, body) = frame.split_at_mut(SUM);
    sum.copy_from_slice(&crc32fast::hash(body).to_be_bytes());
    Ok(Bytes::from(frame))
}

/// What a frame says, if it is what was sent.
fn intact(frame: &[u8]) -> Option<&[u8]> {
    let (sum, body) = frame.split_first_chunk::<SUM>()?;
    (crc32fast::hash(body) == u32::from_be_bytes(*sum)).then_some(body)
}

fn codec() -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(FRAME_BYTES_MAX).new_codec()
}

/// Keeps a connection to `peer` at `addr`, and sends what is in its outbox. Never returns.
pub(super) async fn send_to(peer: NodeId, addr: SocketAddr, outbox: Arc<Outbox>) {
    let mut back_off = BACK_OFF_MIN;
    loop {
        let began = Instant::now();
        let why = match timeout(CONNECT_TIMEOUT, TcpStream::connect(addr)).await {
            Ok(Ok(stream)) => {
                tracing::debug!("{peer}: connected to {addr}");
                outbox.set_connected(true);
                let error = serve_outbox(stream, &outbox).await;
                outbox.set_connected(false);
                error
            }
            Ok(Err(error)) => error,
            Err(_) => io::ErrorKind::TimedOut.into(),
        };
        tracing::debug!("{peer}: no connection to {addr}: {why}");
        // A proxy may accept and close at once: only a connection that lasted ends the back-off.
        let lasted = began.elapsed() > BACK_OFF_MAX * 2;
        back_off = if lasted { BACK_OFF_MIN } else { (back_off * 2).min(BACK_OFF_MAX) };
        sleep(back_off).await;
    }
}

/// Writes what comes into the outbox until the connection breaks. The peer never writes: if
/// the other direction ends, it is gone, which a write alone would notice one message late.
async fn serve_outbox(stream: TcpStream, outbox: &Outbox) -> io::Error {
    // To connect to a free local port may, by chance, connect a socket with itself.
    let itself = stream.local_addr().and_then(|own| Ok(own == stream.peer_addr()?));
    match itself.and_then(|itself| stream.set_nodelay(true).map(|()| itself)) {
        Ok(false) => {}
        Ok(true) => return io::ErrorKind::ConnectionRefused.into(),
        Err(error) => return error,
    }
    let (mut reader, writer) = stream.into_split();
    tokio::select! {
        error = write(FramedWrite::new(writer, codec()), outbox) => error,
        error = closed(&mut reader) => error,
    }
}

async fn write(
    mut frames: FramedWrite<impl AsyncWrite + Unpin, LengthDelimitedCodec>,
    outbox: &Outbox,
) -> io::Error {
    loop {
        let mut batch = stream::iter(outbox.take().await).map(Ok);
        if let Err(error) = frames.send_all(&mut batch).await {
            return error;
        }
    }
}

async fn closed(reader: &mut (impl AsyncRead + Unpin)) -> io::Error {
    match reader.read(&mut [0; 1]).await {
        Ok(0) => io::Error::new(io::ErrorKind::ConnectionReset, "closed by the peer"),
        Ok(_) => io::Error::new(io::ErrorKind::InvalidData, "a peer must not write here"),
        Err(error) => error,
    }
}

/// Serves the connections that peers open. Never returns.
pub(super) async fn listen<N: Node + 'static>(
    listener: TcpListener,
    peers: Arc<BTreeSet<NodeId>>,
    inbox: mpsc::Sender<Mail<N>>,
) {
    let mut connections = JoinSet::new();
    loop {
        while connections.try_join_next().is_some() {}
        if connections.len() >= CONNECTIONS_MAX {
            connections.join_next().await;
        }
        match listener.accept().await {
            Ok((stream, from)) => {
                let (peers, inbox) = (Arc::clone(&peers), inbox.clone());
                connections.spawn(async move {
                    if let Err(why) = receive::<N>(stream, &peers, &inbox).await {
                        tracing::warn!("closed the peer connection from {from}: {why}");
                    }
                });
            }
            Err(error) => {
                tracing::warn!("cannot accept a peer's connection: {error}");
                sleep(BACK_OFF_MAX).await;
            }
        }
    }
}

/// Reads frames until the peer closes; an error is a sentence.
async fn receive<N: Node>(
    stream: impl AsyncRead + Unpin,
    peers: &BTreeSet<NodeId>,
    inbox: &mpsc::Sender<Mail<N>>,
) -> Result<(), String> {
    let mut frames = FramedRead::new(stream, codec());
    while let Some(frame) = frames.next().await {
        let frame = match frame {
            Ok(frame) => frame,
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                return Err(format!("a frame is larger than {FRAME_BYTES_MAX} bytes"));
            }
            // Peers die and proxies cut.
            Err(error) => {
                tracing::debug!("a peer's connection broke: {error}");
                return Ok(());
            }
        };
        let Some(body) = intact(&frame) else {
            tracing::debug!("a frame of {} bytes is dropped: it is damaged", frame.len());
            continue;
        };
        let Frame { from, message } = serde_json::from_slice::<Frame<N::Message>>(body)
            .map_err(|error| format!("malformed frame: {error}"))?;
        if !peers.contains(&from) {
            return Err(format!("a frame claims to come from {from}, which is no peer"));
        }
        if inbox.send(Mail::Message { from, message }).await.is_err() {
            return Ok(());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::toy::Toy;

    async fn check(bytes: &[u8]) -> (Result<(), String>, Vec<(NodeId, u64)>) {
        let (sender, mut inbox) = mpsc::channel(16);
        let peers = BTreeSet::from([NodeId(2), NodeId(3)]);
        let result = receive::<Toy>(bytes, &peers, &sender).await;
        drop(sender);
        let mut messages = Vec::new();
        while let Some(mail) = inbox.recv().await {
            let Mail::Message { from, message } = mail else { panic!("not a message") };
            messages.push((from, message));
        }
        (result, messages)
    }

    fn frame(body: &[u8]) -> Vec<u8> {
        let length = (SUM + body.len()) as u32;
        [&length.to_be_bytes(), &crc32fast::hash(body).to_be_bytes(), body].concat()
    }

    #[tokio::test]
    async fn a_malformed_frame_closes_the_connection() {
        let good = frame(br#"{"from":2,"message":7}"#);
        assert_eq!(good[4..], encode(NodeId(2), &7u64).unwrap());
        let seven = vec![(NodeId(2), 7)];
        let cases: [(&[u8], &str); 6] = [
            (&frame(b"{"), "malformed frame"),
            (&frame(br#"{"from":2,"message":"x"}"#), "malformed frame"),
            (&frame(br#"{"from":"n2","message":1}"#), "malformed frame"),
            (&frame(b""), "malformed frame"),
            (&frame(br#"{"from":9,"message":1}"#), "from n9, which is no peer"),
            (&u32::MAX.to_be_bytes(), "larger than"),
        ];
        for (bad, part) in cases {
            let (result, messages) = check(&[&good, bad, &good].concat()).await;
            assert!(result.clone().unwrap_err().contains(part), "{result:?}");
            assert_eq!(messages, seven, "nothing behind it is read");
        }
        for end in 0..good.len() {
            assert_eq!(check(&[&good, &good[..end]].concat()).await, (Ok(()), seven.clone()));
        }
    }

    #[tokio::test]
    async fn a_damaged_frame_is_dropped_and_no_other() {
        let good = frame(br#"{"from":2,"message":7}"#);
        for bit in 4 * 8..good.len() * 8 {
            let mut damaged = good.clone();
            damaged[bit / 8] ^= 1 << (bit % 8);
            let (result, messages) = check(&[damaged, good.clone()].concat()).await;
            assert_eq!((result, messages), (Ok(()), vec![(NodeId(2), 7)]), "bit {bit}");
        }
        let no_sum = [&[0, 0, 0, 2, b'{', b'}'], &good[..]].concat();
        assert_eq!(check(&no_sum).await, (Ok(()), vec![(NodeId(2), 7)]));
    }
}
