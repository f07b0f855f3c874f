//! Every input that fuzzing kept is judged again, by the demands that fuzzing checks
//! (`tests/fuzz/checks`). How much memory is held is counted there only.

use std::fs;
use std::path::Path;

use crate::checks::{TARGETS, judge};

/// Fewest inputs of a target: a folder that went missing must not look like a test that passed.
const FEWEST: usize = 5;
/// Most inputs of a target, so that the corpus stays small: the 300 that fuzzing keeps, and those
/// that once told a fault.
const MOST: usize = 400;

#[test]
fn every_input_that_fuzzing_kept_meets_all_demands() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus");
    for (target, _) in TARGETS {
        let mut count = 0;
        for entry in fs::read_dir(corpus.join(target)).unwrap() {
            let path = entry.unwrap().path();
            let input = fs::read(&path).unwrap();
            let judged = std::panic::catch_unwind(|| judge(target, &input));
            assert!(judged.is_ok(), "{} breaks a demand of {target}", path.display());
            count += 1;
        }
        assert!((FEWEST..=MOST).contains(&count), "{target} has {count} inputs");
    }
}
