//! An estate of MQTT devices, for tests.

use std::sync::Arc;
use std::time::Duration;

use super::MqttDevice;
use crate::model::{
    Category, Device, DeviceId, Estate, EstateKind, GatewayId, Point, Quantity, Unit,
};
use crate::profile::{
    Availability, Binding, MqttModel, MqttSource, PathStep, PayloadFormat, Profile, Scale,
    TopicRule,
};

fn point(name: &str) -> Point {
    Point { decimals: 1, ..Point::new(name, Unit::ONE, Quantity::Instantaneous) }
}

fn source(key: &str) -> MqttSource {
    MqttSource {
        topic: 0,
        path: vec![PathStep::Key(key.into())],
        names: 0,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag_words: std::collections::BTreeMap::default(),
        flag: false,
        text: false,
        decimals: 1,
    }
}

/// Points `t` and `h` in a JSON document on `{base}`, time in `time`, availability on
/// `{base}/availability`, silent after 60 s.
pub(super) fn estate(names: &[&str]) -> (Arc<Estate>, Vec<MqttDevice>) {
    let points: Arc<[Point]> = vec![point("t"), point("h")].into();
    let rule = TopicRule {
        pattern: "{base}".into(),
        format: PayloadFormat::Json,
        time: Some(vec![PathStep::Key("time".into())]),
        entry: 0,
        member: None,
    };
    let availability = Availability {
        pattern: "{base}/availability".into(),
        path: Vec::new(),
        online: vec!["online".into()],
        offline: vec!["offline".into()],
    };
    let profile = Arc::new(Profile {
        id: "sensor".into(),
        binding: Binding::Mqtt(MqttModel {
            topics: vec![rule],
            availability: Some(availability),
            sources: vec![source("t"), source("h")],
            silent_after: Some(Duration::from_secs(60)),
        }),
        points: Arc::clone(&points),
        periods: vec![None, None],
        ..Profile::bare(Category::EnvironmentSensor)
    });
    let devices = names.iter().map(|name| {
        Device::new(
            DeviceId::new(name).unwrap(),
            Category::EnvironmentSensor,
            Duration::from_secs(60),
            Arc::clone(&points),
        )
    });
    let gateway = GatewayId::new("g").unwrap();
    let estate = Estate::new(gateway, String::new(), EstateKind::New, devices.collect()).unwrap();
    let list = estate.indexed().map(|(index, device)| MqttDevice {
        index,
        profile: Arc::clone(&profile),
        base: format!("z/{}", device.id),
        params: Vec::new(),
    });
    let list = list.collect();
    (Arc::new(estate), list)
}
