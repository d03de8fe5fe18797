//! What a link does with the frames that it is given.

use quorate_targets::sim::Delay;

/// Whether frames get through at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// They do, as [`Shaping`] says.
    #[default]
    Pass,
    /// They are swallowed, those on the way too.
    Cut,
    /// They are kept, and delivered in order when the link passes again.
    Hold,
}

/// How passing frames are treated, each on its own. The default is: not at all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shaping {
    /// How long each frame takes; order is kept.
    pub delay: Delay,
    /// The share of frames that take as long as the one before.
    pub delay_correlation: f64,
    /// The share of frames that vanish, 0 to 1.
    pub loss: f64,
    /// The share of frames that are delivered twice, 0 to 1.
    pub duplicate: f64,
    /// The share of frames that later ones may overtake, 0 to 1.
    pub reorder: f64,
    /// The share of frames of which one bit is changed, 0 to 1; never of their lengths.
    pub corrupt: f64,
    /// The share of frames that share the luck of the one before in all four, so that bad luck
    /// comes in bursts; the other shares stay what they are.
    pub correlation: f64,
    /// How many bytes a second get through; `None` is no limit.
    pub bytes_per_s: Option<u64>,
}

impl Default for Shaping {
    fn default() -> Self {
        Shaping {
            delay: Delay::NONE,
            delay_correlation: 0.0,
            loss: 0.0,
            duplicate: 0.0,
            reorder: 0.0,
            corrupt: 0.0,
            correlation: 0.0,
            bytes_per_s: None,
        }
    }
}

/// All about one link, changed as a whole.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Behaviour {
    /// Whether frames get through.
    pub mode: Mode,
    /// And if so, how.
    pub shaping: Shaping,
}

impl Behaviour {
    /// Whether frames may be forwarded as they come.
    pub(super) fn is_plain(&self) -> bool {
        self.mode == Mode::Pass && self.shaping == Shaping::default()
    }
}
