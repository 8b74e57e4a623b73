//! The frames of a TFRecord file, and their checksum. What stands in a record is not known here.
//!
//! A record is its length (8 bytes, little-endian), the masked CRC-32C of these 8 bytes, the data, and the masked CRC-32C of
//! the data; a file is records one after the other (TensorFlow, `core/lib/io/record_writer.h`).

/// Bytes before the data, and after it.
const HEAD: usize = 12;
const FOOT: usize = 4;

/// CRC-32C (Castagnoli), the reflected polynomial, as iSCSI has it (RFC 3720, section 12.1 and appendix B.4).
const POLYNOMIAL: u32 = 0x82F6_3B78;

/// The remainder of every byte.
const TABLE: [u32; 256] = table();

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (mut crc, mut bit) = (byte as u32, 0);
        while bit < 8 {
            crc = if crc & 1 == 1 { (crc >> 1) ^ POLYNOMIAL } else { crc >> 1 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
    }
    table
}

fn crc32c(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |crc, &byte| TABLE[usize::from(crc as u8 ^ byte)] ^ (crc >> 8))
}

/// Turned by 15 bits and moved, so that the checksum of data that hold checksums stays a good one (TensorFlow,
/// `core/lib/hash/crc32c.h`).
fn masked(bytes: &[u8]) -> [u8; 4] {
    crc32c(bytes).rotate_right(15).wrapping_add(0xA282_EAD8).to_le_bytes()
}

/// The record of these data.
pub(super) fn framed(data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u64).to_le_bytes();
    [&length[..], &masked(&length), data, &masked(data)].concat()
}

/// The data of the first record in `bytes`, and what follows it; `None` where no whole and sound record begins there.
pub(super) fn first_record(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = bytes.split_at_checked(HEAD)?;
    let (length, sum) = head.split_at(8);
    if masked(length) != sum {
        return None;
    }
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (data, rest) = rest.split_at_checked(length)?;
    let (sum, rest) = rest.split_at_checked(FOOT)?;
    (masked(data) == sum).then_some((data, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_the_published_ones() {
        // RFC 3720, appendix B.4
        assert_eq!(crc32c(&[0; 32]), 0x8A91_36AA);
        assert_eq!(crc32c(&[0xFF; 32]), 0x62A8_AB43);
        assert_eq!(crc32c(b"123456789"), 0xE306_9283);
    }

    #[test]
    fn a_record_reads_back_and_a_cut_or_changed_one_is_none() {
        let bytes = [framed(b"first"), framed(b"")].concat();
        let (data, rest) = first_record(&bytes).unwrap();
        assert_eq!(data, b"first");
        assert_eq!(first_record(rest).unwrap(), (&b""[..], &b""[..]));
        let one = framed(b"first");
        for length in 0..one.len() {
            assert_eq!(first_record(&one[..length]), None, "cut after {length} bytes");
        }
        for at in 0..one.len() {
            let mut damaged = one.clone();
            damaged[at] ^= 1;
            assert_eq!(first_record(&damaged), None, "byte {at} is another one");
        }
    }
}
