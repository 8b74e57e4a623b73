//! A drawing as one JSON object, for files of kept and pinned drawings. Strokes recorded elsewhere, which know no pen, are
//! read from the same key. Which file the object lies in, and what else stands beside it, is not known here.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::drawing::{DEFAULT_PEN, Drawing, Picture, Sample, Stroke, StrokesError};

/// The version that this program writes; objects of later versions are refused.
const VERSION: u32 = 1;
/// As many points in one drawing as the command line takes.
const MOST_POINTS: usize = 1_000_000;
/// Pixels in a picture's side; the pad's own pictures stay far below.
const LARGEST_SIDE: usize = 2_048;
/// Samples further out than this many pads were made by no pen.
const REACH: f32 = 1_000.0;

/// The object: `{"version":1,"strokes":[[[x,y,seconds,pressure],…],…],"widths":[…],"erases":[…],"picture":{…}}`.
///
/// Coordinates and widths are shares of the pad's side, y downwards. Without `version` the strokes are somebody else's:
/// points `[x,y]` in any unit, which [`DrawingJson::drawing`] brings to the middle of the pad. Further keys are ignored,
/// and further numbers of a point too.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct DrawingJson {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    version: Option<u32>,
    strokes: Vec<Vec<Point>>,
    /// The pen's width, a number a stroke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    widths: Vec<f32>,
    /// Whether it takes ink away, one a stroke; left out where none does.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    erases: Vec<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    picture: Option<PictureJson>,
}

/// A picture's grey ink, row by row, as base64.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct PictureJson {
    side: usize,
    ink: String,
}

/// Why an object is no drawing.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum DrawingJsonError {
    /// Written by a newer program.
    #[error("the drawing is of version {0}, this program reads version {VERSION}: open it with a newer Digitpad")]
    Newer(u32),
    /// A list does not have one entry a stroke.
    #[error("the drawing has {strokes} strokes, but {found} {list}; it needs one of each")]
    Uneven {
        /// Name of the list.
        list: &'static str,
        /// Strokes as found.
        strokes: usize,
        /// Entries as found.
        found: usize,
    },
    /// A value that no pen makes.
    #[error("point {point} of stroke {stroke}: {what}")]
    Point {
        /// Index of the stroke, from 0.
        stroke: usize,
        /// Index of the point in its stroke, from 0.
        point: usize,
        /// What is wrong with it.
        what: String,
    },
    /// The picture's bytes are not those of its size.
    #[error("the picture of the drawing is damaged: {0}")]
    Picture(String),
    /// What [`Drawing::from_polylines`] says, and pens without a sensible width.
    #[error(transparent)]
    Strokes(#[from] StrokesError),
}

impl From<&Drawing> for DrawingJson {
    fn from(drawing: &Drawing) -> Self {
        let point = |s: &Sample| Point([s.x, s.y, s.seconds, s.pressure]);
        let erases: Vec<bool> = drawing.strokes.iter().map(|stroke| stroke.erases).collect();
        Self {
            version: Some(VERSION),
            strokes: drawing.strokes.iter().map(|stroke| stroke.samples.iter().map(point).collect()).collect(),
            widths: drawing.strokes.iter().map(|stroke| stroke.width).collect(),
            erases: if erases.contains(&true) { erases } else { Vec::new() },
            picture: drawing
                .picture
                .as_ref()
                .map(|picture| PictureJson { side: picture.side, ink: BASE64.encode(&picture.ink) }),
        }
    }
}

impl DrawingJson {
    /// The drawing.
    ///
    /// # Errors
    /// [`DrawingJsonError`] for the first value that cannot be.
    pub fn drawing(&self) -> Result<Drawing, DrawingJsonError> {
        match self.version {
            None => {
                let polyline = |points: &Vec<Point>| points.iter().map(|point| [point.0[0], point.0[1]]).collect();
                let polylines: Vec<Vec<[f32; 2]>> = self.strokes.iter().map(polyline).collect();
                Ok(Drawing::from_polylines(&polylines, DEFAULT_PEN)?)
            }
            Some(version) if version > VERSION => Err(DrawingJsonError::Newer(version)),
            Some(_) => self.own(),
        }
    }

    /// A drawing of the pad, exactly as it was.
    fn own(&self) -> Result<Drawing, DrawingJsonError> {
        let strokes = self.strokes.len();
        let uneven = |list, found| Err(DrawingJsonError::Uneven { list, strokes, found });
        if self.widths.len() != strokes {
            return uneven("widths", self.widths.len());
        }
        if !self.erases.is_empty() && self.erases.len() != strokes {
            return uneven("erases", self.erases.len());
        }
        let found = self.strokes.iter().map(Vec::len).sum();
        if found > MOST_POINTS {
            return Err(StrokesError::TooManyPoints { found }.into());
        }
        let mut drawing = Drawing::default();
        for (index, (points, &width)) in self.strokes.iter().zip(&self.widths).enumerate() {
            if !(width > 0.0 && width <= 1.0) {
                return Err(StrokesError::PenWidth(width).into());
            }
            let sample = |(at, point): (usize, &Point)| {
                point.sample().map_err(|what| DrawingJsonError::Point { stroke: index, point: at, what })
            };
            let samples = points.iter().enumerate().map(sample).collect::<Result<_, _>>()?;
            let erases = self.erases.get(index).copied().unwrap_or(false);
            drawing.strokes.push(Stroke { samples, width, erases });
        }
        drawing.picture = self.picture.as_ref().map(|picture| picture.read().map(Arc::new)).transpose()?;
        Ok(drawing)
    }
}

