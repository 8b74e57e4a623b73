//! What is wrong with files, and that each is told by name before it can do harm.

use std::io::Write;

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn images(count: usize) -> Vec<u8> {
    encode_images(&(0..count * PIXELS).map(|k| (k * 7 % 251) as u8).collect::<Vec<u8>>())
}

fn labels(count: usize) -> Vec<u8> {
    encode_labels(&(0..count).map(|k| (k % 10) as u8).collect::<Vec<u8>>())
}

fn problem(bytes: &[u8], kind: Kind) -> IdxProblem {
    match decode(bytes, bytes.len() as u64, kind) {
        Err(Failure::Problem(problem)) => problem,
        Err(Failure::System(error)) => panic!("a damaged file was blamed on the system: {error}"),
        Ok(_) => panic!("{} bytes were taken for {kind:?}", bytes.len()),
    }
}

#[test]
fn what_is_written_is_read_again_plain_and_gzip() {
    for bytes in [images(3), gzip(&images(3))] {
        let Ok(file) = decode(&bytes[..], bytes.len() as u64, Kind::Images) else { panic!("refused") };
        assert_eq!((file.count, &file.content[..]), (3, &images(3)[16..]));
        assert_eq!(file.sha256(), hex(&Sha256::digest(images(3))));
    }
    let Ok(file) = decode(&labels(12)[..], 20, Kind::Labels) else { panic!("refused") };
    assert_eq!(file.content, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]);
}

#[test]
fn a_file_cut_at_any_length_is_told_as_cut() {
    for (whole, kind) in [(images(2), Kind::Images), (labels(50), Kind::Labels)] {
        for length in 0..whole.len() {
            let told = problem(&whole[..length], kind);
            let right = match length {
                0 => matches!(told, IdxProblem::Empty),
                _ if length < kind.header_bytes() => matches!(told, IdxProblem::HeaderCut { .. }),
                _ => matches!(told, IdxProblem::Truncated { .. }),
            };
            assert!(right, "{kind:?} cut at {length}: {told:?}");
        }
        let packed = gzip(&whole);
        for length in 2..packed.len() {
            let told = problem(&packed[..length], kind);
            assert!(matches!(told, IdxProblem::GzipTruncated), "{kind:?} gzip cut at {length}: {told:?}");
        }
    }
}

#[test]
fn no_flipped_bit_of_a_gzip_file_goes_unnoticed() {
    let whole = images(2);
    let packed = gzip(&whole);
    for bit in 0..packed.len() * 8 {
        let mut damaged = packed.clone();
        damaged[bit / 8] ^= 1 << (bit % 8);
        // A flip in gzip's own header (time, system) leaves the content as it was.
        if let Ok(file) = decode(&damaged[..], damaged.len() as u64, Kind::Images) {
            assert_eq!(file.content, whole[16..], "bit {bit}");
        }
    }
}

#[test]
fn a_header_that_lies_is_found_out_before_anything_is_allocated() {
    let header = |words: &[u32]| words.iter().flat_map(|word| word.to_be_bytes()).collect::<Vec<u8>>();
    let huge = header(&[0x0803, u32::MAX, 28, 28]);
    let many = header(&[0x0803, 900_000, 28, 28]);
    let wide = header(&[0x0803, 1, 0x8000_0000, 0x8000_0000]);
    for (bytes, right) in [
        (huge.clone(), IdxProblem::TooMany { kind: "images", count: u32::MAX }),
        (gzip(&huge), IdxProblem::TooMany { kind: "images", count: u32::MAX }),
        (many.clone(), IdxProblem::Truncated { expected: 705_600_016, found: 16 }),
        (header(&[0x0803, 0, 28, 28]), IdxProblem::Nothing { kind: "images" }),
        (wide, IdxProblem::OtherSide { rows: 0x8000_0000, columns: 0x8000_0000 }),
        (header(&[0x0803, 1, 0, 0]), IdxProblem::OtherSide { rows: 0, columns: 0 }),
        (header(&[0x0803, 1, 32, 28]), IdxProblem::OtherSide { rows: 32, columns: 28 }),
        (labels(3), IdxProblem::Swapped { expected: "images", found: "labels" }),
        (gzip(&labels(3)), IdxProblem::Swapped { expected: "images", found: "labels" }),
        (header(&[0x0d03, 1, 28, 28]), IdxProblem::OtherIdx { kind: "images", expected: 0x0803, found: 0x0d03 }),
    ] {
        assert_eq!(problem(&bytes, Kind::Images), right);
    }
    assert!(matches!(problem(&gzip(&many), Kind::Images), IdxProblem::Truncated { expected: 705_600_016, .. }));
}

