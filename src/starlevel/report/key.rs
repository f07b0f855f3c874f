//! The key that signs reports: Ed25519, made on this box, never leaving it.
//!
//! It is a file beside the store's folder, so that it outlives a store that is set aside. The file
//! is PKCS #8, readable by its owner alone. It appears whole or not at all: it is written under
//! another name, synced, and linked to its own name, which fails where there is one. A file that is
//! not as it must be is an error that names it and is never replaced: reports that were signed with
//! it would become strangers'.

use std::fs::{self, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use ring::rand::SystemRandom;
use ring::signature::{Ed25519KeyPair, KeyPair as _};

use super::chain::{hex, unhex};
use crate::model::Words;
use crate::starlevel::Bilingual;
use crate::whole_file;

/// Name of the key's file.
pub const KEY_FILE: &str = "signing-key.pk8";
/// Longest file that is read, bytes; ring writes 83.
const MOST: u64 = 1024;

/// Why there is no key to sign with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyFault {
    /// The system refused.
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        fault: Words,
    },
    /// Others than its owner may read or write it.
    TooOpen {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no key.
    Damaged {
        /// The file.
        path: PathBuf,
    },
}

impl KeyFault {
    /// The fault in both languages; names the file, and what is allowed.
    pub fn words(&self) -> Bilingual {
        match self {
            Self::Io { path, fault } => {
                let path = path.display();
                let zh = format!("签名密钥 {path}：{}", fault.zh);
                Bilingual::new(zh, format!("signing key {path}: {}", fault.en))
            }
            Self::TooOpen { path, mode } => {
                let path = path.display();
                Bilingual::new(
                    format!("签名密钥 {path}：权限为 {mode:04o}，只允许 0600；请执行 chmod 600"),
                    format!(
                        "signing key {path}: its mode is {mode:04o}, allowed is 0600; chmod 600"
                    ),
                )
            }
            Self::Damaged { path } => {
                let path = path.display();
                Bilingual::new(
                    format!(
                        "签名密钥 {path}：不是 Ed25519 私钥（PKCS #8），不会自动替换；请从备份恢复，\
                         或删除该文件并重启网关以生成新密钥，并通知平台更换公钥"
                    ),
                    format!(
                        "signing key {path}: is no Ed25519 key (PKCS #8) and is never replaced by \
                         itself; restore it from a backup, or delete it and restart the gateway for \
                         a new key, and tell the platform the new public key"
                    ),
                )
            }
        }
    }
}

impl std::fmt::Display for KeyFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.words().en)
    }
}

impl std::error::Error for KeyFault {}

/// The box's own key.
pub struct SigningKey {
    pair: Ed25519KeyPair,
    public: [u8; 32],
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.public_hex())
    }
}

impl SigningKey {
    /// The key in the file, made when there is none. Blocks.
    ///
    /// # Errors
    /// The file cannot be read or made, is open to others, or is no key.
    pub fn open_or_make(path: &Path) -> Result<Self, KeyFault> {
        match Self::open(path) {
            Err(KeyFault::Io { .. }) if is_missing(path) => {
                make(path).map_err(|error| io_fault(path, &error))?;
                Self::open(path)
            }
            opened => opened,
        }
    }

    /// The key beside the folder of a store: see [`open_or_make`](Self::open_or_make).
    ///
    /// # Errors
    /// As there.
    pub fn beside(store: &Path) -> Result<Self, KeyFault> {
        Self::open_or_make(&store.with_file_name(KEY_FILE))
    }

    /// The key in the file, which must be there. Blocks.
    ///
    /// # Errors
    /// The file cannot be read, is open to others, or is no key.
    pub fn open(path: &Path) -> Result<Self, KeyFault> {
        let io = |error: io::Error| io_fault(path, &error);
        let damaged = || KeyFault::Damaged { path: path.to_owned() };
        // A FIFO put there must not hold up the start.
        let nonblock = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file = OpenOptions::new().read(true).custom_flags(nonblock).open(path).map_err(io)?;
        let meta = file.metadata().map_err(io)?;
        if !meta.is_file() || meta.len() > MOST {
            return Err(damaged());
        }
        let mode = meta.mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFault::TooOpen { path: path.to_owned(), mode });
        }
        let mut bytes = Vec::new();
        file.take(MOST).read_to_end(&mut bytes).map_err(io)?;
        let pair = Ed25519KeyPair::from_pkcs8(&bytes).map_err(|_| damaged())?;
        let public = pair.public_key().as_ref().try_into().map_err(|_| damaged())?;
        Ok(Self { pair, public })
    }

    /// Its public half.
    pub fn public(&self) -> &[u8; 32] {
        &self.public
    }

    /// Its public half, 64 lower-case hex digits.
    pub fn public_hex(&self) -> String {
        hex(&self.public)
    }

    /// Its signature of these bytes.
    pub fn sign(&self, bytes: &[u8]) -> [u8; 64] {
        let mut signature = [0u8; 64];
        signature.copy_from_slice(self.pair.sign(bytes).as_ref());
        signature
    }
}

/// What people compare: the first half of the SHA-256 of a public key, in groups of four digits.
pub fn fingerprint(public: &[u8; 32]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, public);
    let pairs = digest.as_ref()[..16].chunks(2);
    pairs.map(hex).collect::<Vec<_>>().join("-")
}

/// Reads a public key of 64 hex digits, upper or lower case.
pub fn parse_public_key(text: &str) -> Option<[u8; 32]> {
    unhex(&text.trim().to_ascii_lowercase())
}

fn io_fault(path: &Path, error: &io::Error) -> KeyFault {
    KeyFault::Io { path: path.to_owned(), fault: Words::of_io(error) }
}

/// A link that points nowhere is there: it is not made over.
fn is_missing(path: &Path) -> bool {
    fs::symlink_metadata(path).is_err_and(|error| error.kind() == io::ErrorKind::NotFound)
}

fn make(path: &Path) -> io::Result<()> {
    let refused = |_| io::Error::other("no random numbers");
    let document = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).map_err(refused)?;
    // The rest of a start that was cut short goes: nobody signed with it.
    let (beside, mut file) = whole_file::begin(path, 0o600)?;
    let written = file
        .write_all(document.as_ref())
        .and_then(|()| file.sync_all())
        .and_then(|()| fs::hard_link(&beside, path));
    let removed = fs::remove_file(&beside);
    written.and(removed)?;
    whole_file::sync_folder(path)
}
