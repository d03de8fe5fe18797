//! What the checkers of this module work on: calls with their two ends on one line of time.

/// An operation of one client: what it asked, when, and what it was told.
///
/// Positions are any numbers that order the events: indices in a history, or nanoseconds. A call
/// precedes another if it completed before the other was invoked. Where a completion and an
/// invocation have the same position, the calls count as concurrent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call<I, O> {
    /// The client.
    pub process: u64,
    /// What it asked.
    pub input: I,
    /// What it was told; `None` if it never learned the outcome.
    pub output: Option<O>,
    /// Where it began.
    pub invoke: u64,
    /// Where it ended; `None` if it may still take effect at any later time, or never.
    pub complete: Option<u64>,
}

impl<I, O> Call<I, O> {
    /// A call that was answered.
    pub fn new(process: u64, input: I, invoke: u64, output: O, complete: u64) -> Call<I, O> {
        Call { process, input, output: Some(output), invoke, complete: Some(complete) }
    }

    /// A call whose outcome nobody knows: it may have happened, may happen later, or never.
    pub fn crashed(process: u64, input: I, invoke: u64) -> Call<I, O> {
        Call { process, input, output: None, invoke, complete: None }
    }

    /// Whether it may take effect for ever, or never.
    pub fn is_crashed(&self) -> bool {
        self.complete.is_none()
    }
}
