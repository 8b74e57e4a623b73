//! The command line: the same functions as the window, for scripts, servers without a screen, and tests. A file per
//! command; what they print and take is a contract.

mod ablate;
mod bench;
mod check;
mod data;
mod errors_picture;
mod eval;
mod output;
mod predict;
mod race;
mod redrawn_digits;
mod resume;
mod runs;
mod train;
mod training_output;

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::Result;
use clap::error::ErrorKind;
use clap::{Args, CommandFactory, Parser, Subcommand, ValueEnum};

use crate::nn::{Compute, DeviceChoice};
use crate::storage::Renderer;

/// Draw a digit and watch a neural network learn to read it.
#[derive(Parser)]
#[command(name = "digitpad", version, about, args_conflicts_with_subcommands = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    pub window: WindowArgs,
}

/// How the window opens.
#[derive(Args)]
pub struct WindowArgs {
    /// What draws the window
    #[arg(long, value_enum, default_value = "auto")]
    pub renderer: RendererChoice,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    pub runs: Option<PathBuf>,
    /// Images to open
    #[arg(value_name = "FILE")]
    pub files: Vec<PathBuf>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RendererChoice {
    Auto,
    Wgpu,
    Glow,
}

impl RendererChoice {
    /// The renderer that was named, if one was.
    pub fn named(self) -> Option<Renderer> {
        match self {
            Self::Auto => None,
            Self::Wgpu => Some(Renderer::Wgpu),
            Self::Glow => Some(Renderer::Glow),
        }
    }
}

#[derive(Subcommand)]
enum Command {
    /// Train a model
    Train(train::TrainArgs),
    /// Go on with a run that was interrupted
    Resume(resume::ResumeArgs),
    /// List runs, show one, or compare several
    Runs(runs::RunsArgs),
    /// Judge models on a set of images
    Eval(eval::EvalArgs),
    /// Read images or pen strokes
    Predict(predict::PredictArgs),
    /// List, fetch or verify data sets
    Data(data::DataArgs),
    /// Compare settings over several seeds
    Ablate(ablate::AblateArgs),
    Check(check::CheckArgs),
    Race(race::RaceArgs),
    /// Measure the speed of training and reading
    Bench(bench::BenchArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum DeviceArg {
    Auto,
    Cpu,
    Cuda,
    Metal,
}

/// Where numbers are worked out.
#[derive(Args)]
struct ComputeArgs {
    /// What computes; auto, as without this flag, takes an accelerator when there is one
    #[arg(long, value_enum)]
    device: Option<DeviceArg>,
    /// Threads on the processor; all by default
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
}

impl ComputeArgs {
    fn open(&self) -> Result<Arc<Compute>> {
        let choice = match self.device {
            None | Some(DeviceArg::Auto) => DeviceChoice::Auto,
            Some(DeviceArg::Cpu) => DeviceChoice::Cpu,
            Some(DeviceArg::Cuda) => DeviceChoice::Cuda,
            Some(DeviceArg::Metal) => DeviceChoice::Metal,
        };
        let compute = Compute::new(choice, self.threads.map(usize::from))?;
        // a program built for the processor alone need not say so at every call, only when it is asked to choose
        let asked_to_choose = matches!(self.device, Some(DeviceArg::Auto)) || cfg!(feature = "cuda");
        if let Some(notice) = compute.notice()
            && asked_to_choose
        {
            output::note(notice);
        }
        Ok(Arc::new(compute))
    }
}

/// Says on standard error what went wrong.
pub fn complain(sentence: &str) {
    output::note(sentence);
}

/// What to do after the command line is understood.
pub enum Next {
    /// Open the window.
    Window(WindowArgs),
    /// Leave with this exit code.
    Exit(u8),
}

/// The exit code of clap for what it does not understand.
const WRONG_USAGE: u8 = 2;

/// A first word that is no file and does not look like one: opening a window on it would hide the mistake.
fn misspelt_command(files: &[PathBuf]) -> Option<&str> {
    let first = files.first()?;
    let is_word = first.components().count() == 1 && first.extension().is_none();
    if is_word && !first.exists() { first.to_str() } else { None }
}

/// Runs the subcommand, if one was given. Errors end with one sentence and exit code 1.
pub fn run(cli: Cli) -> Next {
    let result = match cli.command {
        None => match misspelt_command(&cli.window.files) {
            Some(word) => {
                let sentence = format!("there is no command and no file \"{word}\"");
                output::wrong_usage(&Cli::command().error(ErrorKind::InvalidSubcommand, sentence));
                return Next::Exit(WRONG_USAGE);
            }
            None => return Next::Window(cli.window),
        },
        Some(Command::Train(args)) => train::run(&args),
        Some(Command::Resume(args)) => resume::run(&args),
        Some(Command::Runs(args)) => runs::run(&args),
        Some(Command::Eval(args)) => eval::run(&args),
        Some(Command::Predict(args)) => predict::run(&args),
        Some(Command::Data(args)) => data::run(&args),
        Some(Command::Ablate(args)) => ablate::run(&args),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Race(args)) => race::run(&args),
        Some(Command::Bench(args)) => bench::run(&args),
    };
    Next::Exit(result.unwrap_or_else(|error| {
        output::error(&error);
        1
    }))
}
