//! A figure's marks as pixels, with the program's own font: no system font and no window are asked for.

use anyhow::{Context, Result};
use skrifa::instance::{Location, Size};
use skrifa::outline::{DrawSettings, OutlinePen};
use skrifa::{FontRef, MetadataProvider as _};
use vello_cpu::color::{AlphaColor, Srgb};
use vello_cpu::kurbo::{Affine, BezPath, Cap, Join, Rect, Shape as _, Stroke};
use vello_cpu::{Pixmap, RenderContext, Resources};

use super::layout::{Anchor, Mark};
use super::{HEIGHT, WIDTH};
use crate::storage::INTER;

pub(super) fn rgb(marks: &[Mark]) -> Result<Vec<u8>> {
    let font = Font::new()?;
    let mut canvas = RenderContext::new(WIDTH, HEIGHT);
    paint(&mut canvas, [255; 3]);
    canvas.fill_rect(&Rect::new(0.0, 0.0, f64::from(WIDTH), f64::from(HEIGHT)));
    for mark in marks {
        match mark {
            Mark::Line { points, color, width, dash, clip } => {
                paint(&mut canvas, *color);
                let stroke = Stroke::new(*width).with_join(Join::Round).with_caps(Cap::Butt);
                canvas.set_stroke(match dash {
                    Some(dash) => stroke.with_dashes(0.0, *dash),
                    None => stroke,
                });
                let path = path(points);
                if let Some([left, top, right, bottom]) = clip {
                    canvas.push_clip_path(&Rect::new(*left, *top, *right, *bottom).to_path(0.1));
                    canvas.stroke_path(&path);
                    canvas.pop_clip_path();
                } else {
                    canvas.stroke_path(&path);
                }
            }
            Mark::Polygon { points, color, opacity } => {
                let [red, green, blue] = *color;
                canvas.set_paint(AlphaColor::<Srgb>::from_rgb8(red, green, blue).multiply_alpha(*opacity as f32));
                let mut path = path(points);
                path.close_path();
                canvas.fill_path(&path);
            }
            Mark::Text { text, at: [x, y], anchor, size, is_bold, is_upright, color } => {
                paint(&mut canvas, *color);
                let (path, width) = font.outline(text, *size, *is_bold);
                let before = match anchor {
                    Anchor::Start => 0.0,
                    Anchor::Middle => width / 2.0,
                    Anchor::End => width,
                };
                let turn = if *is_upright { Affine::rotate(-std::f64::consts::FRAC_PI_2) } else { Affine::IDENTITY };
                canvas.set_transform(Affine::translate((*x, *y)) * turn * Affine::translate((-before, 0.0)));
                canvas.fill_path(&path);
                canvas.reset_transform();
            }
        }
    }
    let mut pixels = Pixmap::new(WIDTH, HEIGHT);
    canvas.render(&mut pixels, &mut Resources::new());
    // everything stands on an opaque ground
    Ok(pixels.data_as_u8_slice().chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect())
}

fn paint(canvas: &mut RenderContext, [red, green, blue]: [u8; 3]) {
    canvas.set_paint(AlphaColor::<Srgb>::from_rgb8(red, green, blue));
}

fn path(points: &[[f64; 2]]) -> BezPath {
    let mut path = BezPath::new();
    for (index, &[x, y]) in points.iter().enumerate() {
        if index == 0 {
            path.move_to((x, y));
        } else {
            path.line_to((x, y));
        }
    }
    path
}

/// The program's font in the two weights of a figure.
struct Font {
    face: FontRef<'static>,
    regular: Location,
    bold: Location,
}

impl Font {
    fn new() -> Result<Self> {
        let face = FontRef::new(INTER).context("the font of the program cannot be read")?;
        let at = |weight: f32| face.axes().location([("wght", weight)]);
        let (regular, bold) = (at(400.0), at(600.0));
        Ok(Self { face, regular, bold })
    }

    /// The outline of a line of text with its base line at 0, and how wide it is. A character that the font lacks leaves
    /// the gap of its replacement.
    fn outline(&self, text: &str, size: f64, is_bold: bool) -> (BezPath, f64) {
        let location = if is_bold { &self.bold } else { &self.regular };
        let size = Size::new(size as f32);
        let (characters, outlines) = (self.face.charmap(), self.face.outline_glyphs());
        let metrics = self.face.glyph_metrics(size, location);
        let mut pen = Pen { path: BezPath::new(), x: 0.0 };
        for character in text.chars() {
            let glyph = characters.map(character).unwrap_or_default();
            if let Some(outline) = outlines.get(glyph) {
                // a glyph that cannot be drawn leaves a gap of its width
                let _gap = outline.draw(DrawSettings::unhinted(size, location), &mut pen);
            }
            pen.x += f64::from(metrics.advance_width(glyph).unwrap_or(0.0));
        }
        (pen.path, pen.x)
    }
}

/// Gathers glyphs side by side; fonts count y upwards.
struct Pen {
    path: BezPath,
    x: f64,
}

impl Pen {
    fn at(&self, x: f32, y: f32) -> (f64, f64) {
        (f64::from(x) + self.x, -f64::from(y))
    }
}

impl OutlinePen for Pen {
    fn move_to(&mut self, x: f32, y: f32) {
        self.path.move_to(self.at(x, y));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.path.line_to(self.at(x, y));
    }

    fn quad_to(&mut self, cx: f32, cy: f32, x: f32, y: f32) {
        self.path.quad_to(self.at(cx, cy), self.at(x, y));
    }

    fn curve_to(&mut self, cx0: f32, cy0: f32, cx1: f32, cy1: f32, x: f32, y: f32) {
        self.path.curve_to(self.at(cx0, cy0), self.at(cx1, cy1), self.at(x, y));
    }

    fn close(&mut self) {
        self.path.close_path();
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;
    use super::*;

    #[test]
    fn ground_is_white_and_curves_are_drawn_inside_their_chart() {
        let rgb = figure().rgb().unwrap();
        assert_eq!(rgb.len(), usize::from(WIDTH) * usize::from(HEIGHT) * 3);
        assert_eq!(rgb[..3], [255; 3]);
        let red = rgb.chunks_exact(3).filter(|pixel| pixel[0] > 180 && pixel[1] < 40 && pixel[2] < 40).count();
        assert!(red > 1_000, "the red curve has {red} pixels");
        let dark = rgb.chunks_exact(3).filter(|pixel| pixel[0] < 60).count();
        assert!(dark > 3_000, "text and the dark curve have {dark} pixels");
    }

    #[test]
    fn figures_of_one_weight_are_equally_wide_and_bold_is_bolder() {
        let font = Font::new().unwrap();
        assert!((font.outline("1111", 20.0, false).1 - font.outline("8888", 20.0, false).1).abs() < 1e-6);
        let area = |is_bold| font.outline("Loss", 20.0, is_bold).0.area().abs();
        assert!(area(true) > 1.1 * area(false), "{} {}", area(true), area(false));
    }
}
