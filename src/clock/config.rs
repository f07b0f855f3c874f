//! Which source of wall time is trusted.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::DeviceId;
use crate::settings::{Place, Section, Wrong};

/// When the system's wall clock may be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Trust {
    /// Only when a time service says that it is synchronised: one of [`Config::synchronised`]
    /// says so. Until then readings carry their moment since boot. For boxes without a clock
    /// battery.
    #[default]
    Ntp,
    /// Always: the machine has a battery-backed clock that somebody sets.
    System,
}

/// Whether the platform is asked for the time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AskPlatform {
    /// Never.
    Never,
    /// Over a connection whose broker proved who it is.
    #[default]
    OverTls,
    /// Over any connection: whoever sits on the line can set the clock.
    Always,
}

/// Settings of the clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// When the wall clock may be believed.
    pub trust: Trust,
    /// Files that a time service creates once it is synchronised. Those of systemd-timesyncd are
    /// touched at each synchronisation: an old one means that the service lost its servers.
    pub synchronised: Vec<PathBuf>,
    /// Whether the platform is asked for the time.
    pub platform: AskPlatform,
    /// A meter whose clock gives the time when nothing better does.
    pub meter: Option<DeviceId>,
    /// Where `meter` was written, for faults.
    pub meter_at: Option<Place>,
    /// When the source is lost the clock goes on by itself until it may be this far from the true
    /// time; then it is not trusted any more.
    pub holdover: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            trust: Trust::Ntp,
            synchronised: vec![PathBuf::from("/run/systemd/timesync/synchronized")],
            platform: AskPlatform::OverTls,
            meter: None,
            meter_at: None,
            holdover: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Reads the section `[clock]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        let default = Self::default();
        let words = [("ntp", Trust::Ntp), ("system", Trust::System)];
        let platform = [
            ("never", AskPlatform::Never),
            ("tls", AskPlatform::OverTls),
            ("always", AskPlatform::Always),
        ];
        let meter = section.parsed("meter", "the id of a DL/T 645-2007 meter", |text| {
            DeviceId::new(text).map_err(|_wrong| Wrong::no_identifier())
        });
        let bounds = Duration::from_secs(1)..=Duration::from_secs(3600);
        Self {
            trust: section.word_or("trust", &words, default.trust),
            synchronised: section.paths_or("synchronised", &default.synchronised),
            platform: section.word_or("platform", &platform, default.platform),
            meter_at: meter.is_some().then(|| section.place("meter")),
            meter,
            holdover: section.duration_or("holdover", bounds, default.holdover),
        }
    }
}
