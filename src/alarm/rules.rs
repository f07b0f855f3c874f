//! The rules, read from data: all that is wrong with them is told at once.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use super::rule::{Kind, Of, Rule};
use crate::model::{AlarmLevel, Category, Words};
use crate::settings::{parse_duration, read_text};

/// The rules built into the program: `config/alarms.toml`.
pub const BUILT_IN: &str = include_str!("../../config/alarms.toml");

/// Longest file of rules, bytes.
const MAX_BYTES: u64 = 1 << 20;
/// Most rules of a file.
const MOST_RULES: usize = 1000;
/// Longest identifier, in characters.
const LONGEST_ID: usize = 48;
/// Longest title or advice, in characters: a row of the store must hold them.
const LONGEST_TEXT: usize = 300;
/// Longest time of a rule.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

/// One thing that is wrong with a file of rules.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("alarm rules {name}, {place}: {}", problem.en)]
pub struct RuleFault {
    /// The file.
    pub name: String,
    /// Line or rule.
    pub place: String,
    /// What is wrong there.
    pub problem: Words,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    id: String,
    version: String,
    rule: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Row {
    id: String,
    level: AlarmLevel,
    kind: Kind,
    of: Vec<String>,
    #[serde(default)]
    points: Vec<String>,
    #[serde(default)]
    limit: Option<f64>,
    #[serde(default)]
    clear: Option<f64>,
    #[serde(default)]
    to: Option<f64>,
    #[serde(default)]
    flag: Option<bool>,
    #[serde(default)]
    codes: Vec<i64>,
    #[serde(default)]
    texts: Vec<String>,
    #[serde(default)]
    what: Vec<String>,
    #[serde(default, deserialize_with = "span")]
    hold: Option<Duration>,
    #[serde(default, deserialize_with = "span")]
    closes_itself: Option<Duration>,
    #[serde(default)]
    on: Option<bool>,
    #[serde(default)]
    broadcast: Option<String>,
    zh: String,
    en: String,
    todo_zh: String,
    todo_en: String,
    #[serde(default)]
    source: String,
}

fn span<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse_duration(&text).map(Some).map_err(|wrong| serde::de::Error::custom(wrong.problem.both()))
}

/// Rules without faults.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    title: String,
    rules: Arc<[Rule]>,
}

impl Rules {
    /// The rules built into the program.
    pub fn built_in() -> Self {
        Self::parse("alarms.toml", BUILT_IN).expect("the rules built in are read by a test")
    }

    /// Reads rules from a file of at most 1 MiB.
    ///
    /// # Errors
    /// Everything that is wrong with them, or that the file cannot be read.
    pub fn load(path: &Path) -> Result<Self, Vec<RuleFault>> {
        let name = path.display().to_string();
        let unreadable = |en: String, zh: String| {
            let problem = (en, zh).into();
            vec![RuleFault { name: name.clone(), place: "file".into(), problem }]
        };
        let io = |error: std::io::Error| {
            let words = Words::of_io(&error);
            unreadable(format!("cannot be read: {}", words.en), format!("无法读取：{}", words.zh))
        };
        let size = std::fs::metadata(path).map_err(io)?.len();
        if size > MAX_BYTES {
            return Err(unreadable(
                format!("{size} bytes, allowed are {MAX_BYTES}"),
                format!("{size} 字节，最多 {MAX_BYTES}"),
            ));
        }
        let text = std::fs::read_to_string(path).map_err(io)?;
        Self::parse(&name, &text)
    }

    /// Reads rules; `name` stands in the faults.
    ///
    /// # Errors
    /// Everything that is wrong with them.
    pub fn parse(name: &str, text: &str) -> Result<Self, Vec<RuleFault>> {
        let file: File = read_text(text).map_err(|error| {
            let problem = error.message().to_owned();
            let problem = (problem.clone(), format!("格式有误：{problem}")).into();
            let place = format!("line {}", error.line(text));
            vec![RuleFault { name: name.to_owned(), place, problem }]
        })?;
        let mut judge = Judge { name, faults: Vec::new() };
        let mut seen = BTreeSet::new();
        if file.rule.len() > MOST_RULES {
            let count = file.rule.len();
            judge.say("rule", format!("{count} rules, allowed are {MOST_RULES}"), "规则过多");
        }
        let mut rules = Vec::with_capacity(file.rule.len());
        for row in file.rule {
            if !seen.insert(row.id.clone()) {
                judge.say(&row.id, "stands twice", "重复出现");
            }
            rules.push(judge.row(row));
        }
        if !judge.faults.is_empty() {
            return Err(judge.faults);
        }
        Ok(Self { title: format!("{} {}", file.id, file.version), rules: rules.into() })
    }