impl PictureJson {
    fn read(&self) -> Result<Picture, DrawingJsonError> {
        let damaged = DrawingJsonError::Picture;
        if !(1..=LARGEST_SIDE).contains(&self.side) {
            return Err(damaged(format!("its side is {} pixels, it lies between 1 and {LARGEST_SIDE}", self.side)));
        }
        let ink = BASE64.decode(&self.ink).map_err(|error| damaged(format!("its ink is no base64 ({error})")))?;
        if ink.len() != self.side * self.side {
            let (needed, found) = (self.side * self.side, ink.len());
            return Err(damaged(format!("{0}×{0} pixels need {needed} bytes of ink, found {found}", self.side)));
        }
        Ok(Picture { ink, side: self.side })
    }
}

/// `[x, y, seconds, pressure]`; the last two may be missing.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Point([f32; 4]);

impl Point {
    fn sample(&self) -> Result<Sample, String> {
        let [x, y, seconds, pressure] = self.0;
        if !(x.is_finite() && y.is_finite() && x.abs().max(y.abs()) <= REACH) {
            return Err(format!("it lies at ({x}, {y}); the pad reaches from 0 to 1"));
        }
        if !(seconds.is_finite() && seconds >= 0.0) {
            return Err(format!("it was made after {seconds} seconds"));
        }
        if !(0.0..=1.0).contains(&pressure) {
            return Err(format!("its pressure is {pressure}; it lies between 0 and 1"));
        }
        Ok(Sample { x, y, seconds, pressure })
    }
}

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Point {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Numbers;
        impl<'de> Visitor<'de> for Numbers {
            type Value = Point;

            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a point [x, y, seconds, pressure], the last two as you like")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut numbers: A) -> Result<Point, A::Error> {
                let short = |found| de::Error::invalid_length(found, &Numbers);
                let x = numbers.next_element()?.ok_or_else(|| short(0))?;
                let y = numbers.next_element()?.ok_or_else(|| short(1))?;
                // what others record further is theirs; ours are read in `own`
                let mut rest = [0.0, 1.0];
                for value in &mut rest {
                    match numbers.next_element::<f32>()? {
                        Some(found) => *value = found,
                        None => break,
                    }
                }
                while numbers.next_element::<de::IgnoredAny>()?.is_some() {}
                Ok(Point([x, y, rest[0], rest[1]]))
            }
        }
        deserializer.deserialize_seq(Numbers)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::drawing::{digit_image, drawn_digit, drawn_image};

    fn read(text: &str) -> Result<Drawing, String> {
        let json: DrawingJson = serde_json::from_str(text).map_err(|error| error.to_string())?;
        json.drawing().map_err(|error| error.to_string())
    }

    #[test]
    fn a_drawing_comes_back_to_the_last_bit() {
        let mut drawing = drawn_digit(5, 1, 0);
        drawing.strokes[0].samples[0].pressure = 0.1;
        drawing.strokes.push(Stroke {
            samples: vec![Sample { x: 0.5, y: 1.0 / 3.0, seconds: 7.25, pressure: 0.7 }],
            width: 0.2,
            erases: true,
        });
        let picture = Picture::from_digit(&drawn_image(3, 1, 0));
        for drawing in [drawing.clone(), Drawing { picture: Some(Arc::new(picture)), ..drawing }, Drawing::default()] {
            let text = serde_json::to_string(&DrawingJson::from(&drawing)).unwrap();
            assert_eq!(read(&text).unwrap(), drawing);
        }
    }

    #[test]
    fn strokes_of_others_come_to_the_middle_of_the_pad() {
        let plain = read("{\"strokes\":[[[100,1000],[300,1400]]],\"label\":7}").unwrap();
        assert_eq!(plain, Drawing::from_polylines(&[vec![[100.0, 1000.0], [300.0, 1400.0]]], DEFAULT_PEN).unwrap());
        let with_more = read("{\"strokes\":[[[100,1000,0.5,-3,\"pen up\"],[300,1400]]]}").unwrap();
        assert_eq!(digit_image(&with_more), digit_image(&plain));
    }

    #[test]
    fn what_is_damaged_is_told_with_its_place() {
        let own = |strokes: &str, rest: &str| read(&format!("{{\"version\":1,\"strokes\":{strokes}{rest}}}"));
        for (result, expected) in [
            (read("{\"version\":2,\"strokes\":[]}"), "newer Digitpad"),
            (read("{}"), "missing field `strokes`"),
            (read("{\"strokes\":[[[1]]]}"), "a point [x, y, seconds, pressure]"),
            (read("{\"strokes\":[[[1,null]]]}"), "expected f32"),
            (own("[[[0,0]]]", ""), "1 strokes, but 0 widths"),
            (own("[[[0,0]]]", ",\"widths\":[0.1],\"erases\":[true,false]"), "but 2 erases"),
            (own("[[[0,0]]]", ",\"widths\":[0]"), "the pen's width is 0"),
            (own("[[[0,0],[0,1e30]]]", ",\"widths\":[0.1]"), "point 1 of stroke 0: it lies at"),
            (own("[[[0,0,-1]]]", ",\"widths\":[0.1]"), "after -1 seconds"),
            (own("[[[0,0,0,2]]]", ",\"widths\":[0.1]"), "pressure is 2"),
            (own("[]", ",\"picture\":{\"side\":2,\"ink\":\"AAA=\"}"), "need 4 bytes of ink, found 2"),
            (own("[]", ",\"picture\":{\"side\":2,\"ink\":\"!\"}"), "no base64"),
            (own("[]", ",\"picture\":{\"side\":99999999999,\"ink\":\"\"}"), "between 1 and 2048"),
        ] {
            let message = result.unwrap_err();
            assert!(message.contains(expected), "expected {expected:?} in {message:?}");
        }
    }
}
