//! Histories with known verdicts, where they lie beside this repository.

use flate2::read::GzDecoder;
use quorate_checkers::format::{Format, Options, read, read_cobra};
use quorate_checkers::history::{History, Loaded};
use std::io::Read;
use std::path::{Path, PathBuf};

/// The folder of cases, if it is there.
pub(crate) fn folder() -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("../../shared/cases/transactions/registers");
    folder.is_dir().then_some(folder)
}

/// All histories below a folder, by name, in the order of names.
pub(crate) fn below(folder: &Path) -> Vec<(String, History)> {
    let mut found = Vec::new();
    collect(folder, folder, &mut found);
    found.sort_by(|(a, _), (b, _)| a.cmp(b));
    assert!(!found.is_empty(), "{} holds no case", folder.display());
    found
}

fn collect(root: &Path, folder: &Path, found: &mut Vec<(String, History)>) {
    let entries: Vec<PathBuf> =
        folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    let name = |path: &Path| path.strip_prefix(root).unwrap().display().to_string();
    let logs: Vec<&PathBuf> =
        entries.iter().filter(|path| path.extension().is_some_and(|e| e == "log")).collect();
    if !logs.is_empty() {
        let inputs = logs.iter().map(|path| (session(path), name(path), bytes(path)));
        let inputs: Vec<(u64, String, Vec<u8>)> = inputs.collect();
        let inputs = inputs.iter().map(|(n, name, bytes)| (*n, name.clone(), &bytes[..]));
        found.push((name(folder), history(read_cobra(inputs))));
        return;
    }
    for path in entries {
        if path.is_dir() {
            collect(root, &path, found);
        } else if path.extension().is_none_or(|e| e != "tsv") {
            found.push((name(&path), history(load(&path))));
        }
    }
}

fn history<E: std::fmt::Display>(loaded: Result<Loaded, E>) -> History {
    loaded.unwrap_or_else(|error| panic!("{error}")).history
}

fn load(path: &Path) -> Result<Loaded, quorate_checkers::history::ReadError> {
    let bytes = bytes(path);
    let name = path.display().to_string();
    let plain = name.strip_suffix(".gz").unwrap_or(&name);
    let format = Format::detect(plain, &bytes[..bytes.len().min(256)]);
    let format = format.unwrap_or_else(|| panic!("{name}: no format fits"));
    read(&bytes[..], &name, format, Options::default())
}

#[expect(clippy::disallowed_methods, reason = "the test reads the files; the crate does not")]
fn bytes(path: &Path) -> Vec<u8> {
    let bytes = std::fs::read(path).unwrap();
    if path.extension().is_none_or(|extension| extension != "gz") {
        return bytes;
    }
    let mut plain = Vec::new();
    GzDecoder::new(&bytes[..]).read_to_end(&mut plain).unwrap();
    plain
}

fn session(path: &Path) -> u64 {
    let stem = path.file_stem().unwrap().to_str().unwrap();
    stem.trim_start_matches('T').parse().unwrap()
}
