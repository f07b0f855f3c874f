//! Whether the wall clock can be right, when no running gateway says it.

use std::path::Path;
use std::time::SystemTime;

use super::{Area, Item, Level};
use crate::clock::{Config, Trust, WRITTEN_MS, is_synchronised};

const TODO: (&str, &str) = (
    "let a time service run (systemctl enable --now systemd-timesyncd) and reach its server \
     (UDP 123), or ask the platform or a meter: [clock] in the configuration",
    "启用校时服务（systemctl enable --now systemd-timesyncd）并放行 UDP 123，\
     或由平台、电表校时：见配置 [clock]",
);

/// Judges the system's clock; `now` is what it shows.
pub fn look(config: &Config, now: SystemTime) -> Item {
    let shown = now.duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_millis());
    if i128::try_from(shown).is_ok_and(|shown| shown < i128::from(WRITTEN_MS)) {
        return Item::wrong(
            Area::Clock,
            Level::Warning,
            ("the clock shows a date before this version was made", "系统时间早于本版本的发布日期"),
            TODO,
        );
    }
    if is_synchronised(config) {
        return Item::good(
            Area::Clock,
            ("a time service keeps the clock", "系统时间由校时服务保持同步"),
        );
    }
    if config.trust == Trust::System {
        return Item::notice(
            Area::Clock,
            (
                "no time service; the configuration trusts the clock of the machine",
                "没有校时服务；配置信任本机时钟",
            ),
        );
    }
    Item::wrong(
        Area::Clock,
        Level::Warning,
        ("no time service says that the clock is synchronised", "没有校时服务确认系统时间已同步"),
        TODO,
    )
}

/// Whether there is a clock that runs while the power is off.
pub fn battery(root: &Path) -> Item {
    let there = std::fs::read_dir(root.join("sys/class/rtc"))
        .is_ok_and(|mut entries| entries.next().is_some());
    if there {
        Item::good(Area::Clock, ("there is a hardware clock", "有硬件时钟"))
    } else {
        Item::notice(
            Area::Clock,
            (
                "there is no hardware clock: after a power cut times follow once a source answers",
                "没有硬件时钟：断电重启后，待时间源应答才有准确时间",
            ),
        )
    }
}
