//! Profile files: a site brings its own.

use linli::profile::{Loaded, describe, parse, parse_draft, run_examples};

use super::harmless;
use crate::allocation::within;

/// A group of two lines may have hundreds of members, each with its points.
const A_BYTE: usize = 32 * 1024;
const AT_LEAST: usize = 8 << 20;
/// Most points of a model.
const MOST_POINTS: usize = 2000;

pub(super) fn judge(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let most = AT_LEAST + A_BYTE * input.len();
    let whole = within("reading", most, most, || parse("fuzz.toml", text));
    assert!(whole == parse("fuzz.toml", text), "the same text is read in two ways");
    match &whole {
        Ok(loaded) => {
            accepted(loaded);
            // The same file without the demand for examples.
            let draft = parse_draft("fuzz.toml", text).expect("a whole profile is a draft too");
            assert!(draft.profile == loaded.profile, "a draft says something else");
        }
        Err(faults) => {
            assert!(!faults.is_empty(), "refused without a reason");
            let lines = text.lines().count() + 1;
            for fault in faults {
                assert!(fault.place.is_none_or(|(line, column)| line <= lines && column >= 1));
                harmless(&fault.to_string());
            }
        }
    }
}

fn accepted(loaded: &Loaded) {
    for profile in [&loaded.profile, &loaded.full] {
        assert!((1..=MOST_POINTS).contains(&profile.points.len()), "{}", profile.points.len());
        assert_eq!(profile.points.len(), profile.periods.len());
        let mut names: Vec<_> = profile.points.iter().map(|point| &point.name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), profile.points.len(), "two points have one name");
        let _told = describe(profile);
    }
    assert!(loaded.full.points.len() >= loaded.profile.points.len());
    for fault in run_examples(loaded) {
        harmless(&fault.to_string());
    }
}
