//! The local page's joints: its certificate, and how it is told where the page is.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};

use super::Joints;
use super::reload::Own;
use crate::alarm::DeskHandle;
use crate::broadcast::BroadcastDesk;
use crate::buffer::Buffer;
use crate::command::Router;
use crate::config::Settings;
use crate::driver::mqtt::BrokerStatus;
use crate::model::{BusTable, Moment};
use crate::pipeline::Act;
use crate::starlevel::report::Reporter;
use crate::starlevel::{Assessment, AttestationDesk, Bilingual, EvidenceChain, RiskTable};
use crate::status::promises::Pledges;
use crate::status::{Access, BusLine, HistoryDesk, PageTls, ScanDesk, View};
use crate::uplink::UplinkStatus;

/// What the page is shown, beside what all parts share.
pub(super) struct Shown {
    pub started: Moment,
    pub buses: BusTable,
    pub lines: Vec<BusLine>,
    pub broker: Option<watch::Receiver<BrokerStatus>>,
    pub uplink: watch::Receiver<UplinkStatus>,
    pub assessment: watch::Receiver<Option<Arc<Assessment>>>,
    pub risk: RiskTable,
    pub reporter: Reporter,
    pub desk: AttestationDesk,
    pub broadcast: Option<BroadcastDesk>,
    pub commands: Router,
    pub acts: mpsc::Sender<Act>,
    pub alarms: DeskHandle,
    pub access: Access,
    pub own: Own,
    pub notes: Vec<Bilingual>,
    pub promises: Pledges,
}

impl Joints {
    /// The page's view of everything.
    ///
    /// # Errors
    /// The page's certificate cannot be read or made.
    pub(super) fn view(
        &self,
        settings: &Settings,
        buffer: &Buffer,
        shown: Shown,
    ) -> anyhow::Result<View> {
        Ok(View {
            estate: Arc::clone(&self.estate),
            snapshot: self.snapshot.clone(),
            buses: shown.buses,
            lines: shown.lines,
            broker: shown.broker,
            buffer: buffer.status(),
            uplink: shown.uplink,
            assessment: shown.assessment,
            risk: shown.risk,
            evidence: Some(EvidenceChain::new(buffer.store())),
            reporter: Some(shown.reporter),
            desk: Some(shown.desk),
            broadcast: shown.broadcast,
            commands: Some(shown.commands),
            clock: self.clock.clone(),
            started: shown.started,
            version: env!("CARGO_PKG_VERSION").into(),
            acts: shown.acts,
            alarms: Some(shown.alarms),
            scan: ScanDesk::new(&settings.profile_dirs),
            access: shown.access,
            tls: tls(settings)?,
            files: shown.own.files,
            support: shown.own.support,
            notes: shown.notes,
            promises: shown.promises,
            history: self.history.clone(),
            history_desk: HistoryDesk::default(),
        })
    }
}

/// The certificate that the settings ask for, made at the first start.
///
/// # Errors
/// It cannot be read or made.
fn tls(settings: &Settings) -> anyhow::Result<Option<PageTls>> {
    let Some(config) = &settings.status else { return Ok(None) };
    PageTls::open(config, settings.gateway.as_str(), &settings.buffer.path)
        .context("the certificate of the page / 页面证书")
}

/// Says where the page is, and by what a technician knows that it is this one.
pub(super) fn tell(address: SocketAddr, tls: Option<&PageTls>) {
    match tls.map(PageTls::certificate) {
        Some(certificate) => tracing::info!(
            %address,
            sha256 = certificate.fingerprint,
            "the local page is at this address, under TLS"
        ),
        None => tracing::info!(%address, "the local page is at this address"),
    }
}
