//! Makes reports in the running gateway.

use std::sync::{Arc, Mutex, TryLockError};

use super::build::build;
use super::key::{KeyFault, SigningKey};
use super::seal::{Form, seal};
use crate::model::{Estate, WallTime};
use crate::starlevel::evidence::EvidenceChain;
use crate::starlevel::{Assessment, Bilingual, RulePack, Season};
use crate::store::StoreError;

/// Why no report was made.
#[derive(Debug, thiserror::Error)]
pub enum ReportFault {
    /// There is no key to sign with.
    #[error(transparent)]
    Key(#[from] KeyFault),
    /// The evidence cannot be read.
    #[error("the evidence cannot be read: {0}")]
    Store(#[from] StoreError),
    /// Another one is being made.
    #[error("another report is being made; ask again")]
    Busy,
}

impl ReportFault {
    /// The fault in both languages.
    pub fn words(&self) -> Bilingual {
        match self {
            Self::Key(fault) => fault.words(),
            Self::Store(error) => Bilingual::new(format!("证据不可读：{error}"), self.to_string()),
            Self::Busy => Bilingual::new("正在生成另一份报告，请稍后再试", self.to_string()),
        }
    }
}

/// Makes reports; clones share it.
#[derive(Debug, Clone)]
pub struct Reporter(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    pack: RulePack,
    estate: Arc<Estate>,
    evidence: EvidenceChain,
    season: Option<Season>,
    key: Result<SigningKey, KeyFault>,
    /// One at a time: a report of a large estate takes megabytes.
    busy: Mutex<()>,
}

impl Reporter {
    /// Of an estate whose assessments are made by `pack`, with heat meters expected in `season`.
    /// Without a key everything else goes on; only no report is made.
    pub fn new(
        pack: RulePack,
        estate: Arc<Estate>,
        evidence: EvidenceChain,
        season: Option<Season>,
        key: Result<SigningKey, KeyFault>,
    ) -> Self {
        Self(Arc::new(Inner { pack, estate, evidence, season, key, busy: Mutex::new(()) }))
    }

    /// The key that reports are signed with.
    ///
    /// # Errors
    /// Why there is none.
    pub fn key(&self) -> Result<&SigningKey, &KeyFault> {
        self.0.key.as_ref()
    }

    /// The whole file, signed. `notes` stand above it, e.g. that the estate is simulated. Reads
    /// the store: blocks.
    ///
    /// # Errors
    /// There is no key, the evidence cannot be read, or another report is being made.
    pub fn make(
        &self,
        assessment: &Assessment,
        form: Form,
        notes: &[Bilingual],
        now: Option<WallTime>,
    ) -> Result<String, ReportFault> {
        let inner = &*self.0;
        let key = inner.key.as_ref().map_err(Clone::clone)?;
        let _turn = match inner.busy.try_lock() {
            Ok(turn) => turn,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(ReportFault::Busy),
        };
        let now = now.map(|wall| wall.unix_ms);
        let Inner { pack, estate, evidence, season, .. } = inner;
        let mut report = build(pack, estate, evidence, *season, assessment, now)?;
        report.public_key = key.public_hex();
        report.notes = notes.to_vec();
        Ok(seal(&report, form, key))
    }
}

#[cfg(test)]
impl Reporter {
    /// As if a report were being made.
    pub(super) fn hold(&self) -> std::sync::MutexGuard<'_, ()> {
        self.0.busy.lock().unwrap()
    }
}
