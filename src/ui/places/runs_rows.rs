//! The rows of the table of runs: which runs belong together, in which order they stand, and what their cells say. Runs that
//! differ in their seed alone are one row, with the mean over them.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::models;
use crate::storage::run_settings;
use crate::storage::runs::{Run, RunState};
use crate::ui::{text, transport};

/// A column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Name,
    Begun,
    State,
    Best,
    /// Of the best accuracy; over several seeds its least and greatest value.
    Interval,
    Test,
    WorstDigit,
    /// A setting by its key.
    Setting(String),
    Time,
    Parameters,
    Note,
}

impl Column {
    /// Its heading.
    pub fn title(&self) -> String {
        match self {
            Self::Name => "Name".to_owned(),
            Self::Begun => "Begun, UTC".to_owned(),
            Self::State => "State".to_owned(),
            Self::Best => "Best, %".to_owned(),
            Self::Interval => "95 % interval".to_owned(),
            Self::Test => "Test, %".to_owned(),
            Self::WorstDigit => "Worst, F1".to_owned(),
            Self::Setting(key) => setting_title(key),
            Self::Time => "Time".to_owned(),
            Self::Parameters => "Parameters".to_owned(),
            Self::Note => "Note".to_owned(),
        }
    }

    /// Whether its cells are numbers, which stand at the right edge.
    pub fn is_numeric(&self) -> bool {
        matches!(self, Self::Best | Self::Interval | Self::Test | Self::WorstDigit | Self::Time | Self::Parameters)
    }

    pub fn width(&self) -> f32 {
        match self {
            Self::Name => 190.0,
            Self::Begun => 130.0,
            Self::State => 100.0,
            Self::Best | Self::Test => 64.0,
            Self::Interval => 132.0,
            Self::WorstDigit => 80.0,
            Self::Setting(_) => 104.0,
            Self::Time => 88.0,
            Self::Parameters => 88.0,
            Self::Note => 180.0,
        }
    }
}

/// A setting's key as people say it: `learning_rate` is "Learning rate", `optimizer.kind` is "Optimiser".
pub(super) fn setting_title(key: &str) -> String {
    let known = [
        ("optimizer.kind", "Optimiser"),
        ("schedule.kind", "Schedule"),
        ("loss.kind", "Loss"),
        ("data", "Digits"),
        ("from", "Start from"),
        ("clip_norm", "Clip norm"),
    ];
    if let Some((_, title)) = known.iter().find(|(own, _)| *own == key) {
        return (*title).to_owned();
    }
    let words = key.replace("optimizer.", "").replace("augmentation.", "").replace(['_', '.'], " ");
    let mut letters = words.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What orders the rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub column: Column,
    pub descending: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self { column: Column::Begun, descending: true }
    }
}

/// What a row stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Single,
    /// Several seeds; whether they are listed below it.
    Group {
        is_open: bool,
    },
    /// One seed of an open group.
    Member,
}

/// One row.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub kind: Kind,
    /// Places in the list of runs.
    pub members: Vec<usize>,
    /// A text for every column.
    pub cells: Vec<String>,
    /// For screen readers.
    pub name: String,
    /// Whether one of its runs is damaged.
    pub is_damaged: bool,
}

/// The table's content.
#[derive(Clone, Debug, Default)]
pub(super) struct Rows {
    pub columns: Vec<Column>,
    pub rows: Vec<Row>,
}

impl Rows {
    /// The rows of all runs of `model` (of any where it is `None`). `open` holds the first member of every open group.
    pub fn new(runs: &[Run], model: Option<&str>, order: &Order, open: &BTreeSet<PathBuf>) -> Self {
        let listed: Vec<usize> =
            (0..runs.len()).filter(|&at| model.is_none_or(|model| runs[at].model() == model)).collect();
        let with_settings = listed.iter().map(|&at| &runs[at]).filter(|run| run.config.is_some());
        let differing = run_settings::differing(with_settings.map(|run| &run.settings));
        let mut columns =
            vec![Column::Name, Column::Begun, Column::State, Column::Best, Column::Interval, Column::WorstDigit];
        columns.extend(differing.into_iter().map(Column::Setting));
        columns.extend([Column::Test, Column::Time, Column::Parameters, Column::Note]);

        let mut units = groups(runs, &listed);
        let compare = |a: &[usize], b: &[usize]| {
            let ordering = compare(&key(runs, a, &order.column), &key(runs, b, &order.column), order.descending);
            // the newest first where that says nothing
            ordering.then_with(|| a[0].cmp(&b[0]))
        };
        units.sort_by(|a, b| compare(a, b));
        let mut rows = Vec::new();
        for mut unit in units {
            if unit.len() == 1 {
                rows.push(row(runs, unit, Kind::Single, &columns));
                continue;
            }
            let is_open = open.contains(group_path(runs, &unit));
            rows.push(row(runs, unit.clone(), Kind::Group { is_open }, &columns));
            if is_open {
                unit.sort_by(|a, b| compare(&[*a], &[*b]));
                rows.extend(unit.into_iter().map(|at| row(runs, vec![at], Kind::Member, &columns)));
            }
        }
        Self { columns, rows }
    }
}

