//! What the window remembers from one day to the next: a small file of its own, versioned and written atomically.
//! Settings of a training are not here: they lie in the run's folder.

use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::{WriteError, write_atomically};

/// Written into the file; a higher number comes from a newer program and is left alone.
const VERSION: u32 = 1;
/// No settings of ours are that long.
const MOST_BYTES: u64 = 64 * 1024;

/// Light or dark.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "kebab-case")]
pub enum Theme {
    /// As the system is.
    #[default]
    System,
    /// Always light.
    Light,
    /// Always dark.
    Dark,
}

/// What paints the window.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug)]
#[serde(rename_all = "kebab-case")]
pub enum Renderer {
    /// Vulkan, Metal, DirectX or OpenGL through wgpu.
    Wgpu,
    /// OpenGL.
    Glow,
}

/// What curves are plotted over.
#[derive(Serialize, Deserialize, Clone, Copy, PartialEq, Eq, Debug, Default)]
#[serde(rename_all = "kebab-case")]
pub enum XAxis {
    #[default]
    Epochs,
    Updates,
    /// Of training, pauses left out.
    Seconds,
}

/// What is remembered. A missing entry has its default, an unknown one is ignored.
#[derive(Serialize, Deserialize, Clone, PartialEq, Debug)]
#[serde(default)]
pub struct Settings {
    /// Version of the file's form.
    version: u32,
    /// Light or dark.
    pub theme: Theme,
    /// Pen diameter as a share of the pad's side.
    pub pen_width: f32,
    /// Whether keeping a drawing clears the pad for the next one.
    pub keeping_clears_pad: bool,
    /// What the curves of a training are plotted over.
    pub curves_by: XAxis,
    /// Whether the loss has a logarithmic axis.
    pub loss_is_logarithmic: bool,
    /// Whether the digit with the lowest F1 stands first.
    pub worst_digits_first: bool,
    /// The renderer that last opened a window; tried first.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renderer: Option<Renderer>,
    /// The folder that the file dialog opens in.
    #[serde(skip_serializing_if = "is_unwritable")]
    pub last_folder: Option<PathBuf>,
}

impl Settings {
    /// Pen widths that the pad offers, as shares of its side.
    pub const PEN_WIDTHS: std::ops::RangeInclusive<f32> = 0.02..=0.25;
    const DEFAULT_PEN_WIDTH: f32 = 0.10;
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            version: VERSION,
            theme: Theme::System,
            pen_width: Self::DEFAULT_PEN_WIDTH,
            keeping_clears_pad: false,
            curves_by: XAxis::Epochs,
            loss_is_logarithmic: true,
            worst_digits_first: false,
            renderer: None,
            last_folder: None,
        }
    }
}

/// TOML is Unicode; a folder whose name is not is forgotten rather than garbled.
fn is_unwritable(folder: &Option<PathBuf>) -> bool {
    folder.as_ref().is_none_or(|folder| folder.to_str().is_none())
}

/// The settings with the file that they came from.
#[derive(Debug)]
pub struct SettingsFile {
    /// Change these, then [`SettingsFile::save`].
    pub settings: Settings,
    path: PathBuf,
    saved: Settings,
    /// False when the file is a newer program's.
    may_write: bool,
}

impl SettingsFile {
    /// Reads the file, or takes the defaults, with a sentence for the person where something was wrong. A file that
    /// cannot be understood is kept beside as `settings.toml.bad`; one of a newer program is neither read nor written.
    pub fn open(path: &Path) -> (Self, Option<String>) {
        let (settings, may_write, note) = match read(path) {
            Ok(settings) => (settings, true, None),
            Err(Unread::Absent) => (Settings::default(), true, None),
            Err(Unread::Newer(version)) => {
                let note = format!(
                    "The settings are those of a newer Digitpad (version {version}, this one knows {VERSION}); \
                     they are left alone and defaults are used: {}",
                    path.display()
                );
                (Settings::default(), false, Some(note))
            }
            Err(Unread::Refused(error)) => {
                let note = format!("The settings could not be read ({error}); defaults are used: {}", path.display());
                (Settings::default(), true, Some(note))
            }
            Err(Unread::Corrupt(problem)) => {
                let (kept, may_write) = set_aside(path);
                let note = format!("The settings are damaged ({problem}); defaults are used. {kept}");
                (Settings::default(), may_write, Some(note))
            }
        };
        (Self { saved: settings.clone(), settings, path: path.to_path_buf(), may_write }, note)
    }

    /// Writes the settings if they have changed since they were read or written.
    ///
    /// # Errors
    /// [`WriteError`] when the folder cannot be made or the file not be written; told once, not at every call, until
    /// the settings change again.
    pub fn save(&mut self) -> Result<(), WriteError> {
        if !self.may_write || self.settings == self.saved {
            return Ok(());
        }
        self.saved = self.settings.clone();
        let failed = |source| WriteError { path: self.path.clone(), source };
        let text = toml::to_string_pretty(&self.settings).map_err(|error| failed(std::io::Error::other(error)))?;
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder).map_err(failed)?;
        }
        write_atomically(&self.path, text.as_bytes())
    }
}

enum Unread {
    Absent,
    Newer(u32),
    Refused(std::io::Error),
    Corrupt(String),
}

