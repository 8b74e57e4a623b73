//! The recipe that turns ink into a digit image the way MNIST's were made: crop to the ink's box, bring the strokes to
//! MNIST's width, scale the longer side to 20 pixels, put the centre of mass at pixel 14. Each step can be left out,
//! and each shows what it made. How ink is rendered is not here, see `raster`; strokes are given their new width
//! before they are rendered, only pictures are thinned and thickened as pixels (`thickness`).

use super::picture::Picture;
use super::raster::{Frame, InkBox, InkLine, Raster, box_of_lines};
use super::thickness::with_line_width;
use super::{DigitImage, Drawing, SIDE};

/// Side of a [`Thumbnail`] in pixels, four to each pixel of a digit image.
pub const THUMBNAIL_SIDE: usize = 4 * SIDE;

/// Longer side of a digit in its image, in pixels; true of every image of MNIST.
const DIGIT_SIZE: f32 = 20.0;
/// Where the centre of mass goes, in pixel indices: MNIST's mean is (14.01, 14.00).
const CENTRE: f32 = 14.0;
/// Diameter of the pen in pixels of the digit image. Real pen strokes rendered with it are as wide as MNIST's lines by
/// twice area over outline (measured alike: MNIST 2.5, SD 0.7; ours 2.5), have as many grey pixels (43 %), and are read
/// best by networks trained on MNIST.
pub(super) const PEN: f32 = 2.4;
/// Rendered pixels in one pixel of the digit image, along each side.
const OVERSAMPLING: usize = 8;
/// Rendered pixels in one side of the pad where a box cannot be computed and must be looked for.
const SEARCH_SCALE: usize = 280;

/// Which steps to take. All of them is right; fewer show what each is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// Cut the ink's box out of the pad.
    pub crop: bool,
    /// Bring the strokes to MNIST's mean width.
    pub width: bool,
    /// Scale the longer side to 20 pixels; without, to the full 28.
    pub size: bool,
    /// Put the centre of mass at pixel 14; without, the middle of the box in the middle of the image.
    pub centre: bool,
}

impl Default for Recipe {
    fn default() -> Self {
        Self { crop: true, width: true, size: true, centre: true }
    }
}

/// A small square picture of one step: row-major, [`THUMBNAIL_SIDE`] squared bytes, 0 is paper and 255 is ink.
#[derive(Clone, PartialEq, Eq)]
pub struct Thumbnail {
    /// `pixels[row * THUMBNAIL_SIDE + column]`.
    pub pixels: Vec<u8>,
}

impl std::fmt::Debug for Thumbnail {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Thumbnail({THUMBNAIL_SIDE}x{THUMBNAIL_SIDE})")
    }
}

/// A drawing on its way to a digit image.
#[derive(Clone, Debug)]
pub struct Preparation {
    /// The whole pad as drawn.
    pub ink: Thumbnail,
    /// What was cut out, made square.
    pub crop: Thumbnail,
    /// The same with the strokes' new width.
    pub width: Thumbnail,
    /// The digit image before centring: the box in the middle.
    pub size: Thumbnail,
    /// The digit image.
    pub centre: Thumbnail,
    /// What was cut out, in units of the pad.
    pub crop_box: InkBox,
    /// Mean width of the strokes as drawn, in pixels of the digit image.
    pub line_width_before: f32,
    /// Mean width of the strokes in the digit image, in its pixels; MNIST's mean is 2.5.
    pub line_width_after: f32,
    /// The ink's centre of mass `[x, y]` before centring, in pixel indices of the digit image.
    pub centre_of_mass: [f32; 2],
    /// Whole pixels `[right, down]` by which centring moved the digit.
    pub shift: [i32; 2],
    /// What the network gets.
    pub image: DigitImage,
}

/// Every step of the way from a drawing to its digit image. `None` where the pad holds no ink.
pub fn prepare(drawing: &Drawing, recipe: &Recipe) -> Option<Preparation> {
    let drawn = Ink::of(drawing);
    let drawn_box = drawn.ink_box()?;
    let whole = Frame::around(InkBox::PAD, THUMBNAIL_SIDE as f32);
    let ink = Thumbnail::of(&drawn.render(&whole));
    let crop_box = if recipe.crop { drawn_box } else { InkBox::PAD };
    let show = |ink: &Ink, window: InkBox| {
        let window = if recipe.crop { window.squared().grown(0.02 * window.longer()) } else { window };
        let frame = Frame {
            width: THUMBNAIL_SIDE,
            height: THUMBNAIL_SIDE,
            ..Frame::around(window, THUMBNAIL_SIDE as f32 / window.longer())
        };
        let raster = ink.render(&frame);
        let width = raster.line_width() / frame.scale;
        (Thumbnail::of(&raster), width)
    };
    let (crop, width_drawn) = show(&drawn, crop_box);
    let (inked, ink_box) = if recipe.width { drawn.with_pen(PEN, drawn_box) } else { (drawn, drawn_box) };
    let window = if recipe.crop { ink_box } else { InkBox::PAD };
    let (width, width_inked) = show(&inked, window);
    let size = if recipe.size { DIGIT_SIZE } else { SIDE as f32 };
    let placed = Placed::of(&inked, window, size, recipe.centre, OVERSAMPLING)?;
    Some(Preparation {
        ink,
        crop,
        width,
        size: Thumbnail::magnified(&placed.at(placed.middle)),
        centre: Thumbnail::magnified(&placed.at(placed.corner)),
        crop_box,
        line_width_before: width_drawn * size / crop_box.longer(),
        line_width_after: width_inked * size / window.longer(),
        centre_of_mass: [0, 1].map(|axis| placed.centre_of_mass[axis] + placed.middle[axis] as f32),
        shift: [0, 1].map(|axis| placed.corner[axis] - placed.middle[axis]),
        image: placed.at(placed.corner),
    })
}

