//! Commands of the profiles, ordered over the wire by clients that know nothing of the twins.

use std::collections::BTreeMap;

use linli::model::{DeviceState, PointIndex, Quality, Value};
use linli::profile::{Command, CommandKind, Profile, Table, Target, Written, encode_command};
use linli::sim::{Device, Framing};
use rumqttc::{AsyncClient, Event, MqttOptions, Outgoing, Packet, QoS};
use tokio::net::TcpStream;
use tokio_modbus::client::{Context, Writer, rtu, tcp};
use tokio_modbus::{ExceptionCode, Slave};

use super::estate::{Endpoint, Twins};

/// A command that was ordered, and the point that must show it.
pub struct Ordered {
    pub twin: usize,
    pub is_modbus: bool,
    command: String,
    point: PointIndex,
    value: Value,
    /// The smallest step that its registers or message can say.
    step: f64,
}

impl Ordered {
    /// What is wrong with what arrived of the point that reads the command back.
    pub fn wrong(&self, held: &Device, state: &DeviceState) -> Option<String> {
        let got = &state.points[self.point.slot()];
        let right = got.quality == Some(Quality::Good)
            && got.value.as_ref().is_some_and(|value| self.same(held, value));
        let Self { command, value, .. } = self;
        (!right).then(|| {
            format!(
                "{}, {command} = {value}: got {:?} {:?}",
                held.profile().id,
                got.value,
                got.quality
            )
        })
    }

    /// Whether the twin holds the value.
    pub fn shows(&self, held: &Device) -> bool {
        self.same(held, &held.values()[self.point.slot()])
    }

    fn same(&self, held: &Device, got: &Value) -> bool {
        match (got.number(), self.value.number()) {
            (Some(got), Some(wanted)) => {
                let point = &held.profile().points[self.point.slot()];
                let digits = 10f64.powi(-i32::from(point.decimals));
                (got - wanted).abs() <= (digits + self.step) / 2.0 + 1e-9
            }
            _ => *got == self.value,
        }
    }
}

/// A value that the command takes and the device does not show yet; none for a trigger.
fn value(command: &Command, present: Option<&Value>) -> Option<Value> {
    let other = |value: &Value| present.and_then(Value::number) != value.number();
    match &command.kind {
        CommandKind::Number { range: (low, high), .. } => {
            let near = [low + (high - low) * 0.25, low + (high - low) * 0.5, *high];
            near.map(|number| Value::Number(number.round().clamp(*low, *high)))
                .into_iter()
                .find(other)
        }
        CommandKind::Flag => {
            Some(Value::Flag(!present.is_some_and(|value| value.number() == Some(1.0))))
        }
        #[expect(clippy::cast_precision_loss, reason = "codes are small")]
        CommandKind::Choice { labels } => {
            labels.iter().rev().map(|label| Value::Number(label.code as f64)).find(other)
        }
        CommandKind::Text { .. } => Some(Value::Text("notice-12".into())),
        CommandKind::Trigger => None,
    }
}

fn step(command: &Command, params: &[f64]) -> f64 {
    match &command.target {
        Target::Registers { source, .. } => source.scale.resolve(params).abs(),
        Target::Message { scale, .. } => scale.resolve(params).abs() * 1e-9,
    }
}

async fn connect(endpoint: Endpoint) -> Context {
    let stream = TcpStream::connect(endpoint.at).await.unwrap();
    match endpoint.framing {
        Framing::Tcp => tcp::attach_slave(stream, Slave(endpoint.unit)),
        Framing::Rtu => rtu::attach_slave(stream, Slave(endpoint.unit)),
    }
}

type Outcome = Result<(), ExceptionCode>;

async fn write(
    context: &mut Context,
    (table, address, multiple): (Table, u16, bool),
    words: &[u16],
) -> Outcome {
    let bits: Vec<bool> = words.iter().map(|word| *word != 0).collect();
    let done = match (table, multiple) {
        (Table::Coil, false) => context.write_single_coil(address, bits[0]).await,
        (Table::Coil, true) => context.write_multiple_coils(address, &bits).await,
        (_, false) => context.write_single_register(address, words[0]).await,
        (_, true) => context.write_multiple_registers(address, words).await,
    };
    done.unwrap()
}

