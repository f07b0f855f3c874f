//! A made-up estate for tests and for looking at the page.
#![allow(clippy::unwrap_used, reason = "made up for tests and fuzzing: every name is known")]
#![cfg_attr(not(test), allow(dead_code, reason = "as in a test"))]

pub(super) mod buses;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::view::View;
use crate::buffer::{BufferStatus, WearStatus};
use crate::clock::{self, Clock, Trust};
use crate::driver::mqtt::BrokerStatus;
use crate::model::*;
use crate::selftest::{self, Subject};
use crate::starlevel::{Engine, GatewaySeen, LinkEvidence, RulePack};
use crate::uplink::UplinkStatus;

/// The senders keep the channels open and let a test change the states.
pub(super) struct Sample {
    pub view: View,
    pub buffer: watch::Sender<BufferStatus>,
    pub uplink: watch::Sender<UplinkStatus>,
    pub broker: watch::Sender<BrokerStatus>,
}

fn point(name: &str, zh: &str, en: &str, unit: &str, decimals: u8, quantity: Quantity) -> Point {
    Point {
        zh: zh.into(),
        en: en.into(),
        decimals,
        ..Point::new(name, Unit::parse(unit).unwrap(), quantity)
    }
}

fn points(category: Category, more: usize) -> Vec<Point> {
    let mut list = match category {
        Category::ElectricityMeter => vec![
            point(
                "totalActiveEnergyImport",
                "正向有功总电能",
                "Active energy import",
                "kW.h",
                2,
                Quantity::Counter,
            ),
            point(
                "totalActivePower",
                "总有功功率",
                "Active power",
                "W",
                0,
                Quantity::Instantaneous,
            ),
            point("phaseVoltage", "A相电压", "Voltage L1", "V", 1, Quantity::Instantaneous),
        ],
        Category::EnvironmentSensor => vec![
            point("pm25", "PM2.5", "PM2.5", "ug/m3", 0, Quantity::Instantaneous),
            point("temperature", "温度", "Temperature", "Cel", 1, Quantity::Instantaneous),
        ],
        Category::ParcelLocker => {
            let mut cells = vec![point("fault", "柜体故障", "Fault", "1", 0, Quantity::State)];
            for n in 1..=8 {
                let (zh, en) = (format!("{n} 号格口 门开"), format!("cell {n} door open"));
                cells.push(point(&format!("cells.{n}.door"), &zh, &en, "1", 0, Quantity::State));
            }
            cells.push(point("note", "信息", "Message", "1", 0, Quantity::Text));
            cells
        }
        _ => {
            let mut state = point("state", "工作状态", "State", "1", 0, Quantity::State);
            state.labels = vec![Label { code: 1, zh: "空闲".into(), en: "idle".into() }];
            vec![state, point("note", "信息", "Message", "1", 0, Quantity::Text)]
        }
    };
    list.extend(
        (0..more).map(|n| point(&format!("extra{n}"), "", "", "V", 1, Quantity::Instantaneous)),
    );
    list
}

fn groups(category: Category) -> Arc<[Group]> {
    let cells = Group {
        name: "cells".into(),
        zh: "{n} 号格口".into(),
        en: "cell {n}".into(),
        from: 1,
        count: 8,
        max: 200,
    };
    if category == Category::ParcelLocker { Arc::new([cells]) } else { Arc::new([]) }
}

