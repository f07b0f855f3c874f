//! What the kernel says about this process: `/proc/self/status`.

use std::path::Path;

use super::{Item, fail, pass, unknown};

const UNIT: (&str, &str) = (
    "start it by the unit that comes with the program: systemctl enable --now linli",
    "用随程序提供的服务单元启动：systemctl enable --now linli",
);

/// The items on the process's rights.
pub(super) fn items(status: &Path) -> Vec<Item> {
    // A file that is not there leaves every item unknown.
    let text = std::fs::read_to_string(status).unwrap_or_default();
    judge(&text)
}

fn judge(text: &str) -> Vec<Item> {
    let field = |name: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.clone().find(|(key, _)| *key == name).map(|(_, value)| value.trim())
    };
    let no_new = field("NoNewPrivs");
    vec![
        user(field("Uid")),
        no_new_privileges(no_new),
        capabilities(["CapPrm", "CapEff", "CapAmb", "CapBnd"].map(&field), no_new == Some("1")),
        seccomp(field("Seccomp")),
    ]
}

const UNSEEN: (&str, &str) = ("the kernel does not say it", "内核未给出");

fn user(uids: Option<&str>) -> Item {
    let (id, title) = ("process_user", ("runs without root", "非 root 运行"));
    // Real, effective, saved, of the file system.
    let uids: Vec<u32> =
        uids.unwrap_or_default().split_whitespace().filter_map(|uid| uid.parse().ok()).collect();
    match uids.as_slice() {
        [] => unknown(id, title, UNSEEN, UNIT),
        all if all.contains(&0) => fail(id, title, ("runs as root", "以 root 运行"), UNIT),
        [uid, ..] => pass(id, title, (format!("user {uid}"), format!("用户 {uid}"))),
    }
}

fn no_new_privileges(value: Option<&str>) -> Item {
    let (id, title) = ("no_new_privileges", ("cannot gain rights", "禁止提权"));
    match value {
        Some("1") => pass(id, title, ("NoNewPrivs is set", "已设 NoNewPrivs")),
        Some(_) => fail(id, title, ("NoNewPrivs is not set", "未设 NoNewPrivs"), UNIT),
        None => unknown(id, title, UNSEEN, UNIT),
    }
}

/// Permitted, effective and ambient ones must be empty; the bounding set matters only where a
/// program that is started could still gain them.
fn capabilities(sets: [Option<&str>; 4], no_new: bool) -> Item {
    let (id, title) = ("capabilities", ("no special rights", "无特权能力"));
    let sets = sets.map(|set| set.and_then(|set| u64::from_str_radix(set, 16).ok()));
    let [Some(permitted), Some(effective), Some(ambient), Some(bounding)] = sets else {
        return unknown(id, title, UNSEEN, UNIT);
    };
    let held = permitted | effective | ambient;
    if held != 0 {
        let en = format!("holds capabilities {held:#x}");
        return fail(id, title, (en, format!("持有能力 {held:#x}")), UNIT);
    }
    if bounding != 0 && !no_new {
        let en = format!("could gain capabilities {bounding:#x}");
        return fail(id, title, (en, format!("可能获得能力 {bounding:#x}")), UNIT);
    }
    pass(id, title, ("none held, none to be gained", "未持有，也无法获得"))
}

fn seccomp(value: Option<&str>) -> Item {
    let (id, title) = ("seccomp", ("filtered system calls", "系统调用过滤"));
    match value {
        Some("2") => pass(id, title, ("a filter is set", "已设过滤")),
        Some(_) => fail(id, title, ("no filter is set", "未设过滤"), UNIT),
        None => unknown(id, title, UNSEEN, UNIT),
    }
}
