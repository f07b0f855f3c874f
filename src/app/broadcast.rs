//! The emergency broadcast between platform, terminals and page.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};

use super::Joints;
use crate::alarm::Board;
use crate::broadcast::{
    ANSWERS, Broadcast, BroadcastAnswer, BroadcastDesk, BroadcastMessage, Delivered, Ends,
    MESSAGES, Order, Orders, Outcome, Points, Setup, Target, TargetKind, Zones,
};
use crate::buffer::{Buffer, Lane};
use crate::clock::Clock;
use crate::command::Router;
use crate::config::{DeviceSettings, Settings};
use crate::model::{
    Category, CommandId, CommandOutcome, CommandRequest, CommandSource, DeviceIndex, Estate, Fact,
    PointIndex, Value,
};
use crate::profile::CommandKind;
use crate::supervise::Part;
use crate::uplink::BroadcastPort;

/// Terminals and screens that the configuration lets us order, each with where it says what it does.
fn targets(settings: &Settings) -> (Vec<Target>, Vec<Points>) {
    let devices = (0u32..).map(DeviceIndex).zip(&settings.devices);
    devices.filter_map(|(index, device)| target(index, device)).unzip()
}

fn target(index: DeviceIndex, device: &DeviceSettings) -> Option<(Target, Points)> {
    let allowed = |name: &str| device.commands.iter().any(|command| **command == *name);
    // A text that the model takes, and the configuration allows: so many bytes.
    let room = |name: &str| {
        let commands = device.profile.commands.iter().filter(|_| allowed(name));
        commands.filter(|command| *command.name == *name).find_map(|command| match command.kind {
            CommandKind::Text { max_length } => Some(max_length),
            _ => None,
        })
    };
    let (kind, text_limit) = match device.profile.category {
        Category::EmergencyBroadcast if allowed("play") => {
            (TargetKind::Terminal, room("message").unwrap_or(0))
        }
        Category::InfoScreen => (TargetKind::Screen, room("text")?),
        _ => return None,
    };
    let point = |name: &str| {
        let place = device.points.iter().position(|point| &*point.name == name)?;
        u16::try_from(place).ok().map(PointIndex)
    };
    let target = Target {
        device: device.id.clone(),
        title: if device.name.is_empty() { device.id.to_string() } else { device.name.clone() },
        place: device.place.clone(),
        kind,
        text_limit,
        stops: allowed("stop"),
    };
    let points = Points {
        device: index,
        playing: point("playing"),
        message: point("lastMessageId"),
        text: point("text").filter(|_| kind == TargetKind::Screen),
        fault: point("fault"),
    };
    Some((target, points))
}

/// The ends of the broadcast that others hold.
pub(super) struct WarningEnds {
    port: Option<BroadcastPort>,
    messages: mpsc::Receiver<BroadcastMessage>,
    answers: mpsc::Sender<BroadcastAnswer>,
}

impl WarningEnds {
    /// The platform is listened to only where somebody could hear it.
    pub fn new(settings: &Settings) -> Self {
        let (sender, messages) = mpsc::channel(MESSAGES);
        let (answers, told) = mpsc::channel(ANSWERS);
        let heard = !targets(settings).0.is_empty();
        let port = heard.then_some(BroadcastPort { messages: sender, answers: told });
        Self { port, messages, answers }
    }

    /// For the uplink.
    pub fn port(&mut self) -> Option<BroadcastPort> {
        self.port.take()
    }
}

/// The broadcast orders like everybody: what it orders is checked and kept; receipts tell of it.
struct Commanded {
    router: Router,
    estate: Arc<Estate>,
    clock: Clock,
    /// No two starts have the same.
    run: String,
}

impl Orders for Commanded {
    fn order(&self, device: DeviceIndex, order: &Order) -> Outcome {
        let now = self.clock.now();
        let issued_ms = self.clock.best_wall(now).unix_ms;
        let left = i64::try_from(order.deadline.since(now).as_millis()).unwrap_or(i64::MAX);
        let id = CommandId::new(&format!("w-{}-{}", self.run, order.ticket));
        let request = id.map(|id| CommandRequest {
            id,
            device: self.estate.device(device).id.to_string(),
            command: order.kind.command().to_owned(),
            value: order.kind.value().map(|text| Value::Text(text.into())),
            issued_ms,
            expires_ms: issued_ms.saturating_add(left),
            until_ms: None,
            by: order.by.clone(),
            source: CommandSource::Broadcast,
            signature: None,
        });
        let router = self.router.clone();
        Box::pin(async move {
            let request = match request {
                Ok(request) => request,
                Err(error) => {
                    tracing::error!(%error, "an order of the broadcast has no name");
                    return false;
                }
            };
            // Stopping: the next start looks after it.
            let Ok(ordered) = router.order(request).await else { return false };
            let Ok(report) = ordered.end().await else { return false };
            matches!(report.outcome, CommandOutcome::Done { .. })
        })
    }
}

impl Joints {
    /// Starts the broadcast's task, when somebody could hear it; before the first commit of the store.
    ///
    /// # Errors
    /// What it kept in the store cannot be read.
    pub(super) fn broadcast(
        &mut self,
        settings: &Settings,
        buffer: &Buffer,
        (ends, facts, board): (WarningEnds, mpsc::Sender<Fact>, watch::Receiver<Arc<Board>>),
        router: Router,
    ) -> anyhow::Result<Option<BroadcastDesk>> {
        let (targets, points) = targets(settings);
        if targets.is_empty() {
            return Ok(None);
        }
        let config = settings.broadcast.clone();
        let setup = Setup {
            zones: Zones::new(config.area, config.zones, targets),
            texts: config.texts,
            keys: config.keys,
            require_signature: config.require_signature,
            source: config.source,
        };
        let begin = self.clock.now().boot_ms;
        let boot: String =
            self.clock.boot().0.chars().filter(char::is_ascii_hexdigit).take(12).collect();
        let orders = Commanded {
            router,
            estate: Arc::clone(&self.estate),
            clock: self.clock.clone(),
            run: format!("{boot}-{begin:x}"),
        };
        let (stored, platform) = (buffer.clone(), settings.uplink.is_some());
        let delivered = move || {
            let status = stored.status().borrow().clone();
            let oldest = platform.then(|| stored.read(Lane::Urgent, None, 1).ok()).flatten()?;
            Some(Delivered {
                next: status.next_seq.0,
                oldest: oldest.first().map(|block| block.seq.0),
                commits: status.commits,
                sound: status.fault.is_none(),
            })
        };
        let ends = Ends {
            orders: Arc::new(orders),
            messages: ends.messages,
            answers: ends.answers,
            field: self.field.clone(),
            facts,
            delivered: Box::new(delivered),
            points,
        };
        let time = (self.clock.clone(), self.snapshot.clone());
        let (task, desk) = Broadcast::open(setup, config.drills, buffer.store(), time, ends)
            .context("the emergency broadcast")?;
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "broadcast", task.run(stop));
        self.warner(desk.clone(), board);
        Ok(Some(desk))
    }
}
