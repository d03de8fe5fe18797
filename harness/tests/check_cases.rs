//! Every history with a known verdict, through the command line's own checking: format and
//! object are found without being named.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use quorate::checking::{self, Asked, Request};
use quorate::load;
use quorate_checkers::verdict::Valid;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

fn folder() -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases/linearizable");
    path.is_dir().then_some(path)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// What a case's verdict is, by its name, its folder, or the list beside it.
fn expected(path: &Path, verdicts: &BTreeMap<String, bool>) -> Option<bool> {
    let name = path.file_name()?.to_string_lossy().into_owned();
    let within = |part: &str| path.components().any(|one| one.as_os_str() == part);
    let known = verdicts.get(&name).or_else(|| {
        let stem = path.file_stem().map(|stem| stem.to_string_lossy().into_owned());
        stem.and_then(|stem| verdicts.get(&stem))
    });
    match path.extension()?.to_str()? {
        "log" if within("etcd-logs") => known.copied(),
        "txt" => Some(name.contains("-ok")),
        "edn" => Some(within("good")),
        "log" if name.starts_with("lin_") || name.starts_with("nonlin_") => {
            Some(name.starts_with("lin_"))
        }
        _ => None,
    }
}

fn verdict(path: &Path) -> Valid {
    let loaded = load::load(Path::new("results"), Some(path), None).unwrap();
    let request =
        Request::choose(&loaded.history, loaded.plan.as_ref(), None, &Asked::default()).unwrap();
    checking::check(&loaded.history, &request).valid
}

#[test]
fn every_case_agrees_through_the_command_line() {
    let Some(folder) = folder() else { return };
    let verdicts = fs::read_to_string(folder.join("etcd-logs/VERDICTS.tsv")).unwrap();
    let verdicts: BTreeMap<String, bool> = verdicts
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, valid)| (name.to_owned(), valid.trim() == "true"))
        .collect();
    let (mut cases, mut wrong) = (0, Vec::new());
    for path in files(&folder) {
        let Some(expected) = expected(&path, &verdicts) else { continue };
        cases += 1;
        let valid = verdict(&path);
        if valid != if expected { Valid::True } else { Valid::False } {
            wrong.push(format!("{}: {valid:?}", path.strip_prefix(&folder).unwrap().display()));
        }
    }
    assert!(cases > 200, "only {cases} cases were found");
    assert!(wrong.is_empty(), "{} of {cases} cases:\n{}", wrong.len(), wrong.join("\n"));
}
