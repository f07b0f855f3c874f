//! What was promised before a cut, and what is left of it afterwards.

use std::collections::BTreeSet;
use std::ops::Range;

use serde_json::Value;

use super::stream::Stream;

/// What the gateway's page said was durable, and what came of it.
#[derive(Default)]
pub struct Oracle {
    epoch: Option<String>,
    /// Every block below this position was said to be durable.
    next_seq: u64,
    days: u64,
    /// Positions that never were a block, as the gateway says.
    pub skipped: u64,
    /// The same, one range after each cut; the daemon begins where the store ends.
    gaps: Vec<Range<u64>>,
    /// Where the store ends since the last cut.
    resumed: Option<u64>,
    /// Blocks that were promised and are nowhere.
    pub lost: BTreeSet<u64>,
    /// Blocks that had a promise at some cut and were not at the platform then.
    pub at_stake: u64,
    /// Times that the files were looked at.
    pub looks: u64,
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
        self.skip(page["skipped_positions"].as_u64().unwrap());
    }

    /// So many positions are skipped altogether: what is new of them begins where the store ended.
    fn skip(&mut self, skipped: u64) {
        if let Some(begin) = self.resumed.take() {
            self.gaps.push(begin..begin + (skipped - self.skipped));
        }
        self.skipped = skipped;
    }

    /// Blocks that were promised so far.
    pub fn acknowledged(&self) -> u64 {
        self.next_seq.saturating_sub(1 + self.skipped)
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
        let Some(epoch) = self.epoch.clone() else { return };
        let next = buffer["next_seq"].as_u64().unwrap();
        assert_eq!(buffer["epoch"], epoch, "the buffer began anew");
        assert!(next >= self.next_seq, "next_seq fell from {} to {next}", self.next_seq);
        self.skip(buffer["skipped_positions"].as_u64().unwrap());
        self.resumed = Some(next);
        let mut missing = BTreeSet::new();
        // After a power cut positions are skipped; they are given to no block, and announced.
        let given = |seq: &u64| !self.gaps.iter().any(|gap| gap.contains(seq));
        for seq in (1..self.next_seq).filter(given) {
            let arrived = stream.has(&epoch, seq);
            self.at_stake += u64::from(!arrived);
            if !arrived && !left.stored.contains(&seq) {
                missing.insert(seq);
            }
        }
        self.lost.append(&mut missing);
        assert!(self.lost.is_empty(), "blocks are lost: {:?}; next_seq {next}", self.lost);
    }
}
