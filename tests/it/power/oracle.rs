//! What was promised before a cut, and what is left of it afterwards.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value;

use super::stream::Stream;

/// What the gateway's page said was durable, and what came of it.
#[derive(Default)]
pub struct Oracle {
    epoch: Option<String>,
    /// Every block below this position was said to be durable.
    next_seq: u64,
    days: u64,
    /// Blocks that were promised and are nowhere.
    pub lost: BTreeSet<u64>,
    /// Blocks that had a promise at some cut and were not at the platform then.
    pub at_stake: u64,
    /// Times that the files were looked at.
    pub looks: u64,
    /// For each cut, by how much the newest kept reading was older than the cut, in milliseconds.
    pub ages: Vec<i64>,
    /// How often each kind of cut was made.
    pub kinds: BTreeMap<&'static str, u64>,
}

/// What a cut left in the store.
pub struct Left {
    /// As `linli buffer show --json` says it.
    pub buffer: Value,
    /// Positions of all stored blocks that can be opened.
    pub stored: BTreeSet<u64>,
    /// As `linli stars verify --json` says it.
    pub chain: Value,
}

impl Oracle {
    /// The page of the running gateway promises this.
    pub fn promised(&mut self, page: &Value) {
        let epoch = page["epoch"].as_str().unwrap().to_owned();
        let known = self.epoch.get_or_insert_with(|| epoch.clone());
        assert_eq!(*known, epoch, "the buffer began anew");
        let next = page["next_seq"].as_u64().unwrap();
        assert!(next >= self.next_seq, "next_seq fell from {} to {next}", self.next_seq);
        self.next_seq = next;
    }

    /// Blocks that were promised so far.
    pub fn acknowledged(&self) -> u64 {
        self.next_seq.saturating_sub(1)
    }

    /// Holds what a cut left against what was promised before.
    pub fn look(&mut self, left: &Left, stream: &Stream) {
        self.looks += 1;
        let chain = &left.chain;
        assert!(chain["fault"].is_null(), "the chain of evidence is broken: {chain}");
        let days = chain["days"].as_u64().unwrap();
        assert!(days >= self.days.max(super::WATCHED_DAYS), "days of evidence are gone: {chain}");
        self.days = days;
        let buffer = &left.buffer;
        let damaged = buffer["damaged"].as_array().unwrap();
        assert!(damaged.is_empty(), "damaged blocks: {buffer}");
        assert_eq!(buffer["evicted_blocks"], 0, "{buffer}");
        let Some(epoch) = &self.epoch else { return };
        let next = buffer["next_seq"].as_u64().unwrap();
        assert_eq!(buffer["epoch"], epoch.as_str(), "the buffer began anew");
        assert!(next >= self.next_seq, "next_seq fell from {} to {next}", self.next_seq);
        for seq in 1..self.next_seq {
            let arrived = stream.has(epoch, seq);
            self.at_stake += u64::from(!arrived);
            if !arrived && !left.stored.contains(&seq) {
                self.lost.insert(seq);
            }
        }
        assert!(self.lost.is_empty(), "blocks are lost: {:?}; next_seq {next}", self.lost);
    }

    /// After the end, when everything has arrived: how old the newest kept reading was at each
    /// cut. `started`: when the daemon of that time began.
    pub fn measure(&mut self, cuts: &[Cut], stream: &Stream) {
        self.ages = cuts
            .iter()
            .map(|cut| {
                let newest = stream.newest_before(cut.at).unwrap_or(cut.started);
                cut.at - newest.max(cut.started)
            })
            .collect();
    }
}

/// When a cut was, milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// When the daemon was started.
    pub started: i64,
    /// When it lost power.
    pub at: i64,
}

/// The row of a campaign for people.
pub struct Table<'a> {
    /// `cuts` or `kills`.
    pub what: &'a str,
    pub oracle: &'a Oracle,
    pub stream: &'a Stream,
    /// Messages that the field's broker got, all of them acknowledged by the gateway.
    pub messages: u64,
    pub seed: u64,
    pub seconds: u64,
    pub more: Vec<(String, String)>,
}

impl fmt::Display for Table<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut ages = self.oracle.ages.clone();
        ages.sort_unstable();
        let age = |at: usize| ages.get(at).map_or(f64::NAN, |ms| *ms as f64 / 1000.0);
        let kinds: Vec<String> =
            self.oracle.kinds.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let missing = self.stream.missing(self.messages).len();
        let mut rows = vec![
            (self.what.to_owned(), format!("{} ({})", ages.len(), kinds.join(", "))),
            ("blocks acknowledged".into(), self.oracle.acknowledged().to_string()),
            ("  not yet delivered at a cut".into(), self.oracle.at_stake.to_string()),
            ("  lost".into(), self.oracle.lost.len().to_string()),
            ("messages acknowledged".into(), self.messages.to_string()),
            ("  lost".into(), missing.to_string()),
            (
                "unacknowledged readings lost".into(),
                format!(
                    "{:.1} s at the worst, {:.1} s in the middle",
                    age(ages.len().wrapping_sub(1)),
                    age(ages.len() / 2)
                ),
            ),
            (
                "blocks at the platform".into(),
                format!(
                    "{}, {} messages, {} without a trusted time",
                    self.stream.blocks(),
                    self.stream.messages,
                    self.stream.unstamped
                ),
            ),
        ];
        rows.extend(self.more.iter().cloned());
        rows.push(("seed".into(), self.seed.to_string()));
        rows.push(("duration".into(), format!("{} s", self.seconds)));
        rows.iter().try_for_each(|(name, value)| writeln!(f, "{name:<32} {value}"))
    }
}
