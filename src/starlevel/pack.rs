//! The rule pack: a data file that says which checks a star needs, and with which numbers.
//! Reading it names every fault at once; a pack with a fault is not used at all.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::time::Duration;

use serde::Deserialize;

use super::evidence::Zone;
use super::fault::PackFault;
use super::judge::Judge;
use super::metric::Metric;
pub use super::terms::{Direction, Evidence, Measure, Origin};
use crate::model::{Category, EstateKind};
use crate::settings::read_text;

/// Number of stars.
pub const STARS: u8 = 5;

/// Longest rule pack that is read, bytes.
const MAX_BYTES: u64 = 1 << 20;

/// The pack that is built into the program: `config/star-levels.toml`.
pub const BUILT_IN: &str = include_str!("../../config/star-levels.toml");

/// What the pack calls itself.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Head {
    /// Identifier.
    pub id: String,
    /// Version of its content.
    pub version: String,
    /// Whether an authority issued it.
    pub official: bool,
    /// Banner on everything that is made from it, Chinese.
    pub banner_zh: String,
    /// Banner, English.
    pub banner_en: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Targets {
    pub(super) old_retrofit: u8,
    pub(super) new: u8,
}

/// How the checks become a star.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Evaluation {
    pub(super) rule: String,
    pub(super) outcomes: Vec<String>,
    pub(super) unknown_counts_as: String,
    /// Length of the sliding window, days.
    pub window_days: u32,
    /// With less history than this, days, the result is provisional.
    pub provisional_below_days: u32,
    /// IANA name of the zone whose days count.
    pub timezone: String,
    /// When the daily assessment runs, `HH:MM`.
    pub run_daily_at: String,
    /// Share of the window that announced maintenance may leave out.
    pub excused_max_share: f64,
    /// A category leaves the count only by a named person's word.
    pub na_needs_attestation: bool,
    /// How long such a word holds, days.
    pub attestation_valid_days: u32,
    /// Whether the share per group is reported, for information.
    pub report_score: bool,
}

/// When a device counts as online.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Online {
    /// Periods shorter than an hour: offline after so many periods.
    pub factor_short: f64,
    /// Periods of an hour and more.
    pub factor_long: f64,
    /// But never sooner than this, seconds.
    pub min_offline_after_s: u64,
}

/// What counts as complete.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Completeness {
    /// Late readings count for completeness within this time.
    pub late_still_counts_hours: u32,
}

/// What counts as a valid hour and day of the environment.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Validity {
    /// Least valid minutes of an hour.
    pub environment_hour_min_minutes: u32,
    /// Least valid hours of a day.
    pub environment_day_min_hours: u32,
}

/// Which devices count.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scope {
    /// Which meters.
    pub meters: String,
    /// Whether a meter counts that is read through the utility's platform.
    pub count_utility_feed: bool,
}

/// One of the twelve categories, as the pack sees it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoryRule {
    /// Which category.
    pub id: Category,
    /// Its name in the standard.
    pub zh: String,
    /// Clause.
    pub seed: String,
    /// `meter`, `terminal` or `system`.
    pub group: String,
    /// Expected only inside the heating season.
    #[serde(default)]
    pub seasonal: bool,
    /// Longest period of readings for star 1..=5, seconds.
    pub reading_s: [u64; 5],
    /// Longest period of uploads for star 1..=5, seconds.
    pub upload_s: [u64; 5],
}

/// Categories that a star needs.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategorySet {
    /// Which star, 1..=5.
    pub star: u8,
    /// All of these.
    pub all_of: Vec<Category>,
    /// And of each of these lists at least one.
    pub any_of: Vec<Vec<Category>>,
}

/// Response clocks of an alarm level.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Severity {
    /// `red`, `orange`, `yellow`, `blue`.
    pub id: String,
    /// Name, Chinese.
    pub zh: String,
    /// Level of an emergency broadcast message, 1..=4.
    pub ebm: u8,
    /// To be acknowledged within, seconds.
    pub ack_s: u64,
    /// To be closed within, seconds.
    pub close_s: u64,
}

/// Reported beside the star, never part of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Advisory {
    /// Identifier.
    pub id: String,
    /// Name, Chinese.
    pub zh: String,
    /// Name, English; the Chinese one stands for it when it is left out.
    #[serde(default)]
    pub en: String,
    /// Wanted share, 0..=1.
    pub threshold: f64,
    /// How it is proven.
    pub evidence: Evidence,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Check {
    /// Identifier; its first letter is the group.
    pub id: String,
    /// Name, Chinese.
    pub zh: String,
    /// Name, English.
    pub en: String,
    /// Clause that it serves.
    pub source: String,
    /// Where the numbers come from.
    pub origin: Origin,
    /// On which ground, when there is one.
    #[serde(default)]
    pub basis: Option<String>,
    /// How it is proven.
    pub evidence: Evidence,
    /// What is measured.
    pub metric: Metric,
    /// Unit of the thresholds: `share`, `s`, `h`, `d`, `count`, `rank`.
    #[serde(default)]
    pub unit: Option<String>,
    /// Which way the value must lie.
    pub dir: Direction,
    /// Window of this check where it differs from the pack's, days.
    #[serde(default)]
    pub window_days: Option<u32>,
    pub(super) levels: BTreeMap<String, Measure>,
}

