//! `log.txt`: what happens to a run, in lines for people, each with its time (UTC). Nothing is ever taken out of it: a run that
//! is taken up again goes on in the same file.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use super::run_folder::clock;

const NAME: &str = "log.txt";

/// The log while a run is written. Copies write into the same file.
#[derive(Clone)]
pub(super) struct RunLog(Option<Arc<File>>);

impl RunLog {
    /// The log of the run in this folder. Where there can be none, the run goes on without.
    pub fn open(run: &Path) -> Self {
        Self(File::options().create(true).append(true).open(run.join(NAME)).ok().map(Arc::new))
    }

    /// Adds a sentence, in one piece.
    pub fn line(&self, sentence: &str) {
        let Some(file) = &self.0 else { return };
        let sentence = sentence.lines().map(str::trim).collect::<Vec<_>>().join(" ");
        let line = format!("{}  {sentence}\n", clock(SystemTime::now()));
        // whoever reads the log has lost a line, and nobody has lost the run
        let _lost = file.as_ref().write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_have_a_time_and_are_added_to_those_of_before() {
        let folder = tempfile::tempdir().unwrap();
        RunLog::open(folder.path()).line("Training mlp");
        RunLog::open(folder.path()).line("it goes on,\n  and says so");
        let text = std::fs::read_to_string(folder.path().join(NAME)).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2);
        let (time, sentence) = lines[1].split_once("  ").unwrap();
        assert_eq!((time.len(), sentence), ("2026-01-01 00:00:00".len(), "it goes on, and says so"));
        // a folder that is not there has no log
        RunLog::open(&folder.path().join("absent")).line("lost");
    }
}