/// The run that a group is known by: the first one of it that was begun.
pub(super) fn group_path<'a>(runs: &'a [Run], members: &[usize]) -> &'a Path {
    &runs[members.iter().copied().max().unwrap_or(0)].path
}

/// Runs that differ in their seed alone, in the order of the list.
fn groups(runs: &[Run], listed: &[usize]) -> Vec<Vec<usize>> {
    let mut units: Vec<Vec<usize>> = Vec::new();
    let mut known: BTreeMap<BTreeMap<&str, &str>, usize> = BTreeMap::new();
    for &at in listed {
        if runs[at].config.is_none() {
            units.push(vec![at]);
            continue;
        }
        let settings = runs[at].settings.iter().filter(|(key, _)| *key != run_settings::SEED);
        let settings: BTreeMap<&str, &str> = settings.map(|(key, value)| (key.as_str(), value.as_str())).collect();
        match known.get(&settings) {
            Some(&unit) => units[unit].push(at),
            None => {
                known.insert(settings, units.len());
                units.push(vec![at]);
            }
        }
    }
    units
}

/// What a row is ordered by.
enum Key {
    Number(Option<f64>),
    Words(String),
}

fn compare(a: &Key, b: &Key, descending: bool) -> Ordering {
    let turned = |ordering: Ordering| if descending { ordering.reverse() } else { ordering };
    match (a, b) {
        (Key::Number(Some(a)), Key::Number(Some(b))) => turned(a.total_cmp(b)),
        // what has no value stands last either way
        (Key::Number(a), Key::Number(b)) => b.is_some().cmp(&a.is_some()),
        (Key::Words(a), Key::Words(b)) if a.is_empty() || b.is_empty() => a.is_empty().cmp(&b.is_empty()),
        (Key::Words(a), Key::Words(b)) => turned(match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            // numbers before words
            (Ok(_), Err(_)) => Ordering::Less,
            (Err(_), Ok(_)) => Ordering::Greater,
            (Err(_), Err(_)) => a.to_lowercase().cmp(&b.to_lowercase()),
        }),
        _ => Ordering::Equal,
    }
}

/// The mean of what these runs have.
fn mean(runs: &[Run], members: &[usize], value: impl Fn(&Run) -> Option<f64>) -> Option<f64> {
    let values: Vec<f64> = members.iter().filter_map(|&at| value(&runs[at])).collect();
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

fn best(run: &Run) -> Option<f64> {
    run.best.map(|best| best.accuracy.share)
}

/// The digit with the lowest F1 in any of these runs, and that F1.
fn worst(runs: &[Run], members: &[usize]) -> Option<(u8, f64)> {
    let all = members.iter().filter_map(|&at| runs[at].best?.worst_digit);
    all.min_by(|a, b| a.1.total_cmp(&b.1))
}

fn key(runs: &[Run], members: &[usize], column: &Column) -> Key {
    let first = &runs[members[0]];
    match column {
        Column::Name => Key::Words(first.shown_name().to_owned()),
        Column::Begun => Key::Words(first.stamp.clone()),
        Column::State => Key::Words(first.state.id().to_owned()),
        Column::Best => Key::Number(mean(runs, members, best)),
        Column::Interval => Key::Number(mean(runs, members, |run| run.best.map(|best| best.accuracy.interval[0]))),
        Column::Test => Key::Number(mean(runs, members, |run| run.test.map(|test| test.share))),
        Column::WorstDigit => Key::Number(worst(runs, members).map(|(_, f1)| f1)),
        Column::Setting(key) => Key::Words(first.settings.get(key).cloned().unwrap_or_default()),
        Column::Time => Key::Number(mean(runs, members, |run| Some(run.seconds))),
        Column::Parameters => Key::Number(first.parameters.map(|parameters| parameters as f64)),
        Column::Note => Key::Words(first.note.clone()),
    }
}

/// A state in a word.
pub(super) fn state_word(state: RunState) -> &'static str {
    match state {
        RunState::Running => "Running",
        RunState::Completed => "Completed",
        RunState::Stopped => "Stopped",
        RunState::EarlyStopped => "Stopped early",
        RunState::Diverged => "Diverged",
        RunState::Interrupted => "Interrupted",
        RunState::Failed => "Failed",
    }
}

