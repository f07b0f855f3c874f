//! The words of a rule pack: where a rule comes from, how it is proven, what it asks.

use serde::{Deserialize, Serialize};

/// Where a rule comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// DB3710/T 133-2021 says it.
    Seed,
    /// The number stands in another standard, named in `basis`.
    Standard,
    /// Our own number.
    Proposal,
}

/// How a check is proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Evidence {
    /// The gateway measures it.
    Measured,
    /// A named person says it.
    Attested,
    /// Measured against something attested.
    Mixed,
}

/// Which way a measured value must lie from the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// At least the threshold.
    Ge,
    /// At most the threshold.
    Le,
    /// It must hold.
    True,
}

/// What a star needs, or what was measured: yes or no, or a number in the check's unit.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Measure {
    /// It holds.
    Flag(bool),
    /// A number in the check's unit.
    Number(f64),
}
