//! `linli schema`: the documents that describe the stream, generated from its types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::say;
use crate::model::{Document, TimeAnswer, TimeRequest};
use crate::starlevel::Assessment;
use crate::starlevel::report::Report;
use crate::uplink::{Inventory, Status};

/// What to do with the documents.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Folder of the documents; without an option they are written there.
    #[arg(value_name = "FOLDER", default_value = "config/stream")]
    folder: PathBuf,
    /// Change nothing; fail when a document is not what the types say.
    #[arg(long)]
    check: bool,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    for (name, document) in documents() {
        let path = arguments.folder.join(name);
        let text = serde_json::to_string_pretty(&document)? + "\n";
        if arguments.check {
            compare(&path, &text)?;
        } else {
            fs::write(&path, text).with_context(|| format!("writing {}", path.display()))?;
            say(&format!("wrote {}", path.display()));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn compare(path: &Path, text: &str) -> anyhow::Result<()> {
    let present =
        fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    if present != text {
        bail!("{} is not what the types say; run `linli schema` and commit it", path.display());
    }
    Ok(())
}

/// File name and content of each document.
fn documents() -> Vec<(&'static str, Value)> {
    vec![
        ("block.schema.json", schemars::schema_for!(Document).to_value()),
        ("status.schema.json", schemars::schema_for!(Status).to_value()),
        ("inventory.schema.json", schemars::schema_for!(Inventory).to_value()),
        ("report.schema.json", schemars::schema_for!(Report).to_value()),
        ("assessment.schema.json", schemars::schema_for!(Assessment).to_value()),
        ("time-request.schema.json", schemars::schema_for!(TimeRequest).to_value()),
        ("time.schema.json", schemars::schema_for!(TimeAnswer).to_value()),
        ("asyncapi.json", asyncapi()),
        ("openapi.json", crate::status::openapi()),
    ]
}

/// Channel, topic below the prefix, kind of document, what it carries.
const CHANNELS: [(&str, &str, &str, &str); 6] = [
    (
        "telemetry",
        "telemetry",
        "block",
        "Readings as they come. At least once: `(gateway, epoch, seq)` makes it idempotent.",
    ),
    (
        "telemetryLate",
        "telemetry/late",
        "block",
        "Readings that waited for the link; the same payload, published beside the live ones.",
    ),
    (
        "event",
        "event",
        "block",
        "What happened: health of devices, suspect counters, announced gaps, hourly and \
         daily values of the environment. Published first.",
    ),
    ("status", "status", "status", "Retained. Birth at connect, last will when the link breaks."),
    ("inventory", "inventory", "inventory", "Retained. Devices, points, units."),
    ("assessment", "assessment", "assessment", "Retained. Self-assessment of the star level."),
];

/// The question for the time: channel, topic, what the gateway does, kind of document, what it is.
const TIME: [(&str, &str, &str, &str, &str); 2] = [
    (
        "timeRequest",
        "time/request",
        "send",
        "time-request",
        "The gateway asks what time it is. Answered or not, nothing depends on it; a platform that \
         answers gives gateways without another source of time theirs.",
    ),
    (
        "time",
        "time",
        "receive",
        "time",
        "The platform's answer with the question's `id`, not retained. The gateway takes the \
         quickest of a few answers, and none that took 2 s. Nobody but the platform may publish \
         here.",
    ),
];

/// AsyncAPI 3.0 description of what the gateway publishes.
fn asyncapi() -> Value {
    let mut channels = serde_json::Map::new();
    let mut operations = serde_json::Map::new();
    let mut add = |id: &str, topic, kind, about, name: String, action, bindings: Value| {
        channels.insert(
            id.into(),
            json!({
                "address": format!("{{prefix}}/{topic}"),
                "description": about,
                "parameters": { "prefix": { "$ref": "#/components/parameters/prefix" } },
                "messages": { id: { "$ref": format!("#/components/messages/{kind}") } },
            }),
        );
        operations.insert(
            name,
            json!({
                "action": action,
                "channel": { "$ref": format!("#/channels/{id}") },
                "bindings": { "mqtt": bindings },
            }),
        );
    };
    for (id, topic, kind, about) in CHANNELS {
        let bindings = json!({ "qos": 1, "retain": kind != "block" });
        add(id, topic, kind, about, format!("publish_{id}"), "send", bindings);
    }
    for (id, topic, action, kind, about) in TIME {
        let bindings = json!({ "qos": 0, "retain": false });
        add(id, topic, kind, about, format!("{action}_{id}"), action, bindings);
    }
    json!({
        "asyncapi": "3.0.0",
        "info": {
            "title": "linli stream",
            "version": crate::model::DOCUMENT_VERSION.to_string(),
            "description": "What a linli gateway publishes to the platform's broker. A document is \
                JSON, plain (first byte `{`) or compressed with zstd (first bytes 28 B5 2F FD).",
        },
        "channels": channels,
        "operations": operations,
        "components": {
            "parameters": { "prefix": {
                "description": "Configured prefix, by default `linli/v1/<gateway>`.",
            } },
            "messages": {
                "block": message("block", "One block of the stream"),
                "status": message("status", "Whether the gateway is there"),
                "inventory": message("inventory", "Devices, points, units"),
                "assessment": message("assessment", "Self-assessment of the star level"),
                "time-request": message("time-request", "What time is it?"),
                "time": message("time", "The platform's time"),
            },
        },
    })
}

fn message(name: &str, title: &str) -> Value {
    json!({
        "title": title,
        "contentType": "application/json",
        "payload": {
            "schemaFormat": "application/schema+json;version=draft-2020-12",
            "schema": { "$ref": format!("./{name}.schema.json") },
        },
    })
}
