//! How commands speak: answers on standard output, everything else on standard error, a bar only on a terminal.

use std::io::{IsTerminal, Write};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::Value;

/// A line of text on standard output. A reader that has gone away is no error.
pub fn line(text: impl AsRef<str>) {
    let _reader_gone = writeln!(std::io::stdout().lock(), "{}", text.as_ref());
}

/// A line of JSON on standard output, there at once even through a pipe.
pub fn json(value: &Value) {
    let mut out = std::io::stdout().lock();
    let _reader_gone = writeln!(out, "{value}").and_then(|()| out.flush());
}

/// A remark on standard error.
pub fn note(text: &str) {
    let _reader_gone = writeln!(std::io::stderr().lock(), "digitpad: {text}");
}

/// What went wrong, in one line.
pub fn error(error: &anyhow::Error) {
    let sentence = format!("{error:#}");
    note(&sentence.lines().map(str::trim).collect::<Vec<_>>().join(" "));
}

/// How the command line is used, after what was wrong with it.
pub fn wrong_usage(error: &clap::Error) {
    let _reader_gone = error.print();
}

/// A bar on standard error when that is a terminal, else nothing.
pub fn progress(length: u64, template: &str) -> ProgressBar {
    let target =
        if std::io::stderr().is_terminal() { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::with_draw_target(Some(length), target).with_style(style.progress_chars("━━ "))
}

/// 0.98765 as "98.77 %".
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}
