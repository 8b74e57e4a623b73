//! Faults of the disk at every single step of writing a checkpoint, and damage done to it afterwards.

use super::*;
use crate::nn::Network;
use crate::storage::files::Disk;
use crate::training::{BestEpoch, Position};

fn config() -> TrainingConfig {
    let text =
        "model = \"scratch-deep\"\nepochs = 9\nbatch_size = 8\nlearning_rate = 0.1\n[optimizer]\nkind = \"adam\"\n";
    TrainingConfig::from_toml(text).unwrap()
}

/// A checkpoint of a run after so many updates, with numbers whose last bits matter.
fn checkpoint(step: u64) -> Checkpoint {
    let config = config();
    let network: Network = (config.architecture().unwrap().network)().unwrap();
    let weights =
        |seed| crate::nn::ParamStore::initialise(&network, seed, &candle_core::Device::Cpu).unwrap().weights().unwrap();
    let position = Position {
        step,
        epochs: 1,
        learning_rate: 0.1 + 0.2,
        validations: vec![crate::optim::Validation { loss: 1.0 / 3.0, accuracy: 0.1 }],
        best: Some(BestEpoch { epoch: 1, accuracy: 2.0 / 3.0 }),
        seconds: 1e-17,
        ..Position::default()
    };
    // the bits of a whole number, and of a half of a longer number that is none by itself
    let optimizer =
        vec![("updates".to_owned(), vec![f32::from_bits(step as u32)]), ("x".to_owned(), vec![1e-40, -0.0])];
    Checkpoint { position, weights: weights(step), optimizer, best: Some(weights(1)) }
}

fn facts() -> RunFacts {
    RunFacts {
        seed: 1,
        epochs: 9,
        train_images: 10,
        validation_images: 2,
        images_sha256: "0".repeat(64),
        device: "cpu".to_owned(),
        threads: 1,
        processor: "x".to_owned(),
        program: "1".to_owned(),
    }
}

fn save(folder: &mut CheckpointFolder, disk: &mut dyn Files, checkpoint: &Checkpoint) -> io::Result<()> {
    let files = checkpoint_files::encode(checkpoint, &config(), &facts()).map_err(io::Error::other)?;
    folder.save(disk, checkpoint.position.step, &files)
}

/// A disk with a fault at one of its calls: only there, or from there on, as if the power had been cut in the midst of it.
struct Faulty {
    calls: usize,
    fault_at: usize,
    for_good: bool,
}

impl Faulty {
    /// Whether this call goes well, is cut off half-way, or does not even begin.
    fn call(&mut self) -> (bool, bool) {
        self.calls += 1;
        (self.calls < self.fault_at || (self.calls > self.fault_at && !self.for_good), self.calls == self.fault_at)
    }

    fn act(&mut self, whole: impl FnOnce() -> io::Result<()>, half: impl FnOnce() -> io::Result<()>) -> io::Result<()> {
        match self.call() {
            (true, _) => whole(),
            (false, is_here) => {
                if is_here {
                    half()?;
                }
                Err(io::ErrorKind::StorageFull.into())
            }
        }
    }
}

impl Files for Faulty {
    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.act(|| Disk.create_folder(path), || Ok(()))
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        self.act(|| Disk.write(path, bytes), || Disk.write(path, &bytes[..bytes.len() / 2]))
    }

    fn sync(&mut self, path: &Path) -> io::Result<()> {
        self.act(|| Disk.sync(path), || Ok(()))
    }

    fn sync_folder(&mut self, path: &Path) -> io::Result<()> {
        self.act(|| Disk.sync_folder(path), || Ok(()))
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.act(|| Disk.rename(from, to), || Ok(()))
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        let first = || match fs::read_dir(path)?.next() {
            Some(file) => fs::remove_file(file?.path()),
            None => Ok(()),
        };
        self.act(|| Disk.remove_folder(path), first)
    }
}

