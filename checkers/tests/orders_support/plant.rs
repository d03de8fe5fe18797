//! The faults that can be planted into a story.

/// The stages of an order.
pub(crate) const STAGES: [&str; 9] = [
    "reserving",
    "charging",
    "shipping",
    "recalling",
    "refunding",
    "releasing",
    "confirmed",
    "cancelled",
    "refused",
];

/// A fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plant {
    ReserveTwice,
    ChargeTwice,
    ShipTwice,
    RefundTwice,
    RecallTwice,
    ReleaseTwice,
    ChargedLate,
    NoCharge,
    NoReserve,
    ConfirmedAndRefunded,
    ChargedAfterRefusal,
    NoParcel,
    NoRecall,
    NoRefund,
    NoRelease,
    Orphan,
    Lost,
    Phantom,
    WentBack,
    Changed,
    ChangedInBook,
    Miscounted,
    Overwritten,
    BelowZero,
    ReadBelowZero,
    Stuck,
}

impl Plant {
    pub(crate) const ALL: [Plant; 26] = [
        Plant::ReserveTwice,
        Plant::ChargeTwice,
        Plant::ShipTwice,
        Plant::RefundTwice,
        Plant::RecallTwice,
        Plant::ReleaseTwice,
        Plant::ChargedLate,
        Plant::NoCharge,
        Plant::NoReserve,
        Plant::ConfirmedAndRefunded,
        Plant::ChargedAfterRefusal,
        Plant::NoParcel,
        Plant::NoRecall,
        Plant::NoRefund,
        Plant::NoRelease,
        Plant::Orphan,
        Plant::Lost,
        Plant::Phantom,
        Plant::WentBack,
        Plant::Changed,
        Plant::ChangedInBook,
        Plant::Miscounted,
        Plant::Overwritten,
        Plant::BelowZero,
        Plant::ReadBelowZero,
        Plant::Stuck,
    ];

    /// As what it must be found.
    pub(crate) fn kind(self) -> &'static str {
        match self {
            Plant::ReserveTwice
            | Plant::ChargeTwice
            | Plant::ShipTwice
            | Plant::RefundTwice
            | Plant::RecallTwice
            | Plant::ReleaseTwice
            | Plant::ChargedLate => "duplicate-effect",
            Plant::NoParcel | Plant::NoCharge | Plant::NoReserve | Plant::ConfirmedAndRefunded => {
                "missing-effect"
            }
            Plant::NoRecall | Plant::NoRefund | Plant::NoRelease | Plant::ChargedAfterRefusal => {
                "leftover-effect"
            }
            Plant::Orphan => "orphan-effect",
            Plant::Lost => "lost-order",
            Plant::Phantom => "phantom-order",
            Plant::WentBack => "went-back",
            Plant::Changed | Plant::ChangedInBook => "changed-after-end",
            Plant::Miscounted | Plant::Overwritten => "not-conserved",
            Plant::BelowZero | Plant::ReadBelowZero => "below-zero",
            Plant::Stuck => "stuck-saga",
        }
    }
}
