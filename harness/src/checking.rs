//! Which checkers judge a history, and their verdicts merged.

use anyhow::Result;
use crate::plan::Plan;
use quorate_checkers::aftermath;
use quorate_checkers::history::{History, Process};
use quorate_checkers::verdict::{CheckerReport, Valid, Verdict};
use quorate_checkers::{linearizable, stats};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
