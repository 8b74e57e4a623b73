//! `digitpad runs`: what the place Runs lists, as text and as JSON lines.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::output;
use crate::storage::places::runs_folder;
use crate::storage::run_folder;
use crate::storage::run_settings;
use crate::storage::runs::{self, EpochRecord, Run};

#[derive(Args)]
pub struct RunsArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// Folder of the runs
    #[arg(long = "runs", value_name = "DIR", global = true)]
    folder: Option<PathBuf>,
    /// Print JSON lines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// All runs, the newest first
    List,
    /// Everything about one run
    Show {
        /// The run: its folder, its name with or without stamp, or last
        #[arg(value_name = "RUN")]
        run: String,
    },
    /// Runs side by side: the settings in which they differ, and their figures
    Compare {
        /// The runs, each as for show
        #[arg(value_name = "RUN", num_args = 2.., required = true)]
        compared: Vec<String>,
    },
}

pub fn run(args: &RunsArgs) -> Result<u8> {
    let folder =
        runs_folder(args.folder.as_deref()).context("this system names no folder for runs; name one with --runs")?;
    match args.action.as_ref().unwrap_or(&Action::List) {
        Action::List => {
            let all = runs::read_all(&folder, &|| false)
                .with_context(|| format!("the runs folder cannot be read: {}", folder.display()))?
                .unwrap_or_default();
            if args.json {
                all.iter().for_each(|run| output::json(&line(run)));
            } else if all.is_empty() {
                output::line(format!("no run is here yet; digitpad train begins one: {}", folder.display()));
            } else {
                list(&all);
            }
        }
        Action::Show { run } => {
            let run = runs::read(&run_folder::find_or_say(&folder, run)?);
            if args.json {
                let mut whole = line(&run);
                whole["history"] = run.history.iter().map(epoch).collect();
                output::json(&whole);
            } else {
                show(&run);
            }
        }
        Action::Compare { compared } => {
            let compared: Result<Vec<Run>> =
                compared.iter().map(|name| Ok(runs::read(&run_folder::find_or_say(&folder, name)?))).collect();
            compare(&compared?, args.json);
        }
    }
    Ok(0)
}

/// A run as `runs --json` prints it. Its interval is the Wilson 95 % interval of the best accuracy.
fn line(run: &Run) -> Value {
    let best = run.best;
    json!({
        "run": run.path,
        "name": run.name,
        "title": run.title,
        "note": run.note,
        "state": run.state.id(),
        "model": run.config.as_ref().map(|config| &config.model),
        "parameters": run.parameters,
        "best_accuracy": best.map(|best| best.accuracy.share),
        "interval": best.map(|best| best.accuracy.interval),
        "best_epoch": best.map(|best| best.epoch),
        "worst_digit": best.and_then(|best| best.worst_digit).map(|(digit, f1)| json!({"digit": digit, "f1": f1})),
        "test_accuracy": run.test.map(|test| test.share),
        "epochs": run.epochs(),
        "seconds": run.seconds,
        "config": run.config,
        "problems": run.problems,
    })
}

fn epoch(record: &EpochRecord) -> Value {
    json!({
        "epoch": record.epoch,
        "step": record.step,
        "seconds": record.seconds,
        "train_loss": record.train_loss,
        "validation_loss": record.validation_loss,
        "validation_accuracy": record.validation_accuracy,
    })
}

const NONE: &str = "–";

/// Figures of a run with their names, as people read them.
fn figures(run: &Run) -> Vec<(&'static str, String)> {
    let none = || NONE.to_owned();
    let share = |share: f64| output::percent(share);
    let interval = |[low, high]: [f64; 2]| format!("{:.2}–{:.2}", 100.0 * low, 100.0 * high);
    let worst = run.best.and_then(|best| best.worst_digit);
    vec![
        ("state", run.state.id().to_owned()),
        ("best accuracy", run.best.map_or_else(none, |best| share(best.accuracy.share))),
        ("interval, %", run.best.map_or_else(none, |best| interval(best.accuracy.interval))),
        ("best epoch", run.best.map_or_else(none, |best| best.epoch.to_string())),
        ("test accuracy", run.test.map_or_else(none, |test| share(test.share))),
        ("worst digit, F1", worst.map_or_else(none, |(digit, f1)| format!("{digit}, {f1:.4}"))),
        ("epochs done", run.epochs().to_string()),
        ("seconds", format!("{:.1}", run.seconds)),
        ("parameters", run.parameters.map_or_else(none, |parameters| parameters.to_string())),
    ]
}

