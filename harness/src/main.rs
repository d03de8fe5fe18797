//! The binary `quorate`.

fn main() -> std::process::ExitCode {
    quorate::cli::main()
}
