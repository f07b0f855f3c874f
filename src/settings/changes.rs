//! What was renamed or removed between versions: the one table by which an old configuration is
//! refused with the new name, and by which `linli config migrate` writes it.
//!
//! A line is added here by whoever renames a key, in the same commit. It stays as long as boxes with
//! the old name may be in the field; a name that stands here is not given a new meaning.

use crate::model::Words;

/// The command that does it.
const COMMAND: &str = "linli config migrate --write";

/// One change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Which key, without positions in lists: `device.profile`; `*` for a freely chosen name.
    pub path: &'static str,
    /// The first version with the change.
    pub since: &'static str,
    /// What became of it.
    pub what: Became,
}

/// What became of a key or of one of its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Became {
    /// The key has this name, in the same table.
    Key(&'static str),
    /// The value `from` has the name `to`.
    Value {
        /// As it was.
        from: &'static str,
        /// As it is.
        to: &'static str,
    },
    /// Nothing: it has no effect any more, for this reason, in English and Chinese.
    Gone(&'static str, &'static str),
}

/// All changes, oldest first.
pub const CHANGES: &[Change] = &[Change {
    path: "device.profile",
    since: "0.1.0",
    what: Became::Value { from: "xintai-water", to: "xintai-ultrasonic-water" },
}];

impl Change {
    /// The table that holds the key, and the key.
    pub fn split(&self) -> (&'static str, &'static str) {
        self.path.rsplit_once('.').unwrap_or(("", self.path))
    }

    /// What happened, and what to do: the problem and the hint of a fault.
    pub fn told(&self) -> (Words, Words) {
        let (since, (_, key)) = (self.since, self.split());
        let problem = match self.what {
            Became::Key(to) => (
                format!("`{key}` is called `{to}` since version {since}"),
                format!("自 {since} 版起 `{key}` 改名为 `{to}`"),
            ),
            Became::Value { from, to } => (
                format!("\"{from}\" is called \"{to}\" since version {since}"),
                format!("自 {since} 版起 \"{from}\" 改名为 \"{to}\""),
            ),
            Became::Gone(en, zh) => (
                format!("there is no `{key}` since version {since}: {en}"),
                format!("自 {since} 版起已取消 `{key}`：{zh}"),
            ),
        };
        let hint = (format!("`{COMMAND}` does it"), format!("执行 `{COMMAND}` 即可自动修改"));
        (problem.into(), hint.into())
    }
}

/// What became of a key.
pub(super) fn of_key(changes: &'static [Change], path: &str) -> Option<&'static Change> {
    let fits = |change: &&Change| {
        change.path == path && matches!(change.what, Became::Key(_) | Became::Gone(..))
    };
    changes.iter().find(fits)
}

/// What became of a value.
pub(super) fn of_value(
    changes: &'static [Change],
    path: &str,
    value: &str,
) -> Option<&'static Change> {
    let fits = |change: &&Change| {
        change.path == path && matches!(change.what, Became::Value { from, .. } if from == value)
    };
    changes.iter().find(fits)
}
