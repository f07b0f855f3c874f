//! Watches the files of a connection: authorities, certificate, key, password.
//!
//! By content, once a minute: the files are small, and a certificate that is renewed by a move, a
//! link or a mounted secret looks the same to everybody.

use std::path::PathBuf;
use std::time::Duration;

use ring::digest::{Context, SHA256};
use tokio::sync::watch;

use super::BrokerConfig;
use crate::model::Words;

/// How often the files are looked at; tests do not wait.
pub const EVERY: Duration = Duration::from_secs(if cfg!(test) { 1 } else { 60 });

/// What a look at the files found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// As they were.
    Same,
    /// Changed, and good: connect with them.
    Good,
    /// Changed, and wrong, at two looks in a row: the running connection is better.
    Wrong(Words),
}

/// Notes in a status what is wrong with changed files of the connection to `broker`, or that nothing
/// is; the log is told of news.
pub fn note_credentials<S>(
    status: &watch::Sender<S>,
    place: impl FnOnce(&mut S) -> &mut Option<Words>,
    fault: Option<Words>,
    broker: &str,
) {
    let news = status.send_if_modified(|status| {
        let noted = place(status);
        let news = *noted != fault;
        noted.clone_from(&fault);
        news
    });
    if news && let Some(fault) = fault {
        tracing::warn!(broker, %fault, "changed files are wrong; the connection goes on");
    }
}

/// The files of one connection, as they were when it was made.
#[derive(Debug, Clone)]
pub struct Watched {
    config: BrokerConfig,
    /// What the files held when the connection was made.
    used: Digest,
    /// What they held when they were found wrong.
    wrong: Option<Digest>,
}

type Digest = [u8; 32];

impl Watched {
    /// Reads the files of a connection that is about to be made.
    pub fn new(config: &BrokerConfig) -> Self {
        Self { config: config.clone(), used: config.digest(), wrong: None }
    }

    /// Looks at the files. Those that are wrong are given one more look: who writes two files
    /// writes one of them first.
    pub fn look(&mut self) -> Renewal {
        let now = self.config.digest();
        if now == self.used {
            self.wrong = None;
            return Renewal::Same;
        }
        match self.config.options() {
            Ok(_) => Renewal::Good,
            Err(error) if self.wrong == Some(now) => Renewal::Wrong(error.words()),
            Err(_) => {
                self.wrong = Some(now);
                Renewal::Same
            }
        }
    }
}

impl BrokerConfig {
    /// Every file that the connection depends on.
    fn files(&self) -> impl Iterator<Item = &PathBuf> {
        let tls = self.tls.iter().flat_map(|tls| [&tls.ca_file, &tls.cert_file, &tls.key_file]);
        tls.chain([&self.password_file]).flatten()
    }

    /// Digest of their contents; a file that cannot be read counts as its fault.
    fn digest(&self) -> Digest {
        let mut context = Context::new(&SHA256);
        for path in self.files() {
            match std::fs::read(path) {
                Ok(bytes) => {
                    context.update(&bytes.len().to_le_bytes());
                    context.update(&bytes);
                }
                Err(error) => context.update(error.to_string().as_bytes()),
            }
        }
        let mut digest = [0; 32];
        digest.copy_from_slice(context.finish().as_ref());
        digest
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_password(path: PathBuf) -> BrokerConfig {
        BrokerConfig { password_file: Some(path), ..BrokerConfig::default() }
    }

    #[test]
    fn a_good_change_is_taken_at_once_and_a_wrong_one_told_at_the_second_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "one\n").unwrap();
        let mut watched = Watched::new(&with_password(path.clone()));
        assert_eq!(watched.look(), Renewal::Same);
        std::fs::write(&path, "").unwrap();
        assert_eq!(watched.look(), Renewal::Same, "perhaps it is being written");
        let Renewal::Wrong(fault) = watched.look() else { panic!("told") };
        assert!(fault.en.contains("password_file"), "{fault}");
        std::fs::write(&path, "one\n").unwrap();
        assert_eq!(watched.look(), Renewal::Same, "back to what it was");
        std::fs::write(&path, "two\n").unwrap();
        assert_eq!(watched.look(), Renewal::Good);
    }

    #[test]
    fn a_file_that_went_away_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        std::fs::write(&path, "one\n").unwrap();
        let mut watched = Watched::new(&with_password(path.clone()));
        std::fs::remove_file(&path).unwrap();
        assert_eq!(watched.look(), Renewal::Same);
        assert!(matches!(watched.look(), Renewal::Wrong(_)));
    }
}
