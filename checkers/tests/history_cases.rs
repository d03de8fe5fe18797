//! Histories that others recorded are read whole.
//!
//! They are not part of this repository; where they lie beside it, all of them must be read.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use quorate_checkers::format::{Format, Options, read};
use quorate_checkers::history::{EventType, Loaded};
use std::path::{Path, PathBuf};

/// The folder `name` of the shared cases, if it is there.
fn folder(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/cases");
    let folder = root.join(name);
    folder.is_dir().then_some(folder)
}

#[expect(clippy::disallowed_methods, reason = "the test reads the files; the crate does not")]
fn load(path: &Path, options: Options) -> Loaded {
    let bytes = std::fs::read(path).unwrap();
    let name = path.display().to_string();
    let format = Format::detect(&name, &bytes[..bytes.len().min(100)]).unwrap();
    read(&bytes[..], &name, format, options).unwrap_or_else(|error| panic!("{error}"))
}

/// Reads all files of a folder with one of the extensions; how many there were. Nothing if the
/// folder is not there.
fn each(name: &str, extensions: &[&str], mut check: impl FnMut(&Path)) -> Option<usize> {
    let mut folders = vec![folder(name)?];
    let mut count = 0;
    while let Some(folder) = folders.pop() {
        for entry in folder.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let extension = path.extension().and_then(|extension| extension.to_str());
            if path.is_dir() {
                folders.push(path);
            } else if extensions.contains(&extension.unwrap_or_default()) {
                count += 1;
                check(&path);
            }
        }
    }
    assert!(count > 0, "{name} holds no case");
    Some(count)
}

#[test]
fn etcd_logs() {
    let mut outcomes = [0_u64; 4];
    let count = each("linearizable/etcd-logs", &["log"], |path| {
        for event in load(path, Options::default()).history.events() {
            outcomes[event.kind as usize] += 1;
        }
    });
    if let Some(count) = count {
        // As many as reference readers count.
        let invocations = 2_939 + 2_748 + 2_836;
        let oks = 203 + 2_719 + 2_122 + 431;
        assert_eq!(outcomes, [invocations, oks, 1_748 + 17, 626 + 657]);
        assert_eq!(count, 103);
    }
}

#[test]
fn kv_data() {
    let mut operations = 0;
    let count = each("linearizable/append-kv", &["txt"], |path| {
        let history = load(path, Options::default()).history;
        assert!(history.ops().all(|op| op.outcome == EventType::Ok && op.key().is_some()));
        operations += history.operations().len();
    });
    assert!(count.is_none_or(|count| count == 6 && operations == 4_574), "{count:?} {operations}");
}

#[test]
fn knossos() {
    let count = each("linearizable/knossos", &["edn"], |path| {
        let loaded = load(path, Options::default());
        assert!(!loaded.history.events().is_empty(), "{}", path.display());
        assert!(loaded.history.ops().all(|op| op.key().is_none()), "{}", path.display());
    });
    assert!(count.is_none_or(|count| count >= 120), "{count:?}");
}

#[test]
fn elle() {
    let options = Options { synthesise: true, ..Options::default() };
    let count = each("transactions/jepsen-edn", &["edn", "json"], |path| {
        let loaded = load(path, options);
        assert!(!loaded.history.operations().is_empty(), "{}", path.display());
    });
    assert!(count.is_none_or(|count| count >= 15), "{count:?}");
}
