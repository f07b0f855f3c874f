//! API tokens, and the token of the console.
//!
//! A token is 32 random bytes, so its SHA-256 is as good a hash as any, and nobody can guess it.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Secret;
use crate::whole_file;

/// Name of the file with the console's token, beside the users file.
pub const CONSOLE_FILE: &str = "console.token";

/// Longest token file that is read, bytes.
const MOST: u64 = 256;

/// A new token.
///
/// # Errors
/// The system gave no random numbers.
pub fn new_token() -> io::Result<Secret> {
    let mut bytes = [0u8; 32];
    let random = SystemRandom::new();
    random.fill(&mut bytes).map_err(|_| io::Error::other("no random numbers"))?;
    Ok(format!("linli_{}", URL_SAFE_NO_PAD.encode(bytes)).into())
}

/// What is kept of a token: its SHA-256, in hex.
pub fn digest(token: &Secret) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, token.expose().as_bytes());
    digest.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The token of whoever may read the state folder of this machine: root and the daemon's own user.
/// With it the commands ask the running gateway. New at each start.
#[derive(Debug, Clone)]
pub struct ConsoleToken {
    digest: String,
}

impl ConsoleToken {
    /// Makes one and writes it into the folder, readable by its owner alone. Blocks.
    ///
    /// # Errors
    /// The system refused.
    pub fn make(folder: &Path) -> io::Result<Self> {
        let token = new_token()?;
        fs::create_dir_all(folder)?;
        let path = folder.join(CONSOLE_FILE);
        let (new, mut file) = whole_file::begin(&path, 0o600)?;
        file.write_all(token.expose().as_bytes())?;
        // Not synced: after a power cut the next start makes another.
        fs::rename(&new, path)?;
        Ok(Self { digest: digest(&token) })
    }

    /// Whether this token has that digest.
    pub fn is(&self, digest: &str) -> bool {
        self.digest == digest
    }

    /// The token that the running gateway wrote into the folder. Blocks.
    ///
    /// # Errors
    /// There is none, or this user may not read it.
    pub fn read(folder: &Path) -> io::Result<Secret> {
        let mut text = String::new();
        fs::File::open(folder.join(CONSOLE_FILE))?.take(MOST).read_to_string(&mut text)?;
        Ok(text.trim().to_owned().into())
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[test]
    fn the_console_token_is_its_owners_alone_and_new_each_time() {
        let folder = tempfile::tempdir().unwrap();
        let first = ConsoleToken::make(folder.path()).unwrap();
        let read = ConsoleToken::read(folder.path()).unwrap();
        assert!(first.is(&digest(&read)));
        let mode = fs::metadata(folder.path().join(CONSOLE_FILE)).unwrap().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = ConsoleToken::make(folder.path()).unwrap();
        assert!(!second.is(&digest(&read)));
    }
}
