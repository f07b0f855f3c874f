//! Chunks: what a file of the history is made of.
//!
//! ```text
//!  chunk = "LNHC"  format u8  readable_by u8  kind u8  0  packed u32  plain u32  crc32 u32  payload
//! ```
//! Little-endian; the payload is zstd, `packed` bytes of it are `plain` bytes. The sum covers all
//! of the head behind the magic but itself, and the payload. This head stays as it is in all
//! formats: so every version can walk over the chunks of a later one.
//!
//! A damaged chunk is left out and the walk goes on at the next that is whole. When none follows
//! the tail is torn: a power cut in the middle of a write.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use crate::format::Format;

/// The format that this version writes.
pub const FORMAT: Format = Format::FIRST;
/// Bytes of the head.
pub const HEAD: usize = 20;
/// Most bytes of a payload, packed and plain: what a reader allocates for a chunk at the most.
pub const MOST: usize = 4 << 20;
const MAGIC: &[u8; 4] = b"LNHC";
/// Speed over size: what a day makes is packed once more when it is over.
const LEVEL: i32 = 3;
/// Bytes looked at together in the search for the next whole chunk.
const WINDOW: usize = 64 << 10;
/// Beginnings of chunks that are tried in that search.
const MOST_TRIES: u32 = 4096;

/// What a chunk holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Devices and their points, which readings behind it name by their places.
    Names = 1,
    /// Some minutes of many devices.
    Readings = 2,
    /// A day of one device.
    Day = 3,
    /// Where in the file each device is.
    Index = 4,
}

impl Kind {
    fn of(byte: u8) -> Option<Self> {
        [Self::Names, Self::Readings, Self::Day, Self::Index]
            .into_iter()
            .find(|kind| *kind as u8 == byte)
    }
}

/// What stands at a place of a file.
#[derive(Debug, PartialEq, Eq)]
pub enum Found {
    /// A chunk, unpacked.
    Chunk(Kind, Vec<u8>),
    /// A whole chunk in a format that this version cannot read.
    Later(Format),
    /// So many bytes are damaged, then it goes on.
    Damaged(u64),
    /// From here on there is no whole chunk.
    Torn,
}

/// A chunk as bytes; an error when it is too large.
///
/// # Errors
/// More than [`MOST`] bytes.
pub fn seal(kind: Kind, plain: &[u8]) -> io::Result<Vec<u8>> {
    seal_as(FORMAT, kind as u8, plain)
}

pub(super) fn seal_as(format: Format, kind: u8, plain: &[u8]) -> io::Result<Vec<u8>> {
    let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, "a chunk of the history");
    let packed = zstd::bulk::compress(plain, LEVEL)?;
    if plain.len() > MOST || packed.len() > MOST {
        return Err(too_large());
    }
    let number = |count: usize| u32::try_from(count).map_err(|_| too_large());
    let (format, least) = (format.format as u8, format.readable_by as u8);
    let mut bytes = Vec::with_capacity(HEAD + packed.len());
    bytes.extend_from_slice(MAGIC);
    bytes.extend_from_slice(&[format, least, kind, 0]);
    bytes.extend_from_slice(&number(packed.len())?.to_le_bytes());
    bytes.extend_from_slice(&number(plain.len())?.to_le_bytes());
    let sum = sum(&bytes[4..], &packed);
    bytes.extend_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&packed);
    Ok(bytes)
}

fn sum(head: &[u8], packed: &[u8]) -> u32 {
    let mut sum = crc32fast::Hasher::new();
    sum.update(head);
    sum.update(packed);
    sum.finalize()
}

fn le(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

/// The head of a chunk.
struct Head {
    bytes: [u8; HEAD],
    packed: usize,
    plain: usize,
}

impl Head {
    fn of(bytes: [u8; HEAD]) -> Option<Self> {
        let (packed, plain) = (le(&bytes, 8) as usize, le(&bytes, 12) as usize);
        let sound = bytes.starts_with(MAGIC) && packed <= MOST && plain <= MOST;
        sound.then_some(Self { bytes, packed, plain })
    }

    fn open(&self, packed: &[u8]) -> Option<Found> {
        if sum(&self.bytes[4..16], packed) != le(&self.bytes, 16) {
            return None;
        }
        let format =
            Format { format: u16::from(self.bytes[4]), readable_by: u16::from(self.bytes[5]) };
        let kind = Kind::of(self.bytes[6]).filter(|_| FORMAT.reads(format));
        let Some(kind) = kind else { return Some(Found::Later(format)) };
        let plain = zstd::bulk::decompress(packed, self.plain).ok()?;
        (plain.len() == self.plain).then_some(Found::Chunk(kind, plain))
    }
}

/// Opens the chunk that these bytes are.
pub fn open(bytes: &[u8]) -> Option<Found> {
    let head = Head::of(bytes.get(..HEAD)?.try_into().ok()?)?;
    let packed = bytes.get(HEAD..)?;
    (packed.len() == head.packed).then(|| head.open(packed)).flatten()
}

/// Goes through the chunks of a file, from the front. Holds one at a time.
pub struct Walk<'f> {
    file: &'f File,
    size: u64,
    /// Where it stands.
    pub at: u64,
}

impl<'f> Walk<'f> {
    /// From the beginning to the end that the file has now.
    ///
    /// # Errors
    /// What the system said.
    pub fn new(file: &'f File) -> io::Result<Self> {
        Ok(Self { file, size: file.metadata()?.len(), at: 0 })
    }

