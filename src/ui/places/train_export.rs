//! The curves of Train on paper: what is shown as a figure on white ground, or all points as a table.

use std::path::PathBuf;

use super::export;
use super::train_plotted::{Line, Plotted};
use crate::storage::XAxis;
use crate::storage::figure::{CurvesForm, Figure, FigureChart, FigureCurve, LineStyle};
use crate::ui::theme;
use crate::ui::widgets::plot::CurveKind;
use crate::workbench::{Command, CurvesExport, TrainingView};

/// What the plots show.
pub(super) struct Shown<'a> {
    pub plotted: &'a Plotted,
    pub by: XAxis,
    pub range: (f64, f64),
    pub kept: [bool; 10],
    pub loss_is_logarithmic: bool,
    pub smoothing: f32,
}

/// The command that writes the curves into a file; the form's ending is added where the name has another one.
pub(super) fn command(shown: &Shown<'_>, form: CurvesForm, path: PathBuf, view: &TrainingView) -> Option<Command> {
    let path = export::with_ending(path, form);
    let export = match form {
        CurvesForm::Png | CurvesForm::Svg => CurvesExport::Figure(figure(shown, view.title(), note(shown, view)), path),
        CurvesForm::Csv => CurvesExport::Table(view.curves.table(|step| view.epoch_at(step)), path),
    };
    Some(Command::ExportCurves(Box::new(export)))
}

/// "MNIST, 55,000 training digits, batch 32, rate 0.01, seed 1".
fn note(shown: &Shown<'_>, view: &TrainingView) -> String {
    let config = &view.config;
    let mut parts = vec![
        format!("{}, {} training digits", view.source, crate::ui::text::count(view.train_images as u64)),
        format!("batch {}", config.batch_size),
        format!("rate {}", config.learning_rate),
        format!("seed {}", config.seed),
    ];
    if shown.smoothing > 0.0 {
        parts.push(format!("smoothed by {:.2}, measured values behind", shown.smoothing));
    }
    parts.join(", ")
}

fn figure(shown: &Shown<'_>, title: &str, note: String) -> Figure {
    let plotted = shown.plotted;
    let flags: Vec<(f64, String)> = plotted.flags.iter().map(|flag| (flag.x, flag.text.clone())).collect();
    let mut loss = curves("Training", &plotted.train_loss, CurveKind::Training, 1.0);
    loss.extend(curves("Validation", &plotted.validation_loss, CurveKind::Validation, 1.0));
    let mut accuracy = curves("Training", &plotted.train_accuracy, CurveKind::Training, 100.0);
    accuracy.extend(curves("Validation", &plotted.validation_accuracy, CurveKind::Validation, 100.0));
    for digit in (0..10).filter(|digit| shown.kept[*digit]) {
        let line = Line { raw: plotted.f1[digit].clone(), smooth: Vec::new() };
        accuracy.extend(curves(&format!("F1 of {digit}"), &line, CurveKind::Digit(digit), 100.0));
    }
    let stars = plotted.best.map(|[x, accuracy]| ([x, 100.0 * accuracy], format!("Best, {:.2} %", 100.0 * accuracy)));
    Figure {
        title: title.to_owned(),
        note,
        x_label: export::x_label(shown.by),
        x_range: shown.range,
        charts: vec![
            FigureChart {
                y_label: "Loss".to_owned(),
                is_log: shown.loss_is_logarithmic,
                curves: loss,
                flags: flags.clone(),
                ..FigureChart::default()
            },
            FigureChart {
                y_label: "Accuracy (%)".to_owned(),
                is_log: false,
                curves: accuracy,
                // words once are enough; the lines stand in both
                flags: flags.into_iter().map(|(x, _)| (x, String::new())).collect(),
                stars: stars.into_iter().collect(),
                ..FigureChart::default()
            },
        ],
    }
}

/// A curve of the window in the colours of white paper; with its smoothed form in front, where there is one.
fn curves(name: &str, line: &Line, kind: CurveKind, factor: f64) -> Vec<FigureCurve> {
    let (colour, _) = kind.look(&theme::LIGHT);
    let curve = |name: &str, style, points: &[[f64; 2]]| FigureCurve {
        name: name.to_owned(),
        color: [colour.r(), colour.g(), colour.b()],
        line: style,
        points: points.iter().map(|[x, y]| [*x, factor * y]).collect(),
    };
    if line.smooth.is_empty() {
        vec![curve(name, LineStyle::Solid, &line.raw)]
    } else {
        vec![curve("", LineStyle::Faint, &line.raw), curve(name, LineStyle::Solid, &line.smooth)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::widgets::plot::Flag;

    #[test]
    fn the_figure_tells_what_the_plots_show() {
        let line = |smooth: bool| Line {
            raw: vec![[0.5, 0.5], [1.0, 0.75]],
            smooth: if smooth { vec![[0.5, 0.5], [1.0, 0.6]] } else { Vec::new() },
        };
        let plotted = Plotted {
            train_loss: line(true),
            validation_loss: line(false),
            validation_accuracy: line(false),
            best: Some([1.0, 0.75]),
            flags: vec![Flag { x: 0.7, text: "Rate 0.1 to 0.01".to_owned() }],
            f1: std::array::from_fn(|_| vec![[1.0, 0.5]]),
            ..Plotted::default()
        };
        let mut kept = [false; 10];
        kept[3] = true;
        let shown = Shown {
            plotted: &plotted,
            by: XAxis::Seconds,
            range: (0.0, 2.0),
            kept,
            loss_is_logarithmic: true,
            smoothing: 0.5,
        };
        let figure = figure(&shown, "LeNet-5", "note".to_owned());
        assert_eq!((figure.title.as_str(), figure.x_label.as_str()), ("LeNet-5", "Training time (seconds)"));
        let names = |chart: &FigureChart| chart.curves.iter().map(|curve| curve.name.clone()).collect::<Vec<_>>();
        assert_eq!(names(&figure.charts[0]), ["", "Training", "Validation"], "the measured line stands behind");
        assert!(names(&figure.charts[1]).contains(&"F1 of 3".to_owned()) && figure.charts[0].is_log);
        assert_eq!(figure.charts[0].flags, [(0.7, "Rate 0.1 to 0.01".to_owned())]);
        assert_eq!(figure.charts[1].stars, [([1.0, 75.0], "Best, 75.00 %".to_owned())]);
        assert_eq!(figure.charts[1].curves.last().unwrap().points, [[1.0, 50.0]], "F1 in per cent");
    }
}
