//! The equipment-risk grade of each device and of the estate (5.1.1.2: a warning mechanism with
//! grades; from medium on, an estate is to be visited first). Only equipment is graded.
//!
//! [`rules`] reads `config/risk.toml`, where every number stands; [`grade`] is a pure function of
//! [`Inputs`]; [`facts`] gathers those from the snapshot, the evidence and the buses; [`book`] holds
//! the grades over time: they rise at once, fall only after a while, and become events.

mod book;
mod facts;
mod grade;
mod keep;
mod rules;
mod storm;
mod table;
#[cfg(test)]
mod tests;
mod words;

pub(super) use book::{RiskBook, time_of_day};
pub use facts::DeviceAlarms;
pub(super) use grade::{Code, Inputs};
pub use rules::{BUILT_IN as RISK_RULES, RiskRules};
pub use table::{DeviceRisk, EstateGrade, RiskTable};
