//! Where people's words from the page and finds of scans are taken and kept.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::day::Day;
use super::discovered::{Discovered, MOST_DISCOVERED};
use super::keep::{Deed, Keep};
use super::rules::{last_day, person, remark};
use super::subject::{Attestation, Subject};
use super::validity::AttestationResult;
use crate::model::{Estate, WallTime};
use crate::settings::Wrong;
use crate::starlevel::pack::RulePack;
use crate::store::{Store, StoreError};

/// All that was said and found, as of now.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Attested {
    /// From the attestations file.
    pub file: Vec<Attestation>,
    /// From the page, one a subject.
    pub page: Vec<Attestation>,
    /// Devices that were found and are not registered.
    pub found: Vec<Discovered>,
    /// Who attested and withdrew what on the page, the newest first.
    pub deeds: Vec<Deed>,
}

/// Why something was not kept.
#[derive(Debug, thiserror::Error)]
pub enum DeskError {
    /// Without a date an attestation cannot expire.
    #[error("the clock is not trusted yet: an attestation needs a date")]
    ClockNotTrusted,
    /// A value is wrong.
    #[error("{field}: {}", .wrong.problem.en)]
    Wrong {
        /// Which field: `by`, `until`, `note`.
        field: &'static str,
        /// What is wrong.
        wrong: Wrong,
    },
    /// Nothing of that subject was given on the page.
    #[error("nothing was attested here about `{0}`")]
    NothingThere(String),
    /// The store refused: it is not kept.
    #[error("it is not kept: {0}")]
    Store(#[from] StoreError),
}

/// The desk; clones share it. Only the page writes here, and scans.
#[derive(Clone)]
pub struct AttestationDesk(Arc<Inner>);

struct Inner {
    estate: Arc<Estate>,
    pack: RulePack,
    keep: Mutex<Keep>,
    out: watch::Sender<Arc<Attested>>,
}

impl fmt::Debug for AttestationDesk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("AttestationDesk").field(&self.0.out.borrow()).finish()
    }
}

impl AttestationDesk {
    /// Reads what is kept in the store, beside the attestations of the file. Found devices that
    /// are registered by now are forgotten.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn open(
        store: &Store,
        estate: Arc<Estate>,
        pack: RulePack,
        file: Vec<Attestation>,
    ) -> Result<Self, StoreError> {
        let mut keep = Keep::load(store)?;
        let registered: Vec<Discovered> =
            keep.found().into_iter().filter(|device| device.is_registered(&estate)).collect();
        keep.forget(&registered)?;
        let out = watch::Sender::new(Arc::new(Attested { file, ..Attested::default() }));
        let desk = Self(Arc::new(Inner { estate, pack, keep: Mutex::new(keep), out }));
        desk.publish(&desk.keep());
        Ok(desk)
    }

    /// All that was said and found; changes as soon as more is.
    pub fn attested(&self) -> watch::Receiver<Arc<Attested>> {
        self.0.out.subscribe()
    }

    /// The rules that it judges by.
    pub fn pack(&self) -> &RulePack {
        &self.0.pack
    }

    /// The natural day of a time in the pack's zone.
    pub fn day(&self, wall: WallTime) -> Day {
        today(&self.0.pack, wall)
    }

    /// Whether what counts of each subject holds now.
    pub fn judged(&self, now: Option<WallTime>) -> Vec<AttestationResult> {
        let attested = Arc::clone(&self.0.out.borrow());
        attested.judge(now.map(|now| self.day(now)), &self.0.estate)
    }

    /// Takes a person's word about several subjects on the day of `now`; `until` may be empty for
    /// the longest time that the pack allows. It is durable when this returns; blocks as long as
    /// the flash takes.
    ///
    /// # Errors
    /// [`DeskError`]: nothing is kept then.
    pub fn attest(
        &self,
        subjects: Vec<Subject>,
        by: &str,
        until: &str,
        note: &str,
        now: Option<WallTime>,
    ) -> Result<Vec<Attestation>, DeskError> {
        let now = now.ok_or(DeskError::ClockNotTrusted)?;
        let on = self.day(now);
        let days = self.0.pack.evaluation().attestation_valid_days;
        let by = person(by).map_err(|wrong| DeskError::Wrong { field: "by", wrong })?;
        let until = match until.trim() {
            "" => Ok(on.plus(days)),
            text => Day::parse(text).and_then(|until| last_day(on, until, days)),
        };
        let until = until.map_err(|wrong| DeskError::Wrong { field: "until", wrong })?;
        let note = remark(note).map_err(|wrong| DeskError::Wrong { field: "note", wrong })?;
        let word = |subject| {
            let (by, note) = (by.clone(), note.clone());
            Attestation { subject, by, on, until, note }
        };
        let attestations: Vec<Attestation> = subjects.into_iter().map(word).collect();
        let deed = |attestation: &Attestation| {
            let attestation = attestation.clone();
            Deed::Attested { attestation, at_ms: now.unix_ms }
        };
        let deeds: Vec<Deed> = attestations.iter().map(deed).collect();
        let mut keep = self.keep();
        keep.note(&deeds)?;
        self.publish(&keep);
        Ok(attestations)
    }

    /// Withdraws what was given on the page about a subject, by its word. Durable and blocking as
    /// [`attest`](Self::attest).
    ///
    /// # Errors
    /// [`DeskError`]: nothing is changed then.
    pub fn withdraw(
        &self,
        word: &str,
        by: &str,
        now: Option<WallTime>,
    ) -> Result<Attestation, DeskError> {
        let by = person(by).map_err(|wrong| DeskError::Wrong { field: "by", wrong })?;
        let mut keep = self.keep();
        let given = keep.given(word).ok_or_else(|| DeskError::NothingThere(word.to_owned()))?;
        let at_ms = now.map(|now| now.unix_ms);
        let deed = Deed::Withdrawn { subject: given.subject.clone(), by, at_ms };
        keep.note(&[deed])?;
        self.publish(&keep);
        Ok(given)
    }

    /// Keeps a device that a scan found, unless it is registered or was found before; says whether
    /// it is new. Blocks shortly.
    ///
    /// # Errors
    /// The store refused; the next scan finds it again.
    pub fn discover(&self, device: &Discovered) -> Result<bool, StoreError> {
        if device.is_registered(&self.0.estate) {
            return Ok(false);
        }
        let mut keep = self.keep();
        let place = device.place();
        if keep.has_found(&place) {
            return Ok(false);
        }
        if self.0.out.borrow().found.len() >= MOST_DISCOVERED {
            tracing::warn!(place, most = MOST_DISCOVERED, "found one device more than are kept");
            return Ok(false);
        }
        keep.add(device)?;
        self.0.out.send_modify(|attested| {
            let found = &mut Arc::make_mut(attested).found;
            let slot = found.partition_point(|other| other.place() < place);
            found.insert(slot, device.clone());
        });
        Ok(true)
    }

    fn publish(&self, keep: &Keep) {
        self.0.out.send_modify(|attested| {
            let file = attested.file.clone();
            let (page, found, deeds) = (keep.current(), keep.found(), keep.deeds());
            *attested = Arc::new(Attested { file, page, found, deeds });
        });
    }

    fn keep(&self) -> MutexGuard<'_, Keep> {
        self.0.keep.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The natural day of a time in the pack's zone.
pub(in crate::starlevel) fn today(pack: &RulePack, wall: WallTime) -> Day {
    Day::numbered(pack.natural_day(wall.unix_ms))
}
