//! A run as a zip, made while it is sent.

use super::{State, problem};
use axum::body::{Body, Bytes};
use axum::extract::Path as UrlPath;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;
use tokio::sync::mpsc;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Chunks that wait for the browser.
const CHUNKS: usize = 8;
/// Bytes of a chunk.
const CHUNK: usize = 256 << 10;
/// Folders within folders; a run has `nodes/n1/data`.
const DEPTH_MAX: usize = 8;
/// What needs more than 32 bits for its size.
const LARGE: u64 = 0xffff_0000;

/// Sends the zip of a run.
pub(super) async fn zip(state: State, UrlPath(path): UrlPath<String>) -> Response {
    let folder = state.root.find(&path).filter(|folder| crate::results::is_run(folder));
    let Some(folder) = folder else {
        return problem(StatusCode::NOT_FOUND, "There is no such run below the results.");
    };
    let relative = folder.strip_prefix(state.root.path()).unwrap_or(&folder);
    let name = file_name(relative);
    let (send, receive) = mpsc::channel(CHUNKS);
    let prefix = name.clone();
    tokio::task::spawn_blocking(move || {
        let out = io::BufWriter::with_capacity(CHUNK, Pipe(send.clone()));
        if let Err(error) = write(&folder, &prefix, out) {
            // A download that breaks off is seen to be broken.
            let _ = send.blocking_send(Err(error));
        }
    });
    let chunks = stream::unfold(receive, |mut receive| async {
        receive.recv().await.map(|chunk| (chunk, receive))
    });
    let disposition = format!("attachment; filename=\"{name}.zip\"");
    let disposition = HeaderValue::from_str(&disposition)
        .unwrap_or_else(|_| HeaderValue::from_static("attachment; filename=\"run.zip\""));
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("application/zip")),
        (header::CONTENT_DISPOSITION, disposition),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

/// A run's path as a name that any system can have.
fn file_name(path: &Path) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || "-.".contains(c) { c } else { '_' };
    path.to_string_lossy().chars().map(plain).collect()
}

fn write(folder: &Path, prefix: &str, out: impl Write) -> io::Result<()> {
    let mut zip = ZipWriter::new_stream(out);
    add(&mut zip, folder, prefix, 0)?;
    let mut out = zip.finish()?.into_inner();
    out.flush()
}

/// Adds what is in a folder, in the order of names; links are left out.
fn add<W: Write>(
    zip: &mut ZipWriter<zip::write::StreamWriter<W>>,
    folder: &Path,
    prefix: &str,
    depth: usize,
) -> io::Result<()> {
    let mut entries: Vec<fs::DirEntry> = fs::read_dir(folder)?.collect::<io::Result<_>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let kind = entry.file_type()?;
        let name = format!("{prefix}/{}", entry.file_name().to_string_lossy());
        if kind.is_dir() && depth < DEPTH_MAX {
            add(zip, &entry.path(), &name, depth + 1)?;
        } else if kind.is_file() {
            let mut file = File::open(entry.path())?;
            let options = SimpleFileOptions::default()
                .compression_method(CompressionMethod::Deflated)
                .large_file(file.metadata()?.len() > LARGE);
            zip.start_file(name, options)?;
            io::copy(&mut file, zip)?;
        }
    }
    Ok(())
}

/// Hands chunks over to the task that sends them.
struct Pipe(mpsc::Sender<io::Result<Bytes>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let chunk = Bytes::copy_from_slice(bytes);
        let gone = |_| io::Error::new(io::ErrorKind::BrokenPipe, "the browser went away");
        self.0.blocking_send(Ok(chunk)).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
