//! From online time and link evidence to outcomes, and from outcomes to a star.

use std::sync::Arc;
use std::time::Duration;

use super::assessment::{
    ASSESSMENT_VERSION, Assessment, Bilingual, CategoryResult, CheckResult, GroupSummary,
    LevelResult, LevelSummary, Outcome, PackInfo,
};
use super::attest::{AttestationResult, Attested};
use super::effects::Effects;
use super::environment::NoiseZone;
use super::evidence::{Book, EvidenceChain, GatewaySeen};
use super::measured::{exempt, inventory_of};
use super::metric::Metric;
use super::pack::{Check, Measure, RulePack, STARS};
use super::season::Season;
use super::verdict::{
    Judged, Level, judge_coverage, judge_link, judge_rate, judge_set, shortfall, unknown,
};
use crate::model::{Category, Estate, Fact, Moment, Snapshot, WallTime};
use crate::store::StoreError;

/// What the uplink proves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LinkEvidence {
    /// The platform's broker holds a session with us now.
    pub connected: bool,
    /// The session is (or the last one was) authenticated: broker by TLS, we by certificate or
    /// password.
    pub authenticated: bool,
    /// When the platform last acknowledged a block.
    pub acknowledged_at: Option<Moment>,
}

/// What one assessment looks at beside the evidence.
pub(super) struct Sight<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) link: &'a LinkEvidence,
    /// What people said, one a subject, judged.
    pub(super) attested: Vec<AttestationResult>,
    /// Categories that a named person declared not to apply.
    pub(super) exempt: Vec<Category>,
    pub(super) now: Moment,
}

/// Watches the estate and assesses it.
#[derive(Debug)]
pub struct Engine {
    pub(super) pack: RulePack,
    pub(super) estate: Arc<Estate>,
    pub(super) book: Book,
    pub(super) started: Moment,
    pub(super) effects: Effects,
    pub(super) attested: Arc<Attested>,
}

impl Engine {
    /// Begins with no history at `started`.
    pub fn new(pack: RulePack, estate: Arc<Estate>, started: Moment) -> Self {
        let book = Book::new(&pack, &estate, started);
        let effects = Effects::new(&pack, &estate, started);
        Self { pack, estate, book, started, effects, attested: Arc::default() }
    }

