//! The steps of an order and the stages that it goes through: a saga's state machine as pure
//! functions (Garcia-Molina & Salem, *Sagas*, SIGMOD 1987).
//!
//! Each step `T_i` has a compensation `C_i` that undoes what it meant, not what it wrote. A saga
//! is `T_1 .. T_n`, or `T_1 .. T_j C_j .. C_1`: what was done is undone in reverse order.
//!
//! | step | service | undone by |
//! |---|---|---|
//! | reserve | inventory | release |
//! | charge | payments | refund |
//! | ship | shipping | recall |
//! | capture, pick | payments, inventory | nothing: they come behind the point of no return |

use serde::{Deserialize, Serialize};
use std::fmt;

/// One local transaction of one service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Step {
    /// Take the goods from the stock.
    Reserve,
    /// Take the money from the customer.
    Charge,
    /// Send the goods.
    Ship,
    /// Make a held charge final (semantic locks only).
    Capture,
    /// Make a held reservation final (semantic locks only).
    Pick,
    /// Call the goods back.
    Recall,
    /// Give the money back.
    Refund,
    /// Put the goods back.
    Release,
}

/// Which service does it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Service {
    /// Takes money.
    Payments,
    /// Holds goods.
    Inventory,
    /// Sends parcels; also grants the orchestrator's lease.
    Shipping,
}

/// What became of a step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// It is done.
    Done,
    /// It was refused, and has no effect and never will.
    Refused(String),
}

/// How far an order is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stage {
    /// Placed; the services tell each other what is next (choreography only).
    Placed,
    /// `reserve` is under way.
    Reserving,
    /// `charge` is under way.
    Charging,
    /// `ship` is under way.
    Shipping,
    /// `capture` is under way: there is no way back any more.
    Capturing,
    /// `pick` is under way.
    Picking,
    /// `recall` is under way.
    Recalling,
    /// `refund` is under way.
    Refunding,
    /// `release` is under way.
    Releasing,
    /// The end: all is done.
    Confirmed,
    /// The end: taken back by the client, and nothing is left of it.
    Cancelled,
    /// The end: refused by a service, and nothing is left of it.
    Refused,
}

impl Step {
    /// Who does it.
    pub fn service(self) -> Service {
        match self {
            Step::Charge | Step::Capture | Step::Refund => Service::Payments,
            Step::Reserve | Step::Pick | Step::Release => Service::Inventory,
            Step::Ship | Step::Recall => Service::Shipping,
        }
    }

    /// The step that it undoes, if it is a compensation.
    pub fn undoes(self) -> Option<Step> {
        match self {
            Step::Recall => Some(Step::Ship),
            Step::Refund => Some(Step::Charge),
            Step::Release => Some(Step::Reserve),
            _ => None,
        }
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        match self {
            Step::Reserve => "reserve",
            Step::Charge => "charge",
            Step::Ship => "ship",
            Step::Capture => "capture",
            Step::Pick => "pick",
            Step::Recall => "recall",
            Step::Refund => "refund",
            Step::Release => "release",
        }
    }
}

impl Stage {
    /// The step that is under way, if an orchestrator has to see to one.
    pub fn step(self) -> Option<Step> {
        Some(match self {
            Stage::Reserving => Step::Reserve,
            Stage::Charging => Step::Charge,
            Stage::Shipping => Step::Ship,
            Stage::Capturing => Step::Capture,
            Stage::Picking => Step::Pick,
            Stage::Recalling => Step::Recall,
            Stage::Refunding => Step::Refund,
            Stage::Releasing => Step::Release,
            Stage::Placed | Stage::Confirmed | Stage::Cancelled | Stage::Refused => return None,
        })
    }

    /// Whether nothing follows.
    pub fn is_end(self) -> bool {
        matches!(self, Stage::Confirmed | Stage::Cancelled | Stage::Refused)
    }

    /// Whether what was done is being undone.
    pub fn is_undoing(self) -> bool {
        matches!(self, Stage::Recalling | Stage::Refunding | Stage::Releasing)
    }

    /// Where an order goes whose step has ended. `cancel`: its client has taken it back; `locks`:
    /// charges and reservations are held until they are made final.
    #[must_use]
    pub fn next(self, outcome: &Outcome, cancel: bool, locks: bool) -> Stage {
        let end = if cancel { Stage::Cancelled } else { Stage::Refused };
        match (self, outcome) {
            (Stage::Reserving, Outcome::Done) if cancel => Stage::Releasing,
            (Stage::Reserving, Outcome::Done) => Stage::Charging,
            (Stage::Charging, Outcome::Done) if cancel => Stage::Refunding,
            (Stage::Charging, Outcome::Done) => Stage::Shipping,
            (Stage::Charging, Outcome::Refused(_)) => Stage::Releasing,
            (Stage::Shipping, Outcome::Done) if cancel => Stage::Recalling,
            (Stage::Shipping, Outcome::Done) if locks => Stage::Capturing,
            (Stage::Shipping, Outcome::Refused(_)) => Stage::Refunding,
            (Stage::Capturing, _) => Stage::Picking,
            (Stage::Shipping, Outcome::Done) | (Stage::Picking, _) => Stage::Confirmed,
            (Stage::Recalling, _) => Stage::Refunding,
            (Stage::Refunding, _) => Stage::Releasing,
            (Stage::Releasing, _) | (Stage::Reserving, Outcome::Refused(_)) => end,
            (Stage::Placed | Stage::Confirmed | Stage::Cancelled | Stage::Refused, _) => self,
        }
    }

    /// Its name, as clients read it.
    pub fn name(self) -> &'static str {
        match self {
            Stage::Placed => "placed",
            Stage::Reserving => "reserving",
            Stage::Charging => "charging",
            Stage::Shipping => "shipping",
            Stage::Capturing => "capturing",
            Stage::Picking => "picking",
            Stage::Recalling => "recalling",
            Stage::Refunding => "refunding",
            Stage::Releasing => "releasing",
            Stage::Confirmed => "confirmed",
            Stage::Cancelled => "cancelled",
            Stage::Refused => "refused",
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a saga meets, it comes to an end, and what it did and undid cancels out or is
    /// complete.
    #[test]
    fn every_way_ends_with_all_or_nothing() {
        for bits in 0u32..1 << 16 {
            let (mut stage, mut done, mut cancel) = (Stage::Reserving, Vec::new(), false);
            let locks = bits & 1 == 1;
            for turn in 0..10 {
                let Some(step) = stage.step() else { break };
                cancel |= bits >> (turn + 1) & 1 == 1 && stage < Stage::Capturing;
                let refused = stage <= Stage::Shipping && bits >> (turn + 9) & 1 == 1;
                let outcome = if refused { Outcome::Refused("no".into()) } else { Outcome::Done };
                match step.undoes() {
                    Some(undone) => assert_eq!(done.pop(), Some(undone), "in reverse order"),
                    None if !refused => done.push(step),
                    None => {}
                }
                stage = stage.next(&outcome, cancel, locks);
            }
            let all = if locks { 5 } else { 3 };
            match stage {
                Stage::Confirmed => assert!(done.len() == all && !cancel),
                Stage::Cancelled => assert!(done.is_empty() && cancel),
                Stage::Refused => assert!(done.is_empty() && !cancel),
                open => panic!("{open} is no end"),
            }
        }
    }
}
