//! What TensorBoard's event files tell, as protocol buffers: written whole, and read as far as going on with a file needs it.
//!
//! `Event` (TensorFlow, `core/util/event.proto`): 1 double `wall_time`, 2 int64 `step`, 3 string `file_version`, 5 `Summary`.
//! `Summary` (`core/framework/summary.proto`): 1 repeated `Value`. `Value`: 1 string `tag`, 2 float `simple_value`, 4 `Image`.
//! `Image`: 1 int32 `height`, 2 int32 `width`, 3 int32 `colorspace` (3 is RGB), 4 bytes `encoded_image_string`.
//! Wire types: 0 varint, 1 eight bytes, 2 length and bytes, 5 four bytes (protobuf.dev, "Encoding").

/// The version that every file names first.
const FILE_VERSION: &str = "brain.Event:2";

/// A picture in a file.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Picture {
    pub width: u32,
    pub height: u32,
    /// RGB.
    pub png: Vec<u8>,
}

/// What is told under a tag.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Scalar(f64),
    Picture(Picture),
}

/// The first event of a file. `seconds` since 1970, as in [`values`].
pub(super) fn version(seconds: f64) -> Vec<u8> {
    let mut event = Vec::new();
    eight_bytes(&mut event, 1, seconds.to_le_bytes());
    bytes(&mut event, 3, FILE_VERSION.as_bytes());
    event
}

/// An event after `step` updates.
pub(super) fn values(seconds: f64, step: u64, values: &[(String, Value)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, value) in values {
        let mut message = Vec::new();
        bytes(&mut message, 1, tag.as_bytes());
        match value {
            Value::Scalar(number) => {
                key(&mut message, 2, 5);
                message.extend((*number as f32).to_le_bytes());
            }
            Value::Picture(Picture { width, height, png }) => {
                let mut image = Vec::new();
                for (field, number) in [(1, *height), (2, *width), (3, 3)] {
                    key(&mut image, field, 0);
                    varint(&mut image, u64::from(number));
                }
                bytes(&mut image, 4, png);
                bytes(&mut message, 4, &image);
            }
        }
        bytes(&mut summary, 1, &message);
    }
    let mut event = Vec::new();
    eight_bytes(&mut event, 1, seconds.to_le_bytes());
    key(&mut event, 2, 0);
    varint(&mut event, step);
    bytes(&mut event, 5, &summary);
    event
}

fn key(to: &mut Vec<u8>, field: u64, wire: u64) {
    varint(to, field << 3 | wire);
}

fn varint(to: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        to.push(number as u8 | 0x80);
        number >>= 7;
    }
    to.push(number as u8);
}

fn bytes(to: &mut Vec<u8>, field: u64, content: &[u8]) {
    key(to, field, 2);
    varint(to, content.len() as u64);
    to.extend_from_slice(content);
}

fn eight_bytes(to: &mut Vec<u8>, field: u64, content: [u8; 8]) {
    key(to, field, 1);
    to.extend(content);
}

/// An event that was read: its step, and the scalars that it tells.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Read {
    pub step: u64,
    pub scalars: Vec<(String, f32)>,
    /// Tags of its pictures, each with its PNG file.
    pub pictures: Vec<(String, Vec<u8>)>,
}

/// What an event tells; `None` where it is none.
pub(super) fn read(event: &[u8]) -> Option<Read> {
    let mut read = Read::default();
    for field in fields(event)? {
        match field {
            (2, Content::Number(step)) => read.step = step,
            (5, Content::Bytes(summary)) => {
                for (_, value) in fields(summary)? {
                    if let Content::Bytes(value) = value {
                        read.take(value)?;
                    }
                }
            }
            _ => {}
        }
    }
    Some(read)
}

impl Read {
    fn take(&mut self, value: &[u8]) -> Option<()> {
        let mut tag = String::new();
        for field in fields(value)? {
            match field {
                (1, Content::Bytes(name)) => tag = String::from_utf8(name.to_vec()).ok()?,
                (2, Content::Four(number)) => self.scalars.push((tag.clone(), f32::from_le_bytes(number))),
                (4, Content::Bytes(image)) => {
                    let png = fields(image)?.into_iter().find_map(|field| match field {
                        (4, Content::Bytes(png)) => Some(png.to_vec()),
                        _ => None,
                    });
                    self.pictures.push((tag.clone(), png?));
                }
                _ => {}
            }
        }
        Some(())
    }
}

/// What stands in a field.
enum Content<'a> {
    Number(u64),
    Bytes(&'a [u8]),
    Four([u8; 4]),
    /// Of a kind that nobody asks about.
    Other,
}

/// The fields of a message, by their numbers.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, Content<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = take_varint(&mut message)?;
        let content = match key & 7 {
            0 => Content::Number(take_varint(&mut message)?),
            1 => {
                message = message.split_at_checked(8)?.1;
                Content::Other
            }
            2 => {
                let length = usize::try_from(take_varint(&mut message)?).ok()?;
                let (content, rest) = message.split_at_checked(length)?;
                message = rest;
                Content::Bytes(content)
            }
            5 => {
                let (content, rest) = message.split_first_chunk()?;
                message = rest;
                Content::Four(*content)
            }
            _ => return None,
        };
        fields.push((key >> 3, content));
    }
    Some(fields)
}

fn take_varint(from: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = from.split_first()?;
        *from = rest;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_written_byte_by_byte_as_protobuf_has_it() {
        // e = tensorboard.compat.proto.event_pb2.Event(wall_time=1.5, step=300)
        // v = e.summary.value.add(); v.tag = "a"; v.simple_value = 0.25; e.SerializeToString().hex()
        let expected = "09000000000000f83f10ac022a0a0a080a0161150000803e";
        let event = values(1.5, 300, &[("a".to_owned(), Value::Scalar(0.25))]);
        let hex: String = event.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, expected);
        let read = read(&event).unwrap();
        assert_eq!((read.step, read.scalars), (300, vec![("a".to_owned(), 0.25)]));
    }

    #[test]
    fn cut_and_strange_bytes_are_no_event_and_do_no_harm() {
        let picture = Picture { width: 2, height: 1, png: vec![7; 200] };
        let event = values(1.0, u64::MAX, &[("p".to_owned(), Value::Picture(picture))]);
        assert_eq!(read(&event).unwrap().pictures, [("p".to_owned(), vec![7; 200])]);
        for length in 10..event.len() {
            // a cut between two fields is another, shorter event
            let _shorter = read(&event[..length]);
        }
        for bytes in [&[0xFF; 12][..], &[0x2A, 0xFF, 0xFF, 0x7F], &[0x2A, 0x02, 0x0A, 0x7F], &[0x0B]] {
            assert_eq!(read(bytes), None);
        }
    }
}
