//! Messages that were refused: kept as evidence, told to the platform and to the star level.

use ring::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::keep::Row;
use super::{Desk, Effect, Now};
use crate::broadcast::message::{Unread, shortened};
use crate::model::{
    BroadcastProof, FactKind, Severity, WarningId, WarningNews, WarningRefusal, WarningStatus,
    WarningStep,
};

/// Refused messages that are kept.
pub const MOST_EVIDENCE: usize = 200;
/// Bytes of a refused message that are kept.
const KEPT_BYTES: usize = 1024;
/// Most events about refused messages in one minute: a flood must not fill the urgent lane.
const MOST_TOLD: usize = 30;

/// One refused message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// Counts them.
    pub number: u64,
    /// When it came, milliseconds since 1970.
    pub at_ms: i64,
    /// What the sender's topic called it.
    pub name: String,
    /// The identifier that it claims, where that could be read.
    #[serde(default)]
    pub id: Option<WarningId>,
    /// Why it was refused.
    pub reason: WarningRefusal,
    /// More about that, English.
    pub detail: String,
    /// SHA-256 of all of it, hexadecimal.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
    /// How it begins.
    pub begin: String,
}

/// SHA-256, hexadecimal.
pub(super) fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    digest(&SHA256, bytes).as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a String takes all");
        text
    })
}

impl Desk {
    /// Keeps a message that is not taken, and tells of it.
    pub(super) fn refuse(&mut self, name: &str, payload: &[u8], unread: Unread, now: Now) {
        let begin = payload.get(..KEPT_BYTES.min(payload.len())).unwrap_or_default();
        let evidence = Evidence {
            number: self.next_refused,
            at_ms: now.wall_ms,
            name: shortened(name, 96),
            id: unread.id,
            reason: unread.reason,
            detail: unread.detail,
            sha256: sha256(payload),
            bytes: payload.len() as u64,
            begin: shortened(&String::from_utf8_lossy(begin), KEPT_BYTES),
        };
        self.next_refused += 1;
        let proof = match evidence.reason {
            WarningRefusal::Unsigned | WarningRefusal::WrongSignature => {
                Some(BroadcastProof::RefusedUnsigned)
            }
            WarningRefusal::Expired => Some(BroadcastProof::RefusedExpired),
            WarningRefusal::OtherArea => Some(BroadcastProof::RefusedArea),
            _ => None,
        };
        if let Some(proof) = proof {
            self.effects.push(Effect::Fact(FactKind::BroadcastProof(proof)));
        }
        let minute_ago = now.wall_ms.saturating_sub(60_000);
        let lately = self.refused.iter().rev().take_while(|other| other.at_ms > minute_ago).count();
        if lately < MOST_TOLD {
            self.effects.push(Effect::Tell(Box::new(WarningNews {
                id: evidence.id.clone(),
                title_zh: String::new(),
                title: String::new(),
                severity: Severity::Unknown,
                status: WarningStatus::Actual,
                step: WarningStep::Refused {
                    reason: evidence.reason,
                    detail: evidence.detail.clone(),
                    sha256: evidence.sha256.clone(),
                    bytes: evidence.bytes,
                },
            })));
        }
        self.touched(Row::Refused(evidence.number));
        self.refused.push_back(evidence);
        if self.refused.len() > MOST_EVIDENCE
            && let Some(oldest) = self.refused.pop_front()
        {
            self.touched(Row::Refused(oldest.number));
        }
    }
}
