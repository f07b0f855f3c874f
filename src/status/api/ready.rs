//! `/readyz`: whether the gateway does its work, and which promises it keeps.
//!
//! Only one thing makes it not ready (503): what is read cannot be stored durably. Everything else
//! passes without a restart and without loss, is listed, and is no reason to take the box away.

use serde::Serialize;

use crate::model::Promise;
use crate::status::promises::standing;
use crate::status::view::View;

/// Whether the gateway does its work, and why not.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct Ready {
    pub ready: bool,
    /// Why it is not ready.
    pub reasons: Vec<String>,
    /// What is wrong but does not stop the work.
    pub degraded: Vec<String>,
    /// All promises, kept and broken.
    pub promises: Vec<PromiseRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct PromiseRow {
    promise: &'static str,
    kept: bool,
    /// Since how many seconds it is broken; absent while it is kept.
    broken_for_s: Option<u64>,
    why: Option<String>,
    why_zh: Option<String>,
}

pub(in crate::status) fn ready(view: &View) -> Ready {
    let fault = view.buffer.borrow().fault.clone();
    let reasons: Vec<String> =
        fault.map(|fault| format!("buffer not durable: {fault}")).into_iter().collect();
    let degraded = degraded(view);
    let now = view.now();
    let promises = standing(view).map(|one| PromiseRow {
        promise: one.promise.word(),
        kept: one.why.is_none(),
        broken_for_s: one.since.map(|since| now.since(since).as_secs()),
        why: one.why.as_ref().map(|why| why.en.clone()),
        why_zh: one.why.map(|why| why.zh),
    });
    Ready { ready: reasons.is_empty(), reasons, degraded, promises: promises.into() }
}

fn degraded(view: &View) -> Vec<String> {
    let mut degraded = Vec::new();
    let uplink = view.uplink.borrow().clone();
    if uplink.configured && !uplink.connected {
        degraded.push(format!("uplink down: {}", uplink.fault.unwrap_or_default()));
    }
    if !view.clock.trusted() {
        degraded.push("clock not trusted".to_owned());
    }
    if let Some(broker) = &view.broker
        && !broker.borrow().connected
    {
        let fault = broker.borrow().fault.clone().unwrap_or_default();
        degraded.push(format!("field broker down: {fault}"));
    }
    for bus in view.buses.all().into_iter().filter(|bus| !bus.open && bus.fault.is_some()) {
        degraded.push(format!("bus {} down: {}", bus.id, bus.fault.unwrap_or_default()));
    }
    for bus in view.buses.all().into_iter().filter(|bus| bus.open) {
        for finding in bus.findings.iter().filter(|finding| finding.devices.is_empty()) {
            let diagnosis = crate::status::finding::name(finding.diagnosis).en;
            degraded.push(format!("bus {}: {diagnosis}: {}", bus.id, finding.seen.en));
        }
    }
    for one in standing(view) {
        let named = match one.promise {
            Promise::Certificate | Promise::Configuration => true,
            // An outage is named above.
            Promise::Delivered => !uplink.configured || uplink.connected,
            Promise::Durable | Promise::Clock | Promise::Collected => false,
        };
        if let Some(why) = one.why.filter(|_| named) {
            degraded.push(format!("{}: {why}", one.promise.word()));
        }
    }
    degraded
}
