//! Settings of the alarms: `[alarms]`, and `[device.alarms.<rule>]` of one device.

use std::path::PathBuf;
use std::time::Duration;

use jiff::civil::DateTime;
use jiff::tz::Offset;

use super::rule::Change;
use super::rules::Rules;
use super::window::{Scope, Window};
use crate::model::AlarmLevel;
use crate::settings::{Fault, Place, Section, Wrong, meant_key, nearest};

/// The whole country has one zone.
const CHINA: Offset = Offset::constant(8);
/// Longest text that a person writes here, in characters.
pub const LONGEST_NAME: usize = 64;
/// Most windows of a configuration.
const MOST_WINDOWS: usize = 32;

/// A rule changed by the site, with where that stands.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// The rule's identifier.
    pub rule: String,
    /// What is changed.
    pub change: Change,
    /// Where it stands in the file.
    pub at: Place,
}

/// When single changes are not told any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flapping {
    /// From so many changes on.
    pub changes: u32,
    /// Within this time; after as long without one the alarm is steady again.
    pub within: Duration,
}

/// When alarms of one rule become one group alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grouping {
    /// From so many on.
    pub size: u32,
    /// Within this time.
    pub within: Duration,
    /// So long after the start three are enough: after a power failure much is not there yet.
    pub after_start: Duration,
}

/// Settings of the alarms.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// File of the rules; those built in when `None`.
    pub file: Option<PathBuf>,
    /// Its content; the rules built in until the file is read.
    pub rules: Rules,
    /// What the site changes of them.
    pub changed: Vec<Changed>,
    /// Whom to call, for people; may be empty.
    pub contact: String,
    /// When single changes are not told.
    pub flapping: Flapping,
    /// When alarms become one.
    pub grouping: Grouping,
    /// Maintenance windows.
    pub windows: Vec<Window>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            file: None,
            rules: Rules::built_in(),
            changed: Vec::new(),
            contact: String::new(),
            flapping: Flapping { changes: 6, within: Duration::from_secs(600) },
            grouping: Grouping {
                size: 8,
                within: Duration::from_secs(60),
                after_start: Duration::from_secs(600),
            },
            windows: Vec::new(),
        }
    }
}

impl Config {
    /// Reads the section `[alarms]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("file", "rules_file"),
            ("rule", "rules"),
            ("windows", "maintenance"),
            ("storm", "grouping"),
            ("flap", "flapping"),
        ]);
        let default = Self::default();
        let seconds = |low, high| Duration::from_secs(low)..=Duration::from_secs(high);
        let file = section.path("rules_file");
        let contact = section.text_or("contact", "");
        let flapping = section.section("flapping").map_or(default.flapping, |mut inner| Flapping {
            changes: inner.integer_or("changes", 3..=40, default.flapping.changes),
            within: inner.duration_or("within", seconds(10, 86_400), default.flapping.within),
        });
        let usual = default.grouping;
        let grouping = section.section("grouping").map_or(usual, |mut inner| Grouping {
            size: inner.integer_or("size", 2..=1000, usual.size),
            within: inner.duration_or("within", seconds(5, 3600), usual.within),
            after_start: inner.duration_or("after_start", seconds(0, 86_400), usual.after_start),
        });
        let windows = section.sections("maintenance");
        if windows.len() > MOST_WINDOWS {
            section.note(Fault::new(
                section.place("maintenance"),
                (
                    format!("{} windows, allowed are {MOST_WINDOWS}", windows.len()),
                    format!("维护窗口共 {} 个，最多 {MOST_WINDOWS} 个", windows.len()),
                ),
            ));
        }
        let windows = windows.into_iter().filter_map(|mut inner| read_window(&mut inner)).collect();
        let changed = read_changes(section, "rules");
        Self { file, rules: default.rules, changed, contact, flapping, grouping, windows }
    }

    /// What is wrong with changes of rules, now that the rules are known.
    pub fn faults_of(&self, changed: &[Changed]) -> Vec<Fault> {
        changed.iter().filter_map(|one| self.fault_of(one)).collect()
    }

    fn fault_of(&self, changed: &Changed) -> Option<Fault> {
        let Some(rule) = self.rules.find(&changed.rule) else {
            let near = nearest(&changed.rule, self.rules.all().iter().map(|rule| &*rule.id));
            let fault = Fault::new(changed.at.clone(), ("there is no such rule", "没有这条规则"));
            return Some(
                fault.allowed("one of `linli alarms rules`").maybe_hint(near.map(meant_key)),
            );
        };
        if changed.change.limit.is_some() && !rule.kind.has_limit() {
            let problem = (
                format!("the rule looks at a {} and has no limit", rule.kind.word()),
                format!("该规则（{}）没有限值", rule.kind.word()),
            );
            return Some(Fault::new(changed.at.clone(), problem));
        }
        let new = changed.change.of(rule);
        let (limit, clear) = (new.limit?, new.clear?);
        let below = rule.kind == super::Kind::Below;
        let wrong = if below { clear < limit } else { clear > limit };
        wrong.then(|| {
            let problem = (
                format!("`clear` {clear} is on the wrong side of the limit {limit}"),
                format!("`clear` {clear} 在限值 {limit} 的错误一侧"),
            );
            Fault::new(changed.at.clone(), problem)
        })
    }
}

