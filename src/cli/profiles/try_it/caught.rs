//! What the device really said: registers, frames, messages, taken from the recorder of the bus
//! and from the tap at the broker.

use std::collections::BTreeMap;

use crate::driver::record::{Captured, Way};
use crate::profile::{Binding, MeterField, MeterPlace, Profile, RegisterSource, Table, locate};
use crate::protocol::Found;
use crate::protocol::cjt188;
use crate::protocol::dlt645::{self, Edition};
use crate::protocol::modbus::{Adu, Direction, Pdu, rtu, tcp};

/// Longest raw text of a point in the table, characters.
const RAW: usize = 24;

/// The newest of everything that was said.
#[derive(Debug, Default)]
pub(super) struct Caught {
    /// Registers, and bits as 0 and 1.
    pub registers: BTreeMap<(Table, u16), u16>,
    /// Whole replies of a meter with data, by identifier and part.
    frames: BTreeMap<Part, Vec<u8>>,
    /// Data behind the identifier, as far as it came in one frame.
    data: BTreeMap<u32, Vec<u8>>,
    /// The last payload of each topic that the profile knows, by the topic's index and levels.
    messages: BTreeMap<(usize, String), Vec<u8>>,
}

/// Identifier of a meter and the number of the part.
type Part = (u32, u8);

impl Caught {
    /// Takes what a bus recorded.
    pub(super) fn frames(&mut self, profile: &Profile, mbap: bool, frames: &[Captured]) {
        match &profile.binding {
            Binding::Modbus { .. } => self.modbus(mbap, frames),
            Binding::Dlt645(model) => {
                let received = frames.iter().filter(|frame| frame.way == Way::Received);
                received.for_each(|frame| self.dlt645(model.edition, &frame.bytes));
            }
            Binding::Cjt188(_) => {
                let received = frames.iter().filter(|frame| frame.way == Way::Received);
                received.for_each(|frame| self.cjt188(&frame.bytes));
            }
            Binding::Mqtt(_) => {}
        }
    }

    fn modbus(&mut self, mbap: bool, frames: &[Captured]) {
        let parse = |bytes: &[u8], before: Option<&Adu>| {
            let parsed = if mbap { tcp(bytes, before) } else { rtu(bytes, before) };
            parsed.ok().map(|(adu, _)| adu)
        };
        let mut asked = None;
        for frame in frames {
            match (frame.way, &asked) {
                (Way::Sent, _) => asked = parse(&frame.bytes, None),
                (Way::Received, Some(request)) => {
                    if let Some(reply) = parse(&frame.bytes, Some(request)) {
                        self.reply(request, &reply);
                    }
                }
                (Way::Received, None) => {}
            }
        }
    }

    fn reply(&mut self, request: &Adu, reply: &Adu) {
        let (Adu::Modbus { pdu: asked, .. }, Adu::Modbus { pdu, direction, .. }) = (request, reply)
        else {
            return;
        };
        let &Pdu::Read { function, address, quantity } = asked else { return };
        if *direction != Direction::Reply {
            return;
        }
        let table = match function {
            1 => Table::Coil,
            2 => Table::DiscreteInput,
            3 => Table::Holding,
            _ => Table::Input,
        };
        let values: Vec<u16> = match pdu {
            Pdu::Registers { values, .. } => values.clone(),
            Pdu::Bits { bytes, .. } => {
                let bit = |place: usize| bytes.get(place / 8).map(|byte| byte >> (place % 8) & 1);
                (0..usize::from(quantity)).map_while(bit).map(u16::from).collect()
            }
            _ => return,
        };
        let places = (address..=u16::MAX).map(|address| (table, address));
        self.registers.extend(places.zip(values));
    }

    fn dlt645(&mut self, edition: Edition, bytes: &[u8]) {
        let Found::Frame { range, frame } = dlt645::find(bytes) else { return };
        let data = frame.is_reply() && !frame.is_refusal() && !frame.data.is_empty();
        let Some(id) = dlt645::DataId::from_wire(edition, &frame.data).filter(|_| data) else {
            return;
        };
        let follows = frame.function() == dlt645::read_next(frame.address, id, 1).function();
        let part = if follows { frame.data.last().copied().unwrap_or(0) } else { 0 };
        self.frames.insert((id.0, part), bytes[range].to_vec());
        let rest = frame.data.get(edition.id_bytes()..).unwrap_or_default();
        if !follows {
            self.data.insert(id.0, rest.to_vec());
        }
    }

    fn cjt188(&mut self, bytes: &[u8]) {
        let Found::Frame { range, frame } = cjt188::find(bytes) else { return };
        let Some(&wire) = frame.data.first_chunk().filter(|_| frame.is_reply()) else { return };
        let (id, order) = cjt188::DataId::from_wire(wire);
        let ser = frame.data.get(2).copied().unwrap_or(0);
        let request = cjt188::read(frame.meter_type, frame.address, id, order, ser);
        if let Ok(cjt188::Reply::Data { body, .. }) = cjt188::reply(&request, &frame) {
            self.frames.insert((id.0.into(), 0), bytes[range].to_vec());
            self.data.insert(id.0.into(), body);
        }
    }

