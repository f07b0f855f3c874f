//! Passwords and the files that hold secrets.

use std::fs;
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use super::{Connection, Item, Subject, fail, pass, unknown};
use crate::model::Words;

/// Least characters of a password.
const LEAST: usize = 8;
/// Most bytes of a password file that are read.
const MOST_BYTES: u64 = 4096;

/// What devices are shipped with, and what people write when they are asked to choose.
const DEFAULTS: [&str; 24] = [
    "12345678",
    "123456789",
    "1234567890",
    "87654321",
    "11111111",
    "00000000",
    "88888888",
    "66666666",
    "password",
    "password1",
    "passw0rd",
    "p@ssw0rd",
    "admin123",
    "admin1234",
    "administrator",
    "root1234",
    "linlilinli",
    "linli123",
    "mosquitto",
    "raspberry",
    "changeme",
    "qwertyui",
    "abcd1234",
    "a1234567",
];

/// The items on passwords and on files.
pub(super) fn items(subject: &Subject) -> [Item; 2] {
    let connections: Vec<&Connection> =
        [&subject.platform, &subject.field].into_iter().flatten().collect();
    let users = subject.page.as_ref().and_then(|page| page.users.as_deref());
    [passwords(&connections), files(&connections, users, subject.credentials.as_deref())]
}

fn passwords(connections: &[&Connection]) -> Item {
    let (id, title) = ("passwords", ("passwords", "口令强度"));
    let mut unread = Vec::new();
    let mut weak = Vec::new();
    let mut count = 0usize;
    for connection in connections {
        let Some(path) = &connection.password_file else { continue };
        count += 1;
        match read(path) {
            Err(error) => {
                let why = Words::of_io(&error);
                let path = path.display();
                unread.push((format!("{path}: {}", why.en), format!("{path}：{}", why.zh)));
            }
            Ok(text) => {
                if let Some((en, zh)) = weakness(&text, connection.username.as_deref()) {
                    let path = path.display();
                    weak.push((format!("{path}: {en}"), format!("{path}：{zh}")));
                }
            }
        }
    }
    let todo = (
        "choose a random password of 12 characters or more, for this gateway alone",
        "改用随机生成、12 位以上、仅本网关使用的口令",
    );
    match (weak.is_empty(), unread.is_empty()) {
        (false, _) => fail(id, title, join(&weak), todo),
        (true, false) => {
            unknown(id, title, join(&unread), ("let the daemon read it", "让程序能读取"))
        }
        (true, true) if count == 0 => pass(id, title, ("none is used", "未使用口令")),
        (true, true) => pass(
            id,
            title,
            (
                format!("{count}: none short or well known"),
                format!("{count} 个，均非短口令或常见口令"),
            ),
        ),
    }
}

fn read(path: &Path) -> std::io::Result<String> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(MOST_BYTES).read_to_end(&mut bytes)?;
    // Not UTF-8 is no default password; its length still counts.
    Ok(String::from_utf8_lossy(&bytes).trim_end_matches(['\r', '\n']).to_owned())
}

/// Why a password is weak; it is never repeated.
pub fn weakness(password: &str, username: Option<&str>) -> Option<(String, String)> {
    let lower = password.to_lowercase();
    if password.trim().is_empty() {
        return Some(("empty".into(), "为空".into()));
    }
    if DEFAULTS.contains(&lower.as_str()) {
        return Some(("a well-known password".into(), "常见口令".into()));
    }
    if username.is_some_and(|name| name.to_lowercase() == lower) {
        return Some(("the same as the user name".into(), "与用户名相同".into()));
    }
    (password.chars().count() < LEAST)
        .then(|| (format!("shorter than {LEAST} characters"), format!("不足 {LEAST} 位")))
}

fn files(connections: &[&Connection], users: Option<&Path>, credentials: Option<&Path>) -> Item {
    let (id, title) = ("secret_files", ("files with secrets", "密钥与口令文件权限"));
    let secrets = connections.iter().flat_map(|c| [&c.password_file, &c.key_file]).flatten();
    let secrets = secrets.map(PathBuf::as_path);
    // Before the first user there is no users file.
    let secrets = secrets.chain(users.filter(|file| fs::symlink_metadata(file).is_ok()));
    let mut open = Vec::new();
    let mut unread = Vec::new();
    let mut count = 0usize;
    for path in secrets {
        count += 1;
        // systemd lets our user in by an access list, whose mask shows as the group's bits.
        let inside = credentials.is_some_and(|folder| path.starts_with(folder));
        let too_open = if inside { 0o007 } else { 0o077 };
        match fs::metadata(path) {
            Ok(about) if about.mode() & too_open != 0 => {
                let mode = about.mode() & 0o777;
                let path = path.display();
                open.push((format!("{path}: mode {mode:03o}"), format!("{path}：权限 {mode:03o}")));
            }
            Ok(_) => {}
            Err(error) => {
                let why = Words::of_io(&error);
                let path = path.display();
                unread.push((format!("{path}: {}", why.en), format!("{path}：{}", why.zh)));
            }
        }
    }
    let todo = (
        "chown linli FILE; chmod 600 FILE; or use a systemd credential",
        "chown linli 文件；chmod 600 文件；或改用 systemd 凭据",
    );
    match (open.is_empty(), unread.is_empty()) {
        (false, _) => fail(id, title, join(&open), todo),
        (true, false) => unknown(id, title, join(&unread), todo),
        (true, true) if count == 0 => pass(id, title, ("none is used", "未使用")),
        (true, true) => pass(
            id,
            title,
            (format!("{count}: for their owner only"), format!("{count} 个，仅属主可读")),
        ),
    }
}

fn join(lines: &[(String, String)]) -> Words {
    let (en, zh): (Vec<&str>, Vec<&str>) =
        lines.iter().map(|(en, zh)| (en.as_str(), zh.as_str())).unzip();
    (en.join("; "), zh.join("；")).into()
}
