//! Scans of simulated lines: meters that answer over each other, mixed protocols, noise, nothing.

mod model;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::machine::News;
use super::sim_line::{Line, M2400, N9600, Sim, heard};
use super::*;
use crate::driver::BusAddress;
use crate::driver::bus::{Answer, Fault};
use crate::profile::{BUILT_IN, Binding, Library, Profile, Table, parse};
use crate::protocol::cjt188::{DiOrder, MeterType};
use crate::protocol::dlt645::Edition;

fn plan(options: ScanOptions, kind: Kind) -> ScanPlan {
    options.plan(kind, BTreeMap::new()).unwrap()
}

fn only(words: &[&str]) -> ScanOptions {
    let protocol = words.iter().map(ToString::to_string).collect();
    ScanOptions { protocol, ..ScanOptions::default() }
}

fn drive(scan: &mut Scan, line: &mut Line) -> Vec<Remark> {
    while let Some(probe) = scan.next() {
        assert!(line.asked < 60_000, "the scan does not end");
        let heard = line.answer(&probe);
        let before = scan.progress();
        assert!(before.done <= before.expected);
        scan.heard(&heard);
    }
    let progress = scan.progress();
    assert_eq!(progress.done, progress.expected);
    std::iter::from_fn(|| scan.take_news())
        .filter_map(|news| match news {
            News::Remark(remark) => Some(remark),
            News::Found(_) => None,
        })
        .collect()
}

fn electricity(address: &str) -> Sim {
    let address = address.parse().unwrap();
    Sim::Dlt645 { address, edition: Edition::V2007, wild_address: false }
}

fn addresses(scan: &Scan) -> Vec<String> {
    let mut found: Vec<String> = scan.found().iter().map(|one| one.address.to_string()).collect();
    found.sort();
    found
}

fn models() -> Models {
    Models::default()
}

#[test]
fn one_meter_is_found_by_the_wild_address_without_a_search() {
    let mut line = Line::new(vec![(M2400, 40, electricity("000012345678"))]);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    assert!(drive(&mut scan, &mut line).is_empty());
    assert_eq!(addresses(&scan), ["000012345678"]);
    assert_eq!(scan.found()[0].line, M2400);
    assert!(line.asked < 40, "{}", line.asked);
}

#[test]
fn two_meters_that_answer_after_each_other_are_both_heard() {
    let meters = ["000000000017", "000000000099"];
    let devices =
        meters.iter().zip([40, 400]).map(|(a, delay)| (M2400, delay, electricity(a))).collect();
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    drive(&mut scan, &mut line);
    assert_eq!(addresses(&scan), meters);
}

#[test]
fn twenty_meters_that_speak_over_each_other_are_told_apart_also_with_equal_low_digits() {
    let mut meters: Vec<String> =
        (0..16u64).map(|n| format!("{:012}", 310_000_000 + n * 7)).collect();
    // Equal in the lowest four digits, and in the lowest ten.
    meters
        .extend(["000000011234", "000000021234", "010000001234", "020000001234"].map(String::from));
    meters.sort();
    let devices = meters.iter().map(|a| (M2400, 40, electricity(a))).collect();
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    assert!(drive(&mut scan, &mut line).is_empty());
    assert_eq!(addresses(&scan), meters);
    assert!(line.asked < 1500, "{}", line.asked);
}

#[test]
fn meters_that_match_low_digits_only_when_asked_for_their_address_are_found_too() {
    let meter = |address: &str| {
        let address = address.parse().unwrap();
        Sim::Dlt645 { address, edition: Edition::V2007, wild_address: true }
    };
    let devices = vec![(M2400, 40, meter("000000000001")), (M2400, 50, meter("000000000002"))];
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    drive(&mut scan, &mut line);
    assert_eq!(addresses(&scan), ["000000000001", "000000000002"]);
}

#[test]
fn two_meters_with_one_address_are_told_as_such() {
    let meters = ["000000000005", "000000000005", "000000000006"];
    let devices = meters.iter().map(|a| (M2400, 40, electricity(a))).collect();
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    let remarks = drive(&mut scan, &mut line);
    assert_eq!(addresses(&scan), ["000000000006"]);
    assert!(remarks.iter().any(|remark| remark.kind == RemarkKind::SharedAddress), "{remarks:?}");
    assert!(remarks[0].text.en.contains("000000000005"), "{}", remarks[0].text.en);
}

