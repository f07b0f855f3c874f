//! The star level beside its engine: its rules, its reports, its retained document.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::buffer::Buffer;
use crate::config::Settings;
use crate::model::Estate;
use crate::starlevel::report::{Reporter, SigningKey};
use crate::starlevel::{Assessment, EvidenceChain, Outcome, PackInfo, RulePack};

/// Without a trusted clock no natural day is known: the document is renewed after so long.
const DAY: Duration = Duration::from_secs(86_400);

/// The rules that the settings name, or those built in.
///
/// # Errors
/// All faults of the pack.
pub(super) fn rule_pack(settings: &Settings) -> anyhow::Result<RulePack> {
    let Some(path) = &settings.starlevel.rule_pack else { return Ok(RulePack::built_in()) };
    RulePack::load(path).map_err(|faults| {
        let faults: Vec<String> = faults.iter().map(ToString::to_string).collect();
        anyhow::anyhow!("the rule pack of the star levels:\n{}", faults.join("\n"))
    })
}

/// Makes reports, with the key beside the store; it is made at the first start. Without a key the
/// gateway goes on, and only makes no report.
pub(super) fn reporter(
    settings: &Settings,
    pack: &RulePack,
    estate: &Arc<Estate>,
    buffer: &Buffer,
) -> Reporter {
    let key = SigningKey::beside(&settings.buffer.path);
    if let Err(fault) = &key {
        tracing::error!(%fault, "no report of the star level can be signed");
    }
    let evidence = EvidenceChain::new(buffer.store());
    let season = settings.starlevel.heating_season;
    Reporter::new(pack.clone(), Arc::clone(estate), evidence, season, key)
}

/// What makes an assessment worth telling the platform: what people would call another result.
/// Measured values move all the time and are not in it, nor is the order of what is missing, which
/// follows them.
#[derive(Debug, PartialEq)]
struct Gist {
    star: u8,
    next: Option<u8>,
    target: u8,
    provisional: bool,
    pack: PackInfo,
    missing: Vec<String>,
    /// Check, star, outcome.
    outcomes: Vec<(String, u8, Outcome)>,
}

impl Gist {
    fn of(assessment: &Assessment) -> Self {
        let mut missing = assessment.missing.clone();
        missing.sort();
        let levels = assessment.checks.iter().flat_map(|check| {
            check.levels.iter().map(|level| (check.id.clone(), level.star, level.outcome))
        });
        Self {
            star: assessment.star,
            next: assessment.next,
            target: assessment.target,
            provisional: assessment.provisional,
            pack: assessment.pack.clone(),
            missing,
            outcomes: levels.collect(),
        }
    }
}

/// The document that was published last.
struct Told {
    gist: Gist,
    /// The natural day in the pack's zone; `None` while the clock was not trusted.
    day: Option<u32>,
    at: Instant,
}

impl Told {
    fn of(assessment: &Assessment, pack: &RulePack) -> Self {
        let day = assessment.at_ms.map(|at| pack.natural_day(at));
        Self { gist: Gist::of(assessment), day, at: Instant::now() }
    }

    /// Whether `self` is to be told after `last`.
    fn is_news(&self, last: &Self) -> bool {
        let another_day = match (self.day, last.day) {
            (Some(day), last) => Some(day) != last,
            (None, _) => self.at.duration_since(last.at) >= DAY,
        };
        another_day || self.gist != last.gist
    }
}

/// Turns the assessment into the retained document: the first after the start, at each change of
/// the result, and once a natural day. It is renewed each minute, and a whole document each minute
/// is too much for a mobile link.
pub(super) async fn publish_assessment(
    mut assessment: watch::Receiver<Option<Arc<Assessment>>>,
    out: watch::Sender<Option<Arc<str>>>,
    pack: RulePack,
    stop: CancellationToken,
) {
    let mut last: Option<Told> = None;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            changed = assessment.changed() => if changed.is_err() { return stop.cancelled().await },
        }
        let Some(present) = assessment.borrow_and_update().clone() else { continue };
        let told = Told::of(&present, &pack);
        if last.as_ref().is_none_or(|last| told.is_news(last)) {
            out.send_replace(Some(Arc::from(present.to_json())));
            last = Some(told);
        }
    }
}

#[cfg(test)]
#[path = "stars_tests.rs"]
mod tests;
