//! Formats of what is kept across versions of the program, and what a version does with those of
//! others.
//!
//! Whatever is kept carries two numbers: its format, and the least format whose readers can read
//! it. A version reads what it knows, and what a later one says is readable for it: there are more
//! fields then, which it ignores and, where it writes, keeps. All else it refuses by name and
//! touches nothing: what a later version wrote is not damaged.
//!
//! **The rule.** A version reads what the previous one wrote, and what the next one writes. So a
//! change that readers of today would misread takes two versions: the first learns to read it, the
//! second writes it, and raises `readable_by` to the format of the first.

use serde::{Deserialize, Serialize};

/// In which format something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Format {
    /// The format.
    pub format: u16,
    /// Who knows this format, or a later one, can read it.
    pub readable_by: u16,
}

impl Format {
    /// The first: also of what was written before formats were noted.
    pub const FIRST: Self = Self { format: 1, readable_by: 1 };

    /// Whether a version that writes `self` can read what was written in `other`.
    pub fn reads(self, other: Self) -> bool {
        other.readable_by <= self.format
    }
}

impl Default for Format {
    fn default() -> Self {
        Self::FIRST
    }
}

/// Something was written by a later version of the program, in a format that this one cannot read.
/// Nothing of it was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{file}` was written by a later version: {part} is in format {}, readable by versions that \
     know format {}; this one ({}) knows up to {known}. Nothing was changed: install the later \
     version again, or move `{file}` away / `{file}` 由更高版本写入：{part} 的格式为 {}，\
     至少需支持格式 {}，本版本（{}）最高支持 {known}。未作任何改动：请重新安装更高版本，或移走该文件",
    found.format, found.readable_by, env!("CARGO_PKG_VERSION"),
    found.format, found.readable_by, env!("CARGO_PKG_VERSION")
)]
pub struct TooNew {
    /// The file or folder.
    pub file: String,
    /// What in it.
    pub part: String,
    /// Its format.
    pub found: Format,
    /// The latest format that this version knows.
    pub known: u16,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_reads_the_previous_format_and_what_the_next_says_is_readable() {
        let today = Format { format: 3, readable_by: 2 };
        let reads = |format, readable_by| today.reads(Format { format, readable_by });
        assert!(reads(2, 1) && reads(3, 3), "what is older, and its own");
        assert!(reads(4, 3), "more fields, nothing misread");
        assert!(!reads(4, 4) && !reads(9, 5));
    }

    #[test]
    fn what_cannot_be_read_is_told_with_file_format_and_what_is_known() {
        let found = Format { format: 3, readable_by: 2 };
        let fault = TooNew { file: "/x/buffer".into(), part: "queue".into(), found, known: 1 };
        let told = fault.to_string();
        for part in ["/x/buffer", "queue", "format 3", "format 2", "up to 1", "未作任何改动"]
        {
            assert!(told.contains(part), "{part} in {told}");
        }
    }
}
