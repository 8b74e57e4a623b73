//! Images and labels side by side, and the pair of them that a run needs. How they came here is not told.

use super::DataError;
use crate::drawing::PIXELS;

/// Classes of every data set: the digits 0 to 9.
pub const CLASSES: usize = 10;

/// Labelled 28×28 digits as bytes: 0 is paper, 255 is ink.
///
/// Images and labels have equal numbers and labels are below 10: the constructor has seen to that.
#[derive(Clone, PartialEq, Eq)]
pub struct Dataset {
    name: String,
    images: Vec<u8>,
    labels: Vec<u8>,
}

impl Dataset {
    /// `images` holds `labels.len()` images of [`PIXELS`] bytes one after another, rows from top to bottom.
    ///
    /// # Errors
    /// [`DataError::Inconsistent`] when the lengths do not fit or a label is above 9.
    pub fn new(name: impl Into<String>, images: Vec<u8>, labels: Vec<u8>) -> Result<Self, DataError> {
        let name = name.into();
        if images.len() != labels.len() * PIXELS {
            let problem = format!(
                "{} labels need {} bytes of images of 28×28, found {}",
                labels.len(),
                labels.len() * PIXELS,
                images.len()
            );
            return Err(DataError::Inconsistent { name, problem });
        }
        if let Some((index, label)) = labels.iter().enumerate().find(|(_, label)| usize::from(**label) >= CLASSES) {
            let problem = format!("label {label} of image {index} is no digit, expected 0 to 9");
            return Err(DataError::Inconsistent { name, problem });
        }
        Ok(Self { name, images, labels })
    }

    /// Name for people, such as "MNIST test".
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of images.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// True without any image.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// All pixels, image after image, `[len, 28, 28]`.
    pub fn images(&self) -> &[u8] {
        &self.images
    }

    /// All labels, each 0 to 9.
    pub fn labels(&self) -> &[u8] {
        &self.labels
    }

    /// The image at `index`, row-major.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`], as a slice does.
    pub fn image(&self, index: usize) -> &[u8; PIXELS] {
        self.images[index * PIXELS..].first_chunk().expect("the constructor checked that every image is whole")
    }

    /// The digit of the image at `index`.
    ///
    /// # Panics
    /// When `index` is not below [`Dataset::len`], as a slice does.
    pub fn label(&self, index: usize) -> u8 {
        self.labels[index]
    }

    /// How many images there are of each digit.
    pub fn class_counts(&self) -> [usize; CLASSES] {
        class_counts(&self.labels)
    }

    /// A copy of the images at `indices`, in that order.
    ///
    /// # Panics
    /// When an index is not below [`Dataset::len`].
    pub fn subset(&self, indices: &[u32]) -> Self {
        let mut images = Vec::with_capacity(indices.len() * PIXELS);
        let mut labels = Vec::with_capacity(indices.len());
        for &index in indices {
            images.extend_from_slice(self.image(index as usize));
            labels.push(self.label(index as usize));
        }
        Self { name: self.name.clone(), images, labels }
    }

    /// A copy of the first `count` images, or of all when there are fewer.
    pub fn take(&self, count: usize) -> Self {
        let count = count.min(self.len());
        Self {
            name: self.name.clone(),
            images: self.images[..count * PIXELS].to_vec(),
            labels: self.labels[..count].to_vec(),
        }
    }
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Dataset({:?}, {} images)", self.name, self.len())
    }
}

pub(super) fn class_counts(labels: &[u8]) -> [usize; CLASSES] {
    let mut counts = [0; CLASSES];
    for &label in labels {
        counts[usize::from(label)] += 1;
    }
    counts
}

/// A training set with the test set that belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Corpus {
    /// Id of the known source, such as `mnist`, or the path of a folder of the user's own.
    pub source: String,
    /// Name for people, such as "MNIST" or "drawn digits".
    pub title: String,
    /// Images to learn from; validation images are split off from these.
    pub train: Dataset,
    /// Images to report on, never used to choose anything.
    pub test: Dataset,
    /// What a person should know about these files, such as a file that differs from the set it resembles.
    pub notes: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn three() -> Dataset {
        let images = (0..3 * PIXELS).map(|k| (k / PIXELS) as u8).collect();
        Dataset::new("three", images, vec![7, 0, 7]).unwrap()
    }

    #[test]
    fn images_and_labels_that_do_not_fit_are_refused() {
        assert!(Dataset::new("short", vec![0; PIXELS], vec![1, 2]).is_err());
        assert!(Dataset::new("odd", vec![0; PIXELS + 1], vec![1]).is_err());
        let message = Dataset::new("ten", vec![0; 2 * PIXELS], vec![9, 10]).unwrap_err().to_string();
        assert!(message.contains("label 10 of image 1"), "{message}");
        assert!(Dataset::new("none", vec![], vec![]).unwrap().is_empty());
    }

    #[test]
    fn a_subset_keeps_image_and_label_together_in_the_order_asked() {
        let subset = three().subset(&[2, 1, 2]);
        assert_eq!(subset.labels(), [7, 0, 7]);
        assert_eq!([subset.image(0)[5], subset.image(1)[5], subset.image(2)[5]], [2, 1, 2]);
    }

    #[test]
    fn taking_more_than_there_is_gives_all() {
        assert_eq!(three().take(10), three());
        assert_eq!(three().take(2).labels(), [7, 0]);
    }

    #[test]
    fn class_counts_add_up() {
        assert_eq!(three().class_counts(), [1, 0, 0, 0, 0, 0, 0, 2, 0, 0]);
    }
}
