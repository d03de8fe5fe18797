//! `quorate serve`: browse the runs in a browser.

use super::{file_trouble, wrong};
use crate::outln;
use crate::serve::Server;
use anyhow::{Context, Result};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Where runs are unless something else is said.
const DEFAULT_RESULTS: &str = "results";

/// Browse the runs below a results folder: the list, their reports, and the run that is going on.
#[derive(clap::Args, Debug)]
#[command(
    after_help = "Examples:\n  quorate serve                        then open http://127.0.0.1:8080\n  quorate serve --results results/examples --port 0"
)]
pub struct Args {
    /// Where runs are
    #[arg(long, value_name = "DIR", default_value = DEFAULT_RESULTS)]
    results: PathBuf,
    /// The port on 127.0.0.1; 0 takes a free one
    #[arg(short, long, value_name = "P", default_value_t = 8080)]
    port: u16,
}

/// Carries it out; ends with Ctrl-C.
pub fn main(args: &Args) -> Result<ExitCode> {
    // Where runs go by default there may be none yet.
    if args.results == Path::new(DEFAULT_RESULTS) && !args.results.exists() {
        std::fs::create_dir(&args.results)
            .map_err(|error| file_trouble(error, format!("cannot create {DEFAULT_RESULTS}")))?;
    }
    if !args.results.is_dir() {
        return Err(wrong(format!("{}: there is no such folder", args.results.display())));
    }
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), args.port);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("cannot start the server's threads")?;
    runtime.block_on(async {
        let server = Server::bind(&args.results, address).await?;
        outln!("http://{}", server.address());
        tokio::select! {
            served = server.run() => served,
            ended = tokio::signal::ctrl_c() => ended.context("cannot wait for Ctrl-C"),
        }
    })?;
    Ok(ExitCode::SUCCESS)
}
