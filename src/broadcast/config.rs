//! Settings of the broadcast.
//!
//! ```toml
//! [broadcast]
//! area = "371002001005"
//! source = "237100200000000009"
//! require_signature = true
//! texts = "broadcast.toml"
//!
//! [[broadcast.key]]
//! name = "city"
//! file = "city.pem"
//!
//! [[broadcast.zone]]
//! name = "north"
//! zh = "北区"
//! codes = ["371002001005001"]
//! places = ["1 号楼", "2 号楼"]
//! devices = ["speaker-7"]
//!
//! [[broadcast.drill]]
//! name = "防灾减灾日"
//! on = "05-12"
//! at = "10:00"
//! ```

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Time;

use super::calendar::{Days, Drill};
use super::message::ebd::RESOURCE_ID;
use super::message::envelope::Key;
use super::message::{MAX_NAME, shortened};
use super::texts::Texts;
use super::zones::Zone;
use crate::model::DeviceId;
use crate::settings::{Fault, Section, Wrong};

/// How long before a drill is announced, when nothing is said.
const USUAL_NOTICE: Duration = Duration::from_secs(24 * 3600);

/// A key file of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyFile {
    /// Whose it is.
    pub name: String,
    /// Where it lies: PEM.
    pub file: PathBuf,
}

/// Settings of the broadcast.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Area code of the estate.
    pub area: Option<String>,
    /// Our resource id, 18 digits.
    pub source: Option<String>,
    /// Messages of the platform must be signed.
    pub require_signature: bool,
    /// Whose signatures count.
    pub key_files: Vec<KeyFile>,
    /// Their content; empty until the files are read.
    pub keys: Vec<Key>,
    /// The words; those built in when `None`.
    pub texts_file: Option<PathBuf>,
    /// Their content; those built in until the file is read.
    pub texts: Arc<Texts>,
    /// The zones.
    pub zones: Vec<Zone>,
    /// The drills.
    pub drills: Vec<Drill>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            area: None,
            source: None,
            require_signature: false,
            key_files: Vec::new(),
            keys: Vec::new(),
            texts_file: None,
            texts: Arc::new(Texts::built_in()),
            zones: Vec::new(),
            drills: Vec::new(),
        }
    }
}

fn digits(range: std::ops::RangeInclusive<usize>) -> impl Fn(&str) -> Result<String, Wrong> {
    move |text| {
        let right = range.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
        let problem = ("is not such a number", "不是这样的数字编码");
        if right { Ok(text.to_owned()) } else { Err(Wrong::new(problem)) }
    }
}

fn name(text: &str) -> Result<String, Wrong> {
    let clean = shortened(text, MAX_NAME);
    let right = !text.is_empty() && clean == text;
    let problem = ("is empty, too long, or holds control characters", "为空、过长或含控制字符");
    if right { Ok(clean) } else { Err(Wrong::new(problem)) }
}

impl Config {
    /// Reads the section `[broadcast]`; what is wrong is noted there. Keys and texts are read later.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("zones", "zone"),
            ("keys", "key"),
            ("drills", "drill"),
            ("area_code", "area"),
            ("ebrid", "source"),
            ("templates", "texts"),
        ]);
        let area = "the area code of the estate, 6 to 18 digits";
        let source = "the 18 digits of this gateway's resource id in the emergency broadcast";
        Self {
            area: section.parsed("area", area, digits(6..=18)),
            source: section.parsed("source", source, digits(RESOURCE_ID..=RESOURCE_ID)),
            require_signature: section.flag_or("require_signature", false),
            texts_file: section.path("texts"),
            key_files: section.sections("key").iter_mut().filter_map(read_key).collect(),
            zones: section.sections("zone").iter_mut().filter_map(read_zone).collect(),
            drills: section.sections("drill").iter_mut().filter_map(read_drill).collect(),
            ..Self::default()
        }
    }
}

fn read_key(section: &mut Section<'_>) -> Option<KeyFile> {
    section.require("name", "whose key it is");
    section.require("file", "the public key, PEM");
    let of = section.parsed("name", "a short name", name);
    Some(KeyFile { file: section.path("file")?, name: of? })
}

fn read_zone(section: &mut Section<'_>) -> Option<Zone> {
    section.require("name", "what messages call the zone");
    let of = section.parsed("name", "a short name", name);
    let mut devices = Vec::new();
    for word in section.words("devices") {
        match DeviceId::new(&word) {
            Ok(id) => devices.push(id),
            Err(_) => {
                let wrong = (format!("`{word}` is no device"), format!("`{word}` 不是设备"));
                section.note(Fault::new(section.place("devices"), wrong));
            }
        }
    }
    let codes = section.words("codes");
    for code in codes.iter().filter(|code| digits(6..=18)(code).is_err()) {
        let wrong = (format!("`{code}` is no area code"), format!("`{code}` 不是区域编码"));
        section.note(Fault::new(section.place("codes"), wrong).allowed("6 to 18 digits each"));
    }
    Some(Zone {
        name: of?,
        zh: section.text("zh").unwrap_or_default(),
        en: section.text("en").unwrap_or_default(),
        codes,
        devices,
        places: section.words("places"),
    })
}

fn read_drill(section: &mut Section<'_>) -> Option<Drill> {
    section.require("name", "what people call the drill");
    section.require("on", "the day: \"05-12\", or \"first saturday\"");
    section.require("at", "the time of day, \"10:00\"");
    let of = section.parsed("name", "a short name", name);
    let days = "month and day \"05-12\", or \"first saturday\", \"last friday\"";
    let days = section.parsed("on", days, |text| {
        Days::parse(text).ok_or_else(|| Wrong::new(("is no such day", "不是这样的日期")))
    });
    let at = section.parsed("at", "hours and minutes, \"10:00\"", |text| {
        let wrong = || Wrong::new(("is no time of day", "不是时刻"));
        let time = format!("{text}:00").parse::<Time>();
        time.ok().filter(|_| text.len() == 5).ok_or_else(wrong)
    });
    let notice = section.duration_or(
        "notice",
        Duration::ZERO..=Duration::from_secs(30 * 86_400),
        USUAL_NOTICE,
    );
    Some(Drill {
        name: of?,
        days: days?,
        at: at?,
        template: section.text_or("template", "drill"),
        zones: section.words("zones"),
        notice_ms: i64::try_from(notice.as_millis()).unwrap_or(i64::MAX),
    })
}