    /// What comes next; `None` at the end, and after a torn tail.
    ///
    /// # Errors
    /// What the system said.
    pub fn next(&mut self) -> io::Result<Option<Found>> {
        if self.at >= self.size {
            return Ok(None);
        }
        if let Some((found, end)) = self.whole(self.at)? {
            self.at = end;
            return Ok(Some(found));
        }
        match self.following(self.at + 1)? {
            Some(place) => {
                let lost = place - self.at;
                self.at = place;
                Ok(Some(Found::Damaged(lost)))
            }
            None => {
                // The place stays: there it is to be cut.
                self.size = self.at;
                Ok(Some(Found::Torn))
            }
        }
    }

    /// The whole chunk at a place and where it ends, if there is one.
    fn whole(&self, at: u64) -> io::Result<Option<(Found, u64)>> {
        let mut head = [0; HEAD];
        if self.size - at < HEAD as u64 {
            return Ok(None);
        }
        self.file.read_exact_at(&mut head, at)?;
        let Some(head) = Head::of(head) else { return Ok(None) };
        let begin = at + HEAD as u64;
        let end = begin + head.packed as u64;
        if end > self.size {
            return Ok(None);
        }
        let mut packed = vec![0; head.packed];
        self.file.read_exact_at(&mut packed, begin)?;
        Ok(head.open(&packed).map(|found| (found, end)))
    }

    /// The place of the next whole chunk from here on.
    fn following(&self, mut from: u64) -> io::Result<Option<u64>> {
        let (mut window, mut tries) = (vec![0; WINDOW], 0);
        while from + HEAD as u64 <= self.size {
            let take = usize::try_from(self.size - from).unwrap_or(WINDOW).min(WINDOW);
            let seen = &mut window[..take];
            self.file.read_exact_at(seen, from)?;
            for (place, _) in seen.windows(4).enumerate().filter(|(_, four)| four == MAGIC) {
                let at = from + place as u64;
                if self.whole(at)?.is_some() {
                    return Ok(Some(at));
                }
                tries += 1;
                if tries > MOST_TRIES {
                    return Ok(None);
                }
            }
            from += (take - 3) as u64;
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use proptest::prelude::*;

    use super::*;

    fn file(bytes: &[u8]) -> File {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn all(bytes: &[u8]) -> (Vec<Found>, u64) {
        let file = file(bytes);
        let mut walk = Walk::new(&file).unwrap();
        let mut found = Vec::new();
        while let Some(one) = walk.next().unwrap() {
            found.push(one);
        }
        (found, walk.at)
    }

    fn three() -> [Vec<u8>; 3] {
        [(Kind::Names, "one"), (Kind::Readings, "two"), (Kind::Readings, "three")]
            .map(|(kind, text)| seal(kind, text.as_bytes()).unwrap())
    }

    #[test]
    fn a_torn_tail_is_found_at_every_length_and_nothing_before_it_is_lost() {
        let chunks = three();
        let bytes = chunks.concat();
        let kept = chunks[0].len() + chunks[1].len();
        for cut in kept + 1..bytes.len() {
            let (found, at) = all(&bytes[..cut]);
            assert_eq!(found.len(), 3, "{cut}");
            assert_eq!((&found[2], at), (&Found::Torn, kept as u64));
        }
        assert_eq!(all(&bytes).0.len(), 3);
    }

    #[test]
    fn a_damaged_chunk_is_left_out_and_those_behind_it_are_read() {
        let chunks = three();
        let two = Found::Chunk(Kind::Readings, b"three".to_vec());
        for place in 0..chunks[1].len() {
            let mut bytes = chunks.concat();
            bytes[chunks[0].len() + place] ^= 0x55;
            let (found, _) = all(&bytes);
            assert_eq!(found[1], Found::Damaged(chunks[1].len() as u64), "byte {place}");
            assert_eq!(found[2], two);
        }
    }

    #[test]
    fn a_chunk_of_a_later_format_is_passed_over_whole() {
        let later = Format { format: 9, readable_by: 8 };
        let readable = Format { format: 9, readable_by: 1 };
        let mut bytes = seal_as(later, 2, b"what nobody knows").unwrap();
        bytes.extend(seal_as(readable, 2, b"more fields").unwrap());
        bytes.extend(seal_as(FORMAT, 77, b"another kind").unwrap());
        bytes.extend(seal(Kind::Names, b"known").unwrap());
        let (found, _) = all(&bytes);
        assert_eq!(found[0], Found::Later(later));
        assert_eq!(found[1], Found::Chunk(Kind::Readings, b"more fields".to_vec()));
        assert_eq!(found[2], Found::Later(FORMAT));
        assert_eq!(found[3], Found::Chunk(Kind::Names, b"known".to_vec()));
    }

    proptest! {
        #[test]
        fn garbage_is_never_a_chunk_and_never_more_than_its_bytes(
            mut bytes in proptest::collection::vec(any::<u8>(), 0..600), magics in proptest::collection::vec(0usize..590, 0..4),
        ) {
            for at in magics {
                if let Some(place) = bytes.get_mut(at..at + 4) {
                    place.copy_from_slice(MAGIC);
                }
            }
            let (found, at) = all(&bytes);
            prop_assert!(at <= bytes.len() as u64);
            prop_assert!(found.iter().all(|one| matches!(one, Found::Torn)));
        }
    }
}
