//! What an upgrade needs of the system.

use std::cmp::Ordering;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::Fault;

/// What a package says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// For which machines it is.
    pub architecture: String,
}

/// The service as systemd sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Service {
    /// It runs and said that it is ready.
    pub active: bool,
    /// It ended and is not started again.
    pub failed: bool,
    /// The program that runs.
    pub program: Option<PathBuf>,
    /// Starts by systemd itself since somebody started it.
    pub restarts: u64,
    /// How it ended last: `success`, `exit-code`, `watchdog`, …
    pub result: String,
}

/// What the gateway that runs has shown since it started.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seen {
    /// There are devices.
    pub devices: bool,
    /// A device gave a good reading.
    pub good_reading: bool,
    /// There is a platform.
    pub platform: bool,
    /// The platform acknowledged a block.
    pub acknowledged: bool,
}

/// What an upgrade needs of the system. A call that fails says why, for people.
pub trait System {
    /// Called before anything is changed, with what; a test cuts the power here.
    ///
    /// # Errors
    /// The change must not take place.
    fn about_to(&mut self, _what: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// Time on a clock that never jumps.
    fn now(&self) -> Duration;

    /// Waits.
    fn pause(&mut self, span: Duration);

    /// Milliseconds since 1970, for people.
    fn wall_ms(&self) -> i64;

    /// Hands a file on while its signature is verified, for a next version. What `out` got counts
    /// only when this succeeds.
    ///
    /// # Errors
    /// Why it is not taken.
    fn verify(&mut self, file: &Path, most: u64, out: &mut dyn Write) -> Result<(), Fault>;

    /// Architecture of the machine's packages.
    ///
    /// # Errors
    /// The machine has no packages.
    fn architecture(&mut self) -> Result<String, Fault>;

    /// What a package says of itself.
    ///
    /// # Errors
    /// It is none.
    fn package(&mut self, file: &Path) -> Result<Package, Fault>;

    /// Version of the installed package; `None` when the program came without one.
    fn installed(&mut self) -> Option<String>;

    /// Compares versions of packages.
    ///
    /// # Errors
    /// One is none.
    fn compare(&mut self, one: &str, other: &str) -> Result<Ordering, Fault>;

    /// Unpacks the files of a package, without installing it.
    ///
    /// # Errors
    /// As the system says.
    fn unpack(&mut self, file: &Path, into: &Path) -> Result<(), Fault>;

    /// Whether a package could be installed.
    ///
    /// # Errors
    /// Why not.
    fn can_install(&mut self, file: &Path) -> Result<(), Fault>;

    /// Installs a package; done again after a cut, it ends what was begun. Starts no service.
    ///
    /// # Errors
    /// As the system says.
    fn install(&mut self, file: &Path) -> Result<(), Fault>;

    /// What a program says of its version.
    ///
    /// # Errors
    /// It does not start here.
    fn version(&mut self, program: &Path) -> Result<String, Fault>;

    /// Whether a program takes a configuration.
    ///
    /// # Errors
    /// What it says.
    fn check(&mut self, program: &Path, config: &Path) -> Result<(), Fault>;

    /// Lets a program change a configuration of an earlier version into its own.
    ///
    /// # Errors
    /// What it says.
    fn migrate(&mut self, program: &Path, config: &Path) -> Result<(), Fault>;

    /// Makes systemd read the units again.
    ///
    /// # Errors
    /// As systemd says.
    fn reload_units(&mut self) -> Result<(), Fault>;

    /// Starts the service anew and waits until it is ready.
    ///
    /// # Errors
    /// It did not become ready.
    fn restart(&mut self) -> Result<(), Fault>;

    /// How the service is.
    ///
    /// # Errors
    /// systemd does not answer.
    fn service(&mut self) -> Result<Service, Fault>;

    /// What the gateway has shown since its start.
    ///
    /// # Errors
    /// Its page does not answer.
    fn seen(&mut self) -> Result<Seen, Fault>;
}
