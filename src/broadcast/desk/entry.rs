//! One warning with its receipts.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::model::{
    DeviceId, Moment, ReceiptCounts, ReceiptState, TerminalReceipt, Warning, WarningNews,
    WarningStep,
};

/// Receipts in one event: each stays far below a block.
const RECEIPTS_AT_ONCE: usize = 20;

/// Whether a warning is over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Life {
    /// It waits, plays, or stands on screens.
    Open,
    /// It is over.
    Finished,
    /// It was cancelled.
    Cancelled,
}

/// One device's share of a warning.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Share {
    /// What it says to the platform.
    #[serde(flatten)]
    pub receipt: TerminalReceipt,
    /// It shows a text.
    pub screen: bool,
    /// Which of the targets; none when it is not configured any more.
    #[serde(skip)]
    pub target: Option<usize>,
    /// When something is due: an order again, the end of a pause.
    #[serde(skip)]
    pub due: Option<Moment>,
    /// When it was ordered last, or began to play.
    #[serde(skip)]
    pub since: Moment,
    /// The order whose outcome is awaited.
    #[serde(skip)]
    pub ticket: Option<u64>,
    /// The awaited order gave it the message; to play comes after.
    #[serde(skip)]
    pub giving: bool,
    /// It has the message.
    #[serde(skip)]
    pub given: bool,
    /// Since a restart nothing was heard of it.
    #[serde(skip)]
    pub unsure: bool,
}

impl Share {
    /// Of a device that was not ordered anything yet.
    pub fn new(device: &DeviceId, target: usize, screen: bool) -> Self {
        Self {
            receipt: TerminalReceipt {
                device: device.to_string(),
                state: ReceiptState::Waiting,
                ordered_ms: None,
                playing_ms: None,
                ended_ms: None,
                plays: 0,
                retries: 0,
            },
            screen,
            target: Some(target),
            due: None,
            since: Moment::default(),
            ticket: None,
            giving: false,
            given: false,
            unsure: false,
        }
    }

    /// How it stands.
    pub fn state(&self) -> ReceiptState {
        self.receipt.state
    }

    /// Whether it has the device at present.
    pub fn holds(&self) -> bool {
        use ReceiptState::{Ordered, Pausing, Playing};
        matches!(self.state(), Ordered | Playing | Pausing)
    }

    /// Nothing more happens here.
    pub(super) fn settle(&mut self, state: ReceiptState, wall_ms: i64) {
        self.receipt.state = state;
        self.receipt.ended_ms = Some(wall_ms);
        self.due = None;
        self.ticket = None;
    }
}

/// One warning, from its acceptance on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Counts the warnings in the order of acceptance.
    pub number: u64,
    /// What is said.
    pub warning: Arc<Warning>,
    /// SHA-256 of the message, hexadecimal.
    pub sha256: String,
    /// Whose signature was checked.
    pub signed_by: Option<String>,
    /// When it was accepted, milliseconds since 1970.
    pub accepted_ms: i64,
    /// When it is over at the latest, milliseconds since 1970.
    pub end_ms: i64,
    /// Whether it is over.
    pub life: Life,
    /// When it was over.
    pub over_ms: Option<i64>,
    /// Who cancelled it; empty when nobody did.
    pub cancelled_by: String,
    /// One each.
    pub shares: Vec<Share>,
    /// What was told of it.
    pub told: Told,
    /// Where the share of a target is.
    pub(super) index: BTreeMap<usize, usize>,
    /// Until when its return is awaited.
    pub(super) give_up: Option<Moment>,
    /// Since when all terminals are through.
    pub(super) through: Option<Moment>,
}

/// What was told of a warning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Told {
    /// That it plays.
    pub playing: bool,
    /// The receipts.
    pub receipts: bool,
    /// The star level knows of it.
    pub counted: bool,
}

impl Entry {
    /// How its terminals and screens stand.
    pub fn counts(&self) -> ReceiptCounts {
        let count = |test: &dyn Fn(&Share) -> bool| {
            let number = self.shares.iter().filter(|share| test(share)).count();
            u32::try_from(number).unwrap_or(u32::MAX)
        };
        let mut after: Vec<u64> = self.latencies().collect();
        after.sort_unstable();
        let p95 = (after.len() * 95).div_ceil(100).checked_sub(1);
        ReceiptCounts {
            addressed: count(&|_| true),
            acknowledged: count(&|share| share.receipt.playing_ms.is_some()),
            finished: count(&|share| share.state() == ReceiptState::Finished),
            failed: count(&|share| share.state() == ReceiptState::Failed),
            first_after_ms: after.first().copied(),
            p95_after_ms: p95.and_then(|place| after.get(place).copied()),
        }
    }

    /// From the acceptance, or its start, to playing: one for each terminal that did.
    fn latencies(&self) -> impl Iterator<Item = u64> {
        let terminals = self.shares.iter().filter(|share| !share.screen);
        terminals.filter_map(|share| self.after(share.receipt.playing_ms?))
    }

    /// From the acceptance, or its start, to a wall time.
    pub(super) fn after(&self, wall_ms: i64) -> Option<u64> {
        let begin = self.warning.start_ms.map_or(self.accepted_ms, |ms| ms.max(self.accepted_ms));
        Some(u64::try_from(wall_ms - begin).unwrap_or(0))
    }

    /// Notes where each target has its share.
    pub(super) fn reindex(&mut self) {
        let shares = self.shares.iter().enumerate();
        self.index = shares.filter_map(|(slot, share)| Some((share.target?, slot))).collect();
    }

    /// The share of a target.
    pub(super) fn slot_of(&self, target: usize) -> Option<usize> {
        self.index.get(&target).copied()
    }

    /// The terminals' shares.
    pub(super) fn terminals(&self) -> impl Iterator<Item = &Share> {
        self.shares.iter().filter(|share| !share.screen)
    }

    /// An event about it.
    pub(super) fn news(&self, step: WarningStep) -> Box<WarningNews> {
        Box::new(WarningNews {
            id: Some(self.warning.id.clone()),
            title_zh: self.warning.zh.title.clone(),
            title: self.warning.en.title.clone(),
            severity: self.warning.severity,
            status: self.warning.status,
            step,
        })
    }

    /// The receipts, in as many events as they need.
    pub(super) fn receipts(&self) -> Vec<WarningNews> {
        let parts = self.shares.chunks(RECEIPTS_AT_ONCE).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        let chunks = self.shares.chunks(RECEIPTS_AT_ONCE).enumerate();
        chunks
            .map(|(slot, shares)| {
                let receipts = shares.iter().map(|share| share.receipt.clone()).collect();
                let (part, parts) = (number(slot + 1), number(parts));
                *self.news(WarningStep::Receipts { part, parts, receipts })
            })
            .collect()
    }
}
