//! Checks the star-level capabilities of DB3710/T 133-2021, 7.5, by a public rule pack.
//!
//! The star is the highest level all of whose checks, and those of every level below, are met.
//! What nothing measures is *unknown* and never passes, so no star is shown without evidence.
//! Evidence is kept by natural day in the store for 400 days in a hash chain (`evidence`). What the
//! gateway cannot see by itself is told as facts ([`Fact`](crate::model::Fact)): the buffer tells of
//! deliveries, other parts of alarms, broadcasts and clocks; until one does, those checks are
//! unknown. What only a person can say counts by name until an expiry (`attest`). What environment
//! sensors measure is averaged by the hour and the day (`environment`).
//!
//! [`report`] signs the result with everything that it stands on. [`scorecard`] fills in the
//! evaluation tables of annex A; their stars are another scale.

mod assessment;
mod attest;
mod charging;
mod config;
mod culprits;
mod effects;
mod engine;
mod environment;
mod evidence;
mod fault;
mod judge;
mod measured;
mod metric;
mod pack;
pub mod report;
mod risk;
mod row;
pub mod scorecard;
mod season;
mod show;
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
pub use effects::{RiskReport, RiskVisit, SelfTestItem};
pub use engine::{Engine, LinkEvidence};
pub use environment::{AirClass, EnvironmentReport, NoiseZone, Parameter, StationReport};
pub use evidence::{
    BufferSeen, ChainFault, ChainReport, EvidenceChain, GatewaySeen, METER_CLOCK_S,
};
pub use fault::PackFault;
pub use metric::Metric;
pub use pack::{
    Advisory, BUILT_IN, CategoryRule, CategorySet, Check, Completeness, Direction, Evaluation,
    Evidence, Head, Measure, Online, Origin, RulePack, STARS, Scope, Severity, Validity,
};
pub use risk::{DeviceAlarms, DeviceRisk, EstateGrade, RISK_RULES, RiskRules, RiskTable};
pub use season::Season;
pub use show::percent;