/// `copies` times fourteen devices with `more` additional points each, one of them dead.
#[expect(clippy::too_many_lines, reason = "one estate, written down from top to bottom")]
pub(super) async fn sample(copies: usize, more: usize) -> Sample {
    let clock = Clock::new(clock::Config { trust: Trust::System, ..clock::Config::default() });
    // Hours of history, also on a machine that has just booted.
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(7300)).await;
    tokio::time::resume();
    let now = clock.now();
    let back = |seconds: u64| Moment { boot_ms: now.boot_ms.saturating_sub(seconds * 1000) };
    let line = BusId::new("line-1").unwrap();
    let mut devices = Vec::new();
    for copy in 0..copies {
        for (slot, &category) in Category::ALL.iter().enumerate().take(11) {
            devices.push(Device {
                id: DeviceId::new(&format!("{}-{copy}-{slot}", category.word())).unwrap(),
                name: format!("{}号楼{}", copy + 1, category.zh()),
                place: format!("{}号楼{}单元", copy + 1, slot % 3 + 1),
                owner: "海景花园业主委员会".into(),
                maintainer: if slot == 2 { String::new() } else { "海景物业".into() },
                category,
                profile: "eastron-sdm630".into(),
                product: "Eastron SDM630".into(),
                connection: format!("line-1 #{}", slot + 1),
                bus: (slot < 6).then(|| line.clone()),
                expected_every: Duration::from_secs(60),
                points: points(category, more).into(),
                groups: groups(category),
                derived: Arc::new([]),
            });
        }
    }
    let gateway = GatewayId::new("weihai-0631").unwrap();
    let estate = Estate::new(gateway, "海景花园".into(), EstateKind::OldRetrofit, devices).unwrap();
    let estate = Arc::new(estate);
    let snapshot = Snapshot::new(Arc::clone(&estate), back(7200));
    let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), back(7200));
    // Two hours in which all but one device are heard each minute.
    for minute in (0..120u64).rev() {
        for (index, _) in estate.indexed().filter(|(index, _)| index.slot() != 3) {
            snapshot.with(index, |state| {
                state.health = Health::Online;
                state.heard_at = Some(back(minute * 60 + 30));
            });
        }
        let at = back(minute * 60);
        engine.observe(&snapshot, at, clock.wall(at), &GatewaySeen::default());
    }
    for (index, device) in estate.indexed() {
        snapshot.with(index, |state| fill(state, device, index.slot(), now, &back));
    }
    engine.observe(&snapshot, now, clock.wall(now), &GatewaySeen::default());
    let nothing = Subject { root: "/nonexistent".into(), ..Subject::default() };
    engine.set_self_test(selftest::run(&nothing));
    let rows = buses::rows(&line, copies, &back);
    let lines = rows.iter().map(|row| buses::line(&row.id, &back)).collect();
    let link =
        LinkEvidence { connected: true, authenticated: true, acknowledged_at: Some(back(2)) };
    let assessment = engine.assess(&snapshot, &link, now, clock.wall(now));
    let (buffer, buffer_seen) = watch::channel(buffer_status());
    let (uplink, uplink_seen) = watch::channel(uplink_status(back(2), back(7000)));
    let (broker, broker_seen) = watch::channel(BrokerStatus {
        connected: true,
        since: back(7100),
        fault: None,
        credentials: None,
        broker: "mqtt 127.0.0.1:1883".into(),
        messages: 18_233,
        rejected: 4,
        unacked: 2,
    });
    let assessment = watch::channel(Some(Arc::new(assessment))).1;
    let access = super::Access::open(clock.clone(), None);
    let view = View {
        estate,
        snapshot,
        buses: BusTable::new(rows),
        lines,
        broker: Some(broker_seen),
        buffer: buffer_seen,
        uplink: uplink_seen,
        assessment,
        risk: engine.risk_table(),
        evidence: None,
        reporter: None,
        desk: None,
        broadcast: None,
        commands: None,
        clock,
        started: back(7200),
        version: "0.1.0".into(),
        acts: tokio::sync::mpsc::channel(1).0,
        alarms: None,
        scan: super::ScanDesk::default(),
        access,
        tls: None,
        notes: Vec::new(),
        files: None,
        support: None,
        promises: super::promises::Pledges::default(),
        history: None,
        history_desk: super::HistoryDesk::default(),
    };
    Sample { view, buffer, uplink, broker }
}

fn fill(
    state: &mut DeviceState,
    device: &Device,
    slot: usize,
    now: Moment,
    back: &impl Fn(u64) -> Moment,
) {
    let at = back((slot as u64 % 7) * 9);
    for (n, point) in (0u16..).zip(device.points.iter()) {
        let value = match point.quantity {
            Quantity::Text if slot == 5 => Value::Text("<script>alert('x')</script>".into()),
            Quantity::Text => Value::Text("正常".into()),
            Quantity::State => Value::Number(1.0),
            Quantity::Counter => Value::Number(48_211.37 + slot as f64),
            Quantity::Instantaneous => Value::Number(231.4 + f64::from(n)),
        };
        state.apply(at, &Reading::good(PointIndex(n), value));
    }
    state.health = Health::Online;
    match slot {
        3 => {
            state.health = Health::Offline;
            state.cause = Some(Cause::NoAnswer);
            state.since = back(4100);
            state.heard_at = Some(back(4200));
            for n in 0..device.points.len() {
                let index = PointIndex(u16::try_from(n).unwrap());
                state.apply(now, &Reading::bad(index, Reason::DeviceOffline));
                state.points[n].good_at = Some(back(4200));
            }
        }
        7 => {
            state.health = Health::Suspect;
            state.cause = Some(Cause::DamagedReplies);
            state.since = back(40);
        }
        _ => {}
    }
}

fn buffer_status() -> BufferStatus {
    BufferStatus {
        epoch: Epoch(7),
        next_seq: Seq(120),
        oldest_seq: Some(Seq(118)),
        blocks: 2,
        readings: 412,
        live_bytes: 6200,
        file_bytes: 9 << 20,
        budget: 256 << 20,
        bytes_per_hour: 1_310_000.0,
        hours_left: Some(197.0),
        committed_readings: 1_284_112,
        committed_bytes: 21 << 20,
        evicted_blocks: 0,
        damaged_blocks: 0,
        thinned_blocks: 0,
        left_out_readings: 0,
        skipped_positions: 0,
        thinned_bytes: 0,
        commits: 7180,
        last_commit_ms: 6,
        wear: wear_status(),
        fault: None,
    }
}

fn wear_status() -> WearStatus {
    WearStatus {
        tick_ms: 1500,
        loss_bound_ms: 10_000,
        written_bytes: 812 << 20,
        written_per_day: Some(1.2e9),
        budget_per_day: Some(1.6e9),
        years_left: Some(13.3),
    }
}

fn uplink_status(acknowledged: Moment, since: Moment) -> UplinkStatus {
    UplinkStatus {
        configured: true,
        connected: true,
        since,
        broker: "platform.example.cn:8883".into(),
        tls: true,
        acknowledged_at: Some(acknowledged),
        published_blocks: 118,
        acknowledged_blocks: 117,
        acknowledged_readings: 1_283_700,
        acknowledged_bytes: 20 << 20,
        in_flight: 1,
        sessions: 1,
        live_latency_ms: Some(84),
        ..UplinkStatus::default()
    }
}
