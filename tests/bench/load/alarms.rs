//! How long it takes from a smoke detector's message to the alarm at the platform's broker.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::mpsc;
use std::time::Duration;

use rumqttc::{Client, Event, MqttOptions, Packet, QoS};

/// Detectors: each raises one alarm, so that nothing is damped or put together.
const DETECTORS: usize = 20;

/// The lines of the configuration.
pub fn devices() -> String {
    // Each is to be told by itself, not as one alarm with members.
    let mut text = String::from("[alarms.grouping]\nsize = 1000\n");
    for n in 0..DETECTORS {
        write!(
            text,
            "[[device]]\nid = \"hall-{n}\"\nprofile = \"zigbee2mqtt-smoke\"\ntopic = \"zigbee2mqtt/hall-{n}\"\n"
        )
        .unwrap();
    }
    text
}

/// Half of the alarms, 95 of 100 and all are there within so many milliseconds, brokers included.
pub fn latency(field: u16, platform: u16) -> String {
    let raised = listen(platform);
    let mut options = MqttOptions::new("bench-smoke", "127.0.0.1", field);
    options.set_inflight(10);
    let (client, mut connection) = Client::new(options, 10);
    std::thread::spawn(move || connection.iter().take_while(Result::is_ok).count());
    let say = |n: usize, smoke: bool| {
        let payload = format!("{{\"smoke\":{smoke},\"battery\":90}}");
        client.publish(format!("zigbee2mqtt/hall-{n}"), QoS::AtLeastOnce, false, payload).unwrap();
    };
    (0..DETECTORS).for_each(|n| say(n, false));
    std::thread::sleep(Duration::from_secs(3));
    let mut times = Vec::new();
    for n in 0..DETECTORS {
        let begun = tokio::time::Instant::now();
        say(n, true);
        let wanted = format!("hall-{n}");
        while raised.recv_timeout(Duration::from_secs(20)).expect("the alarm comes") != wanted {}
        times.push(begun.elapsed().as_millis());
        // Not in step with the second in which the load comes.
        std::thread::sleep(Duration::from_millis(330));
    }
    times.sort_unstable();
    format!(
        "message of a detector to alarm at the platform, brokers included, of {DETECTORS}: \
         median {} ms, 95 of 100 {} ms, longest {} ms",
        times[DETECTORS / 2],
        times[DETECTORS - 2],
        times[DETECTORS - 1]
    )
}

/// Devices whose alarm came to the platform's broker, each once.
fn listen(platform: u16) -> mpsc::Receiver<String> {
    let (out, raised) = mpsc::channel();
    let mut options = MqttOptions::new("bench-platform", "127.0.0.1", platform);
    options.set_max_packet_size(1 << 20, 1 << 20);
    let (client, mut connection) = Client::new(options, 10);
    client.subscribe("linli/v1/bench/#", QoS::AtMostOnce).unwrap();
    std::thread::spawn(move || {
        let _kept = client;
        let mut seen = BTreeSet::new();
        for event in connection.iter().map_while(Result::ok) {
            let Event::Incoming(Packet::Publish(publish)) = event else { continue };
            let Ok(document) = linli::receiver::decode(&publish.payload) else { continue };
            let events = serde_json::to_value(&document.events).unwrap();
            for event in events.as_array().unwrap() {
                let device = event["device"].as_str().unwrap_or_default().to_owned();
                let raised = event["kind"] == "alarm" && event["step"] == "raised";
                if raised && seen.insert(device.clone()) && out.send(device).is_err() {
                    return;
                }
            }
        }
    });
    raised
}
