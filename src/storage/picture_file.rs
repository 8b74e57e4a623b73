//! Image files: reading a picture of a digit, and saving what is on the pad.

use std::fs::File;
use std::io::{Cursor, Read};
use std::path::Path;

use anyhow::{Context, Result, anyhow, ensure};
use image::{DynamicImage, ImageDecoder, ImageFormat, ImageReader, Limits};

use super::write_atomically;
use crate::drawing::Picture;

/// Files beyond these sizes are refused before anything is unpacked.
const LARGEST_FILE: u64 = 64 << 20;
const LARGEST_SIDE: u32 = 8_192;
const LARGEST_ALLOCATION: u64 = 256 << 20;

/// Endings of the files that can be read.
pub const EXTENSIONS: [&str; 9] = ["png", "jpg", "jpeg", "bmp", "gif", "webp", "pbm", "pgm", "ppm"];

/// The ink in an image file: PNG, JPEG, BMP, GIF (its first picture), WebP, PBM, PGM or PPM, told by its content.
pub fn read(path: &Path) -> Result<Picture> {
    let read = || -> Result<Picture> {
        let metadata = std::fs::metadata(path).context("there is no such file")?;
        ensure!(metadata.is_file(), "it is no file");
        ensure!(metadata.len() <= LARGEST_FILE, "the file has {} MB, at most 64 MB are read", metadata.len() >> 20);
        let mut bytes = Vec::new();
        File::open(path)?.take(LARGEST_FILE).read_to_end(&mut bytes)?;
        decode(&bytes)
    };
    read().map_err(|error| anyhow!("this picture cannot be opened ({error:#}): {}", path.display()))
}

/// The ink in an image file's bytes.
pub fn decode(bytes: &[u8]) -> Result<Picture> {
    let mut reader = ImageReader::new(Cursor::new(bytes)).with_guessed_format()?;
    ensure!(
        reader.format().is_some(),
        "it holds no picture of a known kind; {} are read",
        "PNG, JPEG, BMP, GIF, WebP, PBM, PGM, PPM"
    );
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_ALLOCATION);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    // photographs are often stored lying on their side
    let orientation = decoder.orientation()?;
    let mut image = DynamicImage::from_decoder(decoder)?;
    image.apply_orientation(orientation);
    let rgba = image.to_rgba8();
    Ok(Picture::from_rgba(rgba.width() as usize, rgba.height() as usize, rgba.as_raw())?)
}

/// Writes grey values, row by row, 0 is black, as a PNG file.
pub fn write_grey(path: &Path, width: usize, height: usize, grey: &[u8]) -> Result<()> {
    let image = image::GrayImage::from_raw(width as u32, height as u32, grey.to_vec())
        .context("a picture needs width × height values")?;
    let mut bytes = Vec::new();
    image.write_to(&mut Cursor::new(&mut bytes), ImageFormat::Png)?;
    write_atomically(path, &bytes).context("the picture could not be saved")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_picture_opens_again_and_what_is_none_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("stroke.png");
        let grey: Vec<u8> = (0..40 * 40).map(|i| if (15..25).contains(&(i % 40)) { 0 } else { 255 }).collect();
        write_grey(&path, 40, 40, &grey).unwrap();
        assert!(read(&path).unwrap().ink.iter().any(|&ink| ink > 200));

        let png = std::fs::read(&path).unwrap();
        for length in 0..png.len() {
            // a cut picture is refused or shows what is there; it never panics
            let _shown = decode(&png[..length]);
        }
        for (bytes, expected) in [
            (b"this is a text file".to_vec(), "no picture of a known kind"),
            (Vec::new(), "no picture of a known kind"),
            (b"PK\x03\x04 a zip archive, renamed".to_vec(), "no picture of a known kind"),
        ] {
            let message = format!("{:#}", decode(&bytes).unwrap_err());
            assert!(message.contains(expected), "{message}");
        }
        let missing = format!("{:#}", read(&folder.path().join("missing.png")).unwrap_err());
        assert!(missing.contains("there is no such file"), "{missing}");
    }
}
