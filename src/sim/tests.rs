//! Simulated devices against real clients.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_modbus::client::{Context, Reader, rtu, tcp};
use tokio_modbus::prelude::{ExceptionCode, Slave};
use tokio_modbus::slave::SlaveContext as _;
use tokio_util::sync::CancellationToken;

use super::*;
use crate::model::{Category, Point, Quantity, Unit as Sign, Value};
use crate::profile::{
    Availability, Binding, Encoding, Limits, MqttModel, MqttSource, PathStep, PayloadFormat,
    Profile, RegisterSource, Scale, SerialDefaults, Table, TopicRule, WordOrder,
};

fn source(table: Table, address: u16, encoding: Encoding) -> RegisterSource {
    RegisterSource {
        table,
        address,
        encoding,
        order: WordOrder::Abcd,
        scale: Scale { factor: 0.1, ..Scale::default() },
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag: encoding == Encoding::Bit,
        decimals: 1,
    }
}

fn point(name: &str, unit: &str, quantity: Quantity) -> Point {
    Point { decimals: 1, ..Point::new(name, Sign::parse(unit).unwrap(), quantity) }
}

fn profile(binding: Binding, points: Vec<Point>) -> Arc<Profile> {
    Arc::new(Profile {
        id: "made-up".into(),
        binding,
        periods: vec![None; points.len()],
        points: points.into(),
        ..Profile::bare(Category::ElectricityMeter)
    })
}

fn meter() -> Device {
    let binding = Binding::Modbus {
        serial: SerialDefaults { baud: 9600, frame: *b"8N1" },
        unit: Some(1),
        limits: Limits { max_registers: 20, ..Limits::default() },
        sources: vec![
            source(Table::Holding, 100, Encoding::Signed(1)),
            source(Table::Holding, 103, Encoding::Float(2)),
            source(Table::Input, 7, Encoding::Unsigned(2)),
            source(Table::Coil, 3, Encoding::Bit),
            source(Table::Holding, 300, Encoding::Bits { low: 4, len: 3 }),
        ],
    };
    let points = vec![
        point("totalActivePower", "kW", Quantity::Instantaneous),
        point("phaseVoltage", "V", Quantity::Instantaneous),
        point("totalActiveEnergyImport", "kW.h", Quantity::Counter),
        point("alarm", "1", Quantity::State),
        point("mode", "1", Quantity::Instantaneous),
    ];
    let mut device = Device::new(profile(binding, points), 1);
    for (slot, value) in [-2.5, 230.5, 7_000.1].into_iter().enumerate() {
        device.set(slot, Value::Number(value));
    }
    device.set(3, Value::Flag(true));
    device.set(4, Value::Number(0.5));
    device
}

struct Bench {
    units: [Unit; 2],
    client: Context,
}

/// Runs `test` against a server with units 1 and 9.
async fn with_server<F, Fut>(framing: Framing, test: F)
where
    F: FnOnce(Bench) -> Fut,
    Fut: Future<Output = ()>,
{
    let device = meter();
    let units = [Unit::of(&device).unwrap(), Unit::of(&device).unwrap()];
    let mut server = ModbusServer::bind("127.0.0.1:0", framing).await.unwrap();
    server.add(1, units[0].clone());
    server.add(9, units[1].clone());
    let stream = TcpStream::connect(server.address().unwrap()).await.unwrap();
    let client = match framing {
        Framing::Tcp => tcp::attach_slave(stream, Slave(1)),
        Framing::Rtu => rtu::attach_slave(stream, Slave(1)),
    };
    let stop = CancellationToken::new();
    let bench = Bench { units, client };
    let guarded = async {
        test(bench).await;
        stop.cancel();
    };
    tokio::join!(server.run(stop.clone()), guarded);
}

