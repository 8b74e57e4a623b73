//! Curves as a picture for a paper, drawn without a window: white ground, title, axes with units, legend. What a figure
//! shows is plain data; `layout.rs` turns it into marks, and one writer for each form puts the marks down.
//!
//! | file | what lives there |
//! |---|---|
//! | `layout.rs` | where everything stands on the sheet |
//! | `ticks.rs` | round numbers for axes |
//! | `svg.rs`, `png.rs` | the marks as text and as pixels |
//! | `table.rs` | [`CurveTable`]: the numbers themselves as CSV |

mod layout;
mod png;
mod svg;
mod table;
pub mod ticks;

use std::path::Path;

use anyhow::{Context, Result, ensure};

pub use table::{CurveRow, CurveTable};

use super::write_atomically;

/// Width of a figure in pixels, and in the units of an SVG.
pub const WIDTH: u16 = 1_600;
/// Height of a figure.
pub const HEIGHT: u16 = 1_000;

/// Charts above each other over one x axis.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    pub title: String,
    /// Under the title, in grey: what was trained on what.
    pub note: String,
    /// With its unit: "Epochs", "Seconds of training".
    pub x_label: String,
    /// The part of the x axis that is shown.
    pub x_range: (f64, f64),
    /// From top to bottom.
    pub charts: Vec<FigureChart>,
}

/// One chart of a figure.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FigureChart {
    /// With its unit: "Accuracy (%)".
    pub y_label: String,
    /// Whether the y axis is logarithmic; values of 0 and below have no place on it.
    pub is_log: bool,
    /// Behind the curves.
    pub bands: Vec<FigureBand>,
    /// Back to front.
    pub curves: Vec<FigureCurve>,
    /// What happened at an x, in words.
    pub flags: Vec<(f64, String)>,
    /// Places with a star, and what the star means.
    pub stars: Vec<([f64; 2], String)>,
}

/// One curve of a chart.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureCurve {
    /// In the legend; one without a name is not told there.
    pub name: String,
    /// Red, green, blue.
    pub color: [u8; 3],
    pub line: LineStyle,
    /// `[x, y]` in the units of the axes, x rising. What is not finite is left out.
    pub points: Vec<[f64; 2]>,
}

/// Where values lie: a strip from the least to the greatest.
#[derive(Clone, Debug, PartialEq)]
pub struct FigureBand {
    /// Red, green, blue; it is drawn pale.
    pub color: [u8; 3],
    /// `[x, least, greatest]` in the units of the axes, x rising. What is not finite is left out.
    pub points: Vec<[f64; 3]>,
}

/// The files that curves are exported as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CurvesForm {
    Png,
    Svg,
    /// All points as numbers.
    Csv,
}

impl CurvesForm {
    /// Of its files, without the dot.
    pub fn ending(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Svg => "svg",
            Self::Csv => "csv",
        }
    }
}

/// How a curve is drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LineStyle {
    #[default]
    Solid,
    Dashed,
    /// Behind another: raw values of a curve that is also there smoothed.
    Faint,
}

impl Figure {
    /// The figure as an SVG document, [`WIDTH`] × [`HEIGHT`], its text as text.
    pub fn svg(&self) -> String {
        svg::document(&layout::marks(self))
    }

    /// The figure as pixels, [`WIDTH`] × [`HEIGHT`], red, green and blue a byte each, row by row.
    ///
    /// # Errors
    /// Where the font of the program cannot be read.
    pub fn rgb(&self) -> Result<Vec<u8>> {
        png::rgb(&layout::marks(self))
    }

    /// Writes the figure as a PNG file.
    ///
    /// # Errors
    /// [`Figure::rgb`]'s, and where the file cannot be written.
    pub fn write_png(&self, path: &Path) -> Result<()> {
        let (width, height) = (u32::from(WIDTH), u32::from(HEIGHT));
        let image = image::RgbImage::from_raw(width, height, self.rgb()?);
        let image = image.context("a figure needs width × height pixels")?;
        let mut bytes = std::io::Cursor::new(Vec::new());
        image.write_to(&mut bytes, image::ImageFormat::Png)?;
        write_atomically(path, bytes.get_ref()).context("the curves could not be saved")
    }

    /// Writes the figure as an SVG file.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn write_svg(&self, path: &Path) -> Result<()> {
        write_atomically(path, self.svg().as_bytes()).context("the curves could not be saved")
    }

    /// Writes the figure in the form that the file's ending names: `svg` or `png`.
    ///
    /// # Errors
    /// Another ending, and those of [`Figure::write_png`].
    pub fn write(&self, path: &Path) -> Result<()> {
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase());
        let is_svg = ending.as_deref() == Some("svg");
        ensure!(
            is_svg || ending.as_deref() == Some("png"),
            "curves are saved as .png or .svg, not as {}",
            path.display()
        );
        if is_svg { self.write_svg(path) } else { self.write_png(path) }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(super) fn figure() -> Figure {
        let curve = |name: &str, line, shift: f64| FigureCurve {
            name: name.to_owned(),
            color: [20, 40, 60],
            line,
            points: (1..=100).map(|i| [f64::from(i) / 10.0, shift / f64::from(i)]).collect(),
        };
        Figure {
            title: "LeNet-5 & <friends>".to_owned(),
            note: "MNIST, 55,000 digits".to_owned(),
            x_label: "Epochs".to_owned(),
            x_range: (0.0, 10.0),
            charts: vec![
                FigureChart {
                    y_label: "Loss".to_owned(),
                    is_log: true,
                    bands: Vec::new(),
                    curves: vec![
                        curve("", LineStyle::Faint, 2.2),
                        curve("Training", LineStyle::Solid, 2.0),
                        curve("Validation", LineStyle::Dashed, 2.5),
                    ],
                    flags: vec![(5.0, "Rate 0.01 to 0.003".to_owned())],
                    stars: Vec::new(),
                },
                FigureChart {
                    y_label: "Accuracy (%)".to_owned(),
                    is_log: false,
                    bands: vec![FigureBand {
                        color: [200, 0, 0],
                        points: (0..=10).map(|i| [f64::from(i), 90.0, 90.0 + f64::from(i)]).collect(),
                    }],
                    curves: vec![FigureCurve {
                        name: "Validation".to_owned(),
                        color: [200, 0, 0],
                        line: LineStyle::Solid,
                        points: (0..=10).map(|i| [f64::from(i), 90.0 + f64::from(i)]).collect(),
                    }],
                    flags: Vec::new(),
                    stars: vec![([9.0, 99.0], "Best".to_owned())],
                },
            ],
        }
    }

    #[test]
    fn files_are_written_by_their_ending_and_others_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let figure = figure();
        figure.write(&folder.path().join("a.svg")).unwrap();
        figure.write(&folder.path().join("a.PNG")).unwrap();
        let image = image::open(folder.path().join("a.PNG")).unwrap();
        assert_eq!((image.width(), image.height()), (u32::from(WIDTH), u32::from(HEIGHT)));
        let refused = figure.write(&folder.path().join("a.pdf")).unwrap_err().to_string();
        assert!(refused.contains(".png or .svg"), "{refused}");
        assert!(figure.write(&folder.path().join("none").join("a.svg")).is_err());
    }
}
