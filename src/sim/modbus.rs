//! A Modbus server with many units behind one endpoint, and switches that break them.
//!
//! Its own framing, because the servers at hand answer for one unit only and never misbehave.
//! Serving costs a lock and a copy per request: it also serves as load for the benchmark.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;

use super::frame::{Framing, Parsed, Request};
use super::orders::{Order, RegisterWrite, of_write};
use super::{Device, Refusal, RegisterImage};
use crate::model::Value;
use crate::profile::{Binding, Profile, Table};

/// Connections at once; a further one is closed at once.
const MAX_CONNECTIONS: usize = 64;

/// Bytes read at once; also the most that may wait to be understood.
const CHUNK: usize = 4096;

/// Orders between two looks of the device.
const MAX_ORDERS: usize = 256;

/// How a unit misbehaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// It does not.
    #[default]
    None,
    /// Says nothing.
    Silent,
    /// Answers everything with this exception code.
    Exception(u8),
    /// Answers after this long.
    Late(Duration),
    /// Leaves out the last register of the answer, with a right frame around it.
    Short,
    /// Answers with a damaged frame.
    Damaged,
    /// Closes the connection instead of answering.
    Cut,
}

#[derive(Debug)]
struct Inner {
    image: RegisterImage,
    fault: Fault,
    requests: u64,
    /// The model, for its commands, and the values of its parameters.
    model: Option<(Arc<Profile>, Vec<f64>)>,
    /// Orders that the device does not know of yet.
    orders: Vec<Order>,
}

/// One unit behind an endpoint; clones are handles on the same unit.
#[derive(Debug, Clone)]
pub struct Unit(Arc<Mutex<Inner>>);

impl Unit {
    /// A unit that holds this image.
    pub fn new(image: RegisterImage) -> Self {
        let (fault, requests, model, orders) = (Fault::None, 0, None, Vec::new());
        Self(Arc::new(Mutex::new(Inner { image, fault, requests, model, orders })))
    }

    /// A unit with the registers of a Modbus model; `None` for a model of another kind.
    pub fn of(device: &Device) -> Option<Self> {
        let Binding::Modbus { sources, limits, .. } = &device.profile().binding else {
            return None;
        };
        let unit = Self::new(RegisterImage::new(sources, limits));
        unit.lock().model = Some((Arc::clone(device.profile()), device.params().to_vec()));
        unit.refresh(device);
        Some(unit)
    }

    /// Takes over the device's present values. Returns how many did not fit their registers.
    pub fn refresh(&self, device: &Device) -> usize {
        let Binding::Modbus { sources, .. } = &device.profile().binding else { return 0 };
        let mut inner = self.lock();
        let kept_back = sources.iter().enumerate().filter(|(slot, _)| device.withholds(*slot));
        inner.image.withhold(kept_back.map(|(_, source)| source));
        sources
            .iter()
            .zip(device.values())
            .enumerate()
            .filter(|(slot, _)| !device.follows(*slot))
            .filter(|(_, (source, value))| {
                let factor = source.scale.resolve(device.params());
                !inner.image.store(source, value, factor)
            })
            .count()
    }

    /// Tells the device what was ordered over the wire since the last time.
    pub fn settle(&self, device: &mut Device) {
        let orders = std::mem::take(&mut self.lock().orders);
        orders.iter().for_each(|order| device.obey(order));
    }

    /// Changes the registers in place; keep it short.
    pub fn with_image<R>(&self, work: impl FnOnce(&mut RegisterImage) -> R) -> R {
        work(&mut self.lock().image)
    }

    /// Breaks or mends it.
    pub fn set_fault(&self, fault: Fault) {
        self.lock().fault = fault;
    }

    /// Requests that it was asked.
    pub fn requests(&self) -> u64 {
        self.lock().requests
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }

    /// The answer's PDU, and how the unit feels about it.
    pub(super) fn answer(&self, request: &Request, pdu: &mut Vec<u8>) -> Fault {
        let mut inner = self.lock();
        inner.requests += 1;
        match (inner.fault, table(request.function)) {
            (Fault::Exception(code), _) => refuse(request, code, pdu),
            (_, None) if matches!(request.function, 5 | 6 | 15 | 16) => {
                match inner.write(request) {
                    Err(refusal) => refuse(request, refusal.code(), pdu),
                    Ok(()) => echo(request, pdu),
                }
            }
            (_, None) => refuse(request, Refusal::IllegalFunction.code(), pdu),
            (fault, Some(table)) => match inner.image.read(table, request.first, request.count) {
                Err(refusal) => refuse(request, refusal.code(), pdu),
                Ok(words) if table.is_bits() => bits(request.function, words, pdu),
                Ok(words) => {
                    let left_out = usize::from(fault == Fault::Short);
                    registers(request.function, &words[..words.len() - left_out], pdu);
                }
            },
        }
        inner.fault
    }
}