    /// Identifier and version.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The rules, in the order of the file.
    pub fn all(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of that identifier.
    pub fn find(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| &*rule.id == id)
    }
}

/// Collects what well-formed rules mean wrongly.
struct Judge<'a> {
    name: &'a str,
    faults: Vec<RuleFault>,
}

impl Judge<'_> {
    fn say(&mut self, rule: &str, en: impl Into<String>, zh: impl Into<String>) {
        let place = format!("rule {rule}");
        let problem = (en, zh).into();
        self.faults.push(RuleFault { name: self.name.to_owned(), place, problem });
    }

    fn row(&mut self, row: Row) -> Rule {
        self.texts(&row);
        self.condition(&row);
        let of = self.of(&row);
        for (key, value) in [("hold", row.hold), ("closes_itself", row.closes_itself)] {
            if value.is_some_and(|span| span > LONGEST) {
                self.say(&row.id, format!("`{key}` is more than 30 days"), "时间超过 30 天");
            }
        }
        Rule {
            id: row.id.into(),
            level: row.level,
            kind: row.kind,
            of,
            points: row.points,
            limit: row.limit,
            clear: row.clear,
            to: row.to,
            flag: row.flag.unwrap_or(true),
            codes: row.codes,
            texts: row.texts,
            what: row.what,
            hold: row.hold.unwrap_or_default(),
            closes_itself: row.closes_itself,
            on: row.on.unwrap_or(true),
            broadcast: row.broadcast.map(Into::into),
            title: (row.en, row.zh).into(),
            todo: (row.todo_en, row.todo_zh).into(),
            source: row.source,
        }
    }

    fn texts(&mut self, row: &Row) {
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        if row.id.is_empty() || row.id.len() > LONGEST_ID || !row.id.chars().all(plain) {
            let allowed = "allowed are 1 to 48 lower-case letters, digits and `-`";
            self.say(&row.id, format!("`id` is `{}`, {allowed}", row.id), "标识不合法");
        }
        for (key, text) in
            [("zh", &row.zh), ("en", &row.en), ("todo_zh", &row.todo_zh), ("todo_en", &row.todo_en)]
        {
            let count = text.chars().count();
            if text.trim().is_empty() || count > LONGEST_TEXT {
                let en = format!("`{key}` has {count} characters, allowed are 1 to {LONGEST_TEXT}");
                self.say(&row.id, en, format!("`{key}` 应有 1 至 {LONGEST_TEXT} 个字符"));
            }
        }
    }

    fn condition(&mut self, row: &Row) {
        let kind = row.kind.word();
        let mut need = |given: bool, needed: bool, key: &str| {
            let (en, zh) = match (given, needed) {
                (false, true) => ("needs", "需要"),
                (true, false) => ("has no", "没有"),
                _ => return,
            };
            let zh = format!("kind = \"{kind}\" {zh} `{key}`");
            self.say(&row.id, format!("kind = \"{kind}\" {en} `{key}`"), zh);
        };
        let states = row.kind == Kind::State;
        need(!row.points.is_empty(), row.kind.reads_points(), "points");
        need(row.limit.is_some(), row.kind.has_limit(), "limit");
        need(!row.codes.is_empty() || !row.texts.is_empty(), states, "codes");
        let (clears, flags) = (row.clear.is_some(), row.flag.is_some());
        let may_clear = matches!(row.kind, Kind::Above | Kind::Below | Kind::Aqi);
        need(clears, clears && may_clear, "clear");
        need(row.to.is_some(), row.to.is_some() && row.kind == Kind::Aqi, "to");
        need(flags, flags && row.kind == Kind::Flag, "flag");
        need(!row.what.is_empty(), !row.what.is_empty() && !row.kind.what().is_empty(), "what");
        for what in &row.what {
            let known = row.kind.what();
            if !known.is_empty() && !known.contains(&what.as_str()) {
                let known = known.join(", ");
                let zh = format!("`what` 是 `{what}`，可用：{known}");
                self.say(&row.id, format!("`what` is `{what}`, allowed are {known}"), zh);
            }
        }
        let numbers = [row.limit, row.clear, row.to];
        if numbers.iter().flatten().any(|number| !number.is_finite()) {
            self.say(&row.id, "a number is not finite", "数值不合法");
        }
        if let (Some(limit), Some(clear)) = (row.limit, row.clear) {
            let wrong = if row.kind == Kind::Below { clear < limit } else { clear > limit };
            if wrong {
                let en = format!("`clear` is {clear}, on the wrong side of `limit` {limit}");
                self.say(&row.id, en, format!("`clear` {clear} 在 `limit` {limit} 的错误一侧"));
            }
        }
        let positive =
            matches!(row.kind, Kind::Rises | Kind::Falls | Kind::NoData | Kind::Certificate);
        if positive && row.limit.is_some_and(|limit| limit <= 0.0) {
            self.say(&row.id, "`limit` must be above 0", "`limit` 应大于 0");
        }
    }

    fn of(&mut self, row: &Row) -> Vec<Of> {
        if row.of.is_empty() {
            self.say(&row.id, "`of` is empty", "`of` 为空");
        }
        let mut found = Vec::new();
        for word in &row.of {
            let one = match word.as_str() {
                "gateway" => Some(Of::Gateway),
                word => Category::from_word(word).map(Of::Devices),
            };
            match one {
                Some(of) if (of == Of::Gateway) == row.kind.is_gateway() => found.push(of),
                Some(_) => {
                    let kind = row.kind.word();
                    let en = format!("`of` holds `{word}`, which kind = \"{kind}\" is not about");
                    let zh = format!("kind = \"{kind}\" 不适用于 `{word}`");
                    self.say(&row.id, en, zh);
                }
                None => {
                    let en = format!("`of` holds `{word}`, allowed are categories and `gateway`");
                    self.say(&row.id, en, format!("`of` 中的 `{word}` 不是设备类别"));
                }
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rules_built_in_are_sound_and_cover_every_category_and_the_gateway() {
        let rules = Rules::parse("alarms.toml", BUILT_IN).unwrap_or_else(|faults| {
            panic!("{}", faults.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))
        });
        for category in Category::ALL {
            let count = rules.all().iter().filter(|rule| rule.is_for(*category) && rule.on).count();
            assert!(count >= 5, "{category} has {count}");
        }
        for what in Kind::Promise.what() {
            let found = |rule: &&Rule| rule.kind == Kind::Promise && rule.means(what);
            assert_eq!(rules.all().iter().filter(found).count(), 1, "{what}");
        }
    }

    #[test]
    fn everything_wrong_is_told_at_once_with_rule_and_value() {
        let text = r#"
id = "x"
version = "1"
[[rule]]
id = "a B"
level = "red"
kind = "above"
of = ["water_meter", "moon"]
limit = 5
clear = 7
zh = "水"
en = ""
todo_zh = "看"
todo_en = "look"
[[rule]]
id = "p"
level = "red"
kind = "promise"
of = ["gas_meter"]
points = ["x"]
what = ["honest"]
zh = "诺"
en = "promise"
todo_zh = "看"
todo_en = "look"
"#;
        let Err(faults) = Rules::parse("r.toml", text) else { panic!("accepted") };
        let told: Vec<String> = faults.iter().map(ToString::to_string).collect();
        let told = told.join("\n");
        for part in [
            "rule a B: `id`",
            "`en` has 0 characters",
            "needs `points`",
            "`clear` is 7, on the wrong side of `limit` 5",
            "`of` holds `moon`",
            "rule p: kind = \"promise\" has no `points`",
            "`what` is `honest`",
            "`of` holds `gas_meter`",
        ] {
            assert!(told.contains(part), "{part} in\n{told}");
        }
    }

    #[test]
    fn an_unknown_key_and_a_number_without_its_unit_are_refused_with_their_line() {
        for (line, word) in [("colour = 1", "colour"), ("hold = 30", "string")] {
            let text = format!("id = \"x\"\nversion = \"1\"\n[[rule]]\n{line}\n");
            let Err(faults) = Rules::parse("r.toml", &text) else { panic!("accepted") };
            assert_eq!(faults[0].place, "line 4", "{line}");
            assert!(faults[0].problem.en.contains(word), "{}", faults[0]);
        }
    }
}
