//! A made-up estate for the tests of the history.

use std::time::Duration;

use crate::model::{
    Category, Device, DeviceId, Estate, EstateKind, GatewayId, Point, Quantity, Unit,
};

/// So many devices `d0`, `d1`, … with so many points `p0`, `p1`, … of one decimal each.
pub fn estate(devices: u32, points: u32) -> Estate {
    let points: Vec<Point> = (0..points)
        .map(|n| Point {
            decimals: 1,
            ..Point::new(&format!("p{n}"), Unit::ONE, Quantity::Instantaneous)
        })
        .collect();
    let device = |n: u32| {
        let id = DeviceId::new(&format!("d{n}")).unwrap();
        Device::new(id, Category::Other, Duration::from_secs(60), points.clone())
    };
    let gateway = GatewayId::new("box").unwrap();
    Estate::new(gateway, String::new(), EstateKind::New, (0..devices).map(device).collect())
        .unwrap()
}
