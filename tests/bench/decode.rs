//! What a point costs on its way in: decoding registers, reading a JSON payload, judging and
//! thinning it in the pipeline. One thread, nanoseconds per point.
//!
//!     cargo bench --bench decode
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use linli::clock::{Clock, Config, Trust};
use linli::config;
use linli::model::{Batch, DeviceIndex, FieldMessage, PointIndex, Reading, Snapshot, Value};
use linli::pipeline::Pipeline;
use linli::profile::{Binding, Library, decode_json, decode_words};
use tokio::time::Instant;

const ROUNDS: u32 = 20_000;

fn main() {
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let library = Library::built_in();
    println!("{:<44}{:>12}", "step", "ns a point");
    registers(&library);
    payload(&library);
    pipeline(&library);
}

fn print(step: &str, start: Instant, points: usize) {
    let each = start.elapsed().as_secs_f64() * 1e9 / f64::from(ROUNDS) / points as f64;
    println!("{step:<44}{each:>12.1}");
}

fn registers(library: &Library) {
    for id in ["eastron-sdm630", "acrel-dtsd1352", "abb-b23"] {
        let profile = library.get(id).unwrap();
        let Binding::Modbus { sources, .. } = &profile.binding else { continue };
        let words = [0x4366, 0x199A, 0, 0];
        let params = vec![1.0; profile.params.len()];
        let factors: Vec<f64> = sources.iter().map(|s| s.scale.resolve(&params)).collect();
        let start = Instant::now();
        for _ in 0..ROUNDS {
            for (source, factor) in sources.iter().zip(&factors) {
                let width = usize::from(source.encoding.width());
                black_box(decode_words(source, black_box(&words[..width]), *factor)).ok();
            }
        }
        print(&format!("decode registers, {id}"), start, sources.len());
    }
}

fn payload(library: &Library) {
    let profile = library.get("tasmota-energy-plug").unwrap();
    let Binding::Mqtt(model) = &profile.binding else { return };
    let text = r#"{"Time":"2026-01-02T03:04:05","ENERGY":{"Total":123.456,"Power":42,"ApparentPower":50,"ReactivePower":10,"Factor":0.84,"Voltage":230,"Current":0.192,"Frequency":50}}"#;
    let start = Instant::now();
    let mut points = 0;
    for _ in 0..ROUNDS {
        let document: serde_json::Value = serde_json::from_str(black_box(text)).unwrap();
        points = 0;
        for source in &model.sources {
            if let Ok(Some(value)) = decode_json(source, &document, 1.0) {
                black_box(value);
                points += 1;
            }
        }
    }
    print("parse and decode JSON, tasmota-energy-plug", start, points);
}

fn pipeline(library: &Library) {
    let text = "[gateway]\nid = \"bench\"\n[[bus]]\nid = \"bus\"\ntcp = \"127.0.0.1:502\"\n\
                [[device]]\nid = \"meter\"\nprofile = \"eastron-sdm630\"\nbus = \"bus\"\nunit = 1\n";
    let settings = config::parse("bench", text, library).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let clock = Clock::new(Config { trust: Trust::System, ..Config::default() });
        let snapshot = Snapshot::new(Arc::new(settings.estate()), clock.now());
        let points = settings.devices[0].points.len();
        let (mut stage, _) = Pipeline::new(snapshot, clock.clone(), vec![None], None);
        let mut at = clock.now();
        let start = Instant::now();
        for round in 0..ROUNDS {
            at = at.plus(Duration::from_secs(1));
            let readings = (0..points)
                .map(|slot| {
                    let point = PointIndex(u16::try_from(slot).unwrap());
                    Reading::good(point, Value::Number(f64::from(round)))
                })
                .collect();
            let batch =
                Batch { device: DeviceIndex(0), at, source_time: None, readings, receipt: None };
            black_box(stage.apply(FieldMessage::Readings(batch)));
        }
        print("judge and thin, pipeline", start, points);
    });
}
