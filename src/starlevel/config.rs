//! Settings of the star-level check.

use std::path::PathBuf;
use std::time::Duration;

use super::attest::Attestation;
use crate::settings::Section;

/// Settings of the star-level check.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Rule pack; the one built into the program when `None`.
    pub rule_pack: Option<PathBuf>,
    /// File with what people attest; none when `None`.
    pub attestations: Option<PathBuf>,
    /// Its content; empty until the file is read.
    pub attested: Vec<Attestation>,
    /// How often the assessment is renewed.
    pub every: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rule_pack: None,
            attestations: None,
            attested: Vec::new(),
            every: Duration::from_secs(60),
        }
    }
}

impl Config {
    /// Reads the section `[stars]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        let range = Duration::from_secs(10)..=Duration::from_secs(86_400);
        Self {
            rule_pack: section.path("rule_pack"),
            attestations: section.path("attestations"),
            attested: Vec::new(),
            every: section.duration_or("every", range, Self::default().every),
        }
    }
}