#[test]
fn a_gzip_bomb_is_read_no_further_than_its_header_declares() {
    let mut bomb = encode_images(&[0; 2 * PIXELS]);
    bomb.resize(20_000_000, 0);
    assert_eq!(problem(&gzip(&bomb), Kind::Images), IdxProblem::Oversized { expected: 1584 });
}

#[test]
fn bytes_too_many_are_told() {
    let oversized = [images(2), vec![0]].concat();
    assert_eq!(problem(&oversized, Kind::Images), IdxProblem::Oversized { expected: 1584 });
    assert_eq!(problem(&gzip(&oversized), Kind::Images), IdxProblem::Oversized { expected: 1584 });
    let trailing = [gzip(&images(2)), b"junk".to_vec()].concat();
    assert_eq!(problem(&trailing, Kind::Images), IdxProblem::GzipTrailing);
    let twice = [gzip(&images(2)), gzip(&images(2))].concat();
    assert_eq!(problem(&twice, Kind::Images), IdxProblem::GzipTrailing);
}

#[test]
fn what_is_no_idx_file_is_called_by_its_name() {
    for (bytes, name) in [
        (&b"<!DOCTYPE html><html>Sign in</html>"[..], "a web page"),
        (b"\xef\xbb\xbf\r\n  <html lang=en>", "a web page"),
        (b"\x89PNG\r\n\x1a\n and so on", "a PNG picture"),
        (b"PK\x03\x04 and so on", "a zip archive"),
        (b"5,0,0,0,128,255,0\n", "text"),
        (b"ok", "text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer"),
        (b"\xfe\xed\xfa\xce\x01\x02", "fe ed fa ce"),
    ] {
        for kind in [Kind::Images, Kind::Labels] {
            let told = problem(bytes, kind).to_string();
            assert!(told.contains(name), "{told}");
        }
    }
    assert!(problem(&gzip(b"<html><body>Not here</body></html>"), Kind::Images).to_string().contains("a web page"));
    assert!(problem(&gzip(&gzip(&images(2))), Kind::Images).to_string().contains("a gzip file"));
}

#[test]
fn a_label_above_nine_is_told_with_its_position() {
    let mut bytes = labels(30);
    bytes[8 + 17] = 200;
    assert_eq!(problem(&bytes, Kind::Labels), IdxProblem::LabelOutOfRange { index: 17, label: 200 });
}

#[test]
fn messages_name_the_file_last() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("train-images-idx3-ubyte.gz");
    std::fs::write(&path, "<html>").unwrap();
    let message = read(&path, Kind::Images).unwrap_err().to_string();
    assert!(message.contains("looks like a web page") && message.ends_with("train-images-idx3-ubyte.gz"), "{message}");
    assert!(matches!(read(folder.path(), Kind::Images), Err(DataError::Malformed { problem: IdxProblem::NoFile, .. })));
    assert!(matches!(read(&folder.path().join("absent"), Kind::Images), Err(DataError::Io { .. })));
}

#[test]
fn images_and_labels_of_different_numbers_do_not_belong_together() {
    let folder = tempfile::tempdir().unwrap();
    let (image_path, label_path) = (folder.path().join("i"), folder.path().join("l"));
    std::fs::write(&image_path, images(3)).unwrap();
    std::fs::write(&label_path, labels(4)).unwrap();
    let message = read_pair(&image_path, &label_path).unwrap_err().to_string();
    assert!(message.contains("3 images for 4 labels"), "{message}");
}

/// Mutations of sound files: whatever happens, nothing panics and nothing takes long.
#[test]
fn ten_thousand_mutated_files_give_an_answer() {
    use rand::{Rng, SeedableRng};
    let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(9);
    let seeds = [images(1), gzip(&images(1)), labels(40), gzip(&labels(40))];
    for _ in 0..10_000 {
        let mut bytes = seeds[rng.random_range(0..seeds.len())].clone();
        for _ in 0..rng.random_range(1..4) {
            let at = if rng.random_bool(0.5) {
                rng.random_range(0..bytes.len().min(24))
            } else {
                rng.random_range(0..bytes.len())
            };
            bytes[at] = rng.random();
        }
        bytes.truncate(rng.random_range(bytes.len() / 2..=bytes.len()));
        for kind in [Kind::Images, Kind::Labels] {
            if let Ok(file) = decode(&bytes[..], bytes.len() as u64, kind) {
                assert_eq!(file.content.len(), file.count * kind.item_bytes());
            }
        }
    }
}
