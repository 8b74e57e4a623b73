//! The one form a digit takes between folders: 28×28 bytes, 0 is paper, 255 is ink.

/// Rows and columns of a digit image.
pub const SIDE: usize = 28;
/// Pixels of a digit image.
pub const PIXELS: usize = SIDE * SIDE;

/// A digit as MNIST stores it: row-major, 0 is paper, 255 is ink.
#[derive(Clone, PartialEq, Eq)]
pub struct DigitImage {
    /// Row-major ink, `pixels[row * SIDE + column]`.
    pub pixels: [u8; PIXELS],
}

impl Default for DigitImage {
    fn default() -> Self {
        Self { pixels: [0; PIXELS] }
    }
}

impl std::fmt::Debug for DigitImage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for row in self.pixels.chunks_exact(SIDE) {
            let line: String = row.iter().map(|&ink| [' ', '.', ':', 'o', '#'][usize::from(ink) / 52]).collect();
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
