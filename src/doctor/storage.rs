//! Room on the disks, and the wear that the medium itself reports.

use std::io;
use std::path::{Path, PathBuf};

use super::{Area, Item, Level};
use crate::buffer;
use crate::model::Words;

/// Free files below which nothing new can soon be made.
const FEW_FILES: u64 = 1000;
/// Share of a system's disk that should stay free.
const ROOM: f64 = 0.05;

/// A file system, as seen from a folder on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disk {
    /// The folder, or the nearest one above it that is there.
    pub path: PathBuf,
    /// Bytes that are free.
    pub free: u64,
    /// Bytes of the whole.
    pub total: u64,
    /// Files that may still be made; `None` where there is no limit.
    pub files: Option<u64>,
    /// It can only be read.
    pub read_only: bool,
}

impl Disk {
    /// Looks at the file system of the folder.
    ///
    /// # Errors
    /// What the system said.
    pub fn of(path: &Path) -> io::Result<Self> {
        let there = path.ancestors().find(|folder| folder.exists()).unwrap_or(Path::new("/"));
        let stat = rustix::fs::statvfs(there)?;
        Ok(Self {
            path: there.to_owned(),
            free: stat.f_bavail.saturating_mul(stat.f_frsize),
            total: stat.f_blocks.saturating_mul(stat.f_frsize),
            files: (stat.f_files > 0).then_some(stat.f_favail),
            read_only: stat.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY),
        })
    }

    fn full(&self) -> Option<Item> {
        let at = self.path.display();
        if self.read_only {
            return Some(Item::wrong(
                Area::Storage,
                Level::Critical,
                (format!("{at} can only be read"), format!("{at} 为只读")),
                (
                    "the kernel does that after a fault of the disk: look at `dmesg`, replace the \
                     disk, or mount it writable again",
                    "内核在存储介质出错后会这样做：查看 `dmesg`，更换介质或重新以可写方式挂载",
                ),
            ));
        }
        let files = self.files.filter(|files| *files < FEW_FILES)?;
        Some(Item::wrong(
            Area::Storage,
            if files == 0 { Level::Critical } else { Level::Warning },
            (
                format!("{at}: only {files} more files can be made"),
                format!("{at}：只能再建 {files} 个文件"),
            ),
            ("delete files that nobody needs (df -i)", "删除无用文件（df -i）"),
        ))
    }
}

/// Whether the buffer has the room that it is promised; `used` are the bytes that it takes now,
/// where known.
pub fn buffer(disk: &Disk, config: &buffer::Config, used: Option<u64>) -> Vec<Item> {
    let mut items: Vec<Item> = disk.full().into_iter().collect();
    let at = config.path.display();
    let free = size(disk.free);
    let grows = config.budget.saturating_sub(used.unwrap_or(0));
    let usable = disk.free.saturating_sub(config.keep_free);
    let keep = size(config.keep_free);
    let todo = (
        "free space on this disk, or lower `budget` in [buffer]",
        "清理该磁盘空间，或降低 [buffer] 的 `budget`",
    );
    items.push(if disk.free <= config.keep_free {
        Item::wrong(
            Area::Storage,
            Level::Critical,
            (
                format!("{at}: {free} are free, {keep} must stay free: nothing more is stored"),
                format!("{at}：剩余 {free}，须保留 {keep}，已无法继续缓存"),
            ),
            todo,
        )
    } else if usable < grows {
        let (grows, usable) = (size(grows), size(usable));
        Item::wrong(
            Area::Storage,
            Level::Warning,
            (
                format!("{at}: the buffer may grow by {grows}, the disk has {usable} for it"),
                format!("{at}：缓存还可增长 {grows}，磁盘只能给 {usable}"),
            ),
            todo,
        )
    } else {
        let budget = size(config.budget);
        Item::good(
            Area::Storage,
            (
                format!("{at}: {free} free, enough for the buffer of {budget}"),
                format!("{at}：剩余 {free}，足够 {budget} 的缓存"),
            ),
        )
    });
    items
}