impl Check {
    /// What a star (1..=5) needs; `None` when the star does not require the check.
    pub fn needed(&self, star: u8) -> Option<Measure> {
        self.levels.get(star.to_string().as_str()).copied()
    }
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) pack: Head,
    pub(super) targets: Targets,
    pub(super) evaluation: Evaluation,
    pub(super) online: Online,
    pub(super) completeness: Completeness,
    pub(super) validity: Validity,
    pub(super) scope: Scope,
    pub(super) category: Vec<CategoryRule>,
    pub(super) category_set: Vec<CategorySet>,
    pub(super) severity: Vec<Severity>,
    pub(super) check: Vec<Check>,
    #[serde(default)]
    pub(super) advisory: Vec<Advisory>,
}

/// A rule pack without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct RulePack {
    file: File,
    sha256: String,
}

impl RulePack {
    /// The pack built into the program.
    pub fn built_in() -> Self {
        Self::parse("star-levels.toml", BUILT_IN)
            .expect("the pack built into the program is read by a test")
    }

    /// Reads a pack from a file of at most 1 MiB.
    ///
    /// # Errors
    /// All faults of the pack, or that the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, Vec<PackFault>> {
        let name = path.display().to_string();
        let unreadable = |fault: String| vec![PackFault::Unreadable { name: name.clone(), fault }];
        let size = std::fs::metadata(path).map_err(|e| unreadable(e.to_string()))?.len();
        if size > MAX_BYTES {
            return Err(unreadable(format!("{size} bytes, allowed are {MAX_BYTES}")));
        }
        let text = std::fs::read_to_string(path).map_err(|e| unreadable(e.to_string()))?;
        Self::parse(&name, &text)
    }

    /// Reads a pack; `name` stands in the faults.
    ///
    /// # Errors
    /// All faults of the pack.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<PackFault>> {
        let file: File = read_text(text).map_err(|error| {
            let line = error.line(text);
            vec![PackFault::Syntax {
                name: name.to_owned(),
                line,
                fault: error.message().to_owned(),
            }]
        })?;
        let mut judge = Judge { name, faults: Vec::new() };
        judge.file(&file);
        if !judge.faults.is_empty() {
            return Err(judge.faults);
        }
        let digest = ring::digest::digest(&ring::digest::SHA256, text.as_bytes());
        let sha256 = digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
            write!(hex, "{byte:02x}").expect("writing to a String does not fail");
            hex
        });
        Ok(Self { file, sha256 })
    }

    /// What it calls itself.
    pub fn head(&self) -> &Head {
        &self.file.pack
    }

    /// SHA-256 of its text, lower-case hex.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How checks become a star.
    pub fn evaluation(&self) -> &Evaluation {
        &self.file.evaluation
    }

    /// The zone of its natural days.
    pub(super) fn zone(&self) -> Zone {
        Zone::named(&self.evaluation().timezone).expect("a pack without faults")
    }

    /// The natural day of a wall time (milliseconds since 1970) in the pack's zone: days since
    /// 1970.
    pub fn natural_day(&self, unix_ms: i64) -> u32 {
        self.zone().day(unix_ms)
    }

    /// The clocks of the alarm levels.
    pub fn severities(&self) -> &[Severity] {
        &self.file.severity
    }

    /// Its checks, in the order of the file.
    pub fn checks(&self) -> &[Check] {
        &self.file.check
    }

    /// The star that the standard demands of an estate, 1..=5.
    pub fn target(&self, kind: EstateKind) -> u8 {
        match kind {
            EstateKind::New => self.file.targets.new,
            EstateKind::OldRetrofit => self.file.targets.old_retrofit,
        }
    }

    /// Which devices count.
    pub fn scope(&self) -> &Scope {
        &self.file.scope
    }

    /// What is reported beside the star, in the order of the file.
    pub fn advisories(&self) -> &[Advisory] {
        &self.file.advisory
    }

    /// The categories that a star needs.
    pub fn set(&self, star: u8) -> Option<&CategorySet> {
        self.file.category_set.iter().find(|set| set.star == star)
    }

    /// How long after its last good reading a device of the category counts as offline when
    /// `star` (1..=5) is judged; `None` for `other`, which no star asks for.
    pub fn offline_after(&self, category: Category, star: u8) -> Option<Duration> {
        let rule = self.file.category.iter().find(|rule| rule.id == category)?;
        let period = *rule.upload_s.get(usize::from(star).checked_sub(1)?)?;
        let online = &self.file.online;
        let factor = if period < 3600 { online.factor_short } else { online.factor_long };
        let least = Duration::from_secs(online.min_offline_after_s);
        Some(Duration::from_secs(period).mul_f64(factor).max(least))
    }

    /// How often a valid reading is expected of a device of the category when `star` (1..=5) is
    /// judged; `None` for `other`.
    pub fn reading_every(&self, category: Category, star: u8) -> Option<Duration> {
        let rule = self.file.category.iter().find(|rule| rule.id == category)?;
        let period = *rule.reading_s.get(usize::from(star).checked_sub(1)?)?;
        Some(Duration::from_secs(period))
    }

    /// Whether devices of the category are expected only inside the heating season.
    pub fn is_seasonal(&self, category: Category) -> bool {
        self.file.category.iter().any(|rule| rule.id == category && rule.seasonal)
    }

    /// Whether devices of the category are meters.
    pub fn is_meter(&self, category: Category) -> bool {
        self.file.category.iter().any(|rule| rule.id == category && rule.group == "meter")
    }
}
