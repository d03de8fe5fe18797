//! One directed link: takes the sender's frames and hands them to the receiver.

use crate::proxy::behaviour::{Behaviour, Mode};
use crate::proxy::delay_line::DelayLine;
use crate::proxy::frames::{NotFrames, frame_at, take_frame};
use crate::proxy::traffic::{Fate, Traffic};
use bytes::{Buf, BytesMut};
use quorate_checkers::history::Nanos;
use rand_chacha::ChaCha8Rng;
use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, timeout};

/// How much is read at once at least.
const READ_BYTES: usize = 16 << 10;
/// How long a receiver that refused or hung is left in peace.
const RECONNECT_AFTER: Duration = Duration::from_millis(20);
/// How long a connection may take; on one machine it takes microseconds.
const CONNECT_MAX: Duration = Duration::from_millis(200);
/// How long to wait when the listener fails (out of file descriptors) before it is tried again.
const ACCEPT_AGAIN_AFTER: Duration = Duration::from_millis(100);

/// What a link is made of.
pub(super) struct Wire {
    pub(super) listener: TcpListener,
    /// Where the receiver is now.
    pub(super) peer: watch::Receiver<Option<SocketAddr>>,
    pub(super) behaviour: watch::Receiver<Behaviour>,
    pub(super) traffic: Arc<Traffic>,
    pub(super) rng: ChaCha8Rng,
}

impl Wire {
    /// Serves the link until the network is dropped.
    pub(super) async fn run(self) {
        let Wire { listener, mut peer, mut behaviour, traffic, rng } = self;
        let mut sender: Option<TcpStream> = None;
        let mut buffer = BytesMut::new();
        let mut way = Way {
            line: DelayLine::new(rng),
            receiver: Receiver::default(),
            behaviour: Behaviour::default(),
            traffic,
        };
        loop {
            tokio::select! {
                accepted = listener.accept() => match accepted {
                    // The sender restarted: what it had half sent before died with it.
                    Ok((stream, _)) => {
                        buffer.clear();
                        let _ = stream.set_nodelay(true);
                        sender = Some(stream);
                    }
                    Err(_) => sleep(ACCEPT_AGAIN_AFTER).await,
                },
                read = read(sender.as_mut(), &mut buffer) => {
                    way.adopt(now(&behaviour));
                    let to = now(&peer);
                    let open = matches!(read, Ok(1..));
                    if !open || way.pump(&mut buffer, to).await.is_err() {
                        sender = None;
                        buffer.clear();
                    }
                }
                () = way.until_due() => {
                    let to = now(&peer);
                    way.deliver(to).await;
                }
                changed = behaviour.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    way.adopt(now(&behaviour));
                }
                changed = peer.changed() => {
                    if changed.is_err() {
                        return;
                    }
                    way.receiver = Receiver::default();
                }
            }
        }
    }
}

/// What the network wants now.
fn now<T: Copy>(wanted: &watch::Receiver<T>) -> T {
    *wanted.borrow()
}

/// Reads from the sender, if there is one.
async fn read(sender: Option<&mut TcpStream>, buffer: &mut BytesMut) -> io::Result<usize> {
    match sender {
        Some(stream) => {
            buffer.reserve(READ_BYTES);
            stream.read_buf(buffer).await
        }
        None => pending().await,
    }
}

/// The way from the buffer to the receiver.
struct Way {
    line: DelayLine,
    receiver: Receiver,
    /// What was adopted last.
    behaviour: Behaviour,
    traffic: Arc<Traffic>,
}

impl Way {
    /// Does with the whole frames in `buffer` what the link does now.
    async fn pump(
        &mut self,
        buffer: &mut BytesMut,
        peer: Option<SocketAddr>,
    ) -> Result<(), NotFrames> {
        let Behaviour { mode, shaping } = self.behaviour;
        if mode == Mode::Cut || (self.behaviour.is_plain() && self.line.is_empty()) {
            return self.pass(buffer, peer).await;
        }
        let now = self.traffic.now();
        while let Some(frame) = take_frame(buffer)? {
            let admitted = match mode {
                Mode::Hold => self.line.hold(frame.clone(), now),
                Mode::Pass | Mode::Cut => self.line.admit(&frame, now, &shaping),
            };
            if let Err(fate) = admitted {
                self.traffic.note([frame.as_ref()].into_iter(), now, fate);
            }
        }
        self.deliver(peer).await;
        Ok(())
    }

