//! What the page, the API and the metrics look at: handles on the others' states.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::access::Access;
use super::history::Desk;
use super::promises::Pledges;
use super::scan::ScanDesk;
use super::settings::Files;
use super::support::Support;
use super::tls::PageTls;
use crate::alarm::DeskHandle;
use crate::broadcast::BroadcastDesk;
use crate::buffer::BufferStatus;
use crate::clock::Clock;
use crate::command::Router;
use crate::driver::bus::BusRequest;
use crate::driver::mqtt::BrokerStatus;
use crate::driver::record::FrameLog;
use crate::history::History;
use crate::model::{BusId, BusTable, Estate, Health, Moment, Snapshot};
use crate::pipeline::Act;
use crate::starlevel::report::Reporter;
use crate::starlevel::{Assessment, AttestationDesk, Bilingual, EvidenceChain, RiskTable};
use crate::uplink::UplinkStatus;

/// Handles on everything that is shown. Reading them never waits for their writers.
#[derive(Debug, Clone)]
pub struct View {
    /// The estate as configured.
    pub estate: Arc<Estate>,
    /// Last values and health.
    pub snapshot: Snapshot,
    /// The buses.
    pub buses: BusTable,
    /// How each bus is asked and looked at, in the order of `buses`.
    pub lines: Vec<BusLine>,
    /// The field broker, when one is configured.
    pub broker: Option<watch::Receiver<BrokerStatus>>,
    /// The buffer.
    pub buffer: watch::Receiver<BufferStatus>,
    /// The uplink.
    pub uplink: watch::Receiver<UplinkStatus>,
    /// The star level; `None` before the first assessment.
    pub assessment: watch::Receiver<Option<Arc<Assessment>>>,
    /// The risk grades.
    pub risk: RiskTable,
    /// Its stored evidence, to be verified; `None` where there is no store.
    pub evidence: Option<EvidenceChain>,
    /// Makes reports of it; `None` where there is no store.
    pub reporter: Option<Reporter>,
    /// Where people attest what the star level needs; `None` where nothing can be kept.
    pub desk: Option<AttestationDesk>,
    /// The emergency broadcast; `None` where no terminal and no screen may be ordered.
    pub broadcast: Option<BroadcastDesk>,
    /// Who orders, and what was ordered; `None` where nothing can be kept.
    pub commands: Option<Router>,
    /// The clock.
    pub clock: Clock,
    /// When the daemon started.
    pub started: Moment,
    /// Version of the daemon.
    pub version: String,
    /// What a person did on the page, to the pipeline.
    pub acts: mpsc::Sender<Act>,
    /// The alarms; `None` where nobody watches for them.
    pub alarms: Option<DeskHandle>,
    /// What scans share.
    pub scan: ScanDesk,
    /// Who may do what, and who did what.
    pub access: Access,
    /// The certificate under which the page is served; `None` where it is served in plain.
    pub tls: Option<PageTls>,
    /// The files of the configuration; `None` where the gateway runs without one.
    pub files: Option<Arc<dyn Files>>,
    /// Makes bundles for support, where there is a configuration to tell of.
    pub support: Option<Arc<dyn Support>>,
    /// Lines shown above every page, e.g. that this is a simulated estate.
    pub notes: Vec<Bilingual>,
    /// What the promises are judged by beside all this.
    pub promises: Pledges,
    /// What the points were; `None` where nothing is kept.
    pub history: Option<History>,
    /// What those share who look at it.
    pub history_desk: Desk,
}

/// How a bus is asked, and what it recorded.
#[derive(Debug, Clone)]
pub struct BusLine {
    /// Which bus.
    pub id: BusId,
    /// To its owner: probes of a scan, commands.
    pub order: mpsc::Sender<BusRequest>,
    /// Its frames.
    pub log: FrameLog,
}

/// Devices by health.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub online: u64,
    pub suspect: u64,
    pub offline: u64,
    pub unknown: u64,
    pub readings: u64,
    pub not_good: u64,
}

impl Tally {
    /// One more of this health.
    pub(super) fn count(&mut self, health: Health) {
        match health {
            Health::Online => self.online += 1,
            Health::Suspect => self.suspect += 1,
            Health::Offline => self.offline += 1,
            Health::Unknown => self.unknown += 1,
        }
    }

    pub(super) fn total(self) -> u64 {
        self.online + self.suspect + self.offline + self.unknown
    }
}

impl View {
    pub(super) fn now(&self) -> Moment {
        self.clock.now()
    }

    /// The bus of this name.
    pub(super) fn line(&self, id: &str) -> Option<&BusLine> {
        self.lines.iter().find(|line| line.id.as_str() == id)
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for (index, _) in self.estate.indexed() {
            self.snapshot.with(index, |state| {
                tally.count(state.health);
                tally.readings += state.readings;
                tally.not_good += state.not_good;
            });
        }
        tally
    }
}
