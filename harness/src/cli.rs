//! The command line: flags become a plan, a plan is carried out, the outcome becomes an exit
//! code.

pub mod check;
pub mod compare;
pub mod convert;
pub mod hunt;
pub mod list;
pub mod node;
pub mod report;
pub mod run;
pub mod serve;
pub mod show;
pub mod sim;

pub use crate::usage::{Wrong, file_trouble, wrong, wrong_name};

use crate::{errln, out};
use anyhow::Result;
use clap::{Parser, Subcommand};
use quorate_checkers::verdict::Valid;
use std::io;
use std::process::ExitCode;

/// Exit code for arguments or input that are wrong.
pub const EXIT_USAGE: u8 = 254;
/// Exit code for a failure of Quorate itself.
pub const EXIT_FAILURE: u8 = 255;

/// Puts a database through an ordeal and says what it really promised.
#[derive(Parser, Debug)]
#[command(name = "quorate", version, max_term_width = 100, arg_required_else_help = true)]
#[command(
    after_help = "Start here:\n  quorate run raft-kv              break a real five-node cluster for 20 s and judge it\n  quorate run raft-kv --bug stale-read --nemesis partition\n  quorate list                     what there is to run, break and check\n\nExit codes: 0 valid, 1 invalid, 2 unknown, 254 wrong arguments or input, 255 Quorate failed."
)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand, Debug)]
enum Command {
    Run(Box<run::Args>),
    Sim(Box<sim::Args>),
    Hunt(Box<hunt::Args>),
    Check(check::Args),
    Compare(Box<compare::Args>),
    Convert(convert::Args),
    Show(show::Args),
    Report(report::Args),
    Serve(serve::Args),
    List(list::Args),
    Node(node::Args),
}

/// How results are printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// Parses the command line and carries it out.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            let printed = error.print();
            let usage = error.use_stderr();
            return if usage { ExitCode::from(EXIT_USAGE) } else { printed_out(printed) };
        }
    };
    let code = dispatch(cli.command).unwrap_or_else(|error| {
        errln!("quorate: {error:#}");
        let usage = error.downcast_ref::<Wrong>().is_some();
        ExitCode::from(if usage { EXIT_USAGE } else { EXIT_FAILURE })
    });
    match out::finish() {
        Ok(()) => code,
        Err(error) => cannot_print(&error),
    }
}

/// The exit code after the help was printed.
fn printed_out(printed: io::Result<()>) -> ExitCode {
    match printed {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => cannot_print(&error),
        _ => ExitCode::SUCCESS,
    }
}

fn cannot_print(error: &io::Error) -> ExitCode {
    errln!("quorate: cannot write to stdout: {error}");
    ExitCode::from(EXIT_FAILURE)
}

fn dispatch(command: Command) -> Result<ExitCode> {
    match command {
        Command::Run(args) => run::main(&args),
        Command::Sim(args) => sim::main(&args),
        Command::Hunt(args) => hunt::main(&args),
        Command::Check(args) => check::main(&args),
        Command::Compare(args) => compare::main(&args),
        Command::Convert(args) => convert::main(&args),
        Command::Show(args) => show::main(&args),
        Command::Report(args) => report::main(&args),
        Command::Serve(args) => serve::main(&args),
        Command::List(args) => list::main(&args),
        Command::Node(args) => node::main(args),
    }
}

/// The exit code of a verdict.
pub fn exit_code(valid: Valid) -> ExitCode {
    ExitCode::from(match valid {
        Valid::True => 0,
        Valid::False => 1,
        Valid::Unknown => 2,
    })
}