impl Inner {
    /// Takes a write that the model describes as a command; its read-back shows it at once.
    fn write(&mut self, request: &Request) -> Result<(), Refusal> {
        let (profile, params) = self.model.as_ref().ok_or(Refusal::IllegalFunction)?;
        let write = RegisterWrite {
            table: if matches!(request.function, 5 | 15) { Table::Coil } else { Table::Holding },
            address: request.first,
            words: &request.words,
            multiple: request.function > 6,
        };
        let order = of_write(profile, params, &write)?;
        if self.orders.len() >= MAX_ORDERS {
            return Err(Refusal::IllegalValue);
        }
        let shown = profile.commands[order.command].read_back;
        if let (Some(point), Binding::Modbus { sources, .. }) = (shown, &profile.binding)
            && let Some(source) = sources.get(point.slot())
        {
            let before = if source.flag { Value::Flag(false) } else { Value::Number(0.0) };
            let factor = source.scale.resolve(params);
            if !self.image.store(source, &order.shown(&before), factor) {
                return Err(Refusal::IllegalValue);
            }
        }
        self.orders.push(order);
        Ok(())
    }
}

/// The answer to a write.
fn echo(request: &Request, pdu: &mut Vec<u8>) {
    let second = match (request.function, request.words.first()) {
        (5, Some(0)) => 0,
        (5, _) => 0xFF00,
        (6, Some(word)) => *word,
        _ => request.count,
    };
    pdu.push(request.function);
    pdu.extend(request.first.to_be_bytes());
    pdu.extend(second.to_be_bytes());
}

fn table(function: u8) -> Option<Table> {
    match function {
        1 => Some(Table::Coil),
        2 => Some(Table::DiscreteInput),
        3 => Some(Table::Holding),
        4 => Some(Table::Input),
        _ => None,
    }
}

fn refuse(request: &Request, code: u8, pdu: &mut Vec<u8>) {
    pdu.extend([request.function | 0x80, code]);
}

fn registers(function: u8, words: &[u16], pdu: &mut Vec<u8>) {
    let bytes = u8::try_from(words.len() * 2).expect("an image gives at most 125 registers");
    pdu.extend([function, bytes]);
    pdu.extend(words.iter().flat_map(|word| word.to_be_bytes()));
}

fn bits(function: u8, words: &[u16], pdu: &mut Vec<u8>) {
    let bytes = u8::try_from(words.len().div_ceil(8)).expect("an image gives at most 2000 bits");
    pdu.extend([function, bytes]);
    pdu.extend(words.chunks(8).map(|eight| {
        (0..).zip(eight).fold(0, |byte, (bit, word)| byte | u8::from(*word != 0) << bit)
    }));
}

/// An endpoint with units behind it, bound and not yet serving.
#[derive(Debug)]
pub struct ModbusServer {
    listener: TcpListener,
    framing: Framing,
    units: HashMap<u8, Unit>,
}

impl ModbusServer {
    /// Binds the endpoint.
    ///
    /// # Errors
    /// The system's, e.g. the port is taken.
    pub async fn bind(address: &str, framing: Framing) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        Ok(Self { listener, framing, units: HashMap::new() })
    }

    /// Where it listens.
    ///
    /// # Errors
    /// The system's.
    pub fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Puts a unit behind the endpoint, replacing one of the same id.
    pub fn add(&mut self, id: u8, unit: Unit) {
        self.units.insert(id, unit);
    }

    /// Serves until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        let mut connections = FuturesUnordered::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                accepted = self.listener.accept() => match accepted {
                    Ok((stream, _)) if connections.len() < MAX_CONNECTIONS => {
                        connections.push(self.serve(stream));
                    }
                    Ok(_) => tracing::debug!("simulated endpoint has no room for a connection"),
                    Err(error) => tracing::debug!(%error, "simulated endpoint cannot accept"),
                },
                Some(ended) = connections.next() => if let Err(error) = ended {
                    tracing::debug!(%error, "connection to a simulated endpoint ended");
                },
            }
        }
    }

    async fn serve(&self, mut stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut received = Vec::with_capacity(CHUNK);
        let mut chunk = [0; CHUNK];
        let mut pdu = Vec::with_capacity(256);
        let mut out = Vec::with_capacity(CHUNK);
        loop {
            let count = stream.read(&mut chunk).await?;
            if count == 0 {
                return Ok(());
            }
            received.extend_from_slice(&chunk[..count]);
            let mut used = 0;
            loop {
                match self.framing.parse(&received[used..]) {
                    Parsed::Incomplete => break,
                    Parsed::Garbage if self.framing == Framing::Tcp => return Ok(()),
                    Parsed::Garbage => used = received.len(),
                    Parsed::Request(request, length) => {
                        used += length;
                        let fault = self.answer(&request, &mut pdu, &mut out);
                        match fault {
                            Fault::Cut => return Ok(()),
                            Fault::Late(delay) => {
                                tokio::time::sleep(delay).await;
                            }
                            _ => {}
                        }
                    }
                }
            }
            received.drain(..used);
            if !out.is_empty() {
                stream.write_all(&out).await?;
                out.clear();
            }
        }
    }

    /// Appends the answer, if there is one. A unit that is not there says nothing, as on a line.
    fn answer(&self, request: &Request, pdu: &mut Vec<u8>, out: &mut Vec<u8>) -> Fault {
        let Some(unit) = self.units.get(&request.unit) else { return Fault::Silent };
        pdu.clear();
        let fault = unit.answer(request, pdu);
        match fault {
            Fault::Silent | Fault::Cut => {}
            Fault::Damaged => {
                self.framing.write(request, pdu, out);
                // In RTU the CRC breaks, in TCP the protocol id.
                let begin =
                    out.len() - pdu.len() - if self.framing == Framing::Tcp { 5 } else { 1 };
                out[begin] ^= 0x55;
            }
            _ => self.framing.write(request, pdu, out),
        }
        fault
    }
}
