//! The answers file: who says what about which item, and when. All faults are told at once.

use std::collections::BTreeMap;
use std::path::Path;

use super::card::{Card, Item, Kind};
use super::conversion::{Conversion, Percent, percent, too_fine};
use super::points::Points;
use super::table::Variant;
use crate::model::Words;
use crate::settings::{Document, Fault, Faults, Section, Wrong, meant_value, nearest};

/// Who said it, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Given {
    /// The person.
    pub by: String,
    /// `2026-05-01`.
    pub date: String,
}

/// What was said about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// It holds or not.
    Met(bool),
    /// Points.
    Points,
    /// Points, and the rate that they were given for.
    Rate(Percent),
    /// A rate that a rule of the answers file made into points.
    Converted(Percent, String),
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// What it is worth.
    pub points: Points,
    /// How it was said.
    pub said: Said,
    /// By whom, when.
    pub given: Given,
    /// What the person adds.
    pub note: Option<String>,
}

/// An entry of the negative list that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deduction {
    /// Identifier of the entry.
    pub item: String,
    /// Points taken off.
    pub points: Points,
    /// Why.
    pub reason: String,
    /// By whom, when.
    pub given: Given,
}

/// An answers file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answers {
    /// Kind of estate; only for table A.1.
    pub variant: Option<Variant>,
    /// Who or what is evaluated.
    pub subject: String,
    /// Calendar year (A.1.3).
    pub year: u16,
    /// Who filled in the file, and when.
    pub given: Given,
    /// The answers, by item; an item without one is not here.
    pub answers: BTreeMap<String, Answer>,
    /// What happened of the negative list.
    pub deductions: Vec<Deduction>,
    /// How rates become points.
    pub conversions: Vec<Conversion>,
}

impl Answers {
    /// Reads an answers file for a table. `asked` is the variant that was asked for beside the file;
    /// `name` stands in the faults.
    ///
    /// # Errors
    /// All faults of the file.
    pub fn read(
        name: &str,
        text: &str,
        card: &Card,
        asked: Option<Variant>,
    ) -> Result<Self, Faults> {
        let document = Document::parse(name, text, Path::new(""))
            .map_err(|fault| Faults::new(vec![*fault]))?;
        let read = Reader { card, variant: asked, conversions: Vec::new() }.file(document.root());
        let faults = document.into_faults();
        match read {
            Some(answers) if faults.is_empty() => Ok(answers),
            _ => Err(Faults::new(faults)),
        }
    }
}

const WHO: &str = "the name of the person who answers";
const DAY: &str = "a date in quotes, e.g. \"2026-05-01\"";

struct Reader<'c> {
    card: &'c Card,
    variant: Option<Variant>,
    conversions: Vec<Conversion>,
}

