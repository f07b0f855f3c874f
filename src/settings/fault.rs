//! What is wrong with a configuration: every fault with its place, what is allowed and a hint.

use std::fmt;
use std::sync::Arc;

use serde::Serialize;

use crate::model::Words;

/// A place in a configuration file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Place {
    /// The file.
    pub file: Arc<str>,
    /// Line, from 1.
    pub line: usize,
    /// Column in characters (not bytes), from 1.
    pub column: usize,
    /// Dotted path: `bus[0].baud`; array elements count from 0.
    pub path: String,
    /// The value as it stands in the file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Place {
    /// A place that is a whole file.
    pub fn of_file(file: &str) -> Self {
        Self { file: file.into(), line: 1, column: 1, path: String::new(), value: None }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.file, self.line, self.column)
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What, in English.
    pub problem: String,
    /// What, in Chinese.
    pub problem_zh: String,
    /// What is allowed there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed: Option<String>,
    /// A way out, in English.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
    /// The same in Chinese.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint_zh: Option<String>,
}

impl Fault {
    /// A fault at a place; the problem as a pair, English and Chinese.
    pub fn new(place: Place, problem: impl Into<Words>) -> Self {
        let Words { en, zh } = problem.into();
        Self { place, problem: en, problem_zh: zh, allowed: None, hint: None, hint_zh: None }
    }

    /// Says what is allowed.
    #[must_use]
    pub fn allowed(mut self, allowed: impl Into<String>) -> Self {
        self.allowed = Some(allowed.into());
        self
    }

    /// Gives a way out, as a pair: English and Chinese.
    #[must_use]
    pub fn hint(self, hint: impl Into<Words>) -> Self {
        self.maybe_hint(Some(hint.into()))
    }

    /// Gives a way out, when there is one.
    #[must_use]
    pub fn maybe_hint(mut self, hint: Option<Words>) -> Self {
        (self.hint, self.hint_zh) = hint.map(|hint| (hint.en, hint.zh)).unzip();
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut told = String::new();
        self.tell(&mut told)?;
        // What stands in a file may be anything; it must do nothing to a terminal.
        let harmless = |c: char| if c.is_control() && c != '\n' { '\u{FFFD}' } else { c };
        f.write_str(&told.chars().map(harmless).collect::<String>())
    }
}

impl Fault {
    fn tell(&self, f: &mut String) -> fmt::Result {
        use fmt::Write as _;
        write!(f, "{}: ", self.place)?;
        match (&self.place.value, self.place.path.as_str()) {
            (_, "") => {}
            (Some(value), path) => write!(f, "{path} = {value}: ")?,
            (None, path) => write!(f, "{path}: ")?,
        }
        f.write_str(&self.problem)?;
        if let Some(allowed) = &self.allowed {
            write!(f, "\n  allowed: {allowed}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        write!(f, "\n  中文：{}", self.problem_zh)?;
        if let Some(hint) = &self.hint_zh {
            write!(f, "；提示：{hint}")?;
        }
        Ok(())
    }
}

/// Everything that is wrong, in the order of files and lines. Prints as a report of several lines;
/// serialises as a list for scripts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Faults(Vec<Fault>);

impl Faults {
    /// Puts the faults in order; each is kept once.
    pub fn new(mut faults: Vec<Fault>) -> Self {
        // Stable, so that faults of one place stay in the order in which they were found. Files
        // keep the order of reading: the main file first.
        let mut files: Vec<Arc<str>> = Vec::new();
        for fault in &faults {
            if !files.contains(&fault.place.file) {
                files.push(fault.place.file.clone());
            }
        }
        let rank = |file: &Arc<str>| files.iter().position(|known| known == file);
        faults.sort_by_key(|f| (rank(&f.place.file), f.place.line, f.place.column));
        faults.dedup();
        Self(faults)
    }

    /// The faults, in order.
    pub fn all(&self) -> &[Fault] {
        &self.0
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fault in &self.0 {
            writeln!(f, "{fault}")?;
        }
        match self.0.len() {
            1 => f.write_str("1 fault (1 处错误)"),
            n => write!(f, "{n} faults ({n} 处错误)"),
        }
    }
}

impl std::error::Error for Faults {}
