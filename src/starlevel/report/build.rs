//! Puts a report together from the assessment, the rules and the stored evidence.

use super::chain;
use super::days;
use super::document::{
    REPORT_VERSION, Report, ReportCategory, ReportDevice, ReportEstate, ReportPeriod, Thresholds,
};
use super::words::{definitions, weak_points};
use crate::model::{Category, Estate};
use crate::starlevel::evidence::{EvidenceChain, date};
use crate::starlevel::metric::Metric;
use crate::starlevel::pack::{Measure, RulePack};
use crate::starlevel::season::Season;
use crate::starlevel::{Assessment, ChainFault};
use crate::store::StoreError;

/// The report without the key and the notes. Blocks while it reads the store.
pub(super) fn build(
    pack: &RulePack,
    estate: &Estate,
    evidence: &EvidenceChain,
    season: Option<Season>,
    assessment: &Assessment,
    made_at_ms: Option<i64>,
) -> Result<Report, StoreError> {
    let window = pack.evaluation().window_days.max(1);
    let end = match assessment.at_ms {
        Some(at) => Some(pack.natural_day(at)),
        // Without a trusted clock: what was closed while there was one.
        None => evidence.last_closed()?.map(|last| last.saturating_add(1)),
    };
    let period = end.map(|end| (end.saturating_sub(window), end));
    let closed = match period {
        Some((first, end)) => evidence.closed(first, end)?,
        None => Vec::new(),
    };
    let heating_season = season.map(Season::text);
    let here = ReportEstate { heating_season, ..here(pack, estate, assessment) };
    let mut chain = chain::from_store(&closed);
    let days = days::sum(&closed, &here, assessment.target).unwrap_or_else(|day| {
        // The rows go into the report as they are; a later program may read them.
        chain.fault.get_or_insert(ChainFault {
            day,
            zh: "当日的行不是本程序的格式".into(),
            en: "its rows are of a version that this program does not read".into(),
        });
        Vec::new()
    });
    Ok(Report {
        v: REPORT_VERSION,
        banner: assessment.banner.clone(),
        notes: Vec::new(),
        made_by: format!("linli {}", env!("CARGO_PKG_VERSION")),
        made_at_ms,
        time_zone: pack.evaluation().timezone.clone(),
        estate: here,
        pack: assessment.pack.clone(),
        thresholds: thresholds(pack, assessment.target),
        period: period.map(|(first, end)| ReportPeriod {
            first: date(first),
            last: date(end.saturating_sub(1)),
            days: end - first,
        }),
        days,
        chain,
        public_key: String::new(),
        assessment: assessment.clone(),
        definitions: definitions(pack, assessment.target),
        weak_points: weak_points(pack),
    })
}

/// The categories and devices that count.
fn here(pack: &RulePack, estate: &Estate, assessment: &Assessment) -> ReportEstate {
    let left_out = |category: Category| {
        category == Category::Other
            || assessment.categories.iter().any(|c| c.category == category && c.not_applicable)
    };
    let counts = || estate.devices().iter().filter(|device| !left_out(device.category));
    let categories = Category::ALL.iter().filter_map(|&category| {
        counts().any(|device| device.category == category).then_some(())?;
        let every = pack.reading_every(category, assessment.target)?;
        Some(ReportCategory {
            category,
            reading_s: every.as_secs(),
            seasonal: pack.is_seasonal(category),
        })
    });
    ReportEstate {
        gateway: estate.gateway.as_str().to_owned(),
        name: estate.name.clone(),
        kind: estate.kind,
        heating_season: None,
        categories: categories.collect(),
        devices: counts()
            .map(|device| ReportDevice {
                id: device.id.as_str().to_owned(),
                category: device.category,
            })
            .collect(),
    }
}

fn thresholds(pack: &RulePack, star: u8) -> Thresholds {
    let of = |metric: Metric| {
        let check = pack.checks().iter().find(|check| check.metric == metric)?;
        match check.needed(star)? {
            Measure::Number(needed) => Some(needed),
            Measure::Flag(_) => None,
        }
    };
    Thresholds {
        online: of(Metric::OnlineRate),
        completeness: of(Metric::DataCompleteness),
        link: of(Metric::PlatformAvailability),
    }
}
