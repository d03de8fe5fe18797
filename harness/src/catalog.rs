//! What there is to run: the bundled databases of [`quorate_targets::registry`], and none, with
//! their workloads, options and bugs. Lookups by name say what there is when a name is unknown.

use crate::plan::Plan;
use quorate_targets::bugs::{self, Bug};
use quorate_targets::names::UnknownName;
use quorate_targets::node::{Config, NodeId};
use quorate_targets::registry;
use quorate_targets::seed::Seed;
use quorate_workloads::options::Options;
use quorate_workloads::registry as workloads;
use quorate_workloads::workload::Workload;
use std::collections::BTreeMap;

/// A system under test.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in one line.
    pub description: &'static str,
    /// Workloads that it can run; the first is the default.
    pub workloads: &'static [&'static str],
    /// The default cluster size; 0 where there is no cluster.
    pub nodes: u16,
    bundled: Option<&'static registry::Target>,
}

/// Where there is no cluster: a map inside the harness.
const NULL: Target = Target {
    name: "null",
    description: "a key-value map inside the harness, without a cluster: how fast the harness is",
    workloads: &["register"],
    nodes: 0,
    bundled: None,
};

/// All targets: the bundled databases, and none.
pub fn targets() -> impl Iterator<Item = Target> {
    registry::TARGETS.iter().map(Target::of).chain([NULL])
}

/// The target called `name`.
pub fn target(name: &str) -> Result<Target, UnknownName> {
    targets()
        .find(|target| target.name == name)
        .ok_or_else(|| UnknownName::new("target", name, targets().map(|target| target.name)))
}

/// A new instance of a workload; the error says which option is wrong.
pub fn new_workload(
    name: &str,
    options: &BTreeMap<String, String>,
    seed: Seed,
    members: &[NodeId],
) -> Result<Box<dyn Workload>, String> {
    let entry = workloads::find(name).map_err(|error| error.to_string())?;
    let options = Options::from(options.clone());
    (entry.construct)(&options, seed, members).map_err(|error| error.to_string())
}

/// What a plan switches on although its workload never asks for it, in words: bugs and options
/// that show only with workloads of another api.
pub fn idle(plan: &Plan) -> Vec<String> {
    let Ok(asked) = workloads::find(&plan.workload) else { return Vec::new() };
    // The workload that a bug needs, and the options of the target that go with it.
    let needs = |entry: &bugs::Entry| {
        let values = |flag: &'static str| {
            let pairs = entry.needs.windows(2).filter(move |pair| pair[0] == flag);
            pairs.map(|pair| pair[1])
        };
        let workload = values("--workload").next()?;
        let other = workloads::find(workload).ok().filter(|entry| entry.api != asked.api)?;
        let options = values("--target-opt").filter_map(|option| option.split('=').next());
        Some((other.name, options.collect::<Vec<_>>()))
    };
    let mut told = Vec::new();
    let mut tell = |what: &str, other: &str| {
        told.push(format!(
            "{what} does not show with the workload {}, which never asks for what it is about; \
             one with which it does is {other}",
            plan.workload
        ));
    };
    for entry in bugs::of(&plan.target) {
        if let Some((other, _)) = needs(entry).filter(|_| plan.bugs.contains(&entry.bug)) {
            tell(&format!("the bug {}", entry.name), other);
        }
    }
    for option in plan.target_options.keys() {
        let of = |(other, options): (&'static str, Vec<&str>)| {
            options.contains(&option.as_str()).then_some(other)
        };
        if let Some(other) = bugs::of(&plan.target).filter_map(needs).find_map(of) {
            tell(&format!("the option {option}"), other);
        }
    }
    told
}

impl Target {
    fn of(bundled: &'static registry::Target) -> Target {
        let registry::About { name, description, workloads, nodes, .. } = bundled.about;
        Target { name, description, workloads, nodes, bundled: Some(bundled) }
    }

    /// The bundled database behind it, if it is one.
    pub fn bundled(&self) -> Option<&'static registry::Target> {
        self.bundled
    }

    /// The workload called `name`, if this target can run it.
    pub fn workload(&self, name: &str) -> Result<&'static str, UnknownName> {
        self.workloads.iter().find(|known| **known == name).copied().ok_or_else(|| {
            UnknownName::new("workload", name, self.workloads.iter().copied()).owned_by(self.name)
        })
    }

    /// This target's bugs.
    pub fn bugs(&self) -> impl Iterator<Item = &'static bugs::Entry> + use<> {
        bugs::of(self.name)
    }

    /// The bug called `name`, if this target has it.
    pub fn bug(&self, name: &str) -> Result<Bug, UnknownName> {
        self.bugs().find(|entry| entry.name == name).map(|entry| entry.bug).ok_or_else(|| {
            UnknownName::new("bug", name, self.bugs().map(|entry| entry.name)).owned_by(self.name)
        })
    }

    /// Whether a node would boot with these options; the error says which one is wrong.
    pub fn validate(
        &self,
        members: &[NodeId],
        bugs: &[Bug],
        options: &BTreeMap<String, String>,
    ) -> Result<(), String> {
        match (self.bundled, members.first()) {
            (Some(bundled), Some(id)) => bundled.validate(Config {
                id: *id,
                members: members.to_vec(),
                bugs: bugs.to_vec(),
                options: options.clone(),
            }),
            _ if options.is_empty() => Ok(()),
            _ => Err(format!("{} has no options", self.name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_target_has_the_api_of_its_workloads() {
        for target in targets() {
            for name in target.workloads {
                let workload = workloads::find(name).unwrap();
                if let Some(bundled) = target.bundled {
                    assert!(bundled.has_api(workload.api), "{} cannot run {name}", target.name);
                }
            }
            for bug in target.bugs() {
                assert_eq!(target.bug(bug.name), Ok(bug.bug));
            }
        }
        for bug in bugs::ALL {
            assert!(target(bug.target).is_ok(), "{} is a bug of no target", bug.name);
        }
    }
}
