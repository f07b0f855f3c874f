//! What the platform gave: authorities, certificate, key, password. Each is kept under a name that
//! holds a digest of its content, so a new one never takes the place of one that is in use.

use std::path::{Path, PathBuf};

use ring::digest::{SHA256, digest};

use crate::broker::check_credentials;
use crate::model::Words;

/// The folder beside the configuration.
pub(super) const FOLDER: &str = "tls";
/// Most bytes of one; a chain of three certificates has 6 KiB.
const MOST: usize = 256 << 10;

/// What a credential is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The authorities by which the platform's broker is known.
    Ca,
    /// The gateway's certificate.
    Certificate,
    /// Its key.
    Key,
    /// The password of the user at the platform's broker.
    Password,
}

impl Kind {
    /// All.
    pub const ALL: [Self; 4] = [Self::Ca, Self::Certificate, Self::Key, Self::Password];

    /// The name of its file in a bundle.
    pub fn file(self) -> &'static str {
        match self {
            Self::Ca => "platform-ca.pem",
            Self::Certificate => "platform.pem",
            Self::Key => "platform-key.pem",
            Self::Password => "platform-password",
        }
    }

    /// Whether nobody but the service may read it.
    pub fn is_secret(self) -> bool {
        matches!(self, Self::Key | Self::Password)
    }

    /// Where the configuration names it.
    pub fn key(self) -> &'static [&'static str] {
        match self {
            Self::Ca => &["uplink", "tls", "ca_file"],
            Self::Certificate => &["uplink", "tls", "cert_file"],
            Self::Key => &["uplink", "tls", "key_file"],
            Self::Password => &["uplink", "password_file"],
        }
    }
}

/// One of them.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    /// What it is for.
    pub kind: Kind,
    /// Its content.
    pub bytes: Vec<u8>,
}

impl std::fmt::Debug for Credential {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Credential({:?}, {} bytes)", self.kind, self.bytes.len())
    }
}

impl Credential {
    /// Where it is kept, for a configuration in `folder`.
    pub fn path(&self, folder: &Path) -> PathBuf {
        let digest = digest(&SHA256, &self.bytes);
        let short: String =
            digest.as_ref().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
        let (stem, end) = self.kind.file().split_once('.').unwrap_or((self.kind.file(), "txt"));
        folder.join(FOLDER).join(format!("{stem}-{short}.{end}"))
    }
}

/// Those that are known, at most one of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Credentials(Vec<Credential>);

impl Credentials {
    /// Takes one, in the place of another of its kind.
    ///
    /// # Errors
    /// It is empty or too long.
    pub fn put(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<(), Words> {
        if bytes.is_empty() || bytes.len() > MOST {
            let name = kind.file();
            return Err((
                format!("{name}: {} bytes; allowed are 1 to {MOST}", bytes.len()),
                format!("{name}：{} 字节；允许 1 至 {MOST} 字节", bytes.len()),
            )
                .into());
        }
        self.0.retain(|other| other.kind != kind);
        self.0.push(Credential { kind, bytes });
        self.0.sort_by_key(|one| one.kind);
        Ok(())
    }

    /// The content of a kind.
    pub fn get(&self, kind: Kind) -> Option<&[u8]> {
        self.0.iter().find(|one| one.kind == kind).map(|one| one.bytes.as_slice())
    }

    /// All of them.
    pub fn all(&self) -> &[Credential] {
        &self.0
    }

    /// Whether there is a certificate or an authority: then the session is encrypted.
    pub fn of_tls(&self) -> bool {
        self.0.iter().any(|one| one.kind != Kind::Password)
    }

    /// Whether they fit each other and are valid now; what is worth a look.
    ///
    /// # Errors
    /// What is wrong, in both languages.
    pub fn check(&self) -> Result<Vec<Words>, Words> {
        if let Some(password) = self.get(Kind::Password) {
            let text = std::str::from_utf8(password).map(str::trim).unwrap_or_default();
            if text.is_empty() || text.lines().count() != 1 {
                return Err((
                    "the platform's password must be one line of text",
                    "平台密码必须是单行文本",
                )
                    .into());
            }
        }
        check_credentials(self.get(Kind::Ca), self.get(Kind::Certificate), self.get(Kind::Key))
    }
}
