//! A line with DL/T 645 and CJ/T 188 meters, and what a test needs to look at it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

use super::super::super::errands::BusRequest;
use super::super::super::open::describe;
use super::super::super::rig::{self, MS, SECOND, bus_table};
use super::super::*;
use crate::clock::{Config as ClockConfig, Trust};
use crate::driver::{BusAddress, Transport};
use crate::model::{Batch, BusId};
use crate::profile::{
    Binding, Cjt188Model, Dlt645Model, ItemSource, MeterField, MeterManners, MeterPlace,
    MeterSource, Profile, Scale, SerialDefaults,
};
use crate::protocol::Found;
use crate::protocol::cjt188::{self, DiOrder, MeterType};
use crate::protocol::dlt645::{self, DataId, Edition, ErrorBits};

pub(super) const FACTORY: SerialDefaults = SerialDefaults { baud: 2400, frame: *b"8E1" };

pub(super) fn manners() -> MeterManners {
    let zero = Duration::ZERO;
    MeterManners {
        serial: FACTORY,
        preamble: 4,
        timeout: SECOND,
        pause: zero,
        pause_on_switch: zero,
    }
}

pub(super) fn model(id: &str, binding: Binding, points: usize) -> Arc<Profile> {
    let Some(any) = Arc::into_inner(rig::holding(&[0])) else { panic!("sole owner") };
    let periods = vec![None; points];
    Arc::new(Profile { id: id.into(), binding, periods, ..any })
}

/// Three voltages, each by its own identifier and in one block.
pub(super) fn three_phase() -> Arc<Profile> {
    let sources = (1..=3u8).map(|phase| ItemSource {
        id: DataId(0x0201_0000 | u32::from(phase) << 8),
        at: 0,
        block: Some((DataId(0x0201_FF00), (phase - 1) * 2)),
        field: MeterField::Bcd { length: 2, signed: false },
        scale: Scale { factor: 0.1, ..Scale::default() },
        codes: Vec::new(),
        flag: false,
        decimals: 1,
    });
    let sources = sources.collect();
    let model645 = Dlt645Model { edition: Edition::V2007, manners: manners(), sources };
    model("electricity", Binding::Dlt645(model645), 3)
}

pub(super) fn water() -> Arc<Profile> {
    let source = MeterSource {
        id: cjt188::DataId::CURRENT,
        place: MeterPlace::Volume,
        scale: Scale::default(),
        codes: Vec::new(),
        flag: false,
        decimals: 2,
    };
    let meter = Cjt188Model {
        meter_type: MeterType::COLD_WATER,
        order: None,
        manners: manners(),
        sources: vec![source],
    };
    model("water", Binding::Cjt188(meter), 1)
}

pub(super) const METER: &str = "100023669245";
pub(super) const WATER: &str = "00201510270588";

pub(super) fn electricity() -> BusDevice {
    let address = BusAddress::Dlt645(METER.parse().unwrap());
    BusDevice { address, ..rig::device(0, 1, &three_phase()) }
}

pub(super) fn water_meter() -> BusDevice {
    let address = BusAddress::Cjt188(WATER.parse().unwrap());
    BusDevice { address, ..rig::device(1, 1, &water()) }
}

/// What a line answers to the bytes of a request: after how long, with what.
pub(super) type Responder = Box<dyn FnMut(&[u8]) -> Option<(Duration, Vec<u8>)> + Send>;

