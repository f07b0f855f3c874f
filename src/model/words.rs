//! A text for people in both languages.

use std::fmt;

/// One sentence in English and in Chinese; values and names stand in both. Made from a pair:
/// `Words::from(("is empty", "为空"))`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Words {
    /// English; also what logs and scripts get.
    pub en: String,
    /// Chinese.
    pub zh: String,
}

impl<E: Into<String>, Z: Into<String>> From<(E, Z)> for Words {
    fn from((en, zh): (E, Z)) -> Self {
        Self { en: en.into(), zh: zh.into() }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.en)
    }
}