/// Writes that no profile describes and that a twin must refuse; what was accepted nevertheless.
pub async fn refused(twins: &Twins) -> Vec<String> {
    let mut faults = Vec::new();
    for twin in &twins.all {
        let Some(endpoint) = twin.endpoint() else { continue };
        let profile = twin.with(|held| held.profile().clone());
        let mut context = connect(endpoint).await;
        let none = profile.commands.is_empty();
        let wanted =
            if none { ExceptionCode::IllegalFunction } else { ExceptionCode::IllegalDataAddress };
        let said = write(&mut context, (Table::Holding, 65_000, false), &[1]).await;
        if said != Err(wanted) {
            faults.push(format!("{}: a write beyond its commands got {said:?}", profile.id));
        }
        let single = |command: &&Command| {
            matches!(&command.target, Target::Registers { source, multiple: false }
                if source.table == Table::Holding)
        };
        if let Some(command) = profile.commands.iter().find(single)
            && let Target::Registers { source, .. } = &command.target
        {
            let said = write(&mut context, (Table::Holding, source.address, true), &[1]).await;
            if said != Err(ExceptionCode::IllegalFunction) {
                faults.push(format!("{}, {}: by function 16: {said:?}", profile.id, command.name));
            }
        }
    }
    faults
}

/// Orders every command of every twin; of those that one point reads back, the last remains.
pub async fn order_all(twins: &Twins, faults: &mut Vec<String>) -> Vec<Ordered> {
    let mut shown: BTreeMap<(usize, PointIndex), Ordered> = BTreeMap::new();
    let mut messages = Vec::new();
    for (number, twin) in twins.all.iter().enumerate() {
        let held = twin.with(|held| held.clone());
        let profile: &Profile = held.profile();
        let mut context = match twin.endpoint() {
            Some(endpoint) if !profile.commands.is_empty() => Some(connect(endpoint).await),
            _ => None,
        };
        // A trigger has no value to look for; what it wrote may be what another command sets.
        let mut commands: Vec<&Command> = profile.commands.iter().collect();
        commands.sort_by_key(|command| !matches!(command.kind, CommandKind::Trigger));
        for command in commands {
            let present = command.read_back.map(|point| &held.values()[point.slot()]);
            let value = value(command, present);
            let name = format!("{}, {}", profile.id, command.name);
            let written = match encode_command(command, value.as_ref(), held.params()) {
                Ok(written) => written,
                Err(wrong) => {
                    faults.push(format!("{name}: {wrong}"));
                    continue;
                }
            };
            let is_modbus = context.is_some();
            match (written, &mut context) {
                (Written::Registers { table, address, words, multiple }, Some(context)) => {
                    if let Err(code) = write(context, (table, address, multiple), &words).await {
                        faults.push(format!("{name} = {value:?}: refused, {code}"));
                        continue;
                    }
                }
                (Written::Message { topic, payload }, None) => {
                    let base = twin.base().unwrap();
                    messages.push((topic.replace("{base}", base), payload));
                }
                (written, _) => faults.push(format!("{name}: strange {written:?}")),
            }
            if let (Some(point), Some(value)) = (command.read_back, value) {
                let step = step(command, held.params());
                let command = command.name.to_string();
                let order = Ordered { twin: number, is_modbus, command, point, value, step };
                shown.insert((number, point), order);
            }
        }
        twin.refresh();
    }
    publish(twins, messages).await;
    shown.into_values().collect()
}

/// Publishes as a platform's client would, and waits until the broker has it all.
async fn publish(twins: &Twins, messages: Vec<(String, String)>) {
    let at = twins.broker;
    let options = MqttOptions::new("orders", at.ip().to_string(), at.port());
    let (client, mut events) = AsyncClient::new(options, 64);
    let count = messages.len();
    let sending = async {
        for (topic, payload) in messages {
            client.publish(topic, QoS::AtLeastOnce, false, payload).await.unwrap();
        }
    };
    let receiving = async {
        let mut left = count;
        while left > 0 {
            if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
                left -= 1;
            }
        }
    };
    tokio::join!(sending, receiving);
    client.disconnect().await.unwrap();
    while !matches!(events.poll().await, Ok(Event::Outgoing(Outgoing::Disconnect)) | Err(_)) {}
}
