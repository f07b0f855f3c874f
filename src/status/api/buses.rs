//! `/api/v1/buses`: counters, budgets, devices and findings of every bus.

use serde::Serialize;

use crate::model::{BusBudget, BusState, Finding, Moment, UnitState};
use crate::starlevel::Bilingual;
use crate::status::finding;
use crate::status::view::View;

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct BusRow {
    id: String,
    line: String,
    devices: usize,
    open: bool,
    fault: Option<String>,
    fault_zh: Option<String>,
    for_s: u64,
    load: f64,
    requests: u64,
    answers: u64,
    timeouts: u64,
    exceptions: u64,
    damaged: u64,
    opens: u64,
    missed: u64,
    sent_bytes: u64,
    received_bytes: u64,
    busy_s: f64,
    probing_s: f64,
    /// What a round of all its devices costs by the plan.
    planned: BudgetRow,
    /// What it costs by the answers; absent before the first.
    measured: Option<BudgetRow>,
    /// Its devices, in the order of the configuration.
    units: Vec<UnitRow>,
    findings: Vec<FindingRow>,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct BudgetRow {
    sweep_s: f64,
    sweep_with_dead_s: f64,
    wanted_s: f64,
    load: f64,
    requests: usize,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct UnitRow {
    device: String,
    address: String,
    /// Settings of the serial line for it.
    line: Option<String>,
    requests: u64,
    answers: u64,
    timeouts: u64,
    damaged: u64,
    answer_ms: Option<f64>,
    longest_ms: f64,
}

#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct FindingRow {
    diagnosis: &'static str,
    /// The devices that it concerns; none for the whole line.
    devices: Vec<String>,
    for_s: u64,
    since_ms: Option<i64>,
    name: Bilingual,
    seen: Bilingual,
    check: Bilingual,
}

pub(in crate::status) fn buses(view: &View) -> Vec<BusRow> {
    let now = view.now();
    view.buses.all().into_iter().map(|bus| row(view, bus, now)).collect()
}

fn row(view: &View, bus: BusState, now: Moment) -> BusRow {
    let counters = bus.counters;
    let (fault, fault_zh) = bus.fault.map(|fault| (fault.en, fault.zh)).unzip();
    BusRow {
        id: bus.id.as_str().to_owned(),
        line: bus.line,
        devices: bus.devices,
        open: bus.open,
        fault,
        fault_zh,
        for_s: now.since(bus.since).as_secs(),
        load: bus.load,
        requests: counters.requests,
        answers: counters.answers,
        timeouts: counters.timeouts,
        exceptions: counters.exceptions,
        damaged: counters.damaged,
        opens: counters.opens,
        missed: counters.missed,
        sent_bytes: counters.sent_bytes,
        received_bytes: counters.received_bytes,
        busy_s: counters.busy.as_secs_f64(),
        probing_s: counters.probing.as_secs_f64(),
        planned: budget(&bus.planned),
        measured: bus.measured.as_ref().map(budget),
        units: bus.units.iter().map(|one| unit(view, one)).collect(),
        findings: bus.findings.iter().map(|one| found(view, one, now)).collect(),
    }
}

fn budget(budget: &BusBudget) -> BudgetRow {
    BudgetRow {
        sweep_s: budget.sweep.as_secs_f64(),
        sweep_with_dead_s: budget.sweep_with_dead.as_secs_f64(),
        wanted_s: budget.wanted.as_secs_f64(),
        load: budget.load,
        requests: budget.requests,
    }
}

fn unit(view: &View, unit: &UnitState) -> UnitRow {
    UnitRow {
        device: view.estate.device(unit.device).id.as_str().to_owned(),
        address: unit.address.clone(),
        line: unit.line.clone(),
        requests: unit.requests,
        answers: unit.answers,
        timeouts: unit.timeouts,
        damaged: unit.damaged,
        answer_ms: unit.answer_time.map(|time| time.as_secs_f64() * 1000.0),
        longest_ms: unit.longest.as_secs_f64() * 1000.0,
    }
}

fn found(view: &View, one: &Finding, now: Moment) -> FindingRow {
    let ids = one.devices.iter().map(|index| view.estate.device(*index).id.as_str().to_owned());
    FindingRow {
        diagnosis: finding::word(one.diagnosis),
        devices: ids.collect(),
        for_s: now.since(one.since).as_secs(),
        since_ms: view.clock.wall(one.since).map(|wall| wall.unix_ms),
        name: finding::name(one.diagnosis),
        seen: finding::both(&one.seen),
        check: finding::both(&one.check),
    }
}
