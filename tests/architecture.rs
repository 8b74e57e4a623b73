//! The house rules, kept by reading the source text: which folder may import which, who may touch the screen, the disk,
//! the network and threads, and how long a file may grow.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should say where")]

use std::path::Path;

use digitpad::training::TrainingConfig;

/// Folders in the order of imports: each knows only those before it. The last two do not know each other.
const ORDER: [&str; 11] =
    ["drawing", "data", "nn", "optim", "models", "inference", "training", "storage", "workbench", "ui", "cli"];

const MOST_LINES: usize = 500;
const USUAL_MOST_LINES: usize = 350;

/// A source file of the program.
struct Source {
    /// From the root, with slashes: `src/nn/conv.rs`.
    path: String,
    text: String,
}

impl Source {
    /// `nn` for `src/nn/conv.rs`; empty for `src/main.rs`.
    fn folder(&self) -> &str {
        self.path.strip_prefix("src/").and_then(|rest| rest.split_once('/')).map_or("", |(folder, _)| folder)
    }

    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs")
    }

    /// Numbered lines of the program itself: no comments, and nothing from the tests at the foot on.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let text = if self.is_test() { "" } else { self.text.as_str() };
        let lines: Vec<&str> = text.lines().collect();
        // a test module at the foot ends the program; a single item that only tests use does not
        let foot = lines.windows(2).position(|pair| pair[0] == "#[cfg(test)]" && pair[1].starts_with("mod tests {"));
        let end = foot.unwrap_or(lines.len());
        let numbered = lines.into_iter().take(end).enumerate();
        numbered.map(|(number, line)| (number + 1, code_of(line))).filter(|(_, line)| !line.is_empty())
    }

    /// As [`Source::code`], with every `use` joined into one line, numbered where it begins.
    fn statements(&self) -> Vec<(usize, String)> {
        let mut statements: Vec<(usize, String)> = Vec::new();
        let mut open = false;
        for (number, line) in self.code() {
            match statements.last_mut().filter(|_| open) {
                Some((_, statement)) => statement.push_str(line),
                None => statements.push((number, line.to_owned())),
            }
            let begins =
                line.starts_with("use ") || line.starts_with("pub use ") || line.starts_with("pub(crate) use ");
            open = (open || begins) && !line.ends_with(';');
        }
        statements
    }
}

/// A line without its comment. A `//` inside a string cuts the line short, which hides no import.
fn code_of(line: &str) -> &str {
    line.split("//").next().unwrap_or("").trim()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    let mut folders = vec![root().join("src"), root().join("tests")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let path = path.strip_prefix(root()).unwrap().to_str().unwrap().replace('\\', "/");
                found.push(Source { path, text });
            }
        }
    }
    found.sort_by(|a, b| a.path.cmp(&b.path));
    assert!(found.len() > 50, "the sources are looked for in the wrong place: {}", root().display());
    found
}

/// Fails with all findings at once, each with what to do about it.
fn report(findings: &[String]) {
    assert!(findings.is_empty(), "\n{}\n", findings.join("\n"));
}

/// The folders of this crate that a statement names, as in `crate::nn::…` or `use crate::{data, nn::{A, B}, ui};`.
fn imports(statement: &str) -> Vec<&str> {
    let words = |text: &'static str| statement.match_indices(text).map(|(at, _)| &statement[at + text.len()..]);
    let name_of = |text: &'_ str| {
        let text = text.trim_start();
        text.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(text.len())
    };
    let mut names = Vec::new();
    for rest in words("crate::").chain(words("digitpad::")) {
        let Some(list) = rest.strip_prefix('{') else {
            names.push(&rest[..name_of(rest)]);
            continue;
        };
        // the names at the first level of the list, whatever braces stand within
        let (mut depth, mut begin) = (0, 0);
        for (at, c) in list.char_indices() {
            match c {
                '{' => depth += 1,
                '}' if depth > 0 => depth -= 1,
                ',' | '}' if depth == 0 => {
                    let name = list[begin..at].trim_start();
                    names.push(&name[..name_of(name)]);
                    begin = at + 1;
                    if c == '}' {
                        break;
                    }
                }
                _ => {}
            }
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn a_folder_imports_only_from_folders_before_it() {
    let rank = |folder: &str| ORDER.iter().position(|known| *known == folder);
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/") && !source.folder().is_empty()) {
        let Some(own) = rank(source.folder()) else {
            findings.push(format!("{}: the folder has no place in the order; give it one in ORDER", source.path));
            continue;
        };
        for (number, statement) in source.statements() {
            for name in imports(&statement) {
                let Some(other) = rank(name) else { continue };
                let both_at_the_end = source.folder() == "cli" && name == "ui";
                if other > own || both_at_the_end {
                    findings.push(format!(
                        "{}:{number}: {} may not know {name}; move what both need to the left, or hand it in as a value",
                        source.path,
                        source.folder()
                    ));
                }
            }
        }
    }
    report(&findings);
}

/// Words that only some folders may use.
struct Rule {
    words: &'static [&'static str],
    /// Whether code in this file may use them.
    allowed: fn(&Source) -> bool,
    advice: &'static str,
}

