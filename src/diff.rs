//! The difference of two texts, as `diff -u` shows it.

use imara_diff::{Algorithm, BasicLineDiffPrinter, Diff, InternedInput, UnifiedDiffConfig};

/// What differs, with three lines around each change; without a head, empty when nothing does.
/// Control characters are shown as U+FFFD: what stands in a file must do nothing to a terminal.
pub fn unified(before: &str, after: &str) -> String {
    let lines = InternedInput::new(before, after);
    let mut differences = Diff::compute(Algorithm::Histogram, &lines);
    differences.postprocess_lines(&lines);
    let printer = BasicLineDiffPrinter(&lines.interner);
    let hunks = differences.unified_diff(&printer, UnifiedDiffConfig::default(), &lines);
    let harmless = |c: char| if c.is_control() && c != '\n' && c != '\t' { '\u{FFFD}' } else { c };
    hunks.to_string().replace("\r\n", "\n").chars().map(harmless).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_shown_with_its_surroundings_and_equal_texts_as_nothing() {
        let before = "a\nb\nc\nd\ne\n";
        let shown = unified(before, "a\nb\nC\nd\ne\n");
        assert_eq!(shown, "@@ -1,5 +1,5 @@\n a\n b\n-c\n+C\n d\n e\n");
        assert_eq!(unified(before, before), "");
        assert_eq!(unified("", "x\n"), "@@ -1,0 +1,1 @@\n+x\n");
    }

    #[test]
    fn control_characters_do_nothing_to_a_terminal() {
        let shown = unified("a\n", "\u{1b}[31mred\r\n");
        assert!(!shown.contains('\u{1b}') && shown.contains("+\u{FFFD}[31mred\n"), "{shown:?}");
    }
}
