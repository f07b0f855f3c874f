//! Settings of the star-level check.

use std::path::PathBuf;
use std::time::Duration;

use super::attest::Attestation;
use super::environment::NoiseZone;
use super::season::Season;
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
    /// When heat meters are expected to bring readings; all year when `None`.
    pub heating_season: Option<Season>,
    /// The zone of GB 3096 that the city's zoning gives the estate; noise is not judged when `None`.
    pub noise_zone: Option<NoiseZone>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            rule_pack: None,
            attestations: None,
            attested: Vec::new(),
            every: Duration::from_secs(60),
            heating_season: None,
            noise_zone: None,
        }
    }
}

impl Config {
    /// Reads the section `[stars]`; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        let zones = NoiseZone::ALL.map(|zone| (zone.word(), zone));
        let range = Duration::from_secs(10)..=Duration::from_secs(86_400);
        Self {
            rule_pack: section.path("rule_pack"),
            heating_season: section.parsed(
                "heating_season",
                "the first and the last day, month and day, e.g. \"11-15..04-05\"",
                Season::parse,
            ),
            attestations: section.path("attestations"),
            attested: Vec::new(),
            every: section.duration_or("every", range, Self::default().every),
            noise_zone: section.word("noise_zone", &zones),
        }
    }
}