/// Reads the sub-tables under `key`, one for each rule that is changed.
pub fn read_changes(section: &mut Section<'_>, key: &'static str) -> Vec<Changed> {
    let levels: Vec<(&str, AlarmLevel)> =
        AlarmLevel::ALL.iter().map(|level| (level.word(), *level)).collect();
    let hold = Duration::ZERO..=Duration::from_secs(30 * 86_400);
    let named = section.named_sections(key).into_iter();
    let read = |(rule, mut inner): (String, Section<'_>)| Changed {
        rule,
        change: Change {
            on: inner.has("on").then(|| inner.flag_or("on", true)),
            level: inner.word("level", &levels),
            limit: inner.float("limit", -1e12..=1e12),
            clear: inner.float("clear", -1e12..=1e12),
            hold: inner.duration("hold", hold.clone()),
            broadcast: inner.has("broadcast").then(|| inner.text_or("broadcast", "").into()),
        },
        at: inner.head(),
    };
    named.map(read).collect()
}

fn read_window(section: &mut Section<'_>) -> Option<Window> {
    section.require("name", "what is done, e.g. \"lift works\"");
    section.require("by", "who is responsible");
    section.require("from", "when it begins, e.g. \"2026-05-01T08:00\"");
    section.require("to", "when it ends");
    let allowed = "date and time at +08:00, e.g. \"2026-05-01T08:00\"";
    let name = section.parsed("name", "1 to 64 characters", short);
    let by = section.parsed("by", "1 to 64 characters", short);
    let from = section.parsed("from", allowed, china_time);
    let to = section.parsed("to", allowed, china_time);
    let scope = Scope {
        devices: section.words("devices"),
        places: section.words("places"),
        categories: section.words("categories"),
    };
    if let Err(wrong) = scope.check() {
        section.note(Fault::new(section.head(), wrong));
    }
    let (from_ms, to_ms) = (from?, to?);
    if to_ms <= from_ms {
        let problem = ("ends before it begins", "结束早于开始");
        section.note(Fault::new(section.place("to"), problem));
    }
    Some(Window::configured(name?, by?, (from_ms, to_ms), scope))
}

fn short(text: &str) -> Result<String, Wrong> {
    let text = text.trim();
    let count = text.chars().count();
    if (1..=LONGEST_NAME).contains(&count) {
        return Ok(text.to_owned());
    }
    Err(Wrong::new(("must have 1 to 64 characters", "应有 1 至 64 个字符")))
}

/// Milliseconds since 1970 of a date and time at +08:00.
///
/// # Errors
/// It is none.
pub fn china_time(text: &str) -> Result<i64, Wrong> {
    let wrong = || Wrong::new(("is no date and time", "不是日期与时间"));
    let time: DateTime = text.trim().parse().map_err(|_| wrong())?;
    CHINA.to_timestamp(time).map(|stamp| stamp.as_millisecond()).map_err(|_| wrong())
}
