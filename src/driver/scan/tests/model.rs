//! Which model a meter is guessed to be.

use super::*;

#[test]
fn a_meter_that_tells_its_type_is_the_model_of_that_type() {
    for (meter_type, profile) in
        [(MeterType::COLD_WATER, "cjt188-water"), (MeterType::HOT_WATER, "cjt188-hot-water")]
    {
        let address = "00000000000007".parse().unwrap();
        let order = DiOrder::HighFirst;
        let sim = Sim::Cjt188 { address, meter_type, order, any_type: true };
        let mut line = Line::new(vec![(M2400, 40, sim)]);
        let options = ScanOptions { baud: vec![2400], ..only(&["cjt188"]) };
        let mut scan = Scan::new(plan(options, Kind::Serial), Models::new(built_in()));
        drive(&mut scan, &mut line);
        let told: Vec<&str> =
            scan.found()[0].candidates.iter().map(|one| one.profile.as_str()).collect();
        assert_eq!(told.first(), Some(&profile), "{told:?}");
    }
}

#[test]
fn a_meter_that_answers_its_own_type_only_is_read_by_it() {
    let address = "00000000000007".parse().unwrap();
    let (order, meter_type) = (DiOrder::LowFirst, MeterType::COLD_WATER);
    let sim = Sim::Cjt188 { address, meter_type, order, any_type: false };
    let mut line = Line::new(vec![(M2400, 40, sim)]);
    let options = ScanOptions { baud: vec![2400], ..only(&["cjt188"]) };
    let mut scan = Scan::new(plan(options, Kind::Serial), Models::new(built_in()));
    drive(&mut scan, &mut line);
    assert!(!scan.found()[0].candidates.is_empty(), "it was asked for another type only");
}
