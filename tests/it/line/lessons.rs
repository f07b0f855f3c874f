//! What a model refuses is learned once and remembered across restarts, counted on the line.

use std::time::Duration;

use linli::profile::Table;
use linli::sim::line::{Line, Slave};
use linli::sim::{RegisterImage, Unit};

use super::daemon::{Place, UNIT, at, built_in, entry};
use super::site::Served;
use crate::parts::{Process, let_run, wait_until};

/// A tick of the buffer, as it is when the configuration says nothing.
const TICK: Duration = Duration::from_secs(1);

/// Two values with unused registers between them: one read over them would do.
const HOLED: &str = r#"
category = "electricity_meter"
title = { zh = "试", en = "trial" }
products = [{ brand = "Trial", model = "holed" }]
sources = ["trial"]

[modbus]
table = "holding"
encoding = "u16"

[[points]]
name = "first"
zh = "一"
en = "first"
unit = "1"
address = 0

[[points]]
name = "second"
zh = "二"
en = "second"
unit = "1"
address = 5

[[examples]]
readings = { first = 0 }
"#;

const METER: &str = "000000123456";

/// A unit with a hole, and a meter that answers single identifiers only.
fn place() -> (Place, Line, Served) {
    let place = Place::new(&format!(
        "{}{}",
        entry("holed", "holed", "1"),
        entry("meter", "dlt645-2007-three-phase", METER)
    ));
    place.profile("holed", HOLED);
    let image = RegisterImage::of(&[(Table::Holding, 0, &[230]), (Table::Holding, 5, &[50])]);
    let line = Line::builder()
        .slave(Slave::modbus(1, Unit::new(image), UNIT))
        .slave(built_in("dlt645-2007-three-phase", METER))
        .build();
    line.handle(at(METER)).unwrap().with_dlt645(|meter| meter.set_blocks(false));
    let served = place.serve(&line);
    (place, line, served)
}

/// Answers that were refusals: of the unit, of the meter.
fn refusals(line: &Line) -> (usize, usize) {
    let (mut unit, mut meter) = (0, 0);
    for entry in line.log().entries() {
        if entry.by == [at("1")] {
            unit += usize::from(entry.reply[1] & 0x80 != 0);
        } else if let Some(start) = entry.reply.iter().position(|&byte| byte == 0x68) {
            meter += usize::from(entry.reply[start + 8] & 0x40 != 0);
        }
    }
    (unit, meter)
}

/// Waits until both devices were read a few times more.
fn read_on(line: &Line) {
    let handles = [(at("1"), 3), (at(METER), 20)];
    let handles = handles.map(|(address, more)| {
        let handle = line.handle(address).unwrap();
        let enough = handle.answers() + more;
        (handle, enough)
    });
    wait_until("they are read again", || {
        handles.iter().all(|(handle, enough)| handle.answers() >= *enough)
    });
}

fn learned(how: impl FnOnce(Process)) {
    let (place, line, _served) = place();
    let daemon = place.run();
    let good = place.values("holed", 2);
    let numbers: Vec<_> = good.iter().map(|(_, value)| value.as_f64()).collect();
    assert_eq!(numbers, [Some(230.0), Some(50.0)]);
    let volts = |values: &[(String, serde_json::Value)]| {
        values.iter().filter(|(name, _)| name.starts_with("phaseVoltage")).count()
    };
    wait_until("the voltages are read one by one", || volts(&place.values("meter", 3)) == 3);
    read_on(&line);
    let (unit, meter) = refusals(&line);
    read_on(&line);
    assert_eq!(refusals(&line), (unit, meter), "what was refused is not asked again");
    assert!(unit >= 1 && meter >= 1, "{unit} and {meter} refusals taught it");
    how(daemon);

    line.clear_log();
    let daemon = place.run();
    place.values("holed", 2);
    wait_until("the voltages are there", || volts(&place.values("meter", 3)) == 3);
    read_on(&line);
    assert_eq!(refusals(&line), (0, 0), "after a restart nothing has to be learned again");
    assert_eq!(daemon.terminate(), 0);
}

#[test]
fn what_a_model_refuses_is_remembered_when_the_gateway_is_stopped() {
    learned(|daemon| assert_eq!(daemon.terminate(), 0));
}

#[test]
fn what_a_model_refuses_is_remembered_when_the_gateway_is_killed_a_tick_later() {
    learned(|daemon| {
        let_run(2 * TICK);
        daemon.kill();
    });
}
