//! A trial: the site, what reached the platform, and what the gateway promised, over many lives of
//! one gateway; and the table that comes of it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::parts::{ask, let_run, wait_until};

use super::oracle::{Left, Oracle};
use super::site::Site;
use super::stream::Stream;
use super::unix_ms;

/// Between two looks at the page.
const GLANCE: Duration = Duration::from_millis(100);
/// Most looks at the end until everything has arrived.
const PATIENCE: u32 = 1200;

/// When a life of the daemon ended, milliseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// When the daemon was started.
    pub started: i64,
    /// When it lost power, or was killed.
    pub at: i64,
    /// What it was doing.
    pub kind: &'static str,
}

/// The site and all that is known of the gateway.
pub struct Trial {
    pub site: Site,
    pub stream: Stream,
    pub oracle: Oracle,
    pub cuts: Vec<Cut>,
    begun: i64,
}

impl Trial {
    pub fn new(folder: &Path) -> Self {
        let site = Site::new(folder);
        let stream = Stream::new(site.arrived());
        let (oracle, cuts, begun) = (Oracle::default(), Vec::new(), unix_ms());
        Self { site, stream, oracle, cuts, begun }
    }

    /// In the first life, when everything works: the field begins to count once the daemon has
    /// subscribed.
    pub fn begin(&mut self, page: SocketAddr) {
        self.site.presence(true);
        wait_until("the plug is heard", || {
            ask(page, "/api/v1/devices").is_some_and(|devices| {
                let plug = devices.as_array().unwrap().iter().find(|d| d["id"] == "plug");
                plug.unwrap()["health"] == "online"
            })
        });
        self.site.publish();
    }

    /// What the page promises now; nothing while it does not answer.
    pub fn glance(&mut self, page: SocketAddr) -> Option<Value> {
        let status = ask(page, "/api/v1/buffer")?;
        self.oracle.promised(&status);
        Some(status)
    }

    pub fn until(&mut self, page: SocketAddr, end: i64) {
        while unix_ms() < end {
            self.glance(page);
            let_run(GLANCE);
        }
    }

    pub fn await_page(&mut self, page: SocketAddr) {
        wait_until("the page answers", || self.glance(page).is_some());
    }

    /// Holds what a cut left against what was promised.
    pub fn look(&mut self, left: &Left) {
        self.stream.catch_up();
        self.oracle.look(left, &self.stream);
    }

    /// Waits until everything that the field counted has arrived, and holds the whole stream
    /// against its contract; returns how much was counted.
    pub fn drain(&mut self, page: SocketAddr) -> u64 {
        self.site.link(true);
        let messages = self.site.end_of_publishing();
        let mut waited = 0;
        let skipped = loop {
            self.stream.catch_up();
            let status = self.glance(page);
            let blocks = status.as_ref().and_then(|status| status["blocks"].as_u64());
            let missing = self.stream.missing(messages);
            if missing.is_empty() && blocks.is_some_and(|blocks| blocks <= 2) {
                break status.unwrap()["skipped_positions"].as_u64().unwrap();
            }
            waited += 1;
            assert!(
                waited < PATIENCE,
                "not everything arrived, {} of {messages} are missing: {missing:?}; {status:?}",
                missing.len(),
            );
            let_run(GLANCE);
        };
        self.oracle.skipped = skipped;
        self.site.link(false);
        let_run(Duration::from_secs(1));
        self.stream.catch_up();
        let summary = self.stream.verifier.summary();
        assert!(summary.is_whole(), "{summary}");
        let verdict = self.site.verdict();
        assert_eq!(verdict["summary"]["open_gaps"], 0, "{verdict}");
        // Of the announced positions not one more may be missing than never were a block.
        assert_eq!(verdict["summary"]["announced_gaps"], skipped, "{verdict}");
        assert_eq!(verdict["summary"]["epochs"], 1, "{verdict}");
        messages
    }

    /// What must have happened, or the trial says nothing.
    pub fn was_real(&self, messages: u64) {
        assert!(messages > 0 && self.oracle.acknowledged() > 0, "nothing was at work");
        assert!(self.oracle.at_stake > 0, "no block waited for the platform at any cut");
        assert!(self.oracle.looks >= self.cuts.len() as u64, "a cut was not looked at");
        assert!(self.stream.blocks() >= self.oracle.acknowledged(), "a promised block is missing");
    }

    /// By how much the newest kept reading was older than the end of its life, in milliseconds;
    /// by kind of cut.
    fn ages(&self) -> BTreeMap<&'static str, Vec<i64>> {
        let mut ages: BTreeMap<&'static str, Vec<i64>> = BTreeMap::new();
        for cut in &self.cuts {
            let newest = self.stream.newest_before(cut.at).unwrap_or(cut.started);
            ages.entry(cut.kind).or_default().push(cut.at - newest.max(cut.started));
        }
        ages.values_mut().for_each(|ages| ages.sort_unstable());
        ages
    }

    /// The figures for people; `what`: power cuts or kills.
    pub fn table(&self, what: &str, messages: u64, seed: u64, more: &[(&str, String)]) -> String {
        let missing = self.stream.missing(messages).len();
        let mut rows = vec![
            (what.to_owned(), self.cuts.len().to_string()),
            ("blocks acknowledged".into(), self.oracle.acknowledged().to_string()),
            ("  waiting here at a cut".into(), self.oracle.at_stake.to_string()),
            ("  lost".into(), self.oracle.lost.len().to_string()),
            ("messages acknowledged".into(), messages.to_string()),
            ("  lost".into(), missing.to_string()),
        ];
        for (kind, ages) in self.ages() {
            let second = |at: usize| ages[at] as f64 / 1000.0;
            let (worst, middle) = (second(ages.len() - 1), second(ages.len() / 2));
            let text = format!(
                "{:>4}; newest kept reading {worst:.1} s old at the worst, {middle:.1} s median",
                ages.len()
            );
            rows.push((format!("{what} {kind}"), text));
        }
        let (blocks, all) = (self.stream.blocks(), self.stream.messages);
        let unstamped = self.stream.unstamped;
        rows.push((
            "blocks at the platform".into(),
            format!("{blocks} in {all} messages, {unstamped} without a trusted time"),
        ));
        let events: Vec<String> =
            self.stream.events.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        rows.push(("events".into(), events.join(", ")));
        rows.extend(more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
        rows.push(("seed".into(), seed.to_string()));
        rows.push(("duration".into(), format!("{} s", (unix_ms() - self.begun) / 1000)));
        rows.iter()
            .fold(String::new(), |text, (name, value)| text + &format!("{name:<32} {value}\n"))
    }
}
