//! Memory of the machine.

use std::path::Path;

use super::storage::size;
use super::{Area, Item, Level};

/// Below this share, or this many bytes, programs are about to be ended by the kernel.
const LITTLE: (u64, u64) = (20, 16 << 20);
const SOME: u64 = 10;

/// Looks at `/proc/meminfo`.
pub fn look(root: &Path) -> Item {
    let path = root.join("proc/meminfo");
    let text = std::fs::read_to_string(&path).unwrap_or_default();
    let field = |name: &str| -> Option<u64> {
        let line = text.lines().find_map(|line| line.strip_prefix(name))?;
        let kib: u64 = line.trim_start_matches(':').split_whitespace().next()?.parse().ok()?;
        Some(kib * 1024)
    };
    let (Some(total), Some(free)) = (field("MemTotal"), field("MemAvailable")) else {
        return Item::unseen(
            Area::Memory,
            (
                format!("{} does not say how much there is", path.display()),
                format!("{} 未给出内存", path.display()),
            ),
            ("mount /proc", "挂载 /proc"),
        );
    };
    let seen = (
        format!("{} of {} available", size(free), size(total)),
        format!("共 {}，可用 {}", size(total), size(free)),
    );
    let todo = (
        "see who takes it: systemd-cgtop -m -1 -n 1; stop what the box does not need",
        "查看占用：systemd-cgtop -m -1 -n 1；停用不需要的服务",
    );
    if free < LITTLE.1 || free < total / LITTLE.0 {
        Item::wrong(Area::Memory, Level::Critical, seen, todo)
    } else if free < total / SOME {
        Item::wrong(Area::Memory, Level::Warning, seen, todo)
    } else {
        Item::good(Area::Memory, seen)
    }
}
