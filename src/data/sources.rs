//! The known data sets: where they come from, what they must contain, whom to credit. Reads and fetches nothing.

/// A data set known by name.
#[derive(Debug, PartialEq, Eq)]
pub struct Source {
    /// Name on the command line and in stored configurations; never changes.
    pub id: &'static str,
    /// Name for people.
    pub title: &'static str,
    /// One sentence on what it holds.
    pub about: &'static str,
    /// Who made it, and on what terms.
    pub credit: &'static str,
    /// Folders on the net that have all of the files, in the order they are tried. Empty when built in.
    pub addresses: &'static [&'static str],
    /// Train images, train labels, test images, test labels, as [`super::idx::FILES`]. Empty when built in.
    pub files: &'static [SourceFile],
}

/// One file of a known data set.
#[derive(Debug, PartialEq, Eq)]
pub struct SourceFile {
    /// Name under which it is offered and kept, gzip.
    pub name: &'static str,
    /// Size as it is offered.
    pub packed_bytes: u64,
    /// Size after unpacking.
    pub unpacked_bytes: u64,
    /// SHA-256 after unpacking (packers differ, content does not), in lower-case hexadecimal digits.
    pub sha256: &'static str,
}

impl Source {
    /// True when nothing needs fetching.
    pub fn is_built_in(&self) -> bool {
        self.files.is_empty()
    }

    /// Bytes to fetch for the whole set.
    pub fn packed_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.packed_bytes).sum()
    }
}

/// Every data set that has a name. MNIST is what "no choice made" means.
pub static SOURCES: [Source; 2] = [
    Source {
        id: "mnist",
        title: "MNIST",
        about: "60,000 handwritten digits to learn from and 10,000 to test on, 28×28 pixels",
        credit: "Yann LeCun, Corinna Cortes and Christopher J. C. Burges, from NIST Special Databases 1 and 3; \
                 CC BY-SA 3.0",
        addresses: &[
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ],
        files: &[
            SourceFile {
                name: "train-images-idx3-ubyte.gz",
                packed_bytes: 9_912_422,
                unpacked_bytes: 47_040_016,
                sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
            },
            SourceFile {
                name: "train-labels-idx1-ubyte.gz",
                packed_bytes: 28_881,
                unpacked_bytes: 60_008,
                sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
            },
            SourceFile {
                name: "t10k-images-idx3-ubyte.gz",
                packed_bytes: 1_648_877,
                unpacked_bytes: 7_840_016,
                sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
            },
            SourceFile {
                name: "t10k-labels-idx1-ubyte.gz",
                packed_bytes: 4_542,
                unpacked_bytes: 10_008,
                sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            },
        ],
    },
    Source {
        id: "drawn",
        title: "drawn digits",
        about: "digits that the program draws itself, as many as wanted; needs no file and no network",
        credit: "made by Digitpad",
        addresses: &[],
        files: &[],
    },
];

/// The known data set with this id.
pub fn source(id: &str) -> Option<&'static Source> {
    SOURCES.iter().find(|source| source.id == id)
}

#[cfg(test)]
mod tests {
    use super::super::idx::FILES;
    use super::*;

    #[test]
    fn every_source_is_found_by_its_own_id() {
        for entry in &SOURCES {
            assert_eq!(source(entry.id), Some(entry), "{}", entry.id);
        }
        assert_eq!(source("MNIST "), None);
    }

    #[test]
    fn a_source_is_either_built_in_or_has_four_checked_files_and_several_addresses() {
        for entry in SOURCES.iter().filter(|entry| !entry.is_built_in()) {
            assert!(entry.addresses.len() >= 3, "{}", entry.id);
            assert!(entry.addresses.iter().all(|address| address.starts_with("https://") && address.ends_with('/')));
            let names: Vec<&str> = entry.files.iter().map(|file| file.name.trim_end_matches(".gz")).collect();
            assert_eq!(names, FILES.map(|(name, _)| name), "{}", entry.id);
            for file in entry.files {
                assert!(
                    file.sha256.len() == 64 && file.sha256.bytes().all(|digit| b"0123456789abcdef".contains(&digit))
                );
                assert!(file.packed_bytes < file.unpacked_bytes);
            }
        }
    }
}