#[test]
fn a_meter_of_1997_is_found_by_its_own_function() {
    let address = "000000000042".parse().unwrap();
    let sim = Sim::Dlt645 { address, edition: Edition::V1997, wild_address: false };
    let mut line = Line::new(vec![(M2400, 40, sim)]);
    let mut scan = Scan::new(plan(only(&["dlt645"]), Kind::Serial), models());
    drive(&mut scan, &mut line);
    assert_eq!(scan.found().len(), 1);
    assert_eq!(scan.found()[0].speaks, Speaks::Dlt645(Edition::V1997));
}

fn water(address: &str, order: DiOrder, any_type: bool) -> Sim {
    let address = address.parse().unwrap();
    Sim::Cjt188 { address, meter_type: MeterType::COLD_WATER, order, any_type }
}

#[test]
fn water_meters_of_either_order_and_those_that_want_their_own_type_are_found() {
    for (order, any_type) in [(DiOrder::HighFirst, true), (DiOrder::LowFirst, false)] {
        let meters = ["00001234567801", "00001234567802", "11221234567802"];
        let devices = meters.iter().map(|a| (M2400, 40, water(a, order, any_type))).collect();
        let mut line = Line::new(devices);
        let mut scan = Scan::new(plan(only(&["cjt188"]), Kind::Serial), models());
        drive(&mut scan, &mut line);
        assert_eq!(addresses(&scan), meters);
        let speaks = Speaks::Cjt188 { meter_type: MeterType::COLD_WATER, order };
        assert!(scan.found().iter().all(|one| one.speaks == speaks));
    }
}

fn modbus(unit: u8) -> Sim {
    Sim::Modbus { unit, registers: BTreeMap::from([((Table::Input, 0), 7)]) }
}

#[test]
fn a_line_of_three_protocols_at_two_settings_is_found_whole() {
    let mut line = Line::new(vec![
        (M2400, 40, electricity("000012345678")),
        (M2400, 50, water("00000000000007", DiOrder::HighFirst, true)),
        (N9600, 20, modbus(1)),
        (N9600, 20, modbus(247)),
    ]);
    let mut scan = Scan::new(plan(ScanOptions::default(), Kind::Serial), models());
    assert!(drive(&mut scan, &mut line).is_empty());
    assert_eq!(addresses(&scan), ["#1", "#247", "00000000000007", "000012345678"]);
}

#[test]
fn known_devices_are_told_as_known_and_not_guessed() {
    let known = BTreeMap::from([("#5".to_owned(), "pump".to_owned())]);
    let plan = only(&["modbus"]).plan(Kind::Serial, known).unwrap();
    let mut line = Line::new(vec![(N9600, 20, modbus(5))]);
    let mut scan = Scan::new(plan, Models::new(built_in()));
    drive(&mut scan, &mut line);
    assert_eq!(scan.found()[0].known.as_deref(), Some("pump"));
    assert!(scan.found()[0].candidates.is_empty());
}

#[test]
fn noise_without_a_frame_is_told_as_another_setting_and_does_not_hold_the_scan_up() {
    let mut line = Line::new(vec![(N9600, 20, Sim::Noise)]);
    let mut scan = Scan::new(plan(ScanOptions::default(), Kind::Serial), models());
    let remarks = drive(&mut scan, &mut line);
    let kinds: Vec<RemarkKind> = remarks.iter().map(|remark| remark.kind).collect();
    assert_eq!(kinds, [RemarkKind::OtherSettings]);
    assert!(scan.found().is_empty());
    assert!(line.asked < 6000, "{}", line.asked);
}

#[test]
fn a_dead_line_is_told_with_what_to_check() {
    let mut line = Line::new(Vec::new());
    let mut scan = Scan::new(plan(ScanOptions::default(), Kind::Serial), models());
    let remarks = drive(&mut scan, &mut line);
    assert_eq!(remarks.len(), 1);
    assert_eq!(remarks[0].kind, RemarkKind::NothingHeard);
    assert!(!remarks[0].text.zh.is_empty());
}

#[test]
fn two_devices_at_one_unit_id_are_told_where_others_are_clear() {
    let devices = vec![(N9600, 20, modbus(3)), (N9600, 20, modbus(9)), (N9600, 20, modbus(9))];
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(only(&["modbus"]), Kind::Serial), models());
    let remarks = drive(&mut scan, &mut line);
    assert_eq!(addresses(&scan), ["#3"]);
    assert_eq!(remarks[0].kind, RemarkKind::SharedAddress);
    assert!(remarks[0].text.en.contains("#9"));
}

