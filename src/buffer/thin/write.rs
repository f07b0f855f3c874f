//! Writes what is left of a fold into blocks, as few as hold it.
//!
//! Points of one device that are left at the same moments share one set of columns; so a device
//! may occur several times in a document, and no column is full of holes.

use crate::model::{Seq, Thinned, TimeBase};

use super::fold::{Atom, Kept};
use crate::buffer::block::{Header, Sealed};
use crate::buffer::json;
use crate::buffer::sealer::Sealer;

/// By which rule readings were left out; in documents and events.
pub(super) const METHOD: &str = "quarter_hour";
/// Atoms that are tried in the first block.
const FIRST_TRY: usize = 128;
/// Most atoms of a block: its readings must fit 16 bits.
const MOST: usize = 8192;

/// What the blocks of one fold have in common.
pub(super) struct Head {
    /// All but the base.
    pub time: TimeBase,
    /// Tag of the boot in which the replaced blocks were cut, and when the first of them was.
    pub header: Header,
    /// First and last position that are replaced.
    pub range: (Seq, Seq),
}

/// Points with the same moments.
struct Group<'a> {
    device: &'a str,
    at: Vec<(i64, Option<i64>)>,
    points: Vec<Vec<&'a Atom>>,
}

/// Seals the atoms into blocks. Returns how many readings are in them: one that is too large for
/// a block even alone is left out, and said in the log.
pub(super) fn seal(
    sealer: &mut Sealer,
    head: &Head,
    atoms: &[Atom],
    sealed: &mut Vec<Sealed>,
) -> u64 {
    let (mut rest, mut size, mut left) = (atoms, FIRST_TRY, 0);
    while !rest.is_empty() {
        let (part, after) = rest.split_at(size.min(rest.len()));
        if let Some(block) = seal_part(sealer, head, part) {
            left += u64::from(block.readings);
            // A block is to be nearly full, and most of the tries are to fit.
            let room = crate::store::MAX_VALUE * 9 / 10;
            size = (part.len() * room / block.value.len().max(1)).clamp(1, MOST.min(size * 2));
            sealed.push(block);
            rest = after;
        } else if part.len() > 1 {
            size = part.len() / 2;
        } else {
            tracing::error!(device = part[0].device, "a thinned reading does not fit a block");
            rest = after;
        }
    }
    left
}

fn seal_part(sealer: &mut Sealer, head: &Head, atoms: &[Atom]) -> Option<Sealed> {
    let base = atoms.iter().flat_map(|atom| &atom.rows).map(|row| row.at).min()?;
    let rows = atoms.iter().map(|atom| atom.rows.len()).sum::<usize>();
    let header = Header {
        readings: u16::try_from(rows).ok()?,
        changes: atoms.iter().fold(0, |sum, atom| sum.saturating_add(atom.changes)),
        ..head.header
    };
    let time = TimeBase { base, ..head.time.clone() };
    let (from, to) = head.range;
    let thinned = Thinned { method: METHOD.to_owned(), from: from.0, to: to.0 };
    sealer.seal_thinned(header, &time, |out| {
        out.extend_from_slice(b"\"thinned\":");
        serde_json::to_writer(&mut *out, &thinned).expect("plain numbers and a word are JSON");
        out.extend_from_slice(b",\"devices\":[");
        json::list(out, groups(atoms), |out, group| group.write(base, out));
        out.push(b']');
    })
}

/// Brings together the atoms of each point, and the points that have the same moments.
fn groups(atoms: &[Atom]) -> Vec<Group<'_>> {
    let mut sorted: Vec<&Atom> = atoms.iter().collect();
    sorted.sort_by(|a, b| (&a.device, &a.point, a.from).cmp(&(&b.device, &b.point, b.from)));
    let mut groups: Vec<Group<'_>> = Vec::new();
    let mut first_of_device = 0;
    for point in sorted.chunk_by(|a, b| (&a.device, &a.point) == (&b.device, &b.point)) {
        let device = point[0].device.as_str();
        let at: Vec<_> = point
            .iter()
            .flat_map(|atom| &atom.rows)
            .map(|row: &Kept| (row.at, row.source_time))
            .collect();
        if groups.last().is_some_and(|group| group.device != device) {
            first_of_device = groups.len();
        }
        match groups[first_of_device..].iter_mut().find(|group| group.at == at) {
            Some(group) => group.points.push(point.to_vec()),
            None => groups.push(Group { device, at, points: vec![point.to_vec()] }),
        }
    }
    groups
}

impl Group<'_> {
    fn write(&self, base: i64, out: &mut Vec<u8>) {
        out.extend_from_slice(b"{\"id\":");
        json::text(out, self.device);
        out.extend_from_slice(b",\"at\":[");
        json::list(out, &self.at, |out, (at, _)| json::signed(out, at.saturating_sub(base)));
        out.extend_from_slice(b"],\"points\":[");
        json::list(out, &self.points, |out, point| json::text(out, &point[0].point));
        out.extend_from_slice(b"],\"values\":[");
        json::list(out, &self.points, |out, point| {
            out.push(b'[');
            let rows = point.iter().flat_map(|atom| &atom.rows);
            json::list(out, rows, |out, row| out.extend_from_slice(row.text.as_bytes()));
            out.push(b']');
        });
        out.push(b']');
        self.write_notes(out);
        self.write_source_times(out);
        out.extend_from_slice(b",\"thinned\":[");
        let spans = (0u64..).zip(&self.points);
        let spans = spans.flat_map(|(n, point)| point.iter().map(move |atom| (n, atom)));
        json::list(out, spans, |out, (point, atom)| {
            out.push(b'[');
            json::unsigned(out, point);
            out.push(b',');
            json::signed(out, atom.from.saturating_sub(base));
            out.push(b',');
            json::signed(out, atom.length);
            out.push(b',');
            json::unsigned(out, atom.count);
            out.push(b',');
            json::unsigned(out, atom.not_good);
            out.push(b']');
        });
        out.extend_from_slice(b"]}");
    }

    fn write_notes(&self, out: &mut Vec<u8>) {
        let mut notes = (0u64..).zip(&self.points).flat_map(|(point, atoms)| {
            let rows = atoms.iter().flat_map(|atom| &atom.rows);
            (0u64..).zip(rows).filter_map(move |(at, row)| Some((at, point, row.note.as_ref()?)))
        });
        let Some(first) = notes.next() else { return };
        out.extend_from_slice(b",\"quality\":[");
        json::list(out, std::iter::once(first).chain(notes), |out, (at, point, note)| {
            out.push(b'[');
            json::unsigned(out, at);
            out.push(b',');
            json::unsigned(out, point);
            out.push(b',');
            json::text(out, &note.0);
            out.push(b',');
            json::text(out, &note.1);
            out.push(b']');
        });
        out.push(b']');
    }

    fn write_source_times(&self, out: &mut Vec<u8>) {
        let mut timed = (0u64..).zip(&self.at).filter_map(|(n, (_, time))| Some((n, (*time)?)));
        let Some(first) = timed.next() else { return };
        out.extend_from_slice(b",\"source_times\":[");
        json::list(out, std::iter::once(first).chain(timed), |out, (row, time)| {
            out.push(b'[');
            json::unsigned(out, row);
            out.push(b',');
            json::signed(out, time);
            out.push(b']');
        });
        out.push(b']');
    }
}
