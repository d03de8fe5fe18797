//! Walks the tree and holds it to the house rules that neither compiler nor clippy checks.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

/// Longest line, in characters.
const COLUMNS_MAX: usize = 100;
/// Longest function, in lines.
const FUNCTION_LINES_MAX: usize = 70;
/// Longest file of code, in lines, its own tests not counted.
const FILE_LINES_MAX: usize = 600;

/// Functions that are better long, each with its reason.
const LONG_FUNCTIONS: &[(&str, &str)] = &[];
/// Files that are better long, each with its reason.
const LONG_FILES: &[(&str, &str)] = &[];

const CRATES: [&str; 4] = ["checkers", "targets", "workloads", "harness"];

/// Which of our crates each crate may import.
const IMPORTS: [(&str, &[&str]); 4] = [
    ("checkers", &[]),
    ("targets", &[]),
    ("workloads", &["checkers", "targets"]),
    ("harness", &["checkers", "targets", "workloads"]),
];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_path_buf()
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for path in entries {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// All Rust files with their texts, by path relative to the root.
fn sources() -> Vec<(String, String)> {
    let mut paths = Vec::new();
    for krate in CRATES {
        rust_files(&root().join(krate), &mut paths);
    }
    assert!(paths.len() > 20, "the walk found only {} files", paths.len());
    paths
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(root()).unwrap().display().to_string();
            (name, fs::read_to_string(&path).unwrap())
        })
        .collect()
}

fn report(title: &str, offences: &[String]) {
    assert!(offences.is_empty(), "{title}:\n  {}", offences.join("\n  "));
}

#[test]
fn every_file_begins_with_its_idea() {
    let offences: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| !text.starts_with("//! "))
        .map(|(name, _)| name)
        .collect();
    report("files that do not begin with what they are (//! ...)", &offences);
}

#[test]
fn lines_fit_a_screen() {
    let mut offences = Vec::new();
    for (name, text) in sources() {
        for (number, line) in text.lines().enumerate() {
            // Neither a string nor a row of a table can be broken.
            let whole = line.contains('"') || line.trim_start().starts_with("//! |");
            if line.chars().count() > COLUMNS_MAX && !whole {
                offences.push(format!("{name}:{}", number + 1));
            }
        }
    }
    report(&format!("lines longer than {COLUMNS_MAX} columns"), &offences);
}

/// Functions of a rustfmt-ed file: name, first line, length.
fn functions(text: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let words: Vec<&str> = code.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "fn") else { continue };
        let modifiers = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
        if !words[..at].iter().all(|word| modifiers.contains(word)) {
            continue;
        }
        let name: String = words
            .get(at + 1)
            .map(|word| word.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect())
            .unwrap_or_default();
        let close = format!("{}}}", " ".repeat(indent));
        let length = lines[start..].iter().position(|line| **line == close).map_or(1, |n| n + 1);
        found.push((name, start + 1, length));
    }
    found
}

#[test]
fn functions_fit_a_screen() {
    let mut offences = Vec::new();
    let mut seen = Vec::new();
    for (file, text) in sources() {
        for (name, line, length) in functions(&text) {
            if length > FUNCTION_LINES_MAX {
                let full = format!("{file}:{name}");
                if LONG_FUNCTIONS.iter().any(|(known, _)| *known == full) {
                    seen.push(full);
                } else {
                    offences.push(format!("{file}:{line} {name} has {length} lines"));
                }
            }
        }
    }
    report(&format!("functions longer than {FUNCTION_LINES_MAX} lines"), &offences);
    for (known, _) in LONG_FUNCTIONS {
        assert!(seen.iter().any(|name| name == known), "{known} is not long any more: unlist it");
    }
}

#[test]
fn files_hold_one_idea() {
    let offences: Vec<String> = sources()
        .into_iter()
        .filter(|(name, _)| !name.contains("/tests/") && !name.ends_with("tests.rs"))
        .filter(|(name, _)| LONG_FILES.iter().all(|(known, _)| known != name))
        .map(|(name, text)| {
            let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(&text);
            (name, code.lines().count())
        })
        .filter(|(_, lines)| *lines > FILE_LINES_MAX)
        .map(|(name, lines)| format!("{name} has {lines} lines"))
        .collect();
    report(&format!("files longer than {FILE_LINES_MAX} lines"), &offences);
}