/// `20260101_123000` is "2026-01-01 12:30".
pub(super) fn begun(stamp: &str) -> String {
    let part = |from: usize, to: usize| stamp.get(from..to).unwrap_or_default();
    if stamp.len() < 15 {
        return String::new();
    }
    format!("{}-{}-{} {}:{}", part(0, 4), part(4, 6), part(6, 8), part(9, 11), part(11, 13))
}

fn row(runs: &[Run], members: Vec<usize>, kind: Kind, columns: &[Column]) -> Row {
    let cells: Vec<String> = columns.iter().map(|column| cell(runs, &members, kind, column)).collect();
    let of = |column: &Column| columns.iter().position(|own| own == column).map_or("", |place| cells[place].as_str());
    let mut name = of(&Column::Name).to_owned();
    for column in [Column::Begun, Column::State] {
        name = format!("{name}, {}", of(&column));
    }
    if !of(&Column::Best).is_empty() {
        let what = if kind == (Kind::Single) || kind == Kind::Member { "best" } else { "mean of the best" };
        name = format!("{name}, {what} {} %", of(&Column::Best));
    }
    let is_damaged = members.iter().any(|&at| !runs[at].problems.is_empty());
    Row { kind, members, cells, name, is_damaged }
}

fn cell(runs: &[Run], members: &[usize], kind: Kind, column: &Column) -> String {
    let first = &runs[members[0]];
    let several = matches!(kind, Kind::Group { .. });
    let percent = |share: Option<f64>| share.map_or_else(String::new, |share| text::number(100.0 * share, 2));
    let range = |low: f64, high: f64| format!("{}–{}", text::number(100.0 * low, 2), text::number(100.0 * high, 2));
    match column {
        Column::Name if several => format!("{} × {}", first.shown_name(), members.len()),
        Column::Name => first.shown_name().to_owned(),
        Column::Begun => begun(&first.stamp),
        Column::State => {
            let same = members.iter().filter(|&&at| runs[at].state == first.state).count();
            let word = state_word(first.state);
            if same == members.len() { word.to_owned() } else { format!("{same} {}", word.to_lowercase()) }
        }
        Column::Best => percent(mean(runs, members, best)),
        Column::Interval if several => {
            let all = members.iter().filter_map(|&at| best(&runs[at]));
            let (low, high) = all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
            if low.is_finite() { format!("seeds {}", range(low, high)) } else { String::new() }
        }
        Column::Interval => {
            first.best.map_or_else(String::new, |best| range(best.accuracy.interval[0], best.accuracy.interval[1]))
        }
        Column::Test => percent(mean(runs, members, |run| run.test.map(|test| test.share))),
        Column::WorstDigit => {
            worst(runs, members).map_or_else(String::new, |(digit, f1)| format!("{digit}   {}", text::number(f1, 3)))
        }
        Column::Setting(key) if several && key == run_settings::SEED => {
            // the same seed twice is the same run twice
            let seeds: BTreeSet<Option<&String>> = members.iter().map(|&at| runs[at].settings.get(key)).collect();
            if seeds.len() == 1 { setting(first, key) } else { format!("{} seeds", seeds.len()) }
        }
        Column::Setting(key) => setting(first, key),
        Column::Time => transport::duration(mean(runs, members, |run| Some(run.seconds)).unwrap_or(0.0)),
        Column::Parameters => first.parameters.map_or_else(String::new, |count| text::count(count as u64)),
        Column::Note => first.note.replace('\n', " "),
    }
}

/// The value of a setting; what is as usual has none.
fn setting(run: &Run, key: &str) -> String {
    let Some(value) = run.settings.get(key) else { return "–".to_owned() };
    match key {
        "model" => models::find(value).map_or(value.as_str(), |model| model.title).to_owned(),
        // of a path the end says most
        "data" => {
            Path::new(value).file_name().map_or_else(|| value.clone(), |name| name.to_string_lossy().into_owned())
        }
        _ => value.clone(),
    }
}

#[cfg(test)]
mod tests;
