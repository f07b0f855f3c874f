//! The scales: every remedy is checked by weighing what it proposes.

use super::*;
use crate::driver::bus::rig::holding;
use crate::driver::{Parity, Transport};
use crate::model::BusId;

const LINE: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };

fn serial() -> BusConfig {
    BusConfig::new(BusId::new("line-1").unwrap(), Transport::Serial { path: "/dev/x".into() })
}

fn polled(profile: &Profile, count: u8, period: Duration) -> Vec<Polled<'_>> {
    (1..=count)
        .map(|unit| Polled { profile, address: BusAddress::Unit(unit), line: LINE, period })
        .collect()
}

#[test]
fn a_bus_with_room_is_told_its_figures_and_no_remedy() {
    let profile = holding(&[0, 1]);
    let weight = weigh(&serial(), &polled(&profile, 4, Duration::from_secs(60)));
    assert!(!weight.tight() && weight.remedies.is_empty());
    let Words { en, zh } = weight.told();
    assert!(en.contains("4 requests at 9600 8N1") && en.contains("you asked for 60 s"), "{en}");
    assert!(en.contains("with three dead devices"), "{en}");
    assert!(zh.contains("4 次请求") && zh.contains("要求周期 60 秒"), "{zh}");
}

#[test]
fn a_crowded_bus_is_told_the_period_the_rate_and_the_lines_that_give_it_room() {
    let profile = holding(&[0, 1]);
    let devices = polled(&profile, 60, Duration::from_secs(2));
    let weight = weigh(&serial(), &devices);
    assert!(weight.too_much(), "{weight:?}");
    let mut kinds = Vec::new();
    for remedy in &weight.remedies {
        let after = match *remedy {
            Remedy::Lengthen { from, to, uneven, load: promised } => {
                assert!(!uneven && from == Duration::from_secs(2) && to > from);
                let after = load(&serial(), &polled(&profile, 60, to)).load;
                assert!((after - promised).abs() < 1e-9);
                kinds.push("period");
                after
            }
            Remedy::Faster { baud, load: promised, .. } => {
                let faster: Vec<_> = devices
                    .iter()
                    .map(|device| Polled { line: LineSettings { baud, ..LINE }, ..*device })
                    .collect();
                let after = load(&serial(), &faster).load;
                assert!((after - promised).abs() < 1e-9);
                kinds.push("baud");
                after
            }
            Remedy::Split { lines, load: promised, .. } => {
                let count = u8::try_from(60usize.div_ceil(lines)).unwrap();
                let after = load(&serial(), &polled(&profile, count, Duration::from_secs(2))).load;
                assert!((after - promised).abs() < 1e-9);
                kinds.push("split");
                after
            }
            Remedy::SlowPoints { load, .. } => load,
        };
        assert!(after < weight.budget.load, "{remedy:?}");
        let Words { en, zh } = remedy.told();
        assert!(en.contains('%') && zh.contains('%'));
    }
    assert_eq!(kinds, ["period", "baud", "split"]);
}

#[test]
fn the_costliest_device_comes_first() {
    let (small, large) = (holding(&[0]), holding(&[0, 400, 800, 1200]));
    let mut devices = polled(&small, 3, Duration::from_secs(10));
    devices[1].profile = &large;
    let weight = weigh(&serial(), &devices);
    assert_eq!(weight.consumers[0].device, 1);
    assert_eq!(weight.consumers[0].requests, 4);
    let all: f64 = weight.consumers.iter().map(|consumer| consumer.load).sum();
    assert!((all - weight.budget.load).abs() < 1e-9);
}

#[test]
fn a_tcp_endpoint_has_no_baud_rate_to_raise_and_no_line_to_split() {
    let tcp = BusConfig::new(
        BusId::new("chargers").unwrap(),
        Transport::Tcp { address: "10.0.0.5:502".into() },
    );
    let profile = holding(&[0]);
    let weight = weigh(&tcp, &polled(&profile, 60, Duration::from_secs(1)));
    assert!(weight.too_much());
    assert!(matches!(weight.remedies[..], [Remedy::Lengthen { .. }]), "{:?}", weight.remedies);
    assert!(!weight.told().en.contains("8N1"));
}