#[test]
fn crates_import_only_what_the_design_allows() {
    let mut offences = Vec::new();
    for (file, text) in sources() {
        let krate = file.split('/').next().unwrap();
        let allowed = IMPORTS.iter().find(|(name, _)| *name == krate).unwrap().1;
        for other in CRATES.iter().filter(|other| **other != krate) {
            let name =
                if *other == "harness" { "quorate::".into() } else { format!("quorate_{other}") };
            let imported = text.lines().any(|line| {
                let code = line.trim_start();
                !code.starts_with("//") && !code.starts_with('"') && code.contains(&name)
            });
            if imported && !allowed.contains(other) {
                offences.push(format!("{file} imports {other}"));
            }
        }
    }
    for (krate, allowed) in IMPORTS {
        let manifest = fs::read_to_string(root().join(krate).join("Cargo.toml")).unwrap();
        for other in CRATES.iter().filter(|other| **other != krate && !allowed.contains(other)) {
            let name =
                if *other == "harness" { "quorate.".into() } else { format!("quorate-{other}") };
            if manifest.lines().any(|line| line.starts_with(&name)) {
                offences.push(format!("{krate}/Cargo.toml depends on {other}"));
            }
        }
    }
    report("imports that the design forbids", &offences);
}

#[test]
fn every_dependency_has_its_reason() {
    let map = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let mut offences = Vec::new();
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let table = manifest.split("[workspace.dependencies]").nth(1).unwrap();
    for line in table.lines().take_while(|line| !line.starts_with("[workspace.lints")) {
        let Some((name, _)) = line.split_once(" = ") else { continue };
        let ours = name.starts_with("quorate-");
        if !ours && !map.contains(&format!("`{name}`")) {
            offences.push(name.to_owned());
        }
    }
    report("dependencies without a line of reason in ARCHITECTURE.md", &offences);
}

#[test]
fn every_bug_has_its_test_and_its_row() {
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let tests: String = sources()
        .into_iter()
        .filter(|(name, _)| name.contains("/tests/"))
        .map(|(_, text)| text)
        .collect();
    let mut offences = Vec::new();
    for entry in quorate_targets::bugs::ALL {
        let names = [format!("\"{}\"", entry.name), format!("Bug::{:?}", entry.bug)];
        if !names.iter().any(|name| tests.contains(name)) {
            offences.push(format!("{} is named by no test", entry.name));
        }
        if !readme.contains(&format!("`{}`", entry.name)) {
            offences.push(format!("{} has no row in README's track record", entry.name));
        }
    }
    report("seeded bugs without proof", &offences);
}

#[test]
fn commands_in_the_documents_exist() {
    use clap::CommandFactory;
    let command = quorate::cli::Cli::command();
    let known: Vec<String> =
        command.get_subcommands().map(|sub| sub.get_name().to_owned()).collect();
    let mut offences = Vec::new();
    let mut seen = 0;
    for document in ["README.md", "ARCHITECTURE.md"] {
        let text = fs::read_to_string(root().join(document)).unwrap();
        for (number, line) in text.lines().enumerate() {
            let Some(rest) = line.trim_start().trim_start_matches("$ ").strip_prefix("quorate ")
            else {
                continue;
            };
            let words: Vec<&str> =
                rest.split('#').next().unwrap_or("").split_whitespace().collect();
            seen += 1;
            let name = words.first().copied().unwrap_or("");
            if !known.iter().any(|sub| sub == name) {
                offences.push(format!("{document}:{}: quorate {name}", number + 1));
                continue;
            }
            let line = ["quorate"].into_iter().chain(words.iter().copied());
            if let Err(error) = command.clone().try_get_matches_from(line)
                && error.use_stderr()
            {
                offences.push(format!("{document}:{}: {error}", number + 1));
            }
        }
    }
    assert!(seen > 3, "README shows only {seen} commands");
    report("commands that do not parse", &offences);
}
