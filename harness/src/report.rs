//! A placeholder while the report is being written elsewhere.
use crate::plan::Plan;
use quorate_checkers::history::History;
use quorate_checkers::verdict::Verdict;
/// Nothing yet.
pub fn write(_: &std::path::Path, _: &Plan, _: &History, _: &Verdict) -> anyhow::Result<()> {
    Ok(())
}