    /// Takes a message of the broker.
    pub(super) fn message(&mut self, profile: &Profile, base: &str, topic: &str, payload: &[u8]) {
        let Binding::Mqtt(model) = &profile.binding else { return };
        for (slot, rule) in model.topics.iter().enumerate() {
            if let Some(own) = own_topic(&rule.pattern, base, topic) {
                self.messages.insert((slot, own), payload.to_vec());
            }
        }
    }

    /// Whether anything was said.
    pub(super) fn is_empty(&self) -> bool {
        self.registers.is_empty() && self.frames.is_empty() && self.messages.is_empty()
    }

    /// The frames in the order of their identifiers and parts.
    pub(super) fn replies(&self) -> impl Iterator<Item = &[u8]> {
        self.frames.values().map(Vec::as_slice)
    }

    /// Topics as a profile writes them, with their payloads.
    pub(super) fn told(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.messages.iter().map(|((_, topic), payload)| (topic.as_str(), payload.as_slice()))
    }

    /// The registers of a point, when all of them came.
    pub(super) fn words(&self, source: &RegisterSource) -> Option<Vec<u16>> {
        let places = (source.address..=u16::MAX).map(|address| (source.table, address));
        let width = usize::from(source.encoding.width());
        places.take(width).map(|place| self.registers.get(&place).copied()).collect()
    }

    /// What the device said of a point: registers or bytes in hexadecimal, a piece of JSON.
    pub(super) fn raw(&self, profile: &Profile, slot: usize) -> Option<String> {
        let text = match &profile.binding {
            Binding::Modbus { sources, .. } => {
                let source = sources.get(slot)?;
                let words = self.words(source)?;
                let bits = source.table.is_bits();
                let word = |word: u16| if bits { word.to_string() } else { format!("{word:04X}") };
                words.into_iter().map(word).collect::<Vec<_>>().join(" ")
            }
            Binding::Dlt645(model) => {
                let source = model.sources.get(slot)?;
                let places = [Some((source.id, source.at)), source.block];
                let field =
                    |(id, at): (dlt645::DataId, u8)| field(self.data.get(&id.0)?, at, source.field);
                places.into_iter().flatten().find_map(field)?
            }
            Binding::Cjt188(model) => {
                let source = model.sources.get(slot)?;
                match source.place {
                    MeterPlace::Raw { at, field: wanted } => {
                        field(self.data.get(&source.id.0.into())?, at, wanted)?
                    }
                    _ => return None,
                }
            }
            Binding::Mqtt(model) => {
                let source = model.sources.get(slot)?;
                let of = |((topic, _), payload): (&(usize, String), &Vec<u8>)| {
                    (*topic == source.topic).then(|| payload.clone())
                };
                let payload = self.messages.iter().rev().find_map(of)?;
                match serde_json::from_slice(&payload) {
                    Ok(document) => locate(&document, &source.path)?.to_string(),
                    Err(_) => String::from_utf8_lossy(&payload).into_owned(),
                }
            }
        };
        Some(shortened(&text))
    }
}

fn shortened(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() { '·' } else { c }).collect();
    match plain.chars().count() {
        0..=RAW => plain,
        _ => plain.chars().take(RAW - 1).chain(['…']).collect(),
    }
}

fn field(data: &[u8], at: u8, field: MeterField) -> Option<String> {
    let from = usize::from(at);
    let bytes = data.get(from..from + usize::from(field.length()))?;
    Some(bytes.iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(" "))
}

/// The topic as an example writes it, when the pattern covers it: `{base}/state/1`.
fn own_topic(pattern: &str, base: &str, topic: &str) -> Option<String> {
    let mut left = topic.split('/');
    let mut own = Vec::new();
    for level in pattern.split('/') {
        match level {
            "{base}" => {
                for wanted in base.split('/') {
                    left.next().filter(|got| *got == wanted)?;
                }
                own.push("{base}");
            }
            "+" => own.push(left.next()?),
            _ => {
                let wanted = level.replace("{base}", base);
                left.next().filter(|got| *got == wanted)?;
                own.push(level);
            }
        }
    }
    left.next().is_none().then(|| own.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_told_from_others_and_written_as_the_profile_does() {
        let own = |pattern, topic| own_topic(pattern, "estate/7", topic);
        assert_eq!(own("{base}", "estate/7"), Some("{base}".to_owned()));
        assert_eq!(
            own("tele/{base}/SENSOR", "tele/estate/7/SENSOR").unwrap(),
            "tele/{base}/SENSOR"
        );
        assert_eq!(own("{base}/relay/+", "estate/7/relay/2").unwrap(), "{base}/relay/2");
        assert_eq!(own("{base}/relay/+", "estate/7/relay"), None);
        assert_eq!(own("{base}", "estate/7/more"), None);
        assert_eq!(own("{base}", "estate/8"), None);
    }

    #[test]
    fn a_raw_text_stays_short_and_on_its_line() {
        assert_eq!(shortened("00FA"), "00FA");
        assert_eq!(shortened("a\nb"), "a·b");
        let long = shortened(&"电".repeat(40));
        assert_eq!(long.chars().count(), RAW);
        assert!(long.ends_with('…'));
    }
}
