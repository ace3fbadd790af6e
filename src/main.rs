//! The program: arguments → `cli::run` → exit code.

fn main() -> std::process::ExitCode {
    crossfade::cli::run()
}
