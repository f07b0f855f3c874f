//! The report as text for people and as JSON for scripts.

use serde::Serialize;

use super::{Area, Item, Level, Report};
use crate::model::Words;

/// In which language people are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Language {
    /// Chinese.
    Zh,
    /// English.
    En,
    /// Both.
    #[default]
    Both,
}

impl Level {
    fn words(self) -> Words {
        match self {
            Level::Critical => ("critical", "严重"),
            Level::Warning => ("warning", "警告"),
            Level::Unseen => ("not seen", "未能查看"),
            Level::Notice => ("note", "提示"),
            Level::Good => ("good", "正常"),
        }
        .into()
    }
}

/// Words in both languages, for scripts.
#[derive(Debug, Serialize)]
struct Both<'a> {
    en: &'a str,
    zh: &'a str,
}

impl<'a> From<&'a Words> for Both<'a> {
    fn from(words: &'a Words) -> Self {
        Self { en: &words.en, zh: &words.zh }
    }
}

#[derive(Debug, Serialize)]
struct Row<'a> {
    area: Area,
    level: Level,
    seen: Both<'a>,
    todo: Option<Both<'a>>,
}

#[derive(Debug, Serialize)]
struct Document<'a> {
    version: &'static str,
    worst: Level,
    items: Vec<Row<'a>>,
}

impl Report {
    /// As one JSON object.
    pub fn json(&self) -> String {
        let rows = self.items().iter().map(|item| Row {
            area: item.area,
            level: item.level,
            seen: (&item.seen).into(),
            todo: item.todo.as_ref().map(Into::into),
        });
        let document = Document {
            version: env!("CARGO_PKG_VERSION"),
            worst: self.worst(),
            items: rows.collect(),
        };
        serde_json::to_string_pretty(&document).expect("texts are JSON")
    }

    /// For people, with a summary at the end.
    pub fn text(&self, language: Language) -> String {
        let mut told = String::new();
        for item in self.items() {
            tell(item, language, &mut told);
        }
        let [critical, warning, unseen, good] =
            [Level::Critical, Level::Warning, Level::Unseen, Level::Good].map(|l| self.count(l));
        line(
            &mut told,
            "",
            &(
                format!(
                    "{critical} critical, {warning} warnings, {unseen} not seen, {good} good; \
                     more for the maker of the box: linli support-bundle"
                ),
                format!(
                    "严重 {critical}，警告 {warning}，未能查看 {unseen}，正常 {good}；\
                     需要支持时：linli support-bundle"
                ),
            )
                .into(),
            language,
        );
        told
    }
}

fn tell(item: &Item, language: Language, told: &mut String) {
    let (level, area) = (item.level.words(), item.area.words());
    let head = match language {
        Language::En => format!("{}: {}: ", level.en, area.en),
        Language::Zh => format!("{} {}：", level.zh, area.zh),
        Language::Both => {
            let head = format!("{} {}: {} {}", level.en, level.zh, area.en, area.zh);
            told.push_str(&harmless(&head));
            told.push('\n');
            "    ".to_owned()
        }
    };
    line(told, &head, &item.seen, language);
    if let Some(todo) = &item.todo {
        line(told, "  → ", todo, language);
    }
}

/// One line in each of the languages.
fn line(told: &mut String, head: &str, words: &Words, language: Language) {
    let texts: &[&str] = match language {
        Language::En => &[&words.en],
        Language::Zh => &[&words.zh],
        Language::Both => &[&words.en, &words.zh],
    };
    for text in texts {
        told.push_str(head);
        told.push_str(&harmless(text));
        told.push('\n');
    }
}

/// What stands in files and answers may be anything; it must do nothing to a terminal.
fn harmless(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' => ' ',
            c if c.is_control() => '\u{FFFD}',
            c => c,
        })
        .collect()
}
