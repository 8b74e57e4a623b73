//! `digitpad ablate`: what settings are worth, over several seeds.

use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, bail};
use clap::{Args, ValueEnum};
use indicatif::ProgressBar;
use serde_json::json;

use super::training_output::{INTERRUPTED, interruption};
use super::{ComputeArgs, output};
use crate::storage::ablation::{self, Ablation, PLANS, Results, Split, Told};
use crate::storage::places::runs_folder;
use crate::training::{Event, Stop};

#[derive(Args)]
pub struct AblateArgs {
    /// A plan's file, the name of a plan inside the program, or the folder of an ablation that is to go on; without it the
    /// plans inside the program are listed
    #[arg(value_name = "PLAN.toml")]
    plan: Option<String>,
    /// Train every variant with the seeds 1 to N, in place of as many as the plan says
    #[arg(long, value_name = "N")]
    seeds: Option<u32>,
    /// The images that judge; test is for a last word, not for choosing
    #[arg(long, value_enum, default_value = "validation")]
    split: SplitArg,
    #[command(flatten)]
    compute: ComputeArgs,
    /// Folder of the runs
    #[arg(long, value_name = "DIR")]
    runs: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum SplitArg {
    Validation,
    Test,
}

pub fn run(args: &AblateArgs) -> Result<u8> {
    let Some(named) = &args.plan else { return list(args.json) };
    let runs =
        runs_folder(args.runs.as_deref()).context("this system names no folder for runs; name one with --runs")?;
    let ablation = open(named, args.seeds, &runs)?;
    let compute = args.compute.open()?;
    let split = match args.split {
        SplitArg::Validation => Split::Validation,
        SplitArg::Test => Split::Test,
    };
    let plan = &ablation.plan;
    let mut printer = Printer {
        json: args.json,
        bar: output::progress(0, "{prefix} {bar:30} {pos}/{len} updates, {eta} left"),
        interrupted: interruption()?,
    };
    if !args.json {
        output::line(format!(
            "{} {} variants, {} of each, {}",
            plan.question,
            plan.variants.len(),
            if plan.seeds == 1 { "one seed".to_owned() } else { format!("{} seeds", plan.seeds) },
            compute.describe()
        ));
    }
    let results = ablation.run(split, &compute, &mut |told| printer.tell(told))?;
    printer.bar.finish_and_clear();
    let Some(results) = results else {
        output::note(&format!("stopped; digitpad ablate {} goes on from here", ablation.folder.display()));
        return Ok(INTERRUPTED);
    };
    report(&ablation, &results, args.json);
    Ok(0)
}

/// A new ablation, or the one in a folder.
fn open(named: &str, seeds: Option<u32>, runs: &Path) -> Result<Ablation> {
    if let Some(folder) = ablation::find(runs, named) {
        return Ablation::open(&folder, seeds);
    }
    let plan = match ablation::find_shipped(named) {
        Some(shipped) => shipped.plan()?,
        None if Path::new(named).extension().is_some() || Path::new(named).exists() => {
            ablation::read_plan(Path::new(named))?
        }
        None => {
            let known: Vec<&str> = PLANS.iter().map(|plan| plan.name).collect();
            bail!("there is no plan, file or ablation \"{named}\"; plans inside the program are {}", known.join(", "))
        }
    };
    Ablation::create(plan.with_seeds(seeds)?, runs)
}

fn list(json: bool) -> Result<u8> {
    for shipped in PLANS {
        let plan = shipped.plan()?;
        let variants: Vec<&str> = plan.variants.iter().map(|variant| variant.name.as_str()).collect();
        if json {
            output::json(&json!({
                "plan": plan.name, "question": plan.question, "variants": variants, "seeds": plan.seeds, "bet": plan.bet,
            }));
        } else {
            output::line(format!("{:<16} {}", plan.name, plan.question));
            output::line(format!("{:<16} {}", "", variants.join(", ")));
        }
    }
    Ok(0)
}

struct Printer {
    json: bool,
    bar: ProgressBar,
    interrupted: Arc<AtomicBool>,
}

impl Printer {
    fn tell(&mut self, told: Told<'_>) -> ControlFlow<Stop> {
        match told {
            Told::Run { variant, seed, number, runs } => {
                self.bar.set_position(0);
                self.bar.set_prefix(format!("{number}/{runs} {}, seed {seed}", variant.name));
            }
            Told::Event(Event::Step { step, updates, .. }) => {
                self.bar.set_length(updates);
                self.bar.set_position(step);
            }
            Told::Event(_) => {}
            Told::Value { variant, seed, value, diverged } if self.json => output::json(&json!({
                "event": "run", "variant": variant.name, "seed": seed, "value": value, "diverged": diverged,
            })),
            Told::Value { variant, seed, value, diverged } => self.bar.suspend(|| {
                let mark = if diverged { "  (diverged)" } else { "" };
                output::line(format!("{:<28} seed {seed:<3} {}{mark}", variant.name, output::percent(value)));
            }),
            Told::Warning(sentence) => self.bar.suspend(|| output::note(&sentence)),
        }
        if self.interrupted.load(Ordering::Relaxed) { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
    }
}

fn report(ablation: &Ablation, results: &Results, json: bool) {
    let verdict = results.verdict(&ablation.plan);
    if !json {
        output::line("");
    }
    for found in &results.variants {
        let Some(estimate) = found.estimate() else { continue };
        let difference = results.difference(found);
        if json {
            let is_winner = verdict.as_ref().map(|verdict| verdict.winner == found.name);
            output::json(&json!({
                "variant": found.name, "seeds": found.values.len(), "mean": estimate.mean,
                "interval": estimate.interval, "values": found.values, "seconds": found.seconds,
                "diverged": found.diverged_seeds(),
                "difference": difference.map(|difference| difference.mean),
                "difference_interval": difference.and_then(|difference| difference.interval),
                "winner": is_winner,
            }));
            continue;
        }
        let interval = estimate.interval.map_or_else(String::new, |[low, high]| {
            format!("  ({} to {})", output::percent(low), output::percent(high))
        });
        let beyond = difference.map_or_else(String::new, |difference| format!("  {}", ablation::points(&difference)));
        let divergence = found.divergence().map_or_else(String::new, |words| format!("  {words}"));
        output::line(format!("{:<28} {}{interval}{beyond}{divergence}", found.name, output::percent(estimate.mean)));
    }
    if json {
        return;
    }
    for sentence in verdict.iter().flat_map(|verdict| verdict.sentences(&ablation.plan)) {
        output::line(sentence);
    }
    output::line(format!("the report and the runs are in {}", ablation.folder.display()));
}
