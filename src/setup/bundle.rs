//! A signed bundle: a tar file that brings what an installer would type.
//!
//! | file | holds |
//! | --- | --- |
//! | `answers.toml` | [`Answers`] |
//! | `linli.toml` | a whole configuration, instead of the present one or of the example |
//! | `platform-ca.pem`, `platform.pem`, `platform-key.pem`, `platform-password` | what the platform gave |
//! | `profiles/NAME.toml` | profiles of the site |
//!
//! Nothing else is allowed in it, and nothing but plain files; the folder `profiles/` may stand there.
//! It is read into memory, so no name in it ever becomes a path before it was looked at.
//!
//! The trusted comment of its signature says for whom and which it is:
//! `linli-setup gateway=ID serial=NUMBER`, or `gateway=*` for every box. A box takes no bundle with a
//! lower serial than that of the last one it took: who finds an old stick cannot take a box back to
//! an old platform or an old key. The same serial may be taken again, after a first try that failed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use tar::{Archive, Entry, EntryType};

use super::answers::Answers;
use super::credentials::{Credentials, Kind};
use crate::model::Words;
use crate::signed::{Approved, SignedFault, TrustedKeys, signature_of};
use crate::whole_file;

/// The name under which it is looked for.
pub const BUNDLE_FILE: &str = "linli-setup.tar";
/// What its signature must be made for.
pub const PURPOSE: &str = "linli-setup";

/// Most bytes of a bundle, of a file in it, and most files.
const MOST: u64 = 8 << 20;
const MOST_FILE: u64 = 1 << 20;
const MOST_FILES: usize = 128;
const ANSWERS: &str = "answers.toml";
const CONFIGURATION: &str = "linli.toml";
const PROFILES: &str = "profiles/";
/// Where the serial of the last bundle is kept, beside the configuration.
const SERIAL_FILE: &str = "bundle.serial";

/// Why a bundle is not taken.
#[derive(Debug, thiserror::Error)]
#[error("{}", .0.en)]
pub struct BundleFault(Words);

impl BundleFault {
    /// For people.
    pub fn words(&self) -> &Words {
        &self.0
    }
}

impl From<SignedFault> for BundleFault {
    fn from(fault: SignedFault) -> Self {
        Self(fault.words().clone())
    }
}

fn fault(en: impl Into<String>, zh: impl Into<String>) -> BundleFault {
    BundleFault((en, zh).into())
}

/// A bundle whose signature fits.
#[derive(Debug)]
pub struct Bundle {
    /// What it answers.
    pub answers: Answers,
    /// What the platform gave.
    pub credentials: Credentials,
    /// Profiles of the site: file name and content.
    pub profiles: Vec<(String, Vec<u8>)>,
    /// A whole configuration.
    pub configuration: Option<String>,
    /// Who signed it, and what for.
    pub approved: Approved,
    /// Its number; later ones have higher numbers.
    pub serial: u64,
    /// The gateway it is for; `None` for all.
    pub gateway: Option<String>,
}

impl Bundle {
    /// Reads and verifies the file, or `linli-setup.tar` in a folder. Blocks.
    ///
    /// # Errors
    /// The signature does not fit, or was made for something else, or the bundle holds what it must not.
    pub fn read(path: &Path, keys: &TrustedKeys) -> Result<Self, BundleFault> {
        let path = if path.is_dir() { path.join(BUNDLE_FILE) } else { path.to_owned() };
        let mut bytes = Vec::new();
        let approved = keys.verify_into(&path, MOST, &mut bytes)?;
        approved.require(PURPOSE)?;
        let (gateway, serial) = terms(&approved)?;
        let mut bundle = Self {
            answers: Answers::default(),
            credentials: Credentials::default(),
            profiles: Vec::new(),
            configuration: None,
            approved,
            serial,
            gateway,
        };
        for (name, bytes) in files(&bytes)? {
            bundle.take(&name, bytes)?;
        }
        Ok(bundle)
    }