    /// Goes on with the evidence of a store, and keeps it there.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn keep(&mut self, chain: EvidenceChain) -> Result<(), StoreError> {
        self.book.attach(chain)
    }

    /// Sets when heat meters are expected to bring readings; all year without one.
    pub fn set_season(&mut self, season: Option<Season>) {
        self.book.season = season;
    }

    /// Replaces what people said and scans found; whether a word still holds is judged at each
    /// assessment.
    pub fn set_attested(&mut self, attested: Arc<Attested>) {
        self.attested = attested;
    }

    /// The rules in use.
    pub fn pack(&self) -> &RulePack {
        &self.pack
    }

    /// Books the time since the last call; while the wall clock is not trusted it is kept apart.
    /// Between two calls at most half a minute should pass: the shortest period of a check is one.
    pub fn observe(
        &mut self,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<WallTime>,
        gateway: &GatewaySeen,
    ) {
        self.book.observe(snapshot, now, wall, gateway);
        self.follow(snapshot, now, wall);
    }

    /// Takes a fact as evidence, at `now`; while the wall clock is not trusted it is kept apart.
    pub fn take(&mut self, fact: Fact, now: Moment, wall: Option<WallTime>) {
        self.book.take(fact, now, wall);
    }

    /// Sets the zone of GB 3096 that the city's zoning gives the estate; noise is judged by it.
    pub fn set_noise_zone(&mut self, zone: Option<NoiseZone>) {
        self.book.set_noise_zone(zone);
    }

    /// Hands to the store what is due; at the end, everything. It is durable with the next commit.
    ///
    /// # Errors
    /// The store refused; the next call tries again.
    pub fn save(&mut self, now: Moment, all: bool) -> Result<(), StoreError> {
        self.book.save(now, all)?;
        self.effects.save(now, all)
    }

    /// Notes what an assessment gave: for the day's evidence, and since when a check does not pass.
    pub fn note(&mut self, assessment: &Assessment, wall: Option<WallTime>) {
        if let Some(wall) = wall {
            self.book.note(assessment, wall.unix_ms);
        }
    }

    /// The result on the history observed so far.
    pub fn assess(
        &self,
        snapshot: &Snapshot,
        link: &LinkEvidence,
        now: Moment,
        wall: Option<WallTime>,
    ) -> Assessment {
        let attested = self.said(wall);
        let sight = Sight { snapshot, link, exempt: exempt(&attested), attested, now };
        let exempt = &sight.exempt;
        let levels: Vec<Level> = (1..=STARS).map(|star| self.level(star, exempt)).collect();
        let judged: Vec<Vec<(u8, Judged)>> = self
            .pack
            .checks()
            .iter()
            .map(|check| {
                let stars = levels.iter().filter_map(|level| {
                    let needed = check.needed(level.star)?;
                    Some((level.star, self.judge(check, needed, level, &sight)))
                });
                stars.collect()
            })
            .collect();
        let summaries = summarise(&judged);
        let star = summaries.iter().filter(|level| level.reached).map(|l| l.star).max();
        let star = star.unwrap_or(0);
        let next = (star < STARS).then_some(star + 1);
        let target = self.pack.target(self.estate.kind);
        let mut missing = self.missing(&judged, next);
        missing.sort_by(|a, b| b.0.total_cmp(&a.0));
        let missing = missing.into_iter().map(|(_, id)| id).collect();
        let groups = self.groups(&judged, target);
        let shown = &levels[usize::from(next.unwrap_or(STARS)) - 1];
        let categories = self.categories(shown, &sight);
        let results = self.pack.checks().iter().zip(judged);
        let checks = results
            .map(|(check, judged)| self.result(check, judged, shown.star, snapshot, now, wall))
            .collect();
        let window = self.book.window();
        let rules = self.pack.evaluation();
        let head = self.pack.head();
        Assessment {
            v: ASSESSMENT_VERSION,
            gateway: self.estate.gateway.as_str().to_owned(),
            banner: Bilingual::new(&head.banner_zh, &head.banner_en),
            pack: PackInfo {
                id: head.id.clone(),
                version: head.version.clone(),
                sha256: self.pack.sha256().to_owned(),
                official: head.official,
            },
            at_ms: wall.map(|wall| wall.unix_ms),
            window_s: window.as_secs(),
            provisional: window
                < Duration::from_secs(u64::from(rules.provisional_below_days) * 86_400),
            kind: self.estate.kind,
            target,
            star,
            next,
            missing,
            levels: summaries,
            groups,
            categories,
            checks,
            environment: self.book.environment_report(),
            risk: self.risk_report(),
            self_test: self.self_test_items(),
            advisory: self.advisory(&sight.attested),
            attestations: sight.attested,
            found_unknown: self.discovered(None),
        }
    }

    fn level(&self, star: u8, exempt: &[Category]) -> Level {
        let rates = self.by_category(exempt, |index| self.book.rate(index, star));
        let threshold = self.online_threshold(star);
        let good = rates.iter().filter(|(_, rate)| threshold.is_some_and(|least| *rate >= least));
        let dormant = self.dormant(&rates, exempt);
        let covered = good.map(|(category, _)| *category).chain(dormant.iter().copied()).collect();
        Level { star, rates, dormant, covered }
    }

    /// Categories without a rate because nothing was expected of their devices.
    fn dormant(&self, rates: &[(Category, f64)], exempt: &[Category]) -> Vec<Category> {
        let without = |category: Category| {
            !exempt.contains(&category) && rates.iter().all(|(other, _)| *other != category)
        };
        let mut found: Vec<Category> = self
            .estate
            .indexed()
            .filter(|(index, device)| without(device.category) && self.book.dormant(*index))
            .map(|(_, device)| device.category)
            .collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// The online rate that makes a category covered at a star: the threshold of Q1.
    pub(super) fn online_threshold(&self, star: u8) -> Option<f64> {
        let check = self.pack.checks().iter().find(|check| check.metric == Metric::OnlineRate)?;
        match check.needed(star)? {
            Measure::Number(least) => Some(least),
            Measure::Flag(_) => None,
        }
    }

    fn judge(&self, check: &Check, needed: Measure, level: &Level, sight: &Sight<'_>) -> Judged {
        match check.metric {
            Metric::PlatformSession => judge_link(sight.link, sight.now),
            Metric::SecurityGrading | Metric::Privacy => self.word(check, sight),
            _ if self.book.window().is_zero() => unknown(
                needed,
                Bilingual::new(
                    "刚启动，或时钟尚未可信：尚无证据",
                    "just started, or the clock is not trusted yet: no evidence",
                ),
            ),
            Metric::CategoriesCovered => judge_coverage(needed, level, &sight.exempt),
            Metric::CategorySet => judge_set(self.pack.set(level.star), level, &sight.exempt),
            Metric::OnlineRate => judge_rate(check, needed, level),
            _ => self.judge_measured(check, needed, level, sight),
        }
    }

    fn missing(&self, judged: &[Vec<(u8, Judged)>], next: Option<u8>) -> Vec<(f64, String)> {
        let Some(next) = next else { return Vec::new() };
        let mut missing = Vec::new();
        for (check, stars) in self.pack.checks().iter().zip(judged) {
            // Every star below is reached, so only the next one can lack something.
            if let Some((_, judged)) = stars.iter().find(|(star, _)| *star == next)
                && !judged.outcome.passes()
            {
                missing.push((shortfall(judged), check.id.clone()));
            }
        }
        missing
    }

    fn groups(&self, judged: &[Vec<(u8, Judged)>], target: u8) -> Vec<GroupSummary> {
        let mut groups: Vec<GroupSummary> = Vec::new();
        for (check, stars) in self.pack.checks().iter().zip(judged) {
            let Some((_, judged)) = stars.iter().find(|(star, _)| *star == target) else {
                continue;
            };
            let id: String = check.id.chars().take(1).collect();
            let slot = groups.iter().position(|group| group.id == id).unwrap_or_else(|| {
                groups.push(GroupSummary { id, achieved: 0, obtainable: 0 });
                groups.len() - 1
            });
            groups[slot].obtainable += 1;
            groups[slot].achieved += u32::from(judged.outcome.passes());
        }
        groups
    }

    fn categories(&self, level: &Level, sight: &Sight<'_>) -> Vec<CategoryResult> {
        let twelve = Category::ALL.iter().filter(|category| **category != Category::Other);
        twelve
            .map(|&category| CategoryResult {
                category,
                devices: self.configured(category),
                online_rate: level.rate(category),
                covered: level.covered.contains(&category),
                not_applicable: sight.exempt.contains(&category),
                out_of_season: level.dormant.contains(&category),
                inventory: inventory_of(&sight.attested, category).ok(),
                connected: self.connected(category),
                found: self.discovered(Some(category)),
            })
            .collect()
    }

    fn result(
        &self,
        check: &Check,
        judged: Vec<(u8, Judged)>,
        next: u8,
        snapshot: &Snapshot,
        now: Moment,
        wall: Option<WallTime>,
    ) -> CheckResult {
        let levels: Vec<LevelResult> = judged
            .iter()
            .map(|(star, judged)| LevelResult {
                star: *star,
                needed: judged.needed,
                measured: judged.measured,
                outcome: judged.outcome,
            })
            .collect();
        let slot = judged.iter().position(|(star, _)| *star >= next).unwrap_or(judged.len() - 1);
        let (star, chosen) =
            judged.into_iter().nth(slot).expect("a pack without faults requires each check");
        let (hint_zh, hint_en) = check.metric.hint();
        let (devices, more_devices) = if chosen.outcome == Outcome::NotMet {
            self.culprits(check, star, snapshot, now, wall)
        } else {
            (Vec::new(), 0)
        };
        CheckResult {
            id: check.id.clone(),
            title: Bilingual::new(&check.zh, &check.en),
            source: check.source.clone(),
            origin: check.origin,
            basis: check.basis.clone(),
            evidence: check.evidence,
            unit: check.unit.clone(),
            dir: check.dir,
            star,
            outcome: chosen.outcome,
            measured: chosen.measured,
            needed: chosen.needed,
            reason: chosen.reason,
            // What nothing measures needs its source first; the reason names it.
            hint: (chosen.outcome == Outcome::NotMet).then(|| Bilingual::new(hint_zh, hint_en)),
            since_ms: if chosen.outcome.passes() {
                None
            } else {
                self.book.unmet_since(&check.id, star)
            },
            devices,
            more_devices,
            levels,
        }
    }
}

fn summarise(judged: &[Vec<(u8, Judged)>]) -> Vec<LevelSummary> {
    let mut below = true;
    (1..=STARS)
        .map(|star| {
            let here: Vec<Outcome> = judged
                .iter()
                .flatten()
                .filter(|(s, _)| *s == star)
                .map(|(_, judged)| judged.outcome)
                .collect();
            let count = |wanted| {
                let found = here.iter().filter(|outcome| **outcome == wanted).count();
                u32::try_from(found).unwrap_or(u32::MAX)
            };
            below = below && !here.is_empty() && here.iter().all(|outcome| outcome.passes());
            LevelSummary {
                star,
                required: u32::try_from(here.len()).unwrap_or(u32::MAX),
                met: count(Outcome::Met),
                not_met: count(Outcome::NotMet),
                unknown: count(Outcome::Unknown),
                not_applicable: count(Outcome::NotApplicable),
                reached: below,
            }
        })
        .collect()
}
