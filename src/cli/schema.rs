//! `linli schema`: the documents that describe the stream, generated from its types.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use serde_json::{Value, json};

use super::say;
use crate::broadcast::{WarningAnswer, WarningMessage};
use crate::model::{CommandDocument, CommandResult, Document, TimeAnswer, TimeRequest};
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
        ("command.schema.json", schemars::schema_for!(CommandDocument).to_value()),
        ("command-result.schema.json", schemars::schema_for!(CommandResult).to_value()),
        ("warning.schema.json", schemars::schema_for!(WarningMessage).to_value()),
        ("warning-result.schema.json", schemars::schema_for!(WarningAnswer).to_value()),
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

/// Commands: channel, topic, what the gateway does, kind of document, what it is.
const COMMANDS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "command",
        "command/{id}",
        "receive",
        "command",
        "The platform orders something of a device; QoS 1, not retained: a retained one is refused. \
         The gateway acknowledges when it is kept, does each `id` at most once, and only what the \
         device's model describes and the gateway's configuration allows. With `require_signature` \
         it must be signed: Ed25519 over ten lines of UTF-8 joined by line feeds: \
         `linli-command-1`, gateway, id, device, command, issued, expires, until or `-`, by, value; \
         the value as `-`, `b:true`, `b:false`, `t:` with the text, or `n:` with the 16 hex digits \
         of the number as IEEE 754 binary64. What is published while the gateway is away does not \
         arrive. Nobody but the platform may publish here.",
    ),
    (
        "commandResult",
        "command/{id}/result",
        "send",
        "command-result",
        "What became of it: first `accepted`, then its end; or at once `refused` or `expired`. Not \
         repeated after an outage: the event `command` is the record.",
    ),
];

/// Warnings: channel, topic, what the gateway does, kind of document, what it is.
const WARNINGS: [(&str, &str, &str, &str, &str); 2] = [
    (
        "warning",
        "broadcast/{id}",
        "receive",
        "warning",
        "A warning of the emergency broadcast, or the end of one; QoS 1. Beside the form of the \
         schema: CAP 1.2, or an EBD with an EBM, as XML. With a signature the message stands as text \
         in `{\"v\":1,\"message\":...,\"signature\":...}`: base64 of Ed25519, ECDSA P-256 with \
         SHA-256, or RSA PKCS #1 with SHA-256, or the signature file of an EBD. The gateway \
         acknowledges when it is kept, and plays each `id` once, however often it comes; a retained \
         message is taken like any other. Nobody but the platform may publish here.",
    ),
    (
        "warningResult",
        "broadcast/{id}/result",
        "send",
        "warning-result",
        "What came of it at once; an EBD is answered by an EBDResponse or EBMStateResponse as XML. \
         Receipts follow as events `warning`.",
    ),
];

/// AsyncAPI 3.0 description of what the gateway publishes.
fn asyncapi() -> Value {
    let mut channels = serde_json::Map::new();
    let mut operations = serde_json::Map::new();
    let mut add = |id: &str, topic: &str, kind, about, name: String, action, bindings: Value| {
        let mut parameters = json!({ "prefix": { "$ref": "#/components/parameters/prefix" } });
        if topic.contains("{id}") {
            parameters["id"] = json!({ "$ref": "#/components/parameters/id" });
        }
        channels.insert(
            id.into(),
            json!({
                "address": format!("{{prefix}}/{topic}"),
                "description": about,
                "parameters": parameters,
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
    let beside = TIME.map(|one| (one, 0)).into_iter().chain(COMMANDS.map(|one| (one, 1)));
    let beside = beside.chain(WARNINGS.map(|one| (one, 1)));
    for ((id, topic, action, kind, about), qos) in beside {
        let bindings = json!({ "qos": qos, "retain": false });
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
            "parameters": {
                "prefix": { "description": "Configured prefix, by default `linli/v1/<gateway>`." },
                "id": { "description": "What the command or message is called: 1 to 64 letters, digits, `.`, \
                    `_` and `-`; never used again." },
            },
            "messages": {
                "block": message("block", "One block of the stream"),
                "status": message("status", "Whether the gateway is there"),
                "inventory": message("inventory", "Devices, points, units"),
                "assessment": message("assessment", "Self-assessment of the star level"),
                "time-request": message("time-request", "What time is it?"),
                "time": message("time", "The platform's time"),
                "command": message("command", "Something is ordered of a device"),
                "command-result": message("command-result", "What became of a command"),
                "warning": message("warning", "A warning of the emergency broadcast"),
                "warning-result": message("warning-result", "What came of a warning"),
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
