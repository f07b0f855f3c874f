//! Whether a report is what it says: signature, chain, days, rules. Needs nothing but the file.

use serde::Serialize;

use super::chain::{fault, to_days, unhex};
use super::days;
use super::document::{REPORT_VERSION, Report, ReportDay};
use super::key::fingerprint;
use super::seal::{SealFault, open};
use crate::starlevel::evidence::date;
use crate::starlevel::{Bilingual, RulePack};

/// What was found in a report.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verified {
    /// Whether nothing speaks against it.
    pub good: bool,
    /// `html` or `json`; absent for a file whose signature does not hold.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub form: Option<&'static str>,
    /// The key that signed it, lower-case hex.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub public_key: Option<String>,
    /// What people compare of the key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fingerprint: Option<String>,
    /// Whether the key is the one that was given; absent when none was.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_matches: Option<bool>,
    /// The gateway that it speaks of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub gateway: Option<String>,
    /// Its star.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub star: Option<u8>,
    /// First and last natural day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub period: Option<(String, String)>,
    /// Closed days in it.
    pub days: usize,
    /// Hash of the newest day.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub head: Option<String>,
    /// Whether the rules are those built into this program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub built_in_rules: Option<bool>,
    /// What is wrong.
    pub faults: Vec<Bilingual>,
    /// What remains to be compared or known.
    pub notes: Vec<Bilingual>,
}

/// Looks at the bytes of a file; `key` is the public key that the reader trusts.
pub fn verify(file: &[u8], key: Option<&[u8; 32]>) -> Verified {
    let opened = match open(file) {
        Ok(opened) => opened,
        Err(fault) => return Verified::broken(fault),
    };
    let report = &opened.report;
    let mut found = Verified {
        form: Some(opened.form.word()),
        public_key: Some(super::chain::hex(&opened.public_key)),
        fingerprint: Some(fingerprint(&opened.public_key)),
        key_matches: key.map(|key| *key == opened.public_key),
        gateway: Some(report.estate.gateway.clone()),
        star: Some(report.assessment.star),
        period: report.period.as_ref().map(|p| (p.first.clone(), p.last.clone())),
        days: report.chain.days.len(),
        head: report.chain.head.clone(),
        ..Verified::empty()
    };
    found.look_at_key(report, &opened.public_key);
    found.look_at_days(report);
    found.look_at_rules(report);
    found.good = found.faults.is_empty();
    found
}