async fn reads_everything(mut bench: Bench) {
    for unit in [1, 9] {
        bench.client.set_slave(Slave(unit));
        let words = bench.client.read_holding_registers(100, 5).await.unwrap().unwrap();
        assert_eq!(words[0].cast_signed(), -25);
        let float = f32::from_bits(u32::from(words[3]) << 16 | u32::from(words[4]));
        assert!((float - 2305.0).abs() < 1e-3, "{float}");
        let words = bench.client.read_input_registers(7, 2).await.unwrap().unwrap();
        assert_eq!(u32::from(words[0]) << 16 | u32::from(words[1]), 70_001);
        assert_eq!(bench.client.read_coils(3, 1).await.unwrap().unwrap(), [true]);
        assert_eq!(bench.client.read_holding_registers(300, 1).await.unwrap().unwrap(), [5 << 4]);
    }
    assert_eq!(bench.units[1].requests(), 4);
}

#[tokio::test]
async fn a_tcp_client_reads_every_unit_behind_the_endpoint() {
    with_server(Framing::Tcp, reads_everything).await;
}

#[tokio::test]
async fn an_rtu_client_reads_every_unit_on_the_line() {
    with_server(Framing::Rtu, reads_everything).await;
}

#[tokio::test]
async fn an_address_or_length_the_model_does_not_have_is_refused() {
    with_server(Framing::Tcp, |mut bench| async move {
        let answer = bench.client.read_holding_registers(99, 1).await.unwrap();
        assert_eq!(answer, Err(ExceptionCode::IllegalDataAddress));
        let answer = bench.client.read_holding_registers(100, 6).await.unwrap();
        assert_eq!(answer, Err(ExceptionCode::IllegalDataAddress));
        let answer = bench.client.read_holding_registers(100, 21).await.unwrap();
        assert_eq!(answer, Err(ExceptionCode::IllegalDataValue));
    })
    .await;
}

