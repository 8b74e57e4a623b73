//! The ink of a drawing while it can still be rendered at any scale: where it is, and the same ink with lines of another
//! width. Strokes are simply given another pen; only pictures are thinned or thickened as pixels (`thickness`).

use super::normalize::DIGIT_SIZE;
use super::picture::Picture;
use super::raster::{Frame, InkBox, InkLine, Raster, box_of_lines};
use super::thickness::with_line_width;
use super::{Drawing, SIDE};

/// Rendered pixels in one pixel of the digit image, along each side, where pixels must be thinned or thickened; that
/// takes much longer than rendering strokes.
const PIXEL_OVERSAMPLING: usize = 6;
/// Rendered pixels in one side of the pad where a box cannot be computed and must be looked for.
const SEARCH_SCALE: usize = 200;

/// Ink that can still be rendered at any scale.
#[derive(Clone)]
pub(super) enum Ink<'a> {
    /// As drawn: strokes over perhaps a picture.
    Drawn { lines: Vec<InkLine>, picture: Option<&'a Picture> },
    /// Pixels, and where they lie on the pad.
    Pixels { raster: Raster, frame: Frame },
}

impl<'a> Ink<'a> {
    pub fn of(drawing: &'a Drawing) -> Self {
        let lines = drawing.strokes.iter().map(InkLine::of).filter(|line| !line.points.is_empty()).collect();
        Self::Drawn { lines, picture: drawing.picture.as_deref() }
    }

    pub fn render(&self, frame: &Frame) -> Raster {
        match self {
            Self::Drawn { lines, picture } => Raster::render(lines, *picture, frame),
            Self::Pixels { raster, frame: own } => {
                let step = own.scale / frame.scale;
                let corner = [(frame.left - own.left) * own.scale, (frame.top - own.top) * own.scale];
                raster.averaged(corner, step, frame.width, frame.height)
            }
        }
    }

    /// Column and row of `window`'s first pixel where the ink is nothing but a digit image, which is centred already.
    pub fn own_corner(&self, window: InkBox) -> Option<[i32; 2]> {
        match self {
            Self::Drawn { lines, picture: Some(picture) } if lines.is_empty() && picture.is_digit_image() => {
                Some([window.left, window.top].map(|edge| (edge * SIDE as f32).round() as i32))
            }
            _ => None,
        }
    }

    /// The box around the ink on the pad. Computed where strokes only lay ink, otherwise looked for in pixels.
    pub fn ink_box(&self) -> Option<InkBox> {
        let (raster, frame, certain) = match self {
            Self::Pixels { raster, frame } => (raster.clone(), *frame, false),
            Self::Drawn { lines, picture } => {
                let laid = box_of_lines(lines);
                let window = match picture {
                    None if lines.iter().all(|line| !line.erases) => return laid,
                    None => laid?,
                    Some(_) => InkBox::PAD,
                };
                let scale = picture.map_or(SEARCH_SCALE, |p| p.side * SEARCH_SCALE.div_ceil(p.side));
                let frame = Frame::around(window, scale as f32);
                let certain = picture.is_some_and(Picture::is_digit_image);
                (self.render(&frame), frame, certain)
            }
        };
        // Pixels of a digit image are ink however pale; elsewhere an edge is where the ink is half its darkest.
        let darkest = raster.ink.iter().copied().fold(0.0, f32::max);
        let threshold = if certain { 0.0 } else { 0.5 * darkest };
        raster.ink_box(threshold).map(|found| frame.on_pad(found))
    }

    /// The same ink with lines of mean width `pen` once its longer side is 20 pixels, and its new box. Ink that has no
    /// lines (a dot, a blob, a full pad) stays as it is, and so does an image that MNIST's recipe has been through.
    pub fn with_pen(self, pen: f32, ink_box: InkBox) -> (Self, InkBox) {
        let as_drawn = ink_box;
        match self {
            Self::Drawn { lines, picture: None } => {
                let thin = with_pen_of(&lines, pen, ink_box);
                let result = thin.map(|lines| Self::Drawn { lines, picture: None });
                match result.and_then(|ink| ink.ink_box().map(|found| (ink, found))) {
                    Some(changed) => changed,
                    None => (Self::Drawn { lines, picture: None }, as_drawn),
                }
            }
            Self::Drawn { picture: Some(picture), .. } if picture.is_digit_image() => (self, as_drawn),
            Self::Drawn { .. } | Self::Pixels { .. } => {
                let scale = DIGIT_SIZE * PIXEL_OVERSAMPLING as f32 / ink_box.longer();
                let frame = Frame::around(ink_box.grown(0.12 * ink_box.longer()), scale);
                let changed = with_line_width(&self.render(&frame), pen / DIGIT_SIZE);
                let result = changed.map(|raster| Self::Pixels { raster, frame });
                match result.and_then(|ink| ink.ink_box().map(|found| (ink, found))) {
                    Some(changed) => changed,
                    None => (self, as_drawn),
                }
            }
        }
    }
}

/// Lines that lay ink, each with mean diameter such that it is `pen` pixels wide when the whole is 20 pixels long.
/// `None` where the pen is so thick beside its way that there is no line.
fn with_pen_of(lines: &[InkLine], pen: f32, ink_box: InkBox) -> Option<Vec<InkLine>> {
    let laying = || lines.iter().filter(|line| !line.erases);
    let means: Vec<f32> = laying().map(InkLine::mean_diameter).collect();
    let drawn = means.iter().copied().fold(0.0, f32::max);
    let way = ink_box.longer() - drawn;
    if way < 0.3 * drawn || means.iter().any(|&mean| mean <= 0.0) {
        return None;
    }
    // Each width changes the box, and the box the scale; four rounds of it settle to a thousandth of a pixel.
    let share = pen / DIGIT_SIZE;
    let mut diameter = share / (1.0 - share) * way;
    let cut = lines.iter().any(|line| line.erases);
    let mut result = lines.to_vec();
    for _ in 0..4 {
        for (line, old) in result.iter_mut().zip(lines).filter(|(line, _)| !line.erases) {
            let factor = diameter / old.mean_diameter();
            for (point, old) in line.points.iter_mut().zip(&old.points) {
                point.diameter = old.diameter * factor;
            }
        }
        if cut {
            break;
        }
        diameter = share * box_of_lines(&result)?.longer();
    }
    Some(result)
}