#[test]
fn an_endpoint_that_answers_at_every_id_is_one_device() {
    let devices = (1..=255).map(|unit| (M2400, 5, modbus(unit))).collect();
    let mut line = Line::new(devices);
    let plan = plan(ScanOptions::default(), Kind::Mbap);
    let fixed = plan.lines[0];
    line.devices.iter_mut().for_each(|device| device.0 = fixed);
    let mut scan = Scan::new(plan, models());
    drive(&mut scan, &mut line);
    assert_eq!(addresses(&scan), ["#1"]);
    assert!(scan.found()[0].every_unit);
    assert!(line.asked < 10);
}

fn built_in() -> Vec<Arc<Profile>> {
    let library = Library::built_in();
    library.ids().filter_map(|id| library.get(id)).collect()
}

/// A device of this model: its examples' registers, zero in all others that the model has.
fn device_of(profile: &Profile, text: &str) -> Option<BTreeMap<(Table, u16), u16>> {
    let Binding::Modbus { sources, .. } = &profile.binding else { return None };
    let mut registers = BTreeMap::new();
    for source in sources {
        for at in 0..source.encoding.width() {
            registers.insert((source.table, source.address + at), 0);
        }
    }
    let loaded = parse(&format!("{}.toml", profile.id), text).unwrap();
    for block in loaded.examples.iter().rev().flat_map(|example| &example.blocks) {
        for (at, word) in (block.address..).zip(&block.words) {
            registers.insert((block.table, at), *word);
        }
    }
    Some(registers)
}

#[test]
fn the_model_of_each_built_in_profile_is_guessed_from_its_own_examples() {
    let profiles = built_in();
    let (mut first, mut all, mut missed) = (0, 0, Vec::new());
    for profile in &profiles {
        let Some((_, text)) = BUILT_IN.iter().find(|(id, _)| *id == profile.id) else { continue };
        let Some(registers) = device_of(profile, text) else { continue };
        all += 1;
        let mut line = Line::new(vec![(N9600, 20, Sim::Modbus { unit: 7, registers })]);
        let options = ScanOptions { baud: vec![9600], ..only(&["modbus"]) };
        let mut scan = Scan::new(plan(options, Kind::Serial), Models::new(profiles.clone()));
        drive(&mut scan, &mut line);
        let told: Vec<&str> =
            scan.found()[0].candidates.iter().map(|one| one.profile.as_str()).collect();
        assert!(scan.found()[0].candidates.iter().all(|one| !one.certain || one.confidence == 1.0));
        first += usize::from(told.first() == Some(&profile.id.as_str()));
        if !told.contains(&profile.id.as_str()) {
            missed.push(format!("{}: {told:?}", profile.id));
        }
    }
    assert!(missed.is_empty(), "{first} of {all} first: {missed:#?}");
    assert!(first * 10 >= all * 7, "{first} of {all} were guessed first");
}

#[test]
fn an_identification_register_makes_a_guess_certain_and_its_absence_rules_out() {
    let text = &BUILT_IN.iter().find(|(id, _)| *id == "xy-md02").unwrap().1;
    let named = text.replace(
        "table = \"input\"\nencoding",
        "identify = [{ table = \"holding\", address = 900, words = [0x4D44] }]\ntable = \"input\"\nencoding",
    );
    assert_ne!(*text, named);
    let profile = Arc::new(parse("xy-md02.toml", &named).unwrap().profile);
    for (word, certain) in [(0x4D44, true), (0x4D45, false)] {
        let mut registers = device_of(&profile, &named).unwrap();
        registers.insert((Table::Holding, 900), word);
        let mut line = Line::new(vec![(N9600, 20, Sim::Modbus { unit: 1, registers })]);
        let options = only(&["modbus"]);
        let mut scan = Scan::new(plan(options, Kind::Serial), Models::new([Arc::clone(&profile)]));
        drive(&mut scan, &mut line);
        let candidates = &scan.found()[0].candidates;
        assert_eq!(candidates.first().is_some_and(|one| one.certain), certain);
    }
}

