//! What a history of operations is, and whether it is right.
//!
//! A *history* records what concurrent clients asked of a system and what they were told. A
//! *checker* decides whether some consistency model allows it, and shows its evidence. This
//! crate is pure: it reads and writes only through [`std::io::Read`] and [`std::io::Write`], and
//! knows neither clocks nor databases.
//!
//! # In a test of your own
//!
//! Note when each call began and ended, on one clock for all threads, and ask whether what was
//! answered can be explained. A counter behind an atomic is linearizable:
//!
//! ```
//! use quorate_checkers::linearizable::{is_linearizable, Call};
//! use quorate_checkers::model::{Counter, CounterInput};
//! use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
//!
//! let (clock, count) = (AtomicU64::new(0), AtomicI64::new(0));
//! let now = || clock.fetch_add(1, SeqCst);
//! let client = |process| {
//!     let mut calls = Vec::new();
//!     for round in 0..100 {
//!         let begin = now();
//!         let (input, told) = if round % 2 == 0 {
//!             (CounterInput::Add(1), count.fetch_add(1, SeqCst) + 1)
//!         } else {
//!             (CounterInput::Read, count.load(SeqCst))
//!         };
//!         calls.push(Call::new(process, input, begin, Some(told), now()));
//!     }
//!     calls
//! };
//! let calls: Vec<_> = std::thread::scope(|scope| {
//!     let clients: Vec<_> = (0..4).map(|process| scope.spawn(move || client(process))).collect();
//!     clients.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
//! });
//! assert!(is_linearizable(&Counter, &calls));
//! ```
//!
//! A call that timed out may have taken effect, may yet, or never will: [`Call::crashed`]. With a
//! budget the answer may be "unknown", and with evidence it says which call could not be placed:
//!
//! ```
//! use quorate_checkers::linearizable::{explain, verdict, Call, Options, Outcome};
//! use quorate_checkers::model::{Register, RegisterInput::*, RegisterOutput::*};
//!
//! let register = Register { initial: 0 };
//! let mut calls = vec![
//!     Call::crashed(0, Write(1), 0),
//!     Call::new(1, Read, 10, Seen(0), 20),
//!     Call::new(1, Read, 30, Seen(1), 40), // the write took effect after all
//! ];
//! let options = Options { steps: 10_000, ..Options::default() };
//! assert_eq!(verdict(&register, &calls, &options), Outcome::Linearizable);
//!
//! calls.push(Call::new(1, Read, 50, Seen(0), 60));
//! let explained = explain(&register, &calls, &options);
//! let failure = explained.failure.expect("evidence");
//! assert_eq!(failure.call, 3);
//! assert_eq!(failure.alternatives[0].state, 1); // all that the register can have held
//! ```
//!
//! A model of one's own is a pure function in a dozen lines: see [`model`]. For the objects that
//! have one, [`check_calls`] uses an algorithm whose cost does not grow with concurrency, and
//! [`check`] does so for a recorded [`History`], key by key.
//!
//! [`Call::crashed`]: linearizable::Call::crashed
//! [`check`]: linearizable::check
//! [`check_calls`]: linearizable::check_calls
//! [`History`]: history::History

#![warn(missing_docs)]

pub mod aftermath;
pub mod consistency;
pub mod convergence;
pub mod counter;
mod final_phase;
pub mod format;
pub mod history;
pub mod invariants;
pub mod linearizable;
mod meanings;
pub mod minimal;
pub mod model;
pub mod orders;
pub mod session;
pub mod set_full;
pub mod stats;
pub mod transactions;
pub mod value;
pub mod verdict;

pub use meanings::meaning;