    /// The fast path: all whole frames at once, as they are, or none of them.
    async fn pass(
        &mut self,
        buffer: &mut BytesMut,
        peer: Option<SocketAddr>,
    ) -> Result<(), NotFrames> {
        let now = self.traffic.now();
        let mut whole = 0;
        while let Some(length) = frame_at(buffer, whole)? {
            whole += length;
        }
        if whole == 0 {
            return Ok(());
        }
        let fate = match self.behaviour.mode {
            Mode::Cut => Fate::Cut,
            Mode::Pass | Mode::Hold => self.receiver.send(&buffer[..whole], peer).await,
        };
        self.traffic.note(frames(&buffer[..whole]), now, fate);
        buffer.advance(whole);
        Ok(())
    }

    /// Turns to what the network wants; what is on the way follows.
    fn adopt(&mut self, next: Behaviour) {
        let before = std::mem::replace(&mut self.behaviour, next);
        if before == next {
            return;
        }
        if next.mode == Mode::Cut {
            for gone in self.line.drain() {
                self.traffic.note([gone.frame.as_ref()].into_iter(), gone.arrived, Fate::Cut);
            }
        } else if next.is_plain() || before.mode == Mode::Hold {
            self.line.release(self.traffic.now());
        }
    }

    /// Hands over every frame that is due.
    async fn deliver(&mut self, peer: Option<SocketAddr>) {
        while let Some(waiting) = self.line.pop_due(self.traffic.now()) {
            let fate = match self.receiver.send(&waiting.frame, peer).await {
                Fate::Forwarded if waiting.corrupted => Fate::Corrupted,
                fate => fate,
            };
            self.traffic.note([waiting.frame.as_ref()].into_iter(), waiting.arrived, fate);
        }
    }

    /// Ends when a frame is due.
    async fn until_due(&self) {
        match self.line.next_due() {
            Some(Nanos(due)) => {
                let wait = due.saturating_sub(self.traffic.now().0);
                sleep(Duration::from_nanos(wait)).await;
            }
            None => pending().await,
        }
    }
}

/// The frames that fill `bytes`, each with its head.
fn frames(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let length = frame_at(bytes, at).ok().flatten()?;
        at += length;
        bytes.get(at - length..at)
    })
}

/// The connection to the receiver, made when there is something to send.
#[derive(Default)]
struct Receiver {
    stream: Option<TcpStream>,
    /// Not before this.
    again_at: Option<Instant>,
}

impl Receiver {
    /// Writes whole frames. What a dying connection has taken is lost, as in any network; the
    /// next connection begins with a whole frame.
    async fn send(&mut self, frames: &[u8], peer: Option<SocketAddr>) -> Fate {
        if self.stream.as_ref().is_some_and(has_ended) {
            self.stream = None;
        }
        if self.stream.is_none() {
            self.connect(peer).await;
        }
        let Some(stream) = &mut self.stream else { return Fate::Unreachable };
        if stream.write_all(frames).await.is_ok() {
            return Fate::Forwarded;
        }
        self.stream = None;
        Fate::Unreachable
    }

    async fn connect(&mut self, peer: Option<SocketAddr>) {
        let Some(peer) = peer else { return };
        if self.again_at.is_some_and(|at| Instant::now() < at) {
            return;
        }
        match timeout(CONNECT_MAX, TcpStream::connect(peer)).await {
            Ok(Ok(stream)) => {
                let _ = stream.set_nodelay(true);
                self.stream = Some(stream);
            }
            Ok(Err(_)) | Err(_) => self.again_at = Some(Instant::now() + RECONNECT_AFTER),
        }
    }
}

/// Whether the receiver has closed its end. It never writes, so all there is to read is the end.
fn has_ended(stream: &TcpStream) -> bool {
    match stream.try_read(&mut [0; 16]) {
        Ok(0) => true,
        Ok(_) => false,
        Err(error) => error.kind() != io::ErrorKind::WouldBlock,
    }
}
