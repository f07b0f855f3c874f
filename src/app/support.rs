//! The bundle for support, made for the page: by this very program in a process of its own, so that
//! what it needs of memory is given back, and so that it is what the command makes.

use std::fs::File;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::status::{Bundle, Support};

/// This very program, also when an upgrade put another in its place.
const PROGRAM: &str = "/proc/self/exe";
/// Where it is written: on the disk, where the folder for temporary files may be in memory.
const PLACE: &str = "/var/tmp";
/// Longest time that it may take: the journal of a slow card.
const PATIENCE: Duration = Duration::from_secs(120);
/// Most bytes of a bundle; its texts are bounded to 16 MiB before they are packed.
const MOST_BYTES: u64 = 20 << 20;

/// Makes bundles, one at a time.
#[derive(Debug, Clone)]
pub(super) struct Gatherer {
    config: PathBuf,
    turn: Arc<Semaphore>,
}

impl Gatherer {
    /// Of the gateway with this configuration.
    pub fn new(config: &Path) -> Self {
        Self { config: config.to_owned(), turn: Arc::new(Semaphore::new(1)) }
    }

    async fn make(self) -> Result<Bundle, String> {
        let turn = self.turn.try_acquire_owned();
        let turn = turn.map_err(|_| "a bundle is being made; try again in a minute".to_owned())?;
        let folder = Folder::new().map_err(|error| format!("no room for it: {error}"))?;
        let file = folder.0.join("bundle.tar.zst");
        let child = Command::new(PROGRAM)
            .args(["support-bundle", "--offline", "--config"])
            .arg(&self.config)
            .arg(&file)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let output = timeout(PATIENCE, child).await.map_err(|_| "it took too long".to_owned())?;
        let output = output.map_err(|error| format!("it cannot be made: {error}"))?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(said.lines().next().unwrap_or("it cannot be made").to_owned());
        }
        let open = move || {
            let file = File::open(&file)?;
            let bytes = file.metadata()?.len();
            // Its name goes now, what is in it when it was sent.
            drop(folder);
            Ok::<_, std::io::Error>((file, bytes))
        };
        let opened = tokio::task::spawn_blocking(open).await.map_err(|error| error.to_string())?;
        let (file, bytes) = opened.map_err(|error| error.to_string())?;
        if bytes > MOST_BYTES {
            return Err(format!("it has {bytes} bytes, at most {MOST_BYTES} are sent"));
        }
        Ok(Bundle { file, bytes, turn: Box::new(turn) })
    }
}

impl Support for Gatherer {
    fn bundle(&self) -> Pin<Box<dyn Future<Output = Result<Bundle, String>> + Send>> {
        Box::pin(self.clone().make())
    }
}

/// A folder of this process alone, gone with it.
struct Folder(PathBuf);

impl Folder {
    fn new() -> std::io::Result<Self> {
        let mut name = [0u8; 8];
        getrandom::fill(&mut name).map_err(std::io::Error::other)?;
        let name = format!("linli-support-{:016x}", u64::from_le_bytes(name));
        let make = |place: &Path| {
            let path = place.join(&name);
            std::fs::DirBuilder::new().mode(0o700).create(&path).map(|()| Self(path))
        };
        make(Path::new(PLACE)).or_else(|_| make(&std::env::temp_dir()))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::debug!(%error, "a folder of the support bundle stays");
        }
    }
}