fn names(run: &Path) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(run.join("checkpoints"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_checkpoint_comes_back_to_the_last_bit_and_two_are_kept() {
    let run = tempfile::tempdir().unwrap();
    let mut folder = CheckpointFolder::new(run.path(), None);
    for step in [3, 20, 100] {
        save(&mut folder, &mut Disk, &checkpoint(step)).unwrap();
    }
    assert_eq!(names(run.path()), ["100", "20"]);
    let (found, damaged) = newest(run.path(), &config());
    let found = found.unwrap();
    assert!(damaged.is_empty());
    let expected = checkpoint(100);
    assert_eq!((&found.checkpoint.position, &found.run), (&expected.position, &facts()));
    assert_eq!((&found.checkpoint.weights, &found.checkpoint.best), (&expected.weights, &expected.best));
    let bits = |state: &[(String, Vec<f32>)]| -> Vec<(String, Vec<u32>)> {
        let mut all: Vec<_> =
            state.iter().map(|(name, values)| (name.clone(), values.iter().map(|x| x.to_bits()).collect())).collect();
        all.sort();
        all
    };
    assert_eq!(bits(&found.checkpoint.optimizer), bits(&expected.optimizer));
    // the same update again, as where a run is stopped at once: neither takes the other's place before it is whole
    save(&mut CheckpointFolder::new(run.path(), Some(&found.path)), &mut Disk, &checkpoint(100)).unwrap();
    assert_eq!(names(run.path()), ["100", "100-2"]);
    // another configuration, but for the number of epochs
    let longer = TrainingConfig { epochs: 20, ..config() };
    assert!(newest(run.path(), &longer).0.is_some());
    let (found, damaged) = newest(run.path(), &TrainingConfig { seed: 2, ..config() });
    assert!(found.is_none() && damaged[0].contains("of another configuration"), "{damaged:?}");
}

#[test]
fn whatever_the_crash_interrupts_the_old_or_the_new_checkpoint_is_whole() {
    let (mut old, mut new) = (0, 0);
    for crash_at in 1.. {
        let run = tempfile::tempdir().unwrap();
        let mut folder = CheckpointFolder::new(run.path(), None);
        save(&mut folder, &mut Disk, &checkpoint(1)).unwrap();
        save(&mut folder, &mut Disk, &checkpoint(2)).unwrap();
        let mut disk = Faulty { calls: 0, fault_at: crash_at, for_good: true };
        let _crashed = save(&mut folder, &mut disk, &checkpoint(3));
        let found = newest(run.path(), &config()).0.unwrap_or_else(|| panic!("crash {crash_at} leaves neither"));
        match found.checkpoint.position.step {
            2 => old += 1,
            3 => new += 1,
            step => panic!("crash {crash_at} leaves that of update {step}"),
        }
        // and whoever goes on from there leaves no remains
        let mut folder = CheckpointFolder::new(run.path(), Some(&found.path));
        save(&mut folder, &mut Disk, &checkpoint(4)).unwrap();
        assert_eq!(names(run.path()), [found.checkpoint.position.step.to_string(), "4".to_owned()]);
        if disk.calls < crash_at {
            break;
        }
    }
    assert!(old > 10 && new > 2, "{old} crashes left the old one, {new} the new one");
}

#[test]
fn whatever_call_fails_the_checkpoint_before_stays_and_the_next_is_written() {
    let mut refused = 0;
    for fault_at in 1.. {
        let run = tempfile::tempdir().unwrap();
        let mut folder = CheckpointFolder::new(run.path(), None);
        save(&mut folder, &mut Disk, &checkpoint(1)).unwrap();
        let mut disk = Faulty { calls: 0, fault_at, for_good: false };
        let result = save(&mut folder, &mut disk, &checkpoint(2));
        refused += usize::from(result.is_err());
        let found = newest(run.path(), &config()).0.unwrap();
        let step = found.checkpoint.position.step;
        assert!(step == 2 || (step == 1 && result.is_err()), "fault {fault_at} leaves that of update {step}");
        assert!(
            !names(run.path()).iter().any(|name| name.starts_with('.')),
            "fault {fault_at}: {:?}",
            names(run.path())
        );
        save(&mut folder, &mut Disk, &checkpoint(3)).unwrap();
        save(&mut folder, &mut Disk, &checkpoint(4)).unwrap();
        assert_eq!(names(run.path()), ["3", "4"], "fault {fault_at}");
        if disk.calls < fault_at {
            break;
        }
    }
    assert!(refused > 10, "{refused} calls were refused");
}

#[test]
fn a_damaged_checkpoint_is_told_and_the_one_before_it_taken() {
    let run = tempfile::tempdir().unwrap();
    let mut folder = CheckpointFolder::new(run.path(), None);
    save(&mut folder, &mut Disk, &checkpoint(1)).unwrap();
    save(&mut folder, &mut Disk, &checkpoint(2)).unwrap();
    let newer = run.path().join("checkpoints/2");
    for file in ["model.safetensors", "optimizer.safetensors", "best.safetensors", "state.json", "MANIFEST.json"] {
        let path = newer.join(file);
        let whole = fs::read(&path).unwrap();
        let mut flipped = whole.clone();
        let middle = whole.len() / 2;
        flipped[middle] ^= 0x04;
        for damage in [Some(flipped), Some(whole[..middle].to_vec()), Some(Vec::new()), None] {
            match damage {
                Some(bytes) => fs::write(&path, bytes).unwrap(),
                None => fs::remove_file(&path).unwrap(),
            }
            let (found, damaged) = newest(run.path(), &config());
            assert_eq!(found.unwrap().checkpoint.position.step, 1, "{file}");
            assert!(damaged.len() == 1 && damaged[0].contains("checkpoints/2"), "{file}: {damaged:?}");
        }
        fs::write(&path, whole).unwrap();
    }
    assert_eq!(newest(run.path(), &config()).0.unwrap().checkpoint.position.step, 2);
}