fn read(path: &Path) -> Result<Settings, Unread> {
    let refused = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Unread::Absent,
        _ => Unread::Refused(error),
    };
    if !std::fs::metadata(path).map_err(refused)?.is_file() {
        return Err(Unread::Refused(std::io::Error::other("this is no ordinary file")));
    }
    let mut bytes = Vec::new();
    std::fs::File::open(path).map_err(refused)?.take(MOST_BYTES + 1).read_to_end(&mut bytes).map_err(refused)?;
    if bytes.len() as u64 > MOST_BYTES {
        return Err(Unread::Corrupt("far too long".to_string()));
    }
    let text = String::from_utf8(bytes).map_err(|error| Unread::Corrupt(error.to_string()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    // The version first: what a newer program wrote need not fit our types.
    let table: toml::Table = toml::from_str(text).map_err(|error| Unread::Corrupt(error.message().to_string()))?;
    if let Some(version) = table.get("version").and_then(toml::Value::as_integer)
        && version > i64::from(VERSION)
    {
        return Err(Unread::Newer(u32::try_from(version).unwrap_or(u32::MAX)));
    }
    let mut settings: Settings =
        table.try_into().map_err(|error: toml::de::Error| Unread::Corrupt(error.message().to_string()))?;
    settings.version = VERSION;
    if !Settings::PEN_WIDTHS.contains(&settings.pen_width) {
        settings.pen_width = Settings::DEFAULT_PEN_WIDTH;
    }
    Ok(settings)
}

/// Gives the damaged file another name; says where it is, and whether its own name is free now.
pub(super) fn set_aside(path: &Path) -> (String, bool) {
    let mut bad = path.as_os_str().to_owned();
    bad.push(".bad");
    match std::fs::rename(path, &bad) {
        Ok(()) => (format!("The damaged file is kept: {}", Path::new(&bad).display()), true),
        Err(error) => {
            (format!("The file could not be set aside ({error}) and is left alone: {}", path.display()), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Case {
        _folder: tempfile::TempDir,
        path: PathBuf,
    }

    fn case(content: Option<&[u8]>) -> Case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep").join("settings.toml");
        if let Some(content) = content {
            std::fs::create_dir(path.parent().unwrap()).unwrap();
            std::fs::write(&path, content).unwrap();
        }
        Case { _folder: folder, path }
    }

    #[test]
    fn what_is_saved_is_there_the_next_day() {
        let case = case(None);
        let (mut file, note) = SettingsFile::open(&case.path);
        assert_eq!((&file.settings, note), (&Settings::default(), None));
        file.save().unwrap();
        assert!(!case.path.exists(), "nothing has changed, so nothing is written");
        file.settings.theme = Theme::Dark;
        file.settings.renderer = Some(Renderer::Glow);
        file.settings.last_folder = Some(PathBuf::from("/ü 日本"));
        file.settings.pen_width = 0.2;
        file.settings.curves_by = XAxis::Seconds;
        file.settings.loss_is_logarithmic = false;
        file.save().unwrap();
        let (again, note) = SettingsFile::open(&case.path);
        assert_eq!((again.settings, note), (file.settings, None));
    }

    #[test]
    fn a_damaged_file_is_kept_and_defaults_are_used() {
        let long = [b"pen_width = 0.1 #".to_vec(), vec![b' '; 100_000]].concat();
        let deep = [b"a = ".to_vec(), vec![b'['; 50_000]].concat();
        for (what, content) in [
            ("no TOML", &b"{\"theme\": 1}"[..]),
            ("cut short", b"theme = \"da"),
            ("unknown theme", b"theme = \"pink\""),
            ("wrong type", b"pen_width = \"wide\""),
            ("key twice", b"pen_width = 0.1\npen_width = 0.2"),
            ("no Unicode", b"theme = \"\xff\xfe\""),
            ("too long", &long),
            ("nested too deeply", &deep),
        ] {
            let case = case(Some(content));
            let (mut file, note) = SettingsFile::open(&case.path);
            assert_eq!(file.settings, Settings::default(), "{what}");
            assert!(note.is_some_and(|note| note.contains("settings.toml.bad")), "{what}");
            assert_eq!(std::fs::read(case.path.with_extension("toml.bad")).unwrap(), content, "{what}");
            file.settings.theme = Theme::Light;
            file.save().unwrap();
            assert_eq!(SettingsFile::open(&case.path).0.settings.theme, Theme::Light);
        }
    }

    #[test]
    fn a_newer_programs_file_is_left_alone() {
        let content = b"version = 2\ntheme = { follows = \"moon\" }\n";
        let case = case(Some(content));
        let (mut file, note) = SettingsFile::open(&case.path);
        assert!(note.is_some_and(|note| note.contains("newer Digitpad (version 2")));
        file.settings.theme = Theme::Dark;
        file.save().unwrap();
        assert_eq!(std::fs::read(&case.path).unwrap(), content);
    }

    #[test]
    fn odd_but_readable_files_are_read() {
        for (content, theme, pen_width) in [
            (&b"\xef\xbb\xbftheme = \"dark\"\r\n"[..], Theme::Dark, 0.10),
            (b"", Theme::System, 0.10),
            (b"colour = 7\npen_width = 0.05", Theme::System, 0.05),
            (b"pen_width = nan", Theme::System, 0.10),
            (b"pen_width = 1e30", Theme::System, 0.10),
        ] {
            let (file, note) = SettingsFile::open(&case(Some(content)).path);
            assert_eq!((file.settings.theme, file.settings.pen_width, note), (theme, pen_width, None));
        }
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_told_once() {
        let case = case(Some(b""));
        let (mut file, _) = SettingsFile::open(&case.path.join("below a file"));
        file.settings.theme = Theme::Dark;
        assert!(file.save().unwrap_err().to_string().ends_with("below a file"));
        assert!(file.save().is_ok());
    }
}