impl Verified {
    fn empty() -> Self {
        Self {
            good: false,
            form: None,
            public_key: None,
            fingerprint: None,
            key_matches: None,
            gateway: None,
            star: None,
            period: None,
            days: 0,
            head: None,
            built_in_rules: None,
            faults: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn broken(fault: SealFault) -> Self {
        Self { faults: vec![fault.words()], ..Self::empty() }
    }

    fn fault(&mut self, zh: impl Into<String>, en: impl Into<String>) {
        self.faults.push(Bilingual::new(zh, en));
    }

    fn look_at_key(&mut self, report: &Report, key: &[u8; 32]) {
        if report.v != REPORT_VERSION {
            self.fault(
                format!("报告版本为 {}，本程序可读 {REPORT_VERSION}", report.v),
                format!("the report is of version {}, allowed is {REPORT_VERSION}", report.v),
            );
        }
        if unhex::<32>(&report.public_key).as_ref() != Some(key) {
            self.fault(
                "报告中所写的公钥不是签名所用的密钥",
                "the public key that the report names is not the one that signed it",
            );
        }
        match self.key_matches {
            Some(true) => {}
            Some(false) => self.fault(
                "签名密钥不是 --key 所给的密钥：报告不是该网关签发的",
                "the key that signed it is not the one of --key: another gateway or another person signed it",
            ),
            None => self.notes.push(Bilingual::new(
                "未给出 --key：任何人都能用自己的密钥签名，请与网关页面或平台设备清单中的公钥比对",
                "no --key given: anyone can sign with a key of their own; compare it with the one on \
                 the gateway's page or in the platform's inventory",
            )),
        }
    }

    fn look_at_days(&mut self, report: &Report) {
        let closed = match to_days(&report.chain) {
            Ok(closed) => closed,
            Err(fault) => {
                let (zh, en) = (format!("{}：{}", fault.day, fault.zh), fault.en);
                return self.fault(zh, format!("{}: {en}", fault.day));
            }
        };
        if let Some(fault) = fault(&closed) {
            self.fault(
                format!("{}：证据链不成立：{}", fault.day, fault.zh),
                format!("{}: the chain does not hold: {}", fault.day, fault.en),
            );
        } else if report.chain.fault.is_some() {
            self.fault(
                "报告自述证据链断裂，而其中的行并无问题",
                "the report says that the chain is broken, and its rows do not show it",
            );
        }
        let head = closed.last().map(|day| super::chain::hex(&day.hash));
        if head != report.chain.head {
            self.fault(
                "链头与报告所写不符",
                "the head of the chain is not the one that the report names",
            );
        }
        let inside = report.period.as_ref().is_none_or(|period| {
            closed.iter().all(|day| {
                let date = date(day.day);
                period.first <= date && date <= period.last
            })
        });
        if !inside || (report.period.is_none() && !closed.is_empty()) {
            self.fault("证据不在统计期内", "there are days outside the report's period");
        }
        match days::sum(&closed, &report.estate, report.assessment.target) {
            Err(day) => self.fault(
                format!("{day}：当日的行不是本程序可读的格式"),
                format!("{day}: its rows are of a version that this program does not read"),
            ),
            Ok(sums) => self.compare(&sums, &report.days),
        }
    }

    /// The days that the rows give against those that the report shows.
    fn compare(&mut self, sums: &[ReportDay], shown: &[ReportDay]) {
        let other = sums.iter().zip(shown).find(|(sum, shown)| !same(sum, shown));
        if let Some((day, _)) = other {
            self.fault(
                format!("{}：报告中的数字与证据行算出的不符", day.date),
                format!("{}: the numbers shown are not those that its rows give", day.date),
            );
        } else if sums.len() != shown.len() {
            self.fault(
                format!("报告列出 {} 日，证据行为 {} 日", shown.len(), sums.len()),
                format!("the report shows {} days, its rows are of {}", shown.len(), sums.len()),
            );
        }
    }

    fn look_at_rules(&mut self, report: &Report) {
        let pack = &report.pack;
        if *pack != report.assessment.pack || report.banner != report.assessment.banner {
            self.fault(
                "报告与自评结果所写的规则包不同",
                "the report and its assessment name different rules",
            );
        }
        if report.estate.gateway != report.assessment.gateway {
            self.fault(
                "报告与自评结果所写的网关不同",
                "the report and its assessment name different gateways",
            );
        }
        let built_in = RulePack::built_in().sha256() == pack.sha256;
        self.built_in_rules = Some(built_in);
        if !built_in {
            let (id, version, hash) = (&pack.id, &pack.version, &pack.sha256);
            self.notes.push(Bilingual::new(
                format!("所用规则包不是本程序内置的：{id} {version}，SHA-256 {hash}"),
                format!(
                    "made by other rules than those built into this program: {id} {version}, SHA-256 \
                     {hash}"
                ),
            ));
        }
    }
}

/// Equal but for what reading a number from text may cost.
fn same(a: &ReportDay, b: &ReportDay) -> bool {
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    let nearly = |a: Option<f64>, b: Option<f64>| match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (None, None) => true,
        _ => false,
    };
    let rows = a.categories.len() == b.categories.len()
        && a.categories.iter().zip(&b.categories).all(|(a, b)| {
            (a.category, a.devices) == (b.category, b.devices)
                && nearly(a.online_rate, b.online_rate)
                && nearly(a.completeness, b.completeness)
        });
    let counts = |day: &ReportDay| {
        (day.readings_stored, day.blocks_created, day.blocks_acknowledged, day.blocks_lost)
    };
    rows && a.date == b.date
        && counts(a) == counts(b)
        && near(a.observed_share, b.observed_share)
        && near(a.link_share, b.link_share)
        && nearly(a.online_rate, b.online_rate)
        && nearly(a.completeness, b.completeness)
        && nearly(a.valid_share, b.valid_share)
}
