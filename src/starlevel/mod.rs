//! Checks the star-level capabilities of DB3710/T 133-2021, 7.5, by a public rule pack.
//!
//! The star is the highest level all of whose checks, and those of every level below, are met.
//! What nothing measures is *unknown* and never passes, so no star is shown without evidence.
//! Measured are P1 to P3, C1, C2, Q1 to Q4, Q7, M1, E1 and G5, from evidence by natural day that is
//! kept in the store for 400 days in a hash chain (`evidence`), and G1 from the estate's register. C3, G3, G6 and the advisory list stand on what a person says
//! by name until an expiry (`attest`). The other checks say what would feed them.
//!
//! [`scorecard`] fills in the evaluation tables of annex A; their stars are another scale.

mod assessment;
mod attest;
mod config;
mod culprits;
mod engine;
mod evidence;
mod fault;
mod judge;
mod measured;
mod metric;
mod pack;
pub mod scorecard;
mod terms;
#[cfg(test)]
mod tests;
mod verdict;

pub use assessment::{
    ASSESSMENT_VERSION, AdvisoryResult, Assessment, Bilingual, CategoryResult, CheckResult,
    DeviceCause, GroupSummary, LevelResult, LevelSummary, Outcome, PackInfo,
};
pub use attest::{
    Attestation, AttestationDesk, AttestationResult, AttestationSource, Attested, Day, Deed,
    DeskError, Discovered, LONGEST_NAME, LONGEST_TEXT, MOST_DEEDS, MOST_DEVICES_ATTESTED,
    MOST_DISCOVERED, Standing, Subject, person, read_attestations, sentence, whole,
};
pub use config::Config;
pub use engine::{Engine, LinkEvidence};
pub use evidence::{BufferSeen, ChainFault, ChainReport, EvidenceChain, GatewaySeen};
pub use fault::PackFault;
pub use metric::Metric;
pub use pack::{
    Advisory, BUILT_IN, CategoryRule, CategorySet, Check, Completeness, Direction, Evaluation,
    Evidence, Head, Measure, Online, Origin, RulePack, STARS, Scope, Severity, Validity,
};
