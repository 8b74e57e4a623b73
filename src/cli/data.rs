//! `digitpad data`.

use std::ops::ControlFlow;
use std::sync::Arc;

use anyhow::{Context, Result};
use clap::{Args, Subcommand};
use serde_json::json;

use super::output;
use crate::data::{self, FetchProgress, Request, SOURCES};

#[derive(Args)]
pub struct DataArgs {
    #[command(subcommand)]
    action: Option<Action>,
    /// Print JSON lines
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Subcommand)]
enum Action {
    /// The known data sets, and whether they are here
    List,
    /// Bring a data set into the program's data folder
    Fetch { source: String },
    /// Hold the files of a data set against what they should be
    Verify {
        #[arg(value_name = "SOURCE|DIR")]
        source: String,
    },
}

pub fn run(args: &DataArgs) -> Result<u8> {
    match args.action.as_ref().unwrap_or(&Action::List) {
        Action::List => list(args.json),
        Action::Fetch { source } => fetch(source, args.json)?,
        Action::Verify { source } => verify(source, args.json)?,
    }
    Ok(0)
}

fn list(json: bool) {
    for source in &SOURCES {
        let found = data::find(source, None).ok().map(|located| located.folder);
        let built_in = source.is_built_in();
        if json {
            output::json(&json!({
                "source": source.id, "title": source.title, "here": built_in || found.is_some(), "folder": found,
            }));
        } else {
            let place = match found {
                _ if built_in => "built in".to_owned(),
                Some(folder) => folder.display().to_string(),
                None => format!("not here; digitpad data fetch {} brings it", source.id),
            };
            output::line(format!("{:<8} {:<24} {place}", source.id, source.title));
        }
    }
}

fn fetch(id: &str, json: bool) -> Result<()> {
    let source = data::source(id).with_context(|| {
        let known: Vec<&str> = SOURCES.iter().map(|source| source.id).collect();
        format!("there is no known data set \"{id}\"; known are {}", known.join(", "))
    })?;
    anyhow::ensure!(!source.is_built_in(), "{id} is built in and needs no fetching");
    let bar = output::progress(source.packed_bytes(), "{bar:30} {bytes}/{total_bytes}, {eta} left {msg}");
    let shown = bar.clone();
    let watch = move |progress: &FetchProgress<'_>| {
        shown.set_length(progress.total);
        shown.set_position(progress.bytes);
        shown.set_message(progress.file.to_owned());
        ControlFlow::Continue(())
    };
    let fetched = data::fetch_known(source, Arc::new(watch))?;
    bar.finish_and_clear();
    if json {
        output::json(&json!({
            "source": id, "folder": fetched.folder, "fetched": fetched.fetched, "kept": fetched.kept,
        }));
    } else {
        output::line(format!(
            "{} is in {} ({} files fetched, {} were there and right)",
            source.title,
            fetched.folder.display(),
            fetched.fetched,
            fetched.kept
        ));
    }
    Ok(())
}

fn verify(text: &str, json: bool) -> Result<()> {
    let reports = data::verify(&Request::parse(text))?;
    for report in &reports {
        let finding = match (&report.problem, report.known_as) {
            (Some(problem), _) => problem.clone(),
            (None, Some(source)) => format!("right, as published ({source})"),
            (None, None) => "readable; no published checksum to hold it against".to_owned(),
        };
        if json {
            output::json(&json!({
                "file": report.path,
                "ok": report.problem.is_none(),
                "count": report.count,
                "sha256": report.sha256,
                "finding": finding,
            }));
        } else {
            output::line(format!("{}: {finding}", report.path.display()));
        }
    }
    if reports.is_empty() && !json {
        output::line(format!("{text} is built in, so there are no files to verify"));
    }
    let wrong = reports.iter().filter(|report| report.problem.is_some()).count();
    anyhow::ensure!(wrong == 0, "{wrong} of {} files are not what they should be", reports.len());
    Ok(())
}
