//! The handle of everybody at this gateway who warns, or looks at what was warned of.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot, watch};

use super::desk::{Setup, Taken};
use super::view::{BroadcastView, WarningRow};
use super::zones::{TargetKind, Zone};
use crate::model::{DeviceId, Warning, WarningId, WarningRefusal, WarningSource, WarningStatus};

/// The gateway is stopping: nobody takes warnings any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the gateway is stopping")]
pub struct Stopping;

/// What is asked of the task.
#[derive(Debug)]
pub(super) enum Ask {
    Compose { warning: Box<Warning>, reply: oneshot::Sender<Taken> },
    Cancel { id: WarningId, by: String, reply: oneshot::Sender<Result<(), WarningRefusal>> },
    One { id: WarningId, reply: oneshot::Sender<Option<WarningRow>> },
}

/// What a warning would do, before it is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// What terminals speak.
    pub speech: String,
    /// What screens show, as long as the shortest of them allows.
    pub screen: String,
    /// Terminals that it addresses.
    pub terminals: usize,
    /// Screens that it addresses.
    pub screens: usize,
}

/// The handle; clones share it.
#[derive(Debug, Clone)]
pub struct BroadcastDesk {
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) view: watch::Receiver<Arc<BroadcastView>>,
    pub(super) setup: Arc<Setup>,
}

impl BroadcastDesk {
    /// How everything stands.
    pub fn view(&self) -> Arc<BroadcastView> {
        Arc::clone(&self.view.borrow())
    }

    /// Changes when the view does.
    pub fn changes(&self) -> watch::Receiver<Arc<BroadcastView>> {
        self.view.clone()
    }

    /// Warns; its identifier is given here.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn compose(&self, warning: Warning) -> Result<Taken, Stopping> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Compose { warning: Box::new(warning), reply };
        self.asks.send(ask).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// Warns by a template, for an alarm: `about` is what stands behind its text. Each `id` is taken
    /// once, also across restarts; what was taken before is not played again.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn start(
        &self,
        id: WarningId,
        template: &str,
        zones: Vec<String>,
        by: &str,
        about: (&str, &str),
    ) -> Result<Option<Taken>, Stopping> {
        let Some(mut warning) = self.of_template(template, WarningStatus::Actual) else {
            return Ok(None);
        };
        warning.id = id;
        warning.source = WarningSource::Alarm;
        warning.sender = by.to_owned();
        warning.zones = zones;
        for (text, more) in [(&mut warning.zh, about.1), (&mut warning.en, about.0)] {
            if !more.is_empty() {
                text.body = format!("{} {more}", text.body);
            }
        }
        self.compose(warning).await.map(Some)
    }

    /// The zones that a device or its place belongs to, as far as somebody hears or sees there;
    /// empty, which means everywhere, when it belongs to none.
    pub fn zones_of(&self, device: &DeviceId, place: &str) -> Vec<String> {
        let here = |zone: &Zone| {
            zone.devices.contains(device)
                || zone.places.iter().any(|begin| place.starts_with(begin.as_str()))
        };
        let sizes = self.setup.zones.sizes();
        sizes.filter(|(zone, size)| *size > 0 && here(zone)).map(|(z, _)| z.name.clone()).collect()
    }

    /// A warning of a template, to be changed and composed.
    pub fn of_template(&self, name: &str, status: WarningStatus) -> Option<Warning> {
        of_template(&self.setup, name, status)
    }

    /// Cancels.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn cancel(
        &self,
        id: WarningId,
        by: &str,
    ) -> Result<Result<(), WarningRefusal>, Stopping> {
        let (reply, answer) = oneshot::channel();
        let ask = Ask::Cancel { id, by: by.to_owned(), reply };
        self.asks.send(ask).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// One warning with its receipts.
    ///
    /// # Errors
    /// The gateway is stopping.
    pub async fn one(&self, id: WarningId) -> Result<Option<WarningRow>, Stopping> {
        let (reply, answer) = oneshot::channel();
        self.asks.send(Ask::One { id, reply }).await.map_err(|_gone| Stopping)?;
        answer.await.map_err(|_gone| Stopping)
    }

    /// What it would do.
    ///
    /// # Errors
    /// It would reach nobody.
    pub fn preview(&self, warning: &Warning) -> Result<Preview, WarningRefusal> {
        let addressed = self.setup.zones.addressed(&warning.zones)?;
        let targets = self.setup.zones.targets();
        let all = || addressed.iter().map(|slot| &targets[*slot]);
        let of = |kind| all().filter(move |target| target.kind == kind);
        let room = of(TargetKind::Screen).map(|target| target.text_limit).min();
        let speech = of(TargetKind::Terminal).map(|target| target.text_limit).max();
        Ok(Preview {
            speech: self.setup.texts.speech(warning, speech.unwrap_or(0)),
            screen: self.setup.texts.screen(warning, room.unwrap_or(0)),
            terminals: of(TargetKind::Terminal).count(),
            screens: of(TargetKind::Screen).count(),
        })
    }
}

/// The warning of a template.
pub(super) fn of_template(setup: &Setup, name: &str, status: WarningStatus) -> Option<Warning> {
    let template = setup.texts.template(name)?;
    Some(Warning {
        // Replaced by the desk.
        id: WarningId::new("new").expect("a short name"),
        source: WarningSource::Staff,
        sender: String::new(),
        status,
        severity: template.severity,
        event: template.event.clone(),
        sent_ms: None,
        start_ms: None,
        end_ms: None,
        zones: Vec::new(),
        zh: template.zh.clone(),
        en: template.en.clone(),
        repeat: 1,
        pause_s: super::message::json::USUAL_PAUSE_S,
    })
}