const RULES: [Rule; 6] = [
    Rule {
        words: &["egui", "eframe", "rfd::"],
        allowed: |source| source.folder() == "ui",
        advice: "only ui/ knows the screen; hand plain numbers over",
    },
    Rule {
        words: &["candle_core", "candle_nn"],
        allowed: |source| !["drawing", "data", "workbench", "ui", "cli", ""].contains(&source.folder()),
        advice: "tensors stay between nn/ and storage/; hand plain numbers over",
    },
    Rule {
        words: &["thread::spawn", "thread::scope", "thread::Builder", "thread::sleep", "mpsc", "Condvar"],
        allowed: |source| {
            // waiting for another process to give up its lock needs a pause, not a thread
            // and what a training needs to go on later is written beside it, with a window or without
            let others = ["src/data/fetch.rs", "src/storage/checkpoint_writer.rs"];
            source.folder() == "workbench" || others.contains(&source.path.as_str())
        },
        advice: "threads and channels live in workbench/; write a plain function with a callback",
    },
    Rule {
        words: &["std::fs", "fs::", "File::open", "File::create", "ureq", "TcpStream", "std::net"],
        allowed: |source| ["data", "storage"].contains(&source.folder()),
        advice: "files and the network belong to data/ and storage/; add a function there and call it",
    },
    Rule {
        words: &["println!", "print!", "eprintln!", "eprint!", "stdout()", "stderr()", "indicatif"],
        allowed: |source| ["cli", ""].contains(&source.folder()),
        advice: "only the command line prints; return the sentence or tell it through a callback",
    },
    Rule {
        words: &["thread_rng", "rand::rng()", "from_os_rng", "from_entropy", "rand::random", "OsRng"],
        allowed: |_| false,
        advice: "all chance comes from a seed that is handed in; take a stream from nn::random or a ChaCha8Rng",
    },
];

#[test]
fn screen_tensors_threads_files_print_and_chance_stay_in_their_folders() {
    let mut findings = Vec::new();
    for source in sources().iter().filter(|source| source.path.starts_with("src/")) {
        for rule in RULES.iter().filter(|rule| !(rule.allowed)(source)) {
            for (number, line) in source.code() {
                for word in rule.words.iter().filter(|word| has_word(line, word)) {
                    findings.push(format!("{}:{number}: \"{word}\": {}", source.path, rule.advice));
                }
            }
        }
    }
    report(&findings);
}

/// Whether `word` stands in the line, not as the end of a longer name.
fn has_word(line: &str, word: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| !line[..at].chars().next_back().is_some_and(is_part))
}

#[test]
fn every_file_says_first_what_lives_in_it() {
    let silent = sources().into_iter().filter(|source| !source.text.starts_with("//! "));
    report(
        &silent
            .map(|source| format!("{}: begin it with //! lines: what lives here, what does not", source.path))
            .collect::<Vec<_>>(),
    );
}

#[test]
fn files_stay_short_enough_to_be_read() {
    let lengths: Vec<(usize, String)> =
        sources().into_iter().map(|source| (source.text.lines().count(), source.path)).collect();
    let too_long: Vec<String> = lengths
        .iter()
        .filter(|(lines, _)| *lines > MOST_LINES)
        .map(|(lines, path)| {
            format!("{path}: {lines} lines, at most {MOST_LINES}; give a part of it a file of its own")
        })
        .collect();
    report(&too_long);
    let mut long: Vec<&(usize, String)> = lengths.iter().filter(|(lines, _)| *lines > USUAL_MOST_LINES).collect();
    long.sort();
    assert!(
        long.len() * 10 <= lengths.len(),
        "{} of {} files have more than {USUAL_MOST_LINES} lines, at most a tenth may; split one of {long:?}",
        long.len(),
        lengths.len()
    );
}

