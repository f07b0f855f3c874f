//! A bus against the server of tokio-modbus over real sockets.

use std::future::{Ready, ready};

use tokio::net::TcpListener;
use tokio_modbus::server::Service;
use tokio_modbus::server::tcp::{Server, accept_tcp_connection};
use tokio_modbus::{ExceptionCode, Request, Response, SlaveRequest};

use super::super::super::rig::{MS, bus_table, profile};
use super::*;
use crate::profile::Limits;

/// Registers hold their address; addresses from 1000 on are illegal.
#[derive(Clone)]
struct Meter;

impl Service for Meter {
    type Request = SlaveRequest<'static>;
    type Response = Response;
    type Exception = ExceptionCode;
    type Future = Ready<Result<Response, ExceptionCode>>;

    fn call(&self, request: Self::Request) -> Self::Future {
        ready(match request.request {
            Request::ReadHoldingRegisters(address, _) if address >= 1000 => {
                Err(ExceptionCode::IllegalDataAddress)
            }
            Request::ReadHoldingRegisters(address, quantity) => {
                Ok(Response::ReadHoldingRegisters((address..address + quantity).collect()))
            }
            _ => Err(ExceptionCode::IllegalFunction),
        })
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

async fn serve(listener: TcpListener) {
    let connected = |stream, address| async move {
        accept_tcp_connection(stream, address, |_| Ok(Some(Meter)))
    };
    Server::new(listener).serve(&connected, |_| {}).await.unwrap();
}

/// A bus to `address` with `units` units of `points` points each.
fn bus(
    address: String,
    units: u8,
    addresses: impl Iterator<Item = u16>,
    period: Duration,
) -> (Bus, mpsc::Receiver<FieldMessage>, mpsc::Sender<FieldRequest>, BusTable) {
    let places: Vec<_> = addresses.map(|at| (Table::Holding, at, None)).collect();
    let profile = profile(&places, Limits::default());
    let devices =
        (1..=units).map(|unit| BusDevice { period, ..device(u32::from(unit) - 1, unit, &profile) });
    let (out, messages) = mpsc::channel(64);
    let (requests, asked) = mpsc::channel(4);
    let table = bus_table();
    let config = BusConfig::new(BusId::new("line-1").unwrap(), Transport::Tcp { address });
    let (_orders, ordered) = mpsc::channel(4);
    let ports = rig::ports(&table, out, asked, ordered, LessonBook::default());
    let bus = Bus::new(config, devices.collect(), ports);
    (bus, messages, requests, table)
}

#[tokio::test]
async fn units_behind_a_real_server_are_read_and_an_illegal_address_keeps_the_connection() {
    let (listener, address) = listen().await;
    let (bus, mut messages, _requests, table) = bus(address, 3, (0..4).chain(1000..1004), 20 * MS);
    let test = async {
        let (mut good, mut refused) = (0, 0);
        while good < 12 || refused < 12 {
            match messages.recv().await.unwrap() {
                FieldMessage::Readings(batch) => {
                    for reading in &batch.readings {
                        match &reading.value {
                            Some(value) => {
                                let address = f64::from(reading.point.0);
                                assert!(address < 4.0 && *value == Value::Number(address));
                                good += 1;
                            }
                            None => refused += 1,
                        }
                    }
                }
                FieldMessage::Health(change) => assert_eq!(change.health, Health::Online),
                FieldMessage::Event(event) => panic!("{event:?}"),
            }
        }
        assert_eq!(table.all()[0].counters.opens, 1);
    };
    tokio::select! {
        () = bus.run(CancellationToken::new()) => panic!("the bus ended"),
        () = serve(listener) => {}
        () = test => {}
    }
}

#[tokio::test]
async fn a_bus_waits_for_an_endpoint_that_comes_up_later() {
    let (listener, address) = listen().await;
    drop(listener);
    let (bus, mut messages, _requests, table) = bus(address.clone(), 1, 0..4, 20 * MS);
    let test = async {
        let FieldMessage::Health(change) = messages.recv().await.unwrap() else {
            panic!("health comes first");
        };
        assert!(matches!(change.cause, Some(Cause::LineDown(_))), "{change:?}");
        let listener = TcpListener::bind(address).await.unwrap();
        let online = async {
            loop {
                if let FieldMessage::Health(change) = messages.recv().await.unwrap() {
                    break change.health;
                }
            }
        };
        tokio::select! {
            () = serve(listener) => {}
            health = online => assert_eq!(health, Health::Online),
        }
        assert!(table.all()[0].open);
    };
    tokio::select! {
        () = bus.run(CancellationToken::new()) => panic!("the bus ended"),
        () = test => {}
    }
}

/// Figures, not a check: `cargo test --release --lib -- --ignored --nocapture modbus_costs`.
#[test]
#[ignore = "prints CPU time per point"]
fn modbus_costs_per_point() {
    let (send, address) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (listener, address) = listen().await;
            send.send(address).unwrap();
            serve(listener).await;
        });
    });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let address = address.recv().unwrap();
    runtime.block_on(async {
        let (mut points, mut ends) = (0, Vec::new());
        let mut buses = futures_util::stream::FuturesUnordered::new();
        for _ in 0..20 {
            let (bus, messages, requests, _) =
                bus(address.clone(), 10, 0..40, Duration::from_secs(1));
            buses.push(bus.run(CancellationToken::new()));
            ends.push((messages, requests));
        }
        let cpu = || rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let count = async {
            let begun = Instant::now();
            while begun.elapsed() < Duration::from_secs(10) {
                tokio::time::sleep(10 * MS).await;
                for (messages, _) in &mut ends {
                    while let Ok(message) = messages.try_recv() {
                        if let FieldMessage::Readings(batch) = message {
                            points += batch.readings.len();
                        }
                    }
                }
            }
        };
        let before = cpu();
        tokio::select! {
            _ = futures_util::StreamExt::collect::<Vec<_>>(&mut buses) => {}
            () = count => {}
        }
        let after = cpu();
        let spent = (after.tv_sec - before.tv_sec) as f64 * 1e6
            + (after.tv_nsec - before.tv_nsec) as f64 / 1e3;
        println!("{points} points, {spent:.0} us, {:.3} us per point", spent / points as f64);
    });
}
