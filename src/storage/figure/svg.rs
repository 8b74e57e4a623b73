//! A figure's marks as an SVG document: text stays text, so that it can be searched, restyled and read aloud.

use std::fmt::Write as _;

use super::layout::{Anchor, Mark};
use super::{HEIGHT, WIDTH};

/// Writing into a string cannot fail.
macro_rules! put {
    ($text:expr, $($what:tt)*) => { let _never = write!($text, $($what)*); };
}

pub(super) fn document(marks: &[Mark]) -> String {
    let mut text = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" \
         font-family=\"Inter, Helvetica, Arial, sans-serif\" style=\"font-variant-numeric: tabular-nums\">\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n"
    );
    let mut clips: Vec<[f64; 4]> = Vec::new();
    for mark in marks {
        match mark {
            Mark::Line { points, color, width, dash, clip } => {
                let clip = clip.map(|clip| clip_number(&mut text, &mut clips, clip));
                put!(text, "<polyline points=\"{}\" fill=\"none\" stroke=\"{}\"", places(points), hex(*color));
                put!(text, " stroke-width=\"{width}\" stroke-linejoin=\"round\"");
                if let Some([on, off]) = dash {
                    put!(text, " stroke-dasharray=\"{on} {off}\"");
                }
                if let Some(number) = clip {
                    put!(text, " clip-path=\"url(#clip{number})\"");
                }
                text.push_str("/>\n");
            }
            Mark::Polygon { points, color, opacity } => {
                put!(text, "<polygon points=\"{}\" fill=\"{}\"", places(points), hex(*color));
                if *opacity < 1.0 {
                    put!(text, " fill-opacity=\"{opacity}\"");
                }
                text.push_str("/>\n");
            }
            Mark::Text { text: words, at: [x, y], anchor, size, is_bold, is_upright, color } => {
                let anchor = match anchor {
                    Anchor::Start => "start",
                    Anchor::Middle => "middle",
                    Anchor::End => "end",
                };
                put!(text, "<text x=\"{x:.2}\" y=\"{y:.2}\" font-size=\"{size}\" text-anchor=\"{anchor}\"");
                put!(text, " fill=\"{}\"", hex(*color));
                if *is_bold {
                    text.push_str(" font-weight=\"600\"");
                }
                if *is_upright {
                    put!(text, " transform=\"rotate(-90 {x:.2} {y:.2})\"");
                }
                put!(text, ">{}</text>\n", escaped(words));
            }
        }
    }
    text.push_str("</svg>\n");
    text
}

/// The number of a clip, which is defined where it is met first.
fn clip_number(text: &mut String, clips: &mut Vec<[f64; 4]>, clip: [f64; 4]) -> usize {
    if let Some(number) = clips.iter().position(|known| *known == clip) {
        return number;
    }
    let [left, top, right, bottom] = clip;
    let (width, height) = (right - left, bottom - top);
    put!(text, "<clipPath id=\"clip{}\">", clips.len());
    put!(text, "<rect x=\"{left:.2}\" y=\"{top:.2}\" width=\"{width:.2}\" height=\"{height:.2}\"/></clipPath>\n");
    clips.push(clip);
    clips.len() - 1
}

fn places(points: &[[f64; 2]]) -> String {
    let mut text = String::with_capacity(points.len() * 15);
    for (index, [x, y]) in points.iter().enumerate() {
        let gap = if index == 0 { "" } else { " " };
        put!(text, "{gap}{x:.2},{y:.2}");
    }
    text
}

fn hex([red, green, blue]: [u8; 3]) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// Text as XML wants it; control characters have no place there.
fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            c if c.is_control() => safe.push(' '),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::super::tests::figure;

    #[test]
    fn the_document_is_well_formed_and_keeps_its_text() {
        let svg = figure().svg();
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
        assert!(svg.contains(">LeNet-5 &amp; &lt;friends&gt;</text>"), "names are escaped");
        for (opening, closing) in [("<text", "</text>"), ("<clipPath", "</clipPath>")] {
            assert_eq!(svg.matches(opening).count(), svg.matches(closing).count());
        }
        assert_eq!(svg.matches("<clipPath").count(), 2, "one for each chart");
        assert!(svg.contains("stroke-dasharray=\"10 6\"") && svg.contains("rotate(-90"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }
}