#[tokio::test]
async fn an_exception_switch_answers_with_that_code_and_only_for_its_unit() {
    with_server(Framing::Rtu, |mut bench| async move {
        bench.units[0].set_fault(Fault::Exception(4));
        let answer = bench.client.read_input_registers(7, 2).await.unwrap();
        assert_eq!(answer, Err(ExceptionCode::ServerDeviceFailure));
        bench.client.set_slave(Slave(9));
        bench.client.read_input_registers(7, 2).await.unwrap().unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_silent_unit_says_nothing_and_a_cut_closes_the_connection() {
    with_server(Framing::Tcp, |mut bench| async move {
        bench.units[0].set_fault(Fault::Silent);
        let silence = Duration::from_millis(50);
        let answer = tokio::time::timeout(silence, bench.client.read_input_registers(7, 2)).await;
        assert!(answer.is_err());
        bench.units[0].set_fault(Fault::Cut);
        bench.client.read_input_registers(7, 2).await.unwrap_err();
    })
    .await;
}

#[tokio::test]
async fn a_short_answer_lacks_a_register_and_a_damaged_one_is_no_frame() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let unit = Unit::of(&meter()).unwrap();
    let mut server = ModbusServer::bind("127.0.0.1:0", Framing::Rtu).await.unwrap();
    server.add(1, unit.clone());
    let address = server.address().unwrap();
    let stop = CancellationToken::new();
    let test = async {
        let mut line = TcpStream::connect(address).await.unwrap();
        let mut request = vec![1, 4, 0, 7, 0, 2];
        let sum = frame::crc(&request).to_le_bytes();
        request.extend(sum);
        unit.set_fault(Fault::Short);
        line.write_all(&request).await.unwrap();
        let mut answer = [0; 7];
        line.read_exact(&mut answer).await.unwrap();
        assert_eq!(answer[..3], [1, 4, 2]);
        assert_eq!(frame::crc(&answer[..5]).to_le_bytes(), answer[5..]);
        unit.set_fault(Fault::Damaged);
        line.write_all(&request).await.unwrap();
        let mut answer = [0; 9];
        line.read_exact(&mut answer).await.unwrap();
        assert_ne!(frame::crc(&answer[..7]).to_le_bytes(), answer[7..]);
        stop.cancel();
    };
    tokio::join!(server.run(stop.clone()), test);
}

#[test]
fn the_crc_is_that_of_the_specification() {
    // Modbus over Serial Line 1.02, 6.2.2: CRC of 02 07 is 41 12 on the wire.
    assert_eq!(frame::crc(&[0x02, 0x07]).to_le_bytes(), [0x41, 0x12]);
}

#[test]
fn counters_only_climb_and_the_same_seed_does_the_same() {
    let mut device = meter();
    let mut again = meter();
    let mut last = device.values()[2].number().unwrap();
    for _ in 0..500 {
        device.step(0.5);
        again.step(0.5);
        let now = device.values()[2].number().unwrap();
        assert!(now >= last);
        last = now;
    }
    assert!(last > 7_000.1);
    assert_eq!(device.values(), again.values());
}

pub(super) fn plug() -> Device {
    let key = |text: &str| PathStep::Key(text.into());
    let mqtt_source = |topic, path| MqttSource {
        topic,
        path,
        names: 0,
        scale: Scale { factor: 0.001, ..Scale::default() },
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag_words: [("ON".to_owned(), true), ("OFF".to_owned(), false)].into(),
        flag: false,
        text: false,
        decimals: 3,
    };
    let rule = |pattern: &str, format| TopicRule {
        pattern: pattern.into(),
        format,
        time: None,
        entry: 0,
        member: None,
    };
    let model = MqttModel {
        topics: vec![
            rule("tele/{base}/SENSOR", PayloadFormat::Json),
            rule("stat/{base}/POWER", PayloadFormat::Text),
        ],
        availability: Some(Availability {
            pattern: "tele/{base}/LWT".into(),
            path: Vec::new(),
            online: vec!["Online".into()],
            offline: vec!["Offline".into()],
        }),
        sources: vec![
            mqtt_source(0, vec![key("ENERGY"), key("Power"), PathStep::Index(1)]),
            MqttSource { flag: true, ..mqtt_source(1, Vec::new()) },
        ],
        silent_after: None,
    };
    let points = vec![
        point("totalActivePower", "kW", Quantity::Instantaneous),
        point("switch", "1", Quantity::State),
    ];
    let mut device = Device::new(profile(Binding::Mqtt(model), points), 1);
    device.set(0, Value::Number(1.5));
    device.set(1, Value::Flag(true));
    device
}

#[test]
fn a_payload_holds_the_raw_values_where_the_profile_looks_for_them() {
    let said = messages(&plug(), "plug-1", 0);
    let expected = [
        ("tele/plug-1/SENSOR", r#"{"ENERGY":{"Power":[null,1500]}}"#),
        ("stat/plug-1/POWER", "ON"),
    ];
    let expected =
        expected.map(|(topic, payload)| Message { topic: topic.into(), payload: payload.into() });
    assert_eq!(said, expected);
}

#[tokio::test]
async fn a_cut_line_breaks_what_is_open_and_lets_nothing_through_until_it_is_mended() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let target = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (proxy, switch) =
        CutProxy::bind("127.0.0.1:0", target.local_addr().unwrap()).await.unwrap();
    let address = proxy.address().unwrap();
    let stop = CancellationToken::new();
    let test = async {
        let mut near = TcpStream::connect(address).await.unwrap();
        near.write_all(b"a").await.unwrap();
        let (mut far, _) = target.accept().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'a');
        switch.send_replace(false);
        assert_eq!(near.read(&mut [0]).await.unwrap_or(0), 0);
        let mut refused = TcpStream::connect(address).await.unwrap();
        assert_eq!(refused.read(&mut [0]).await.unwrap_or(0), 0);
        switch.send_replace(true);
        let mut near = TcpStream::connect(address).await.unwrap();
        near.write_all(b"b").await.unwrap();
        let (mut far, _) = target.accept().await.unwrap();
        assert_eq!(far.read_u8().await.unwrap(), b'b');
        stop.cancel();
    };
    tokio::join!(proxy.run(stop.clone()), test);
}