/// Lines of cells under each other, every column as wide as its widest cell.
fn table(rows: &[Vec<String>]) {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:<width$}")).collect();
        output::line(cells.join("  ").trim_end());
    }
}

fn list(all: &[Run]) {
    let differing = run_settings::differing(all.iter().filter(|run| run.config.is_some()).map(|run| &run.settings));
    let picked = ["state", "best accuracy", "interval, %", "worst digit, F1", "epochs done", "seconds", "parameters"];
    let mut head = vec!["run".to_owned()];
    head.extend(picked.map(str::to_owned));
    head.push("settings that differ".to_owned());
    let row = |run: &Run| {
        let figures = figures(run);
        let figure = |name: &str| figures.iter().find(|(own, _)| *own == name).map_or(NONE, |(_, value)| value);
        let title = if run.title.is_empty() { String::new() } else { format!(" ({})", run.title) };
        let mut cells = vec![format!("{}{title}", run.folder())];
        cells.extend(picked.map(|name| figure(name).to_owned()));
        let own = differing.iter().filter_map(|key| Some(format!("{key}={}", run.settings.get(key)?)));
        cells.push(own.collect::<Vec<_>>().join(" "));
        cells
    };
    let rows: Vec<Vec<String>> = std::iter::once(head).chain(all.iter().map(row)).collect();
    table(&rows);
    tell_problems(all);
}

fn tell_problems(runs: &[Run]) {
    for run in runs {
        for problem in &run.problems {
            output::note(problem);
        }
    }
}

fn show(run: &Run) {
    let mut rows = vec![vec!["run".to_owned(), run.path.display().to_string()]];
    for (name, text) in [("title", &run.title), ("note", &run.note)] {
        if !text.is_empty() {
            rows.push(vec![name.to_owned(), text.replace('\n', " ")]);
        }
    }
    rows.extend(figures(run).into_iter().map(|(name, value)| vec![name.to_owned(), value]));
    table(&rows);
    output::line("");
    table(&run.settings.iter().map(|(key, value)| vec![key.clone(), value.clone()]).collect::<Vec<_>>());
    if !run.history.is_empty() {
        output::line("");
        let head = ["epoch", "train loss", "validation loss", "validation accuracy", "seconds"].map(str::to_owned);
        let number = |value: Option<f64>| value.map_or_else(|| NONE.to_owned(), |value| format!("{value:.5}"));
        let row = |record: &EpochRecord| {
            let accuracy = record.validation_accuracy.map_or_else(|| NONE.to_owned(), output::percent);
            let (train, validation) = (number(record.train_loss), number(record.validation_loss));
            vec![record.epoch.to_string(), train, validation, accuracy, format!("{:.1}", record.seconds)]
        };
        let rows: Vec<Vec<String>> = std::iter::once(head.to_vec()).chain(run.history.iter().map(row)).collect();
        table(&rows);
    }
    tell_problems(std::slice::from_ref(run));
}

fn compare(compared: &[Run], json: bool) {
    let differing = run_settings::differing(compared.iter().map(|run| &run.settings));
    if json {
        for run in compared {
            let mut own = line(run);
            let settings = differing.iter().map(|key| (key.clone(), json!(run.settings.get(key))));
            own["differing"] = Value::Object(settings.collect());
            output::json(&own);
        }
        return;
    }
    let mut rows: Vec<Vec<String>> =
        vec![std::iter::once(String::new()).chain(compared.iter().map(Run::folder)).collect()];
    for key in &differing {
        let value = |run: &Run| run.settings.get(key).cloned().unwrap_or_else(|| NONE.to_owned());
        rows.push(std::iter::once(key.clone()).chain(compared.iter().map(value)).collect());
    }
    let all: Vec<Vec<(&str, String)>> = compared.iter().map(figures).collect();
    if let Some(first) = all.first() {
        for (place, (name, _)) in first.iter().enumerate() {
            let values = all.iter().filter_map(|figures| figures.get(place)).map(|(_, value)| value.clone());
            rows.push(std::iter::once((*name).to_owned()).chain(values).collect());
        }
    }
    table(&rows);
    tell_problems(compared);
}