pub(super) struct Bench {
    pub(super) out: mpsc::Receiver<FieldMessage>,
    pub(super) orders: mpsc::Sender<BusRequest>,
    pub(super) table: BusTable,
    pub(super) clock: Clock,
    pub(super) log: FrameLog,
    pub(super) seen: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Bench {
    pub(super) async fn batch(&mut self) -> Batch {
        loop {
            match self.out.recv().await.expect("the bus runs") {
                FieldMessage::Readings(batch) => break batch,
                FieldMessage::Health(_) | FieldMessage::Event(_) => {}
            }
        }
    }

    pub(super) async fn during(&mut self, span: Duration) -> Vec<Batch> {
        let end = Instant::now() + span;
        let mut batches = Vec::new();
        while let Ok(batch) = tokio::time::timeout_at(end, self.batch()).await {
            batches.push(batch);
        }
        batches
    }

    pub(super) fn requests(&self) -> Vec<Vec<u8>> {
        std::mem::take(&mut *self.seen.lock().unwrap())
    }
}

pub(super) async fn serve(
    mut line: DuplexStream,
    mut responder: Responder,
    seen: Arc<Mutex<Vec<Vec<u8>>>>,
) {
    let mut bytes = [0; 512];
    while let Ok(n @ 1..) = line.read(&mut bytes).await {
        seen.lock().unwrap().push(bytes[..n].to_vec());
        if let Some((after, answer)) = responder(&bytes[..n]) {
            tokio::time::sleep(after).await;
            // In two pieces, as a serial port brings them.
            let (first, second) = answer.split_at(answer.len() / 2);
            line.write_all(first).await.unwrap();
            tokio::time::sleep(20 * MS).await;
            line.write_all(second).await.unwrap();
        }
    }
}

pub(super) async fn with_line<F>(
    config: impl FnOnce(&mut BusConfig),
    book: LessonBook,
    devices: Vec<BusDevice>,
    responder: Responder,
    test: F,
) where
    F: AsyncFnOnce(&mut Bench),
{
    let clock = ClockConfig { trust: Trust::System, ..ClockConfig::default() };
    with_line_and_clock(config, clock, book, devices, responder, test).await;
}

pub(super) async fn with_line_and_clock<F>(
    config: impl FnOnce(&mut BusConfig),
    clock: ClockConfig,
    book: LessonBook,
    devices: Vec<BusDevice>,
    responder: Responder,
    test: F,
) where
    F: AsyncFnOnce(&mut Bench),
{
    let transport = Transport::RtuOverTcp { address: "fake:1".into() };
    let (out, messages) = mpsc::channel(16);
    let (_requests, asked) = mpsc::channel(16);
    let (orders, ordered) = mpsc::channel(4);
    let table = bus_table();
    let mut settings = BusConfig::new(BusId::new("line-1").unwrap(), transport.clone());
    config(&mut settings);
    let mut ports = rig::ports(&table, out, asked, ordered, book);
    ports.clock = Clock::new(clock);
    let (log, clock) = (ports.log.clone(), ports.clock.clone());
    let mut bus = Bus::new(settings, devices, ports);
    let (ours, theirs) = tokio::io::duplex(1024);
    let mut ours = Some(ours);
    bus.open = Box::new(move || {
        let opened = ours.take().map(|ours| describe(&transport, Box::new(ours)));
        Box::pin(async move { opened.ok_or_else(|| ("gone", "不在").into()) })
    });
    let seen = Arc::new(Mutex::new(Vec::new()));
    let mut bench = Bench { out: messages, orders, table, clock, log, seen: Arc::clone(&seen) };
    tokio::select! {
        () = bus.run(CancellationToken::new()) => panic!("the bus ended"),
        () = serve(theirs, responder, seen) => panic!("the line ended"),
        () = test(&mut bench) => {}
    }
}

pub(super) fn asked_645(bytes: &[u8]) -> Option<dlt645::Frame> {
    match dlt645::find(bytes) {
        Found::Frame { frame, .. } => Some(frame),
        Found::More { .. } => None,
    }
}

pub(super) fn asked_188(bytes: &[u8]) -> Option<cjt188::Frame> {
    match cjt188::find(bytes) {
        Found::Frame { frame, .. } => Some(frame),
        Found::More { .. } => None,
    }
}

pub(super) fn id_of(frame: &dlt645::Frame) -> DataId {
    DataId::from_wire(Edition::V2007, &frame.data).unwrap()
}

/// An electricity meter that has the block or not, and a water meter.
pub(super) fn meters(has_block: bool) -> Responder {
    Box::new(move |bytes| {
        if let Some(frame) = asked_645(bytes) {
            if frame.address == dlt645::Address::BROADCAST {
                return None;
            }
            let answer = match (frame.control, id_of(&frame).0) {
                (0x11, 0x0201_FF00) if has_block => dlt645::answer_data(
                    &frame,
                    id_of(&frame),
                    &[0x01, 0x23, 0xFF, 0xFF, 0x03, 0x23],
                    false,
                    None,
                ),
                (0x11, id @ (0x0201_0100 | 0x0201_0200 | 0x0201_0300)) => {
                    let phase = u8::try_from(id >> 8 & 0xFF).unwrap();
                    dlt645::answer_data(&frame, DataId(id), &[phase, 0x23], false, None)
                }
                _ => dlt645::answer_refused(&frame, ErrorBits::NO_DATA),
            };
            return Some((100 * MS, answer.to_bytes()));
        }
        let frame = asked_188(bytes)?;
        // Speaks the order of 2018 alone.
        if frame.data[..2] != [0x1F, 0x90] {
            return None;
        }
        let mut body = vec![0x56, 0x34, 0x12, 0x00, 0x2C, 0xFF, 0xFF, 0xFF, 0xFF, 0x2C];
        body.extend([0xFF; 7]);
        body.extend([0x00, 0x00]);
        let answer = cjt188::answer_data(&frame, DiOrder::LowFirst, &body);
        Some((200 * MS, answer.to_bytes()))
    })
}
