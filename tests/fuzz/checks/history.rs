//! Files of the charts: the log of a day and the file sorted by device, as a power cut or a stranger
//! left them.

use std::fs;
use std::path::{Path, PathBuf};

use linli::history::fuzzing::{day, log, sort};
use linli::history::{Archive, Bucket, Day, Slot, Wounds};

use super::harmless;
use crate::allocation::within;

/// What stands in the files of a test lies on this day; any day would do.
const NAME: &str = "2026-06-01";
const DAY: Day = Day(20_605);
/// A bucket takes four bytes of a file, and is held as a bucket, as a row of what is shown in order,
/// and in a tree of points; packed bytes are opened chunk by chunk.
const A_BYTE: usize = 512;
const AT_LEAST: usize = 1 << 20;

/// A row of what is shown: device, point, bucket.
type Row = (String, String, Bucket);

/// The first byte says what the others are: the bytes of a log or of a sorted file as they lie there;
/// or what stands in their chunks, under check sums that are right.
pub(super) fn judge(input: &[u8]) {
    let Some((kind, rest)) = input.split_first() else { return };
    let file = match kind % 4 {
        0 | 1 => Ok(rest.to_vec()),
        2 => {
            let Some((count, rest)) = rest.split_first_chunk() else { return };
            let (names, readings) =
                rest.split_at(rest.len().min(u16::from_le_bytes(*count).into()));
            log(names, readings)
        }
        _ => day(rest),
    };
    let file = file.expect("what fits into memory fits into a chunk");
    let folder = Folder::new();
    let ending = if kind % 2 == 0 { "log" } else { "day" };
    fs::write(folder.0.join(format!("{NAME}.{ending}")), &file).unwrap();

    let (rows, wounds) = shown(&folder.0, input.len());
    assert!(wounds.bytes <= (file.len() + AT_LEAST) as u64, "more is damaged than is there");
    sound(&rows);
    // A whole file of one device: its index leads to what reading from the front finds.
    if kind % 4 == 3 {
        same_by_index(&folder.0, &rows);
    }
    if kind % 2 == 0 && sorted_now(&folder.0, input.len()) {
        let (sorted, _) = shown(&folder.0, input.len());
        sound(&sorted);
        let places = |rows: &[Row]| {
            rows.iter().map(|(d, p, b)| (d.clone(), p.clone(), b.slot)).collect::<Vec<_>>()
        };
        assert_eq!(places(&rows), places(&sorted), "sorting loses or invents");
    }
}

fn most(length: usize) -> usize {
    AT_LEAST + A_BYTE * length
}

/// Sorts the log; whether that was done.
fn sorted_now(folder: &Path, length: usize) -> bool {
    let most = most(length);
    within("sorting", most, most, || sort(folder, DAY)).expect("the folder can be written")
}

/// Everything that the files show, twice the same.
fn shown(folder: &Path, length: usize) -> (Vec<Row>, Wounds) {
    let archive = Archive::at(folder);
    let all = || {
        let mut rows = Vec::new();
        let walked = archive.walk(Slot(0)..Slot(u32::MAX), |device, point, bucket| {
            rows.push((device.to_string(), point.to_string(), *bucket));
        });
        (rows, walked.expect("the files can be read"))
    };
    let most = most(length);
    let first = within("reading", most, most, all);
    assert_eq!(first, all(), "the same files are read in two ways");
    first
}

fn sound(rows: &[Row]) {
    assert!(rows.is_sorted_by_key(|(.., bucket)| bucket.slot), "not in order of time");
    for (device, _, bucket) in rows {
        harmless(device);
        let Bucket { min, max, last, .. } = *bucket;
        assert!(min.is_finite() && max.is_finite(), "{bucket:?}");
        assert!(min <= last && last <= max, "{bucket:?}");
    }
}

fn same_by_index(folder: &Path, rows: &[Row]) {
    let archive = Archive::at(folder);
    let Some((device, ..)) = rows.first() else { return };
    let id = linli::model::DeviceId::new(device).expect("a device that was read");
    let found = archive.device(&id, DAY).expect("the files can be read");
    let count: usize = found.values().map(|column| column.buckets.len()).sum();
    // Walked is what the whole of time has but its last five minutes.
    let ends = found.values().flat_map(|c| &c.buckets).filter(|b| b.slot == Slot(u32::MAX)).count();
    assert_eq!(count - ends, rows.len(), "the index leads elsewhere");
}

/// A folder of this input alone, gone when it is judged.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Self {
        let name =
            format!("linli-history-{}-{:?}", std::process::id(), std::thread::current().id());
        // In memory where there is such a place: sorting waits for the disk.
        let memory = Path::new("/dev/shm");
        let place = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
        let path = place.join(name);
        fs::create_dir_all(&path).expect("a folder for the files");
        Self(path)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).expect("the folder is ours");
    }
}