impl Reader<'_> {
    fn file(mut self, mut root: Section<'_>) -> Option<Answers> {
        let id = self.card.card.id.as_str();
        root.require("table", &format!("table = \"{id}\""));
        let table = root.word("table", &[(id, ())]);
        if self.card.variants.is_some() {
            self.choose_variant(&mut root);
        }
        root.require("subject", "the name of what is evaluated");
        let subject = root.text("subject");
        root.require("year", "the calendar year that is evaluated (A.1.3)");
        let year = root.integer("year", 2021..=2100u16);
        root.require("given", "[given] with by = \"name\" and date = \"2026-05-01\"");
        let given = root.section("given").and_then(|mut section| {
            section.require("by", WHO);
            section.require("date", DAY);
            let (by, date) = (section.text("by"), day(&mut section));
            Some(Given { by: by?, date: date? })
        });
        for mut section in root.sections("conversion") {
            self.conversions.extend(Conversion::read(&mut section, &self.conversions));
        }
        let fallback = given.clone().unwrap_or(Given { by: String::new(), date: String::new() });
        let answers = self.answers(&mut root, &fallback, table.is_some());
        let mut deductions = Vec::new();
        if !self.card.negative.is_empty() {
            let all = root.sections("deduction").into_iter();
            deductions
                .extend(all.filter_map(|mut section| self.deduction(&mut section, &fallback)));
        }
        let (variant, conversions) = (self.variant, self.conversions);
        Some(Answers {
            variant,
            subject: subject?,
            year: year?,
            given: given?,
            answers,
            deductions,
            conversions,
        })
    }

    /// All answers, by item. Those of another table would each be a fault more and say nothing new.
    fn answers(
        &self,
        root: &mut Section<'_>,
        fallback: &Given,
        judged: bool,
    ) -> BTreeMap<String, Answer> {
        let mut lines = BTreeMap::new();
        let mut answers = BTreeMap::new();
        for mut section in root.sections("answer") {
            let Some((item, answer)) = self.answer(&mut section, fallback, judged) else {
                continue;
            };
            let place = section.place("item");
            if let Some(first) = lines.insert(item.clone(), place.line) {
                let problem = (
                    format!("is answered already in line {first}"),
                    format!("第 {first} 行已经作答"),
                );
                section.note(Fault::new(place, problem).allowed("one [[answer]] for an item"));
            }
            answers.extend(answer.map(|answer| (item, answer)));
        }
        answers
    }

    fn choose_variant(&mut self, root: &mut Section<'_>) {
        let written = root.word("variant", &Variant::WORDS);
        match (written, self.variant) {
            (Some(written), Some(asked)) if written != asked => {
                let problem = (
                    format!("is not `{}`, which the command asks for", asked.word()),
                    format!("与命令所要的 `{}` 不一致", asked.word()),
                );
                root.note(Fault::new(root.place("variant"), problem).allowed("the same in both"));
            }
            (None, None) if !root.has("variant") => root.require(
                "variant",
                "\"new\" or \"old\" here, or --variant: table A.1 has other items for each",
            ),
            _ => self.variant = self.variant.or(written),
        }
    }

    /// An answer and its item; no answer when nothing was filled in.
    fn answer(
        &self,
        section: &mut Section<'_>,
        fallback: &Given,
        judged: bool,
    ) -> Option<(String, Option<Answer>)> {
        section.require("item", "an item of the table");
        let known = if judged {
            let allowed = self.allowed();
            section.parsed("item", &allowed, |id| self.item(id))
        } else {
            section.text("item");
            None
        };
        let most = known.map_or(self.card.card.declared_total, |item| item.points);
        let points = points(section, 0, most);
        let met = section.flag_or("met", false);
        let met = section.has("met").then_some(met);
        let rate = percent(section, "percent");
        let rule = self.rule(section);
        let given = given(section, fallback);
        let note = section.has("note").then(|| section.text("note")).flatten();
        section.text_or("note", "");
        let item = known?;
        self.fits(section, item);
        let most = item.most();
        let (points, said) = match (met, points, rate, rule) {
            (Some(met), ..) => (if met { most } else { Points::ZERO }, Said::Met(met)),
            (_, Some(points), None, _) => (points, Said::Points),
            (_, Some(points), Some(rate), _) => (points, Said::Rate(rate)),
            (.., Some(rate), Some(rule)) => {
                (rule.apply(rate, most), Said::Converted(rate, rule.name.clone()))
            }
            _ => return Some((item.id.clone(), None)),
        };
        Some((item.id.clone(), Some(Answer { points, said, given, note })))
    }

    /// Notes what does not go together in an answer.
    fn fits(&self, section: &Section<'_>, item: &Item) {
        let has = |key| section.has(key);
        let note = |key: &str, problem: Words, allowed: String| {
            section.note(Fault::new(section.place(key), problem).allowed(allowed));
        };
        let numbers = format!("points = 0 to {}", item.points);
        if has("met") && item.kind != Kind::YesNo {
            let problem = ("is only for yes-or-no items", "只用于“是否”类项目");
            note("met", problem.into(), numbers.clone());
        } else if has("met") && has("points") {
            let problem = ("stands beside `points`", "与 `points` 重复");
            note("met", problem.into(), "one of both".to_owned());
        }
        if has("percent") && !item.takes_percent() {
            let problem = ("is only for rates and surveys", "只用于比率和满意度调查类项目");
            note("percent", problem.into(), numbers.clone());
        } else if has("percent") && !has("points") && !has("conversion") {
            let problem = (
                "does not become points: the standard states no conversion",
                "无法换算为分值：标准未规定换算方法",
            );
            let allowed =
                format!("{numbers} beside it, or conversion = \"name of a [[conversion]]\"");
            note("percent", problem.into(), allowed);
        }
        if has("conversion") && (!has("percent") || has("points")) {
            let problem =
                ("needs `percent`, and no `points`", "须与 `percent` 同用，且不写 `points`");
            note("conversion", problem.into(), "percent = 0 to 100 beside it".to_owned());
        }
    }

    fn rule(&self, section: &mut Section<'_>) -> Option<&Conversion> {
        let names: Vec<&str> = self.conversions.iter().map(|rule| rule.name.as_str()).collect();
        let allowed = match names.as_slice() {
            [] => "the name of a [[conversion]]; the file has none".to_owned(),
            names => format!("the name of a [[conversion]]: {}", names.join(", ")),
        };
        section.parsed("conversion", &allowed, |name| {
            let found = self.conversions.iter().find(|rule| rule.name == name);
            found.ok_or_else(|| Wrong {
                problem: ("is no conversion of this file", "本文件没有这条换算规则").into(),
                hint: nearest(name, names.iter().copied()).map(meant_value),
            })
        })
    }

    fn allowed(&self) -> String {
        let counts = |item: &&Item| item.variant.is_none() || item.variant == self.variant;
        let runs = self.card.item.chunk_by(|a, b| counts(&a) == counts(&b));
        let ids: Vec<String> = runs
            .filter(|run| run.first().is_some_and(|item| counts(&item)))
            .filter_map(|run| Some(format!("{} … {}", run.first()?.id, run.last()?.id)))
            .collect();
        let table = &self.card.card.table;
        let variant = self.variant.map(|v| format!(", variant {}", v.word())).unwrap_or_default();
        format!("an item of table {table}{variant}: {}", ids.join(", "))
    }

    fn item(&self, id: &str) -> Result<&Item, Wrong> {
        let Some(item) = self.card.find(id) else {
            let ids = self.card.items(self.variant).map(|item| item.id.as_str());
            return Err(Wrong {
                problem: ("is no item of this table", "不是本表的项目").into(),
                hint: nearest(id, ids).map(meant_value),
            });
        };
        match (item.variant, self.variant) {
            (Some(of), Some(asked)) if of != asked => Err(Wrong::new((
                format!("belongs to the variant `{}`", of.word()),
                format!("属于另一类小区（`{}`）的项目", of.word()),
            ))),
            _ => Ok(item),
        }
    }

    fn deduction(&self, section: &mut Section<'_>, fallback: &Given) -> Option<Deduction> {
        let ids: Vec<&str> = self.card.negative.iter().map(|entry| entry.id.as_str()).collect();
        let allowed = format!("an entry of the negative list: {}", ids.join(", "));
        for (key, what) in [
            ("item", allowed.as_str()),
            ("points", "the points that are taken off"),
            ("reason", "what happened"),
        ] {
            section.require(key, what);
        }
        let entry = section.parsed("item", &allowed, |id| {
            self.card.negative.iter().find(|entry| entry.id == id).ok_or_else(|| Wrong {
                problem: ("is no entry of the negative list", "不是负面清单中的事项").into(),
                hint: nearest(id, ids.iter().copied()).map(meant_value),
            })
        });
        let (least, most) = entry.map_or((0, 100), |entry| (entry.least, entry.most));
        let points = points(section, least, most);
        let reason = section.text("reason");
        let given = given(section, fallback);
        Some(Deduction { item: entry?.id.clone(), points: points?, reason: reason?, given })
    }
}

/// The name and date of an answer of its own, or those of the file.
fn given(section: &mut Section<'_>, fallback: &Given) -> Given {
    Given {
        by: section.text("by").unwrap_or_else(|| fallback.by.clone()),
        date: day(section).unwrap_or_else(|| fallback.date.clone()),
    }
}

fn day(section: &mut Section<'_>) -> Option<String> {
    section.parsed("date", DAY, |text| match text.parse::<jiff::civil::Date>() {
        // Other spellings of ISO 8601 parse too; one is kept.
        Ok(date) => Ok(date.to_string()),
        Err(_) if text.trim().is_empty() => Err(Wrong::empty()),
        Err(_) => Err(Wrong::new(("is no date", "不是日期"))),
    })
}

fn points(section: &mut Section<'_>, least: u32, most: u32) -> Option<Points> {
    let number = section.float("points", f64::from(least)..=f64::from(most))?;
    let points = Points::from_number(number);
    if points.is_none() {
        too_fine(section, "points");
    }
    points
}