#[test]
fn nothing_is_left_for_later() {
    // written in two parts, so that this file does not find itself
    let words = ["to", "unimplem", "coming ", "place", "FIX", "TO", "X"];
    let ends = ["do!(", "ented!(", "soon", "holder", "ME", "DO", "XX"];
    let words: Vec<String> = words.iter().zip(ends).map(|(start, end)| format!("{start}{end}")).collect();
    let mut findings = Vec::new();
    for source in sources() {
        for (number, line) in source.text.lines().enumerate() {
            for word in words.iter().filter(|word| line.contains(word.as_str())) {
                findings.push(format!("{}:{}: \"{word}\": finish it or leave it out", source.path, number + 1));
            }
        }
    }
    report(&findings);
}

#[test]
fn the_top_level_holds_what_a_newcomer_expects_and_no_more() {
    let known = ["Cargo.toml", "Cargo.lock", "README.md", "src", "assets", "models", "tests", "target"];
    let mut findings = Vec::new();
    for entry in std::fs::read_dir(root()).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let fits = known.contains(&name.as_str()) || name.starts_with("LICENSE") || name.starts_with('.');
        if !fits {
            findings.push(format!("{name}: belongs in one of {known:?}, or nowhere"));
        }
    }
    report(&findings);
}

#[test]
fn the_configuration_in_the_readme_has_every_key_and_can_be_read() {
    let readme = std::fs::read_to_string(root().join("README.md")).unwrap();
    let (_, after) = readme.split_once("A configuration in full").unwrap();
    let block = after.split("```toml").nth(1).unwrap().split("```").next().unwrap();
    // what is switched off in the example is written as a comment
    let uncommented: Vec<&str> = block.lines().map(|line| line.strip_prefix("# ").unwrap_or(line)).collect();
    // the network of the example has no dropout, and settings that do nothing are refused
    let fitting: Vec<&str> = uncommented.iter().copied().filter(|line| !line.starts_with("dropout = ")).collect();
    let all = TrainingConfig::from_toml(&fitting.join("\n"));
    assert!(all.is_ok(), "with all its lines: {all:?}");
    assert!(TrainingConfig::from_toml(block).is_ok(), "as it stands");
    let mut findings = Vec::new();
    for (file, name) in [
        ("src/training/config.rs", "TrainingConfig"),
        ("src/data/augment.rs", "Augmentation"),
        ("src/data/beside.rs", "Beside"),
        ("src/training/early_stopping.rs", "EarlyStopping"),
    ] {
        let text = std::fs::read_to_string(root().join(file)).unwrap();
        let (_, fields) = text.split_once(&format!("pub struct {name} {{")).unwrap();
        let fields = fields.split("\n}").next().unwrap().lines();
        let keys = fields.filter_map(|line| line.trim().strip_prefix("pub ")?.split_once(':').map(|(key, _)| key));
        for key in keys {
            let is_told = uncommented
                .iter()
                .any(|line| line.starts_with(&format!("{key} = ")) || line.starts_with(&format!("[{key}]")));
            if !is_told {
                findings.push(format!("{file}: {key} is missing in the README's configuration"));
            }
        }
    }
    report(&findings);
}

#[test]
fn the_rules_see_what_they_forbid() {
    assert_eq!(imports("use crate::{data, nn::Weights};"), ["data", "nn"]);
    assert_eq!(imports("use crate::{nn::{A, B}, ui::theme,storage};"), ["nn", "ui", "storage"]);
    let source = Source {
        path: "src/nn/x.rs".to_owned(),
        text: "#[cfg(test)]\nmod oracle;\nuse crate::{\n    ui,\n    nn::A,\n};\n#[cfg(test)]\nmod tests {\nuse crate::cli;".to_owned(),
    };
    let statements = source.statements();
    assert_eq!(statements.len(), 3, "{statements:?}");
    assert_eq!((statements[2].0, imports(&statements[2].1)), (3, vec!["ui", "nn"]));
    assert_eq!(imports("let x = crate::storage::places::runs_folder(None);"), ["storage"]);
    assert!(has_word("use std::fs::File;", "std::fs") && has_word("fs::read(x)", "fs::"));
    assert!(!has_word("let offs::x", "fs::"));
    assert_eq!(code_of("let a = 1; // std::fs"), "let a = 1;");
}
