//! The program: parse the command line, open the window or run a subcommand. The only exit.

use std::process::ExitCode;

use clap::Parser;
use digitpad::cli::{self, Cli, Next};
use digitpad::ui::{self, Shown};

/// The exit code where there is no display for the window.
const NO_DISPLAY: u8 = 3;

fn main() -> ExitCode {
    set_for_libraries();
    keep_freed_memory();
    match cli::run(Cli::parse()) {
        Next::Exit(code) => ExitCode::from(code),
        Next::Window(args) => match ui::open(args.renderer.named(), args.runs, args.files) {
            Ok(Shown::Closed) => ExitCode::SUCCESS,
            Ok(Shown::Elsewhere(code)) => ExitCode::from(code),
            Ok(Shown::NoDisplay(sentence)) => {
                cli::complain(&sentence);
                ExitCode::from(NO_DISPLAY)
            }
            Err(error) => {
                cli::complain(&format!("{error:#}"));
                ExitCode::FAILURE
            }
        },
    }
}

/// Candle keeps pools of its own that spin while they wait, and reads the list of processors at every product. Ours do
/// the work, so both are told to stay out of the way. And where panics are to be traced, Candle writes a trace into the
/// sentence of every error too.
fn set_for_libraries() {
    for (variable, value) in [("CANDLE_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "1"), ("RUST_LIB_BACKTRACE", "0")] {
        if std::env::var_os(variable).is_none() {
            // SAFETY: nothing else runs yet; this is the first statement of the program.
            unsafe { std::env::set_var(variable, value) };
        }
    }
}

/// Training takes and frees the same few megabytes thousands of times a second. Left alone, the GNU allocator returns them
/// to the system each time, and a fifth of the time goes into getting them back.
fn keep_freed_memory() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    // SAFETY: both calls only set limits of the allocator; where they fail nothing changes.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, 256 << 20);
        libc::mallopt(libc::M_TRIM_THRESHOLD, 256 << 20);
    }
}
