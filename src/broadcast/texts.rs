//! The words of the broadcast: what terminals speak and screens show, and the templates of the page.
//! Data: `config/broadcast.toml`, built into the program.

use serde::Deserialize;

use super::message::shortened;
use crate::model::{Severity, Warning, WarningStatus, WarningText};
use crate::settings;

/// The file that is built in.
const BUILT_IN: &str = include_str!("../../config/broadcast.toml");

/// The words of one language.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
struct Language {
    screen: String,
    speech: String,
    exercise: String,
    test: String,
    red: String,
    orange: String,
    yellow: String,
    blue: String,
    unknown: String,
    test_level: String,
}

impl Language {
    fn level(&self, severity: Severity) -> &str {
        match severity {
            Severity::Red => &self.red,
            Severity::Orange => &self.orange,
            Severity::Yellow => &self.yellow,
            Severity::Blue => &self.blue,
            Severity::Unknown => &self.unknown,
            Severity::Test => &self.test_level,
        }
    }

    fn filled(&self, form: &str, warning: &Warning, text: &WarningText) -> String {
        let mark = match warning.status {
            WarningStatus::Actual => "",
            WarningStatus::Exercise => &self.exercise,
            WarningStatus::Test => &self.test,
        };
        // In one pass: what a message says is never taken for a placeholder.
        let mut out = String::new();
        let mut rest = form;
        while let Some((before, behind)) = rest.split_once('{') {
            out.push_str(before);
            let (name, after) = behind.split_once('}').unwrap_or((behind, ""));
            out.push_str(match name {
                "mark" => mark,
                "level" => self.level(warning.severity),
                "title" => &text.title,
                "body" => &text.body,
                _ => "",
            });
            rest = after;
        }
        out.push_str(rest);
        out.trim().to_owned()
    }
}

/// A warning that the page and the alarm rules offer.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Template {
    /// What rules call it.
    pub name: String,
    /// How bad it is.
    pub severity: Severity,
    /// What kind of event.
    pub event: String,
    /// Chinese.
    pub zh: WarningText,
    /// English.
    pub en: WarningText,
}

/// All words.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Texts {
    zh: Language,
    en: Language,
    #[serde(default, rename = "template")]
    templates: Vec<Template>,
}

impl Texts {
    /// Those built in.
    pub fn built_in() -> Self {
        Self::read(BUILT_IN).expect("a test reads the built-in file")
    }

    /// Reads a file of them.
    ///
    /// # Errors
    /// What is wrong, with its line.
    pub fn read(text: &str) -> Result<Self, String> {
        let texts: Self = settings::read_text(text)
            .map_err(|refused| format!("line {}: {}", refused.line(text), refused.message()))?;
        let placeholders = ["mark", "level", "title", "body"];
        for language in [&texts.zh, &texts.en] {
            for form in [&language.screen, &language.speech] {
                for name in form.split('{').skip(1).filter_map(|rest| rest.split('}').next()) {
                    if !placeholders.contains(&name) {
                        return Err(format!("`{{{name}}}` is no placeholder: {placeholders:?}"));
                    }
                }
            }
        }
        let mut names: Vec<&str> = texts.templates.iter().map(|t| t.name.as_str()).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(format!("two templates are called `{}`", twice[0]));
        }
        Ok(texts)
    }

    /// The templates.
    pub fn templates(&self) -> &[Template] {
        &self.templates
    }

    /// The template of a name.
    pub fn template(&self, name: &str) -> Option<&Template> {
        self.templates.iter().find(|template| template.name == name)
    }

    /// What a screen shows, at most so many bytes: Chinese, then English where both fit.
    pub fn screen(&self, warning: &Warning, limit: usize) -> String {
        self.both(warning, limit, |language| &language.screen, "　/　")
    }

    /// What a terminal speaks, at most so many bytes.
    pub fn speech(&self, warning: &Warning, limit: usize) -> String {
        self.both(warning, limit, |language| &language.speech, " ")
    }

    fn both(
        &self,
        warning: &Warning,
        limit: usize,
        form: fn(&Language) -> &str,
        between: &str,
    ) -> String {
        let say = |language: &Language, text: &WarningText| {
            (!text.is_empty()).then(|| language.filled(form(language), warning, text))
        };
        let (zh, en) = (say(&self.zh, &warning.zh), say(&self.en, &warning.en));
        match (zh, en) {
            (Some(zh), Some(en)) if zh.len() + between.len() + en.len() <= limit => {
                format!("{zh}{between}{en}")
            }
            (Some(one), _) | (None, Some(one)) => shortened(&one, limit),
            (None, None) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{WarningId, WarningSource};

    fn warning(status: WarningStatus, title: &str) -> Warning {
        Warning {
            id: WarningId::new("a").unwrap(),
            source: WarningSource::Staff,
            sender: String::new(),
            status,
            severity: Severity::Red,
            event: String::new(),
            sent_ms: None,
            start_ms: None,
            end_ms: None,
            zones: Vec::new(),
            zh: WarningText { title: title.into(), body: "请离开".into() },
            en: WarningText { title: "Fire".into(), body: "Leave".into() },
            repeat: 1,
            pause_s: 0,
        }
    }

    #[test]
    fn a_drill_is_marked_in_both_languages_and_a_warning_is_not() {
        let texts = Texts::built_in();
        let drill = texts.screen(&warning(WarningStatus::Exercise, "火警"), 200);
        assert_eq!(drill, "【演练】红色预警：火警 请离开　/　[DRILL] RED WARNING: Fire Leave");
        let real = texts.speech(&warning(WarningStatus::Actual, "火警"), 200);
        assert_eq!(real, "红色预警。火警。请离开 RED WARNING. Fire. Leave");
    }

    #[test]
    fn what_does_not_fit_is_cut_and_placeholders_in_messages_stay_text() {
        let texts = Texts::built_in();
        let long = texts.screen(&warning(WarningStatus::Actual, &"长".repeat(60)), 60);
        assert!(long.len() <= 60 && long.ends_with('…') && long.starts_with("红色预警"), "{long}");
        let sly = texts.screen(&warning(WarningStatus::Actual, "{body}{mark}"), 200);
        assert!(sly.starts_with("红色预警：{body}{mark} 请离开"), "{sly}");
    }

    #[test]
    fn a_file_with_a_fault_is_refused_with_its_line() {
        let wrong = BUILT_IN.replace("severity = \"red\"", "severity = \"pink\"");
        let error = Texts::read(&wrong).unwrap_err();
        assert!(error.contains("line ") && error.contains("pink"), "{error}");
        let wrong = BUILT_IN.replace("{mark}{level}：", "{level}{text}");
        assert!(Texts::read(&wrong).unwrap_err().contains("`{text}`"));
        let wrong = BUILT_IN.replace("name = \"gas\"", "name = \"fire\"");
        assert!(Texts::read(&wrong).unwrap_err().contains("two templates"));
        assert!(Texts::built_in().template("drill").is_some());
    }
}