/// The digit image alone, by the whole recipe. `None` where the pad holds no ink.
pub fn digit_image(drawing: &Drawing) -> Option<DigitImage> {
    digit_image_with(drawing, PEN, OVERSAMPLING)
}

/// The whole recipe with another pen (pixels of the digit image) and another fineness of rendering.
pub(super) fn digit_image_with(drawing: &Drawing, pen: f32, oversampling: usize) -> Option<DigitImage> {
    let drawn = Ink::of(drawing);
    let drawn_box = drawn.ink_box()?;
    let (inked, ink_box) = drawn.with_pen(pen, drawn_box);
    let placed = Placed::of(&inked, ink_box, DIGIT_SIZE, true, oversampling)?;
    Some(placed.at(placed.corner))
}

/// Ink that can still be rendered at any scale.
#[derive(Clone)]
enum Ink<'a> {
    /// As drawn: strokes over perhaps a picture.
    Drawn { lines: Vec<InkLine>, picture: Option<&'a Picture> },
    /// Pixels, and where they lie on the pad.
    Pixels { raster: Raster, frame: Frame },
}

impl<'a> Ink<'a> {
    fn of(drawing: &'a Drawing) -> Self {
        let lines = drawing.strokes.iter().map(InkLine::of).filter(|line| !line.points.is_empty()).collect();
        Self::Drawn { lines, picture: drawing.picture.as_deref() }
    }

    fn render(&self, frame: &Frame) -> Raster {
        match self {
            Self::Drawn { lines, picture } => Raster::render(lines, *picture, frame),
            Self::Pixels { raster, frame: own } => {
                let step = own.scale / frame.scale;
                let corner = [(frame.left - own.left) * own.scale, (frame.top - own.top) * own.scale];
                raster.averaged(corner, step, frame.width, frame.height)
            }
        }
    }

    /// The box around the ink on the pad. Computed where strokes only lay ink, otherwise looked for in pixels.
    fn ink_box(&self) -> Option<InkBox> {
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
    fn with_pen(self, pen: f32, ink_box: InkBox) -> (Self, InkBox) {
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
                let scale = DIGIT_SIZE * OVERSAMPLING as f32 / ink_box.longer();
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

/// The digit at its final size, and where to put it in the image.
struct Placed {
    digit: Raster,
    /// Column and row of the digit's first pixel when its box is in the middle.
    middle: [i32; 2],
    /// Column and row of the digit's first pixel in the digit image.
    corner: [i32; 2],
    /// `[x, y]` in pixel indices of the digit alone.
    centre_of_mass: [f32; 2],
}

impl Placed {
    /// Scales what `window` shows so that its longer side has `size` pixels, each the mean of `oversampling` squared
    /// rendered ones. `None` where that leaves no ink.
    fn of(ink: &Ink, window: InkBox, size: f32, centre: bool, oversampling: usize) -> Option<Self> {
        let coarse = Frame::around(window, size / window.longer());
        let fine = Frame {
            scale: coarse.scale * oversampling as f32,
            width: coarse.width * oversampling,
            height: coarse.height * oversampling,
            ..coarse
        };
        let digit = ink.render(&fine).averaged([0.0, 0.0], oversampling as f32, coarse.width, coarse.height);
        let (mut mass, mut moments) = (0.0_f64, [0.0_f64; 2]);
        for (row, line) in digit.ink.chunks_exact(digit.width).enumerate() {
            for (column, &ink) in line.iter().enumerate() {
                mass += f64::from(ink);
                moments[0] += f64::from(ink) * column as f64;
                moments[1] += f64::from(ink) * row as f64;
            }
        }
        // Less than one grey value in one pixel would round to nothing.
        let inked = digit.ink_box(0.5 / 255.0)?;
        let centre_of_mass = moments.map(|moment| (moment / mass) as f32);
        let middle = [digit.width, digit.height].map(|length| (SIDE as i32 - length as i32) / 2);
        let ends = [[inked.left, inked.right], [inked.top, inked.bottom]];
        let corner = [0, 1].map(|axis| {
            let wanted = if centre { (CENTRE - centre_of_mass[axis]).round() as i32 } else { middle[axis] };
            // No ink may fall off the image.
            wanted.clamp(-ends[axis][0] as i32, SIDE as i32 - ends[axis][1] as i32)
        });
        Some(Self { digit, middle, corner, centre_of_mass })
    }

    fn at(&self, corner: [i32; 2]) -> DigitImage {
        let mut image = DigitImage::default();
        for (index, ink) in self.digit.bytes().enumerate() {
            let column = corner[0] + (index % self.digit.width) as i32;
            let row = corner[1] + (index / self.digit.width) as i32;
            if (0..SIDE as i32).contains(&column) && (0..SIDE as i32).contains(&row) {
                image.pixels[row as usize * SIDE + column as usize] = ink;
            }
        }
        image
    }
}

impl Thumbnail {
    fn of(raster: &Raster) -> Self {
        Self { pixels: raster.bytes().collect() }
    }

    fn magnified(image: &DigitImage) -> Self {
        let pixel = |index: usize| {
            let (row, column) = (index / THUMBNAIL_SIDE, index % THUMBNAIL_SIDE);
            image.pixels[row * SIDE / THUMBNAIL_SIDE * SIDE + column * SIDE / THUMBNAIL_SIDE]
        };
        Self { pixels: (0..THUMBNAIL_SIDE * THUMBNAIL_SIDE).map(pixel).collect() }
    }
}