    fn take(&mut self, name: &str, bytes: Vec<u8>) -> Result<(), BundleFault> {
        if let Some(kind) = Kind::ALL.into_iter().find(|kind| kind.file() == name) {
            return self.credentials.put(kind, bytes).map_err(BundleFault);
        }
        if let Some(profile) = name.strip_prefix(PROFILES) {
            self.profiles.push((profile.to_owned(), bytes));
            return Ok(());
        }
        let text = String::from_utf8(bytes)
            .map_err(|_| fault(format!("{name}: is no text"), format!("{name}：不是文本")))?;
        if name == CONFIGURATION {
            self.configuration = Some(text);
            return Ok(());
        }
        self.answers = toml::from_str(&text).map_err(|error| {
            let told = error.to_string();
            let told = told.trim_end();
            fault(format!("{name}: {told}"), format!("{name} 有误：{told}"))
        })?;
        Ok(())
    }

    /// Refuses a bundle for another gateway.
    ///
    /// # Errors
    /// For whom it is.
    pub fn require_for(&self, id: &str) -> Result<(), BundleFault> {
        match &self.gateway {
            Some(own) if own != id => Err(fault(
                format!("the bundle is for gateway `{own}`, this one is `{id}`"),
                format!("该安装包用于网关 `{own}`，本网关为 `{id}`"),
            )),
            _ => Ok(()),
        }
    }

    /// Refuses a bundle that is older than the last one that was taken by a box whose configuration
    /// lies in `folder`.
    ///
    /// # Errors
    /// Which one was taken last, or what the system said.
    pub fn require_newer(&self, folder: &Path) -> Result<(), BundleFault> {
        let path = folder.join(SERIAL_FILE);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(of_io(&path, &error)),
        };
        let last: u64 = text.trim().parse().map_err(|_| {
            let path = path.display();
            fault(format!("{path}: holds no number"), format!("{path}：内容不是数字"))
        })?;
        let own = self.serial;
        if own >= last {
            return Ok(());
        }
        Err(fault(
            format!("the bundle has serial {own}, and one with serial {last} was taken already"),
            format!("该安装包序号为 {own}，而本机已采用过序号 {last} 的安装包"),
        ))
    }

    /// Notes that it was taken.
    ///
    /// # Errors
    /// What the system said.
    pub fn note_taken(&self, folder: &Path) -> Result<(), BundleFault> {
        let path = folder.join(SERIAL_FILE);
        whole_file::replace(&path, format!("{}\n", self.serial).as_bytes(), 0o644)
            .map_err(|error| of_io(&path, &error))
    }
}

fn of_io(path: &Path, error: &io::Error) -> BundleFault {
    let (path, told) = (path.display(), Words::of_io(error));
    fault(format!("{path}: {}", told.en), format!("{path}：{}", told.zh))
}

/// The gateway and the serial of the trusted comment.
fn terms(approved: &Approved) -> Result<(Option<String>, u64), BundleFault> {
    let serial = approved.term("serial").and_then(|text| text.parse::<u64>().ok());
    let (Some(gateway), Some(serial)) = (approved.term("gateway"), serial) else {
        return Err(fault(
            format!(
                "the trusted comment must be `{PURPOSE} gateway=ID serial=NUMBER`, with `*` for every \
                 gateway"
            ),
            format!(
                "可信注释须为 `{PURPOSE} gateway=网关标识 serial=序号`，用于所有网关时标识写 `*`"
            ),
        ));
    };
    Ok((Some(gateway.to_owned()).filter(|id| id != "*"), serial))
}

