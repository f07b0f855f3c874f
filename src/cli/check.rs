//! `linli check`: all faults of a configuration at once, and what each bus has to carry.

use std::path::PathBuf;
use std::process::ExitCode;

use serde::Serialize;

use super::{BAD_CONFIGURATION, complain, say};
use crate::config::{self, BusSettings, Refused, Settings};
use crate::driver::bus::{Consumer, Weight};
use crate::settings::Fault;

/// Devices named with what they cost, of a bus with little room.
const CONSUMERS: usize = 3;

/// What to check.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Print faults, notes and buses as one JSON object on standard output.
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Report<'a> {
    /// Whether the configuration would be taken.
    good: bool,
    /// What is wrong.
    faults: &'a [Fault],
    /// What is allowed but worth a look.
    notes: &'a [Fault],
    /// What each bus has to carry; empty when other faults hide it.
    buses: Vec<BusReport>,
}

/// One bus in figures; times in seconds, loads as shares of the bus's time.
#[derive(Debug, Serialize)]
struct BusReport {
    id: String,
    line: String,
    settings: Vec<String>,
    devices: usize,
    requests: usize,
    sweep_s: f64,
    dead: usize,
    sweep_with_dead_s: f64,
    wanted_s: f64,
    load: f64,
    verdict: Verdict,
    told: Both,
    remedies: Vec<Both>,
    consumers: Vec<ConsumerReport>,
}

#[derive(Debug, Serialize)]
struct Both {
    en: String,
    zh: String,
}

impl From<crate::model::Words> for Both {
    fn from(words: crate::model::Words) -> Self {
        Self { en: words.en, zh: words.zh }
    }
}

/// One device of a bus; the costliest come first.
#[derive(Debug, Serialize)]
struct ConsumerReport {
    device: String,
    requests: usize,
    round_s: f64,
    load: f64,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    Fits,
    Tight,
    TooMuch,
}

impl Verdict {
    fn of(weight: &Weight) -> Self {
        match (weight.too_much(), weight.tight()) {
            (true, _) => Verdict::TooMuch,
            (_, true) => Verdict::Tight,
            _ => Verdict::Fits,
        }
    }
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let checked = config::examine(&arguments.config);
    if arguments.json {
        say(&serde_json::to_string_pretty(&report(&checked))?);
    } else {
        match &checked {
            Ok(settings) => tell(&arguments.config.display().to_string(), settings),
            Err(Refused { faults, buses }) => {
                // Of those that carry too much the faults tell all.
                buses.iter().filter(|bus| !bus.weight.too_much()).for_each(tell_bus);
                complain(&faults.to_string());
            }
        }
    }
    Ok(if checked.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(BAD_CONFIGURATION) })
}

fn tell(file: &str, settings: &Settings) {
    for note in &settings.notes {
        say(&format!("note: {note}"));
    }
    settings.buses.iter().for_each(tell_bus);
    say(&format!(
        "{file}: good; {} devices on {} buses{} / 配置正确",
        settings.devices.len(),
        settings.buses.len(),
        if settings.mqtt.is_some() { " and the field broker" } else { "" },
    ));
}

/// One line in each language; more when there is little room.
fn tell_bus(bus: &BusSettings) {
    let weight = &bus.weight;
    if weight.devices == 0 {
        return;
    }
    let (id, told) = (&bus.config.id, weight.told());
    say(&format!("{id}: {}", told.en));
    say(&format!("  中文：{}", told.zh));
    if !weight.tight() {
        return;
    }
    for remedy in &weight.remedies {
        let told = remedy.told();
        say(&format!("  - {}\n    {}", told.en, told.zh));
    }
    let most: Vec<String> = consumers(bus)
        .take(CONSUMERS)
        .map(|(device, cost)| {
            let round = crate::model::Words::of_span(cost.round).en;
            format!(
                "{device} {:.1} % ({} requests, {round} a round)",
                cost.load * 100.0,
                cost.requests
            )
        })
        .collect();
    say(&format!("  costliest / 耗时最多: {}", most.join(", ")));
}

fn consumers(bus: &BusSettings) -> impl Iterator<Item = (&str, &Consumer)> {
    bus.devices.iter().map(crate::model::DeviceId::as_str).zip(&bus.weight.consumers)
}

fn report(checked: &Result<Settings, Refused>) -> Report<'_> {
    let (faults, notes, buses) = match checked {
        Ok(settings) => (&[][..], settings.notes.as_slice(), &settings.buses),
        Err(refused) => (refused.faults.all(), &[][..], &refused.buses),
    };
    Report { good: checked.is_ok(), faults, notes, buses: buses.iter().map(bus_report).collect() }
}

fn bus_report(bus: &BusSettings) -> BusReport {
    let (weight, budget) = (&bus.weight, &bus.weight.budget);
    BusReport {
        id: bus.config.id.as_str().to_owned(),
        line: bus.config.transport.to_string(),
        settings: weight.settings.iter().map(ToString::to_string).collect(),
        devices: weight.devices,
        requests: budget.requests,
        sweep_s: budget.sweep.as_secs_f64(),
        dead: weight.dead,
        sweep_with_dead_s: budget.sweep_with_dead.as_secs_f64(),
        wanted_s: budget.wanted.as_secs_f64(),
        load: budget.load,
        verdict: Verdict::of(weight),
        told: weight.told().into(),
        remedies: weight.remedies.iter().map(|remedy| remedy.told().into()).collect(),
        consumers: consumers(bus)
            .map(|(device, cost)| ConsumerReport {
                device: device.to_owned(),
                requests: cost.requests,
                round_s: cost.round.as_secs_f64(),
                load: cost.load,
            })
            .collect(),
    }
}
