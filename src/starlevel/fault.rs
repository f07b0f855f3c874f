//! What can be wrong with a rule pack.

/// One thing that is wrong with a rule pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackFault {
    /// The file cannot be read.
    #[error("rule pack {name}: cannot be read: {fault}")]
    Unreadable {
        /// The file.
        name: String,
        /// The system's words.
        fault: String,
    },
    /// The text is not TOML of this form.
    #[error("rule pack {name}, line {line}: {fault}")]
    Syntax {
        /// The file.
        name: String,
        /// Line, from 1.
        line: usize,
        /// What is wrong there.
        fault: String,
    },
    /// The form is right, the meaning is not.
    #[error("rule pack {name}, {place}: {fault}")]
    Meaning {
        /// The file.
        name: String,
        /// Which table: `check Q1`, `category water_meter`.
        place: String,
        /// The value and what is allowed.
        fault: String,
    },
}
