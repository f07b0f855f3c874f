//! Base topics: which part of a device's topics is its own.

use std::collections::BTreeSet;

/// Levels that say what kind of message it is, never whose.
const COMMON: &[&str] = &[
    "tele",
    "stat",
    "cmnd",
    "state",
    "status",
    "sensor",
    "binary_sensor",
    "switch",
    "event",
    "up",
    "json",
    "value",
    "values",
    "data",
    "telemetry",
    "config",
    "availability",
    "online",
    "homeassistant",
    "device",
    "devices",
];
/// Longest part that is tried, levels.
const MAX_RUN: usize = 8;

/// What `{base}` must be for the pattern to be the topic.
pub(super) fn base_of(pattern: &str, topic: &str) -> Option<String> {
    let pattern: Vec<&str> = pattern.split('/').collect();
    let topic: Vec<&str> = topic.split('/').collect();
    let at = pattern.iter().position(|level| *level == "{base}")?;
    let behind = pattern.len() - at - 1;
    let own = topic.len().checked_sub(at + behind).filter(|own| *own > 0)?;
    let fits = |want: &[&str], got: &[&str]| {
        want.iter().zip(got).all(|(want, got)| *want == "+" || want == got)
    };
    let base = topic.get(at..at + own)?;
    let good = fits(pattern.get(..at)?, topic.get(..at)?)
        && fits(pattern.get(at + 1..)?, topic.get(at + own..)?)
        && !base.first()?.is_empty()
        && !base.last()?.is_empty();
    good.then(|| base.join("/"))
}

/// Whether a device with this base publishes the topic under the pattern.
pub(super) fn is_under(pattern: &str, base: &str, topic: &str) -> bool {
    base_of(pattern, topic).is_some_and(|own| own == base)
}

/// A part of topics, with how many of them have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub base: String,
    pub covers: usize,
}

/// The part that most of the topics have in common, the longest of those.
pub(super) fn common(topics: &[&str]) -> Option<Run> {
    let split: Vec<Vec<&str>> = topics.iter().map(|topic| topic.split('/').collect()).collect();
    let mut tried: BTreeSet<&[&str]> = BTreeSet::new();
    let mut best: Option<(usize, usize, std::cmp::Reverse<usize>, &[&str])> = None;
    for levels in &split {
        for start in 0..levels.len() {
            for end in start + 1..=levels.len().min(start + MAX_RUN) {
                let Some(run) = levels.get(start..end) else { continue };
                if !is_own(run) || !tried.insert(run) {
                    continue;
                }
                let covers = split.iter().filter(|other| place(other, run).is_some()).count();
                let rank = (covers, run.len(), std::cmp::Reverse(start), run);
                if best.is_none_or(|best| (rank.0, rank.1, rank.2) > (best.0, best.1, best.2)) {
                    best = Some(rank);
                }
            }
        }
    }
    best.map(|(covers, _, _, run)| Run { base: run.join("/"), covers })
}

fn is_own(run: &[&str]) -> bool {
    run.first().is_some_and(|level| !level.is_empty())
        && run.last().is_some_and(|level| !level.is_empty())
        && run.iter().any(|level| !COMMON.contains(level))
}

fn place(levels: &[&str], run: &[&str]) -> Option<usize> {
    levels.windows(run.len()).position(|window| window == run)
}

/// The pattern of a topic for this base; `None` when the base is no part of it.
pub(super) fn pattern(topic: &str, base: &str) -> Option<String> {
    let levels: Vec<&str> = topic.split('/').collect();
    let run: Vec<&str> = base.split('/').collect();
    let at = place(&levels, &run)?;
    let before = levels.get(..at)?.iter().copied();
    let behind = levels.get(at + run.len()..)?.iter().copied();
    let pattern: Vec<&str> = before.chain(["{base}"]).chain(behind).collect();
    Some(pattern.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_of_several_levels_is_found_in_a_topic() {
        let base = |pattern, topic| base_of(pattern, topic);
        assert_eq!(base("{base}", "zigbee2mqtt/hall/1"), Some("zigbee2mqtt/hall/1".into()));
        assert_eq!(base("tele/{base}/SENSOR", "tele/a/b/SENSOR"), Some("a/b".into()));
        assert_eq!(base("tele/{base}/SENSOR", "tele/SENSOR"), None);
        assert_eq!(base("{base}/x", "/x"), None);
        assert_eq!(base("{base}/+/x", "a/b/x"), Some("a".into()));
        assert!(is_under("{base}/sensor/t/state", "node", "node/sensor/t/state"));
        assert!(!is_under("{base}/state", "node", "other/state"));
    }

    #[test]
    fn the_part_that_topics_share_is_the_base() {
        let base = |topics: &[&str]| common(topics).map(|run| (run.base, run.covers));
        let esphome = ["node/sensor/t/state", "node/binary_sensor/leak/state", "node/status"];
        assert_eq!(base(&esphome), Some(("node".into(), 3)));
        let tasmota = ["tele/plug/SENSOR", "stat/plug/RESULT", "tele/plug/LWT"];
        assert_eq!(base(&tasmota), Some(("plug".into(), 3)));
        assert_eq!(base(&["a/b/c"]), Some(("a/b/c".into(), 1)));
        assert_eq!(base(&["a/b/x", "a/b/y", "z"]), Some(("a/b".into(), 2)));
        assert_eq!(base(&["state", "tele/state"]), None);
        assert_eq!(pattern("tele/a/b/LWT", "a/b"), Some("tele/{base}/LWT".into()));
        assert_eq!(pattern("x/y", "a"), None);
    }
}
