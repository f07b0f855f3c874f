//! The configuration's files, as the page sees and changes them.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::Access;
use tokio::sync::mpsc;
use tokio::sync::mpsc::error::TrySendError;

use crate::config;
use crate::proposal::{self, MOST_KEPT, Outcome, Proposal, Waiting};
use crate::settings::Fault;
use crate::status::{Files, HandedOver, Writing};
use crate::whole_file::{self, folder_of};

/// The files that the daemon was started with, and how it is asked to read them again.
#[derive(Debug)]
pub(super) struct Editor {
    /// The main file; its drop-ins lie in `conf.d/` beside it.
    path: PathBuf,
    /// The folder of the service, for what is handed over.
    state: PathBuf,
    /// Where it is told what became of that.
    outcomes: PathBuf,
    /// One that waits is as good as many.
    ask: mpsc::Sender<()>,
}

impl Editor {
    /// The files of `path`.
    pub fn new(path: &Path, ask: mpsc::Sender<()>) -> Self {
        let (state, outcomes) = (proposal::STATE.into(), proposal::OUTCOMES.into());
        Self { path: path.to_owned(), state, outcomes, ask }
    }

    /// Whether a unit of root's takes changes: it has its own configuration only, and its folder is
    /// root's.
    fn is_taken(&self) -> bool {
        let roots = |about: fs::Metadata| about.is_dir() && about.uid() == 0;
        self.path == Path::new(proposal::CONFIGURATION)
            && fs::symlink_metadata(&self.outcomes).is_ok_and(roots)
    }
}

impl Files for Editor {
    fn texts(&self) -> Result<Vec<(PathBuf, String)>, Vec<Fault>> {
        config::texts(&self.path).map_err(|faults| faults.all().to_vec())
    }

    fn examine(&self, texts: &[(PathBuf, String)]) -> Vec<Fault> {
        match config::examine_texts(texts) {
            Ok(_) => Vec::new(),
            Err(refused) => refused.faults.all().to_vec(),
        }
    }

    fn writing(&self, path: &Path) -> Writing {
        // A file is replaced by another: its folder must take a new one.
        match rustix::fs::access(folder_of(path), Access::WRITE_OK | Access::EXEC_OK) {
            Ok(()) => Writing::Own,
            Err(_) if self.is_taken() => Writing::HandedOver,
            Err(_) => Writing::No,
        }
    }

    fn hand_over(&self, path: &Path, base: &str, text: &str, who: &str) -> io::Result<()> {
        let (base, text) = (base.to_owned(), text.to_owned());
        let proposal = Proposal::new(&self.path, path, base, text, who);
        proposal.ok_or(io::ErrorKind::NotFound)?.put(&self.state)
    }

    fn handed_over(&self) -> Option<HandedOver> {
        if !self.is_taken() {
            return None;
        }
        let Outcome { ok, file, who, why, why_zh, at_ms, .. } = Outcome::last(&self.outcomes)?;
        let refused = (!ok).then(|| (why, why_zh).into());
        Some(HandedOver { file, who, refused, at_ms })
    }

    fn waiting(&self) -> Option<Waiting> {
        self.is_taken().then(|| Proposal::waiting(&self.state)).flatten()
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<PathBuf> {
        let kept = whole_file::replace_keeping(path, text.as_bytes())?;
        // It is written: that too many old ones lie there is no reason to say otherwise.
        if let Err(error) = whole_file::thin_out(path, MOST_KEPT) {
            tracing::warn!(%error, "old versions of the configuration stay");
        }
        Ok(kept)
    }

    fn earlier(&self, path: &Path) -> io::Result<Vec<PathBuf>> {
        whole_file::earlier(path)
    }

    fn reload(&self) -> bool {
        !matches!(self.ask.try_send(()), Err(TrySendError::Closed(())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_the_earlier_versions_the_newest_come_first_and_only_so_many_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("linli.toml");
        fs::write(&path, "0").unwrap();
        let date = |seconds: u64| {
            let at = std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
            fs::File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
        };
        date(0);
        let editor = Editor::new(&path, mpsc::channel(1).0);
        for n in 1..30u32 {
            editor.write(&path, &n.to_string()).unwrap();
            // As if each had been written a second after the one before.
            date(u64::from(n));
        }
        let earlier = editor.earlier(&path).unwrap();
        assert_eq!(earlier.len(), MOST_KEPT);
        assert_eq!(fs::read_to_string(&earlier[0]).unwrap(), "28");
        assert_eq!(fs::read_to_string(&path).unwrap(), "29");
        assert_eq!(editor.writing(&path), Writing::Own);
    }

    #[test]
    fn a_daemon_that_stops_takes_no_request_to_read_its_files_again() {
        let (ask, mut asked) = mpsc::channel(1);
        let editor = Editor::new(Path::new("/nowhere/linli.toml"), ask);
        assert!(editor.reload() && editor.reload(), "one waits, that is enough");
        assert!(asked.try_recv().is_ok() && asked.try_recv().is_err());
        drop(asked);
        assert!(!editor.reload());
        assert_eq!(editor.writing(Path::new("/nowhere/linli.toml")), Writing::No);
        assert!(!editor.texts().unwrap_err().is_empty());
    }
}