#[test]
fn entries_are_accepted_by_the_configuration() {
    let library = Library::built_in();
    let mut names = Names::new(["line-1-unit-7".to_owned()]);
    let (profile, title) = ("eastron-sdm630".into(), ("a\nb", "表").into());
    let (confidence, certain, why) = (0.8, false, Text::default());
    let candidate = Candidate { profile, title, confidence, certain, why };
    let device = FoundDevice {
        protocol: "modbus".into(),
        unit: Some(7),
        address: None,
        endpoint: None,
        baud: Some(9600),
        frame: Some("8E1".into()),
        every_unit: false,
        known: None,
        category: None,
        candidates: vec![candidate],
        mqtt: None,
    };
    let unknown = FoundDevice { unit: Some(8), candidates: Vec::new(), ..device.clone() };
    let text = format!(
        "[gateway]\nid = \"g\"\n[[bus]]\nid = \"line-1\"\nserial = \"/dev/ttyS1\"\n{}{}",
        entry(&device, "line-1", &mut names),
        entry(&unknown, "line-1", &mut names)
    );
    // The configuration's own reader is tested with it in `cli::scan`; here the shape counts.
    let read: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
    let devices = read["device"].as_array().unwrap();
    assert_eq!(devices.len(), 1, "the unknown one is a comment");
    assert_eq!(devices[0]["id"].as_str(), Some("line-1-unit-7-2"));
    assert!(library.get(devices[0]["profile"].as_str().unwrap()).is_some());
}

#[tokio::test(start_paused = true)]
async fn the_owner_of_a_bus_is_asked_between_its_polls_and_a_gone_one_ends_the_scan() {
    use crate::driver::bus::BusRequest;
    let (order, mut orders) = tokio::sync::mpsc::channel(1);
    let plan = plan(ScanOptions { units: vec!["1-3".into()], ..only(&["modbus"]) }, Kind::Mbap);
    let mut walk = Walk::new(Scan::new(plan, models()), Prober::Owner(order));
    let owner = async {
        for _ in 0..2 {
            let Some(BusRequest::Probe(probe)) = orders.recv().await else { panic!("a probe") };
            tokio::time::sleep(Duration::from_secs(1)).await;
            let present = probe.ask.address() == Some(BusAddress::Unit(1));
            let outcome = if present { Ok(Answer::Words(vec![1])) } else { Err(Fault::Silent) };
            probe.reply.send(heard(outcome, vec![1])).unwrap();
        }
        drop(orders);
    };
    let watch = async {
        let mut events = Vec::new();
        while let Some(event) = walk.next().await {
            events.push(event);
        }
        events
    };
    let ((), events) = tokio::join!(owner, watch);
    let is_found = |event: &ScanEvent| matches!(event, ScanEvent::Found(_));
    assert!(!events.iter().any(is_found), "a guess waits for the end of the ids");
    assert!(matches!(events.last(), Some(ScanEvent::Failed { .. })), "{events:?}");
}

/// Silence until every device of the line was found, as the settings and the patience make it.
fn found_after(devices: Vec<(crate::driver::LineSettings, u64, Sim)>) -> Duration {
    let count = devices.len();
    let mut line = Line::new(devices);
    let mut scan = Scan::new(plan(ScanOptions::default(), Kind::Serial), models());
    let mut spent = Duration::ZERO;
    while let Some(probe) = scan.next() {
        spent += probe.unanswered();
        scan.heard(&line.answer(&probe));
        if scan.found().len() == count {
            return spent;
        }
    }
    panic!("only {} of {count} were found", scan.found().len());
}

#[test]
fn the_common_lines_show_their_devices_within_seconds() {
    let meter = found_after(vec![(M2400, 40, electricity("000012345678"))]);
    assert!(meter < Duration::from_secs(2), "{meter:?}");
    let sensors = found_after(vec![(N9600, 20, modbus(1)), (N9600, 20, modbus(9))]);
    assert!(sensors < Duration::from_secs(8), "{sensors:?}");
    let water = found_after(vec![(M2400, 40, water("00000000000007", DiOrder::HighFirst, true))]);
    assert!(water < Duration::from_secs(20), "{water:?}");
}

#[test]
fn the_time_that_is_left_shrinks_by_what_each_silent_question_takes() {
    let mut line = Line::new(Vec::new());
    let mut scan = Scan::new(plan(ScanOptions::default(), Kind::Serial), models());
    let whole = scan.progress().time_left;
    let mut spent = Duration::ZERO;
    while let Some(probe) = scan.next() {
        spent += probe.unanswered();
        scan.heard(&line.answer(&probe));
        let left = scan.progress().time_left;
        assert!(left + spent <= whole + Duration::from_secs(1), "{left:?} {spent:?} {whole:?}");
    }
    assert_eq!(scan.progress().time_left, Duration::ZERO);
    assert!(spent.abs_diff(whole) < Duration::from_secs(1), "{spent:?} {whole:?}");
}
