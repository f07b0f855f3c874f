//! Every input that fuzzing kept is judged again, by the demands that fuzzing checks
//! (`tests/fuzz/checks`); so are changed ones, when asked for. How much memory is held is counted by
//! fuzzing only.
//!
//! With `--ignored`, `LINLI_MUTANTS=5000` judges so many changed inputs of each target, `LINLI_SEED=7` others,
//! `LINLI_TARGET=config` those of one target.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

use crate::checks::{TARGETS, Target, judge};

/// Fewest inputs of a target: a folder that went missing must not look like a test that passed.
const FEWEST: usize = 5;
/// Most inputs of a target, so that the corpus stays small: the 300 that fuzzing keeps, and those
/// that once told a fault.
const MOST: usize = 400;
/// What readers trip over.
const TRAPS: [&[u8]; 24] = [
    b"\0",
    b"\xff",
    b"\x1b[2J",
    b"\\u001b",
    b"\\u202e",
    b"-1",
    b"0",
    b"1e999",
    b"1e-999",
    b"9223372036854775807",
    b"18446744073709551616",
    b"NaN",
    b"null",
    b"true",
    b"\"\"",
    b"[]",
    b"{}",
    b"{n}",
    b"{base}",
    b"+",
    b"#",
    b"\n",
    b"=",
    "邻".as_bytes(),
];

/// The kept inputs of a target, in the order of their names.
fn kept(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz/corpus").join(target);
    let mut kept: Vec<(String, Vec<u8>)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            (path.display().to_string(), fs::read(path).unwrap())
        })
        .collect();
    kept.sort();
    kept
}

/// Whether an input meets all demands.
fn holds(target: &str, input: &[u8]) -> bool {
    catch_unwind(AssertUnwindSafe(|| judge(target, input))).is_ok()
}

#[test]
fn every_input_that_fuzzing_kept_meets_all_demands() {
    let mut broken = Vec::new();
    for (target, _) in TARGETS {
        let kept = kept(target);
        assert!((FEWEST..=MOST).contains(&kept.len()), "{target} has {} inputs", kept.len());
        for (name, input) in kept {
            if !holds(target, &input) {
                broken.push(format!("{name} breaks a demand of {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// A little change somewhere.
fn change(input: &mut Vec<u8>, others: &[(String, Vec<u8>)], random: &mut fastrand::Rng) {
    let at = random.usize(..=input.len());
    let end = input.len().min(at + 1 + random.usize(..24));
    match random.u8(..8) {
        0 if at < input.len() => input[at] ^= 1 << random.u8(..8),
        1 if at < input.len() => input[at] = random.u8(..),
        2 => drop(input.drain(at..end)),
        3 => {
            let again = input[at..end].to_vec();
            input.splice(at..at, again);
        }
        4 | 5 => {
            let trap = TRAPS[random.usize(..TRAPS.len())];
            let end = if random.bool() { at } else { end };
            input.splice(at..end, trap.iter().copied());
        }
        // A piece of another input.
        _ => {
            let other = &others[random.usize(..others.len())].1;
            let from = random.usize(..=other.len());
            let to = other.len().min(from + random.usize(..200));
            input.splice(at..end, other[from..to].iter().copied());
        }
    }
}

/// Where number and seed come from.
fn given(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
#[ignore = "a campaign of minutes: LINLI_MUTANTS says how long"]
fn kept_inputs_with_a_few_changes_meet_all_demands_too() {
    let only = std::env::var("LINLI_TARGET").ok();
    let wanted = |(target, _): &Target| only.as_ref().is_none_or(|only| only == target);
    let mut broken = Vec::new();
    for (target, _) in TARGETS.into_iter().filter(wanted) {
        let kept = kept(target);
        let mut random = fastrand::Rng::with_seed(given("LINLI_SEED", 1));
        for _ in 0..given("LINLI_MUTANTS", 40) {
            let mut input = kept[random.usize(..kept.len())].1.clone();
            for _ in 0..random.usize(1..5) {
                change(&mut input, &kept, &mut random);
            }
            if !holds(target, &input) {
                let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mutants");
                fs::create_dir_all(&folder).unwrap();
                let file = folder.join(format!("{target}-{}", broken.len()));
                fs::write(&file, &input).unwrap();
                broken.push(format!("{} breaks a demand of {target}", file.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