/// Whether the system's own disk has room.
pub fn system(disk: &Disk) -> Vec<Item> {
    let mut items: Vec<Item> = disk.full().into_iter().collect();
    #[expect(clippy::cast_precision_loss, reason = "bytes of a disk fit 53 bits")]
    let share = disk.free as f64 / disk.total.max(1) as f64;
    let (at, free, total) = (disk.path.display(), size(disk.free), size(disk.total));
    let seen = (format!("{at}: {free} of {total} free"), format!("{at}：共 {total}，剩余 {free}"));
    items.push(if share < ROOM {
        Item::wrong(
            Area::Storage,
            Level::Warning,
            seen,
            (
                "delete what nobody needs: journalctl --vacuum-size=50M, apt clean",
                "清理无用文件：journalctl --vacuum-size=50M、apt clean",
            ),
        )
    } else {
        Item::good(Area::Storage, seen)
    });
    items
}

/// What eMMC chips say of their own wear: `life_time` (tenths used, of each kind of cell) and
/// `pre_eol_info` (reserve blocks), JEDEC 5.1. SD cards and most SSDs say nothing here.
pub fn wear(root: &Path) -> Vec<Item> {
    let block = root.join("sys/block");
    let Ok(entries) = std::fs::read_dir(&block) else {
        return vec![Item::unseen(
            Area::Wear,
            (
                format!("{} cannot be listed", block.display()),
                format!("无法列出 {}", block.display()),
            ),
            ("mount /sys", "挂载 /sys"),
        )];
    };
    let mut names: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    names.sort();
    let items: Vec<Item> = names.iter().filter_map(|path| chip(path)).collect();
    if items.is_empty() {
        return vec![Item::notice(
            Area::Wear,
            (
                "no medium tells how worn it is (only eMMC does)",
                "没有存储介质报告自身磨损（仅 eMMC 支持）",
            ),
        )];
    }
    items
}

fn chip(path: &Path) -> Option<Item> {
    let read = |name: &str| std::fs::read_to_string(path.join("device").join(name)).ok();
    let numbers = |text: String| -> Vec<u8> {
        let hex = |word: &str| u8::from_str_radix(word.trim_start_matches("0x"), 16).ok();
        text.split_whitespace().filter_map(hex).collect()
    };
    // 1: up to a tenth used, … 10: up to all, 11: more than it was made for; 0: not told.
    let used = numbers(read("life_time")?).into_iter().max().filter(|tenths| *tenths > 0)?;
    let reserve = read("pre_eol_info").map(numbers).and_then(|n| n.first().copied()).unwrap_or(0);
    let name = path.file_name()?.to_string_lossy().into_owned();
    let percent = u32::from(used) * 10;
    let seen: Words = if used > 10 {
        (
            format!("{name}: the flash is worn beyond what it was made for"),
            format!("{name}：闪存已超过设计寿命"),
        )
            .into()
    } else {
        (
            format!("{name}: up to {percent} % of the flash's life is used"),
            format!("{name}：闪存寿命已用至多 {percent} %"),
        )
            .into()
    };
    let level = match (used, reserve) {
        (11.., _) | (_, 3) => Level::Critical,
        (9.., _) | (_, 2) => Level::Warning,
        _ => return Some(Item::good(Area::Wear, seen)),
    };
    Some(Item::wrong(
        Area::Wear,
        level,
        seen,
        (
            "plan a new medium; until then raise `tick` and `loss_bound` in [buffer]",
            "安排更换存储介质；更换前可加大 [buffer] 的 `tick` 与 `loss_bound`",
        ),
    ))
}

/// Bytes for people.
pub(super) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "shown with one figure after the point")]
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib >= 1024.0 { format!("{:.1} GiB", mib / 1024.0) } else { format!("{mib:.1} MiB") }
}
