//! Serial lines: whether they are there, whether the service may open them, whether their names
//! stay.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

use super::{Area, Item, Level};
use crate::account::{Account, Answer, Want};
use crate::driver::{SERIAL_DRIVERS, serial_ports};
use crate::model::Words;

/// A line of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The bus.
    pub bus: String,
    /// Its device file.
    pub path: PathBuf,
}

/// Where adapters have names that stay.
const STAYING: &str = "/dev/serial/";

/// Looks at the lines. `account` is the service's user, where it is known.
pub fn look(root: &Path, lines: &[Line], account: Option<&Account>) -> Vec<Item> {
    let mut items: Vec<Item> = lines.iter().map(|line| one(root, line, account)).collect();
    items.extend(lines.iter().filter_map(unsteady));
    items
}

fn one(root: &Path, line: &Line, account: Option<&Account>) -> Item {
    let Line { bus, path } = line;
    let shown = path.display();
    let at: Words = (format!("bus {bus}, {shown}"), format!("总线 {bus}，{shown}")).into();
    let about = match fs::metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == ErrorKind::NotFound => return missing(root, &at),
        Err(error) => {
            let why = Words::of_io(&error);
            return Item::unseen(
                Area::Serial,
                (format!("{}: {}", at.en, why.en), format!("{}：{}", at.zh, why.zh)),
                ("run the doctor as root", "以 root 身份运行 linli doctor"),
            );
        }
    };
    if !about.file_type().is_char_device() {
        return Item::wrong(
            Area::Serial,
            Level::Critical,
            (format!("{} is no device", at.en), format!("{} 不是设备文件", at.zh)),
            ("name the device file in `port`", "在 `port` 中写设备文件"),
        );
    }
    if let Some(item) = outside_the_unit(path, &at) {
        return item;
    }
    let Some(account) = account else {
        return Item::unseen(
            Area::Serial,
            (
                format!("{} is there; the service's user is not known", at.en),
                format!("{} 存在；服务用户未知", at.zh),
            ),
            (
                "install the package, or make the user linli in group dialout",
                "安装软件包，或建立属于 dialout 组的用户 linli",
            ),
        );
    };
    match account.may(path, Want::ReadWrite) {
        Ok(Answer::Yes) => Item::good(
            Area::Serial,
            (
                format!("{} is there, user {} may open it", at.en, account.name),
                format!("{} 存在，用户 {} 可打开", at.zh, account.name),
            ),
        ),
        Ok(Answer::No(why)) => Item::wrong(
            Area::Serial,
            Level::Critical,
            (
                format!("{}: user {} may not open it: {why}", at.en, account.name),
                format!("{}：用户 {} 无权打开：{why}", at.zh, account.name),
            ),
            (
                format!("usermod -aG dialout {}; then restart the service", account.name),
                format!("usermod -aG dialout {}；然后重启服务", account.name),
            ),
        ),
        Err(error) => {
            let why = Words::of_io(&error);
            Item::unseen(
                Area::Serial,
                (format!("{}: {}", at.en, why.en), format!("{}：{}", at.zh, why.zh)),
                ("run the doctor as root", "以 root 身份运行 linli doctor"),
            )
        }
    }
}

fn missing(root: &Path, at: &Words) -> Item {
    let there = present(root);
    let (en, zh) = if there.is_empty() {
        ("no serial adapter is plugged in".to_owned(), "未接入任何串口适配器".to_owned())
    } else {
        let list = there.join(", ");
        (format!("there are: {list}"), format!("现有：{list}"))
    };
    Item::wrong(
        Area::Serial,
        Level::Critical,
        (format!("{} is not there; {en}", at.en), format!("{} 不存在；{zh}", at.zh)),
        (
            "plug the adapter in, or correct `port` in [[bus]]",
            "接好串口适配器，或修正 [[bus]] 的 `port`",
        ),
    )
}

/// Serial lines of the machine, by the names that stay where they have one.
pub fn present(root: &Path) -> Vec<String> {
    serial_ports(root).iter().map(|port| port.path.display().to_string()).collect()
}

/// The sandbox of the unit names the drivers whose devices may be opened.
fn outside_the_unit(path: &Path, at: &Words) -> Option<Item> {
    let real = fs::canonicalize(path).ok()?;
    let name = real.file_name()?.to_str()?;
    let driver = name.trim_end_matches(|c: char| c.is_ascii_digit());
    // A terminal's other end (`/dev/pts/3`) is for trials by hand.
    if !name.starts_with("tty") || SERIAL_DRIVERS.contains(&driver) {
        return None;
    }
    Some(Item::wrong(
        Area::Serial,
        Level::Warning,
        (
            format!("{}: the unit allows no device of driver `{driver}`", at.en),
            format!("{}：服务单元不允许驱动 `{driver}` 的设备", at.zh),
        ),
        (
            format!("systemctl edit linli: [Service] DeviceAllow=char-{driver} rw"),
            format!("systemctl edit linli：[Service] DeviceAllow=char-{driver} rw"),
        ),
    ))
}

/// Adapters that are plugged get their short names by turns.
fn unsteady(line: &Line) -> Option<Item> {
    let name = line.path.to_str()?;
    let by_turns = name.starts_with("/dev/ttyUSB") || name.starts_with("/dev/ttyACM");
    (by_turns && !name.starts_with(STAYING)).then(|| {
        Item::notice(
            Area::Serial,
            (
                format!("bus {}: {name} may become another adapter after a restart", line.bus),
                format!("总线 {}：重启后 {name} 可能变成另一只适配器", line.bus),
            ),
        )
        .todo((
            "name it as in /dev/serial/by-id or by-path",
            "改用 /dev/serial/by-id 或 by-path 下的名称",
        ))
    })
}