/// The plain files of an archive.
pub(super) fn files(bytes: &[u8]) -> Result<Vec<(String, Vec<u8>)>, BundleFault> {
    let broken = |error: io::Error| {
        fault(format!("is no tar file: {error}"), format!("不是 tar 文件：{error}"))
    };
    let mut archive = Archive::new(bytes);
    let (mut found, mut names) = (Vec::new(), BTreeSet::new());
    for entry in archive.entries().map_err(broken)? {
        let Some((name, bytes)) = file(entry.map_err(broken)?)? else { continue };
        if !names.insert(name.clone()) {
            return Err(fault(
                format!("`{name}` stands in it twice"),
                format!("包内有两个 `{name}`"),
            ));
        }
        if names.len() > MOST_FILES {
            return Err(fault(
                format!("more than {MOST_FILES} files"),
                format!("文件超过 {MOST_FILES} 个"),
            ));
        }
        found.push((name, bytes));
    }
    if found.is_empty() {
        return Err(fault("there is nothing in the bundle", "安装包为空"));
    }
    Ok(found)
}

/// One entry; `None` for a folder that may be there.
fn file(entry: Entry<'_, &[u8]>) -> Result<Option<(String, Vec<u8>)>, BundleFault> {
    let raw = entry.path_bytes().into_owned();
    let shown: String = String::from_utf8_lossy(&raw)
        .chars()
        .map(|c| if c.is_control() { '\u{FFFD}' } else { c })
        .take(100)
        .collect();
    let name = std::str::from_utf8(&raw).unwrap_or_default();
    let name = name.strip_prefix("./").unwrap_or(name);
    match entry.header().entry_type() {
        EntryType::Directory if matches!(name, "" | "." | "profiles" | PROFILES) => {
            return Ok(None);
        }
        EntryType::Regular => {}
        _ => {
            return Err(fault(
                format!("`{shown}` is no plain file; links and devices are not taken"),
                format!("`{shown}` 不是普通文件；不接受链接与设备文件"),
            ));
        }
    }
    if !is_known(name) {
        let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.file()).collect();
        let all = format!("{ANSWERS}, {CONFIGURATION}, {}, {PROFILES}NAME.toml", all.join(", "));
        return Err(fault(
            format!("`{shown}` does not belong into a bundle; allowed are {all}"),
            format!("安装包内不应有 `{shown}`；允许 {all}"),
        ));
    }
    let mut bytes = Vec::new();
    let name = name.to_owned();
    let size = entry.size();
    let read = entry.take(MOST_FILE + 1).read_to_end(&mut bytes);
    let read = read.map_err(|error| of_io(Path::new(&name), &error))? as u64;
    if size > MOST_FILE || read != size {
        return Err(fault(
            format!(
                "`{name}` has {size} bytes, of which {read} were read; allowed are {MOST_FILE}"
            ),
            format!("`{name}` 为 {size} 字节，读到 {read} 字节；最多允许 {MOST_FILE} 字节"),
        ));
    }
    Ok(Some((name, bytes)))
}

fn is_known(name: &str) -> bool {
    if name == ANSWERS || name == CONFIGURATION {
        return true;
    }
    if Kind::ALL.iter().any(|kind| kind.file() == name) {
        return true;
    }
    let stem = name.strip_prefix(PROFILES).and_then(|name| name.strip_suffix(".toml"));
    stem.is_some_and(|stem| {
        (1..=64).contains(&stem.len())
            && stem.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    })
}

/// Signed bundles on media that are mounted below these folders: directly, or one or two folders
/// down, as `/media/usb` and `/run/media/root/STICK` are.
pub fn find(roots: &[PathBuf]) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = roots.to_vec();
    let mut level = folders.clone();
    for _ in 0..2 {
        level = level.iter().flat_map(|folder| below(folder)).collect();
        folders.extend(level.iter().cloned());
    }
    let files = folders.into_iter().map(|folder| folder.join(BUNDLE_FILE));
    files.filter(|file| file.is_file() && signature_of(file).is_file()).collect()
}

fn below(folder: &Path) -> Vec<PathBuf> {
    // A root that is not there has no media.
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found.truncate(64);
    found
}
