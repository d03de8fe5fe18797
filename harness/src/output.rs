//! Files that a person names to be written: as a whole or not at all where that can be done, and
//! into whatever stands there, be it a pipe, a device or a link.

use crate::results;
use crate::usage::file_trouble;
use anyhow::Result;
use std::fs::{self, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

/// Writes the file. What is wrong with the name is the asker's trouble, a full disk is ours.
pub fn write(path: &Path, write: impl FnOnce(&mut dyn Write) -> Result<()>) -> Result<()> {
    let cannot = |error| file_trouble(error, format!("cannot write {}", path.display()));
    let place = Place::of(path).map_err(cannot)?;
    let (draft, file) = match &place {
        Place::File(path) => results::draft_beside(path).map(|(draft, file)| (Some(draft), file)),
        Place::Other => OpenOptions::new().write(true).create(true).open(path).map(|f| (None, f)),
    }
    .map_err(cannot)?;
    let mut out = BufWriter::new(file);
    let written = write(&mut out).and_then(|()| out.flush().map_err(cannot));
    let (Some(draft), Place::File(path)) = (draft, &place) else { return written };
    let written = written.and_then(|()| settle(&draft, path).map_err(cannot));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written
}

/// Puts a draft where it belongs, with the rights of what it replaces.
fn settle(draft: &Path, path: &Path) -> io::Result<()> {
    if let Ok(old) = fs::metadata(path) {
        fs::set_permissions(draft, old.permissions())?;
    }
    fs::rename(draft, path)
}

/// What stands at a path.
enum Place {
    /// A file, or nothing: what is written replaces it.
    File(PathBuf),
    /// Something to write into.
    Other,
}

impl Place {
    fn of(path: &Path) -> io::Result<Place> {
        match fs::metadata(path) {
            Ok(data) if data.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
            // A link to a file stays one.
            Ok(data) if data.is_file() => path.canonicalize().map(Place::File),
            Ok(_) => Ok(Place::Other),
            // A link to nothing.
            Err(_) if path.is_symlink() => Ok(Place::Other),
            Err(_) => Ok(Place::File(path.to_path_buf())),
        }
    }
}

/// Whether both are one file, by whatever names.
pub fn is_same(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path: &Path| {
        let data = fs::metadata(path).ok()?;
        data.is_file().then(|| (data.dev(), data.ino()))
    };
    identity(one).is_some_and(|one| identity(other) == Some(one))
}
