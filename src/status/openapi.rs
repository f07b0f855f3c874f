//! The OpenAPI document of the page's API, generated from the types that it answers with. Feature
//! `schema`; `linli schema` writes it, CI holds the written one against the types.

mod alarms;
mod commands;
mod history;
mod settings;
#[cfg(test)]
mod tests;
mod warnings;

use schemars::generate::{SchemaGenerator, SchemaSettings};
use schemars::{JsonSchema, Schema};
use serde_json::{Map, Value, json};

use super::access::{SessionRow, UserRows};
use super::api::{BusRow, DeviceDetail, DeviceRow, Gateway, Ready, Risk, UplinkRow};
use super::attest::api::{Attest, Withdraw};
use super::exchange::Exchange;
use super::server::Fault;
use crate::audit::{Page, Verified};
use crate::buffer::BufferStatus;
use crate::driver::scan::ScanOptions;
use crate::model::CommandReport;
use crate::starlevel::report::Report;
use crate::starlevel::{Assessment, ChainReport};

/// Status and why.
type Answer = (&'static str, &'static str);

/// What every operation may answer, by the limits of the page.
const LIMITS: [Answer; 5] = [
    ("405", "This resource does not take the method."),
    ("413", "The body is longer than 64 KiB."),
    ("414", "The address is longer than 4 KiB."),
    ("429", "Too many requests of this address; later."),
    ("431", "The head is longer than 16 KiB, or has more than 64 fields."),
];
/// What those may answer that need a login.
const GUARDED: [Answer; 2] = [
    ("401", "Nobody is logged in, and no API token is shown."),
    ("403", "The role does not allow it, or the request comes from another site's page."),
];
const NO_TEXT: Answer = ("400", "The identifier is no text.");
const BAD_QUERY: Answer = ("400", "A value of the query is not allowed.");
const UNKNOWN: Answer = ("404", "There is no such thing.");
const NOT_YET: Answer = ("404", "There is nothing yet, or nothing is kept here.");
const FAILED: Answer = ("503", "It cannot be made at present, or too many are connected; later.");

const NO_JSON: [Answer; 2] =
    [("415", "The body is not said to be JSON."), ("422", "The body is JSON of another form.")];
const WRONG: Answer = ("400", "A value is not allowed, or the body is no JSON.");

const PLAIN: &str = "text/plain; charset=utf-8";

/// One operation.
struct Operation {
    path: &'static str,
    method: &'static str,
    id: &'static str,
    summary: &'static str,
    /// What an answer of 200 holds, by media type.
    content: Value,
    /// Further answers. Their bodies are [`Fault`] unless said otherwise.
    others: Vec<Answer>,
    parameters: Vec<Value>,
    /// What is sent.
    body: Option<Value>,
    open: bool,
}

impl Operation {
    fn get(path: &'static str, id: &'static str, summary: &'static str, content: Value) -> Self {
        let mut parameters = Vec::new();
        if path.contains("{id}") {
            parameters.push(json!({
                "name": "id", "in": "path", "required": true,
                "description": "Identifier of the configuration.",
                "schema": { "type": "string", "minLength": 1, "maxLength": 64 },
            }));
        }
        let (method, open, others) = ("get", false, vec![FAILED]);
        let body = None;
        Self { path, method, id, summary, content, others, parameters, body, open }
    }

    /// A POST that sends JSON.
    fn post(
        path: &'static str,
        id: &'static str,
        summary: &'static str,
        body: Value,
        content: Value,
    ) -> Self {
        Self { method: "post", body: Some(body), ..Self::get(path, id, summary, content) }
    }

    fn also(mut self, others: &[Answer]) -> Self {
        self.others.extend(others);
        self
    }

    fn asks(mut self, name: &str, schema: Value, about: &str) -> Self {
        self.parameters.push(json!({
            "name": name, "in": "query", "required": false, "description": about,
            "schema": schema,
        }));
        self
    }

    /// Needs no login.
    fn open(self) -> Self {
        Self { open: true, ..self }
    }
}

fn as_json(schema: Schema) -> Value {
    json!({ "application/json": { "schema": schema.to_value() } })
}

fn of<T: JsonSchema>(types: &mut SchemaGenerator) -> Value {
    as_json(types.subschema_for::<T>())
}

/// It is done, and durable.
fn done() -> Value {
    as_json(schemars::json_schema!({
        "type": "object", "required": ["done"], "properties": { "done": { "const": true } },
    }))
}

fn text(kind: &str) -> Value {
    json!({ kind: { "schema": { "type": "string" } } })
}

fn estate(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    vec![
        get("/api/v1/gateway", "gateway", "The gateway, and what is broken.", of::<Gateway>(types)),
        get("/api/v1/devices", "devices", "Every device.", of::<Vec<DeviceRow>>(types)),
        get("/api/v1/devices/{id}", "device", "A device, its points.", of::<DeviceDetail>(types))
            .also(&[NO_TEXT, UNKNOWN]),
        Operation::post(
            "/api/v1/devices/{id}/exchange",
            "exchangeMeter",
            "Records that a meter was exchanged: its counters begin anew without being in doubt.",
            of::<Exchange>(types),
            done(),
        )
        .also(&[WRONG, UNKNOWN])
        .also(&NO_JSON),
        get("/api/v1/buses", "buses", "Every bus, its findings.", of::<Vec<BusRow>>(types)),
        frames("/buses/{id}/frames.txt", "framesAsText", "text/plain; charset=utf-8"),
        frames("/buses/{id}/frames.pcapng", "framesForWireshark", "application/x-pcapng"),
        Operation {
            method: "post",
            body: Some(of::<ScanOptions>(types)),
            ..get(
                "/api/v1/buses/{id}/scan",
                "scanBus",
                "Scans a bus beside its polls: a JSON object a line, until the client goes away. \
                 Only on the gateway itself.",
                text("application/x-ndjson"),
            )
            .also(&[
                ("400", "An option is not allowed, or the body is no JSON."),
                UNKNOWN,
                ("409", "The bus is being scanned already."),
                ("415", "The body is not said to be JSON."),
                ("422", "The body is JSON of another form."),
                ("500", "The profiles cannot be read."),
            ])
        },
        get("/api/v1/buffer", "buffer", "The outage buffer.", of::<BufferStatus>(types)),
        get("/api/v1/uplink", "uplink", "The way to the platform.", of::<UplinkRow>(types)),
        get("/api/v1/risk", "risk", "Equipment risk, and whom to visit.", of::<Risk>(types)),
    ]
}

/// The frames of a bus as a file.
fn frames(path: &'static str, id: &'static str, kind: &str) -> Operation {
    Operation::get(path, id, "The last frames of a bus, or a kept recording.", text(kind))
        .asks("kept", json!({ "type": "string" }), "The recording that a fault set aside.")
        .asks("lang", json!({ "type": "string" }), "Language of meanings: zh or en.")
        .also(&[NO_TEXT, UNKNOWN])
}

fn stars(types: &mut SchemaGenerator) -> Vec<Operation> {
    let (get, post) = (Operation::get, Operation::post);
    let mut report = of::<Report>(types);
    let document = report["application/json"]["schema"].take();
    report["application/json"]["schema"] = signed(document);
    report["text/html; charset=utf-8"] = json!({ "schema": { "type": "string" } });
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    vec![
        get(
            "/api/v1/stars",
            "stars",
            "Self-assessment of the star level.",
            of::<Assessment>(types),
        )
        .also(&[NOT_YET]),
        get(
            "/api/v1/stars/verify",
            "verifyEvidence",
            "Looks at the whole chain of evidence.",
            of::<ChainReport>(types),
        )
        .also(&[NOT_YET]),
        post(
            "/api/v1/stars/attest",
            "attest",
            "Vouches for what no device can tell; what holds stands in the assessment.",
            of::<Attest>(types),
            done(),
        )
        .also(&[WRONG])
        .also(&NO_JSON),
        post(
            "/api/v1/stars/withdraw",
            "withdrawAttestation",
            "Withdraws what was attested on the page or by the API.",
            of::<Withdraw>(types),
            done(),
        )
        .also(&[WRONG, UNKNOWN])
        .also(&NO_JSON),
        get("/api/v1/stars/report", "starReport", "The signed report, as a file.", report)
            .asks("format", words(&["html", "json"]), "Form of the file; `html` by default.")
            .asks("lang", json!({ "type": "string" }), "Language of a refusal: zh or en.")
            .also(&[BAD_QUERY, NOT_YET]),
    ]
}

/// The file around a document that is signed, as `starlevel::report` writes it.
fn signed(document: Value) -> Value {
    let digits =
        |count: u32| json!({ "type": "string", "pattern": format!("^[0-9a-f]{{{count}}}$") });
    json!({
        "type": "object",
        "required": ["report", "signature"],
        "properties": {
            "report": document,
            "signature": {
                "type": "object",
                "required": ["algorithm", "public_key", "value"],
                "properties": {
                    "algorithm": { "const": "ed25519" },
                    "public_key": digits(64),
                    "value": digits(128),
                },
            },
        },
    })
}

fn people(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    let number = |most: u64| json!({ "type": "integer", "minimum": 1, "maximum": most });
    vec![
        get("/api/v1/session", "session", "Who asks.", of::<SessionRow<'_>>(types)),
        get(
            "/api/v1/users",
            "users",
            "Users and API tokens, no secrets.",
            of::<UserRows<'_>>(types),
        ),
        get("/api/v1/audit", "audit", "What people did, newest first.", of::<Page>(types))
            .asks("day", json!({ "type": "string", "format": "date" }), "A day, at +08:00.")
            .asks("who", json!({ "type": "string" }), "One user.")
            .asks("before", number(u64::from(u32::MAX)), "Entries older than this number.")
            .asks("limit", number(500), "Most entries; 50 by default.")
            .also(&[BAD_QUERY, NOT_YET]),
        get(
            "/api/v1/audit/verify",
            "verifyAudit",
            "Looks at the whole trail.",
            of::<Verified>(types),
        )
        .also(&[NOT_YET]),
    ]
}

fn machines(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    let metrics = text("text/plain; version=0.0.4; charset=utf-8");
    vec![
        get("/metrics", "metrics", "Prometheus text format.", metrics),
        get("/healthz", "alive", "Answers while the process lives.", text(PLAIN)).open(),
        get(
            "/readyz",
            "ready",
            "Whether the gateway does its work; 503 when not.",
            of::<Ready>(types),
        )
        .open(),
    ]
}

/// The document, OpenAPI 3.1.
pub fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with(|settings| {
        settings.definitions_path = "/components/schemas".into();
        settings.meta_schema = None;
    });
    let mut types = settings.into_generator();
    let fault = of::<Fault<'_>>(&mut types);
    let report = of::<CommandReport>(&mut types);
    let mut paths = Map::new();
    let all = [
        estate(&mut types),
        warnings::warnings(&mut types),
        commands::commands(&mut types),
        history::history(&mut types),
        alarms::operations(&mut types),
        stars(&mut types),
        people(&mut types),
        settings::settings(&mut types),
        machines(&mut types),
    ];
    for operation in all.into_iter().flatten() {
        let path = paths.entry(operation.path).or_insert_with(|| json!({}));
        path[operation.method] = describe(&operation, &fault);
        if operation.id == "orderDevice" {
            path[operation.method]["responses"]["409"]["content"] = report.clone();
        }
    }
    let schemas = types.take_definitions(true);
    let limits = LIMITS.map(|(status, why)| (name_of(status), json!({ "description": why })));
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "linli",
            "version": "1",
            "license": { "name": "MIT", "identifier": "MIT" },
            "description": "What the gateway's local page shows, as JSON. Times are milliseconds \
                since 1970 (`…_ms`; null while the clock is not trusted) beside ages in seconds \
                (`…_s`), which are always right. Fields may be added; none is taken away within \
                one version of the path.",
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }, { "session": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "responses": limits.into_iter().collect::<Map<_, _>>(),
            "securitySchemes": {
                "token": { "type": "http", "scheme": "bearer",
                    "description": "An API token, made by `linli users` on the gateway." },
                "session": { "type": "apiKey", "in": "cookie", "name": "linli_session",
                    "description": "The session of the page's login; under TLS its name begins with `__Host-`." },
            },
        },
    })
}

fn name_of(status: &str) -> String {
    format!("limit{status}")
}

fn describe(operation: &Operation, fault: &Value) -> Value {
    let mut answers = Map::new();
    for (status, _) in LIMITS {
        let limit = format!("#/components/responses/{}", name_of(status));
        answers.insert(status.into(), json!({ "$ref": limit }));
    }
    let guarded: &[Answer] = if operation.open { &[] } else { &GUARDED };
    for (status, why) in guarded.iter().chain(&operation.others) {
        let mut body = fault.clone();
        // Files are told about as text.
        if matches!(*status, "400" | "403" | "503") || operation.path.starts_with("/buses/") {
            body[PLAIN] = json!({ "schema": { "type": "string" } });
        }
        if operation.id == "ready" {
            body = operation.content.clone();
        }
        answers.insert((*status).into(), json!({ "description": why, "content": body }));
    }
    let good = json!({ "description": operation.summary, "content": operation.content });
    answers.insert("200".into(), good);
    let mut one = json!({
        "operationId": operation.id,
        "summary": operation.summary,
        "parameters": operation.parameters,
        "responses": answers,
    });
    if operation.open {
        one["security"] = json!([]);
    }
    if let Some(body) = operation.body.as_ref().filter(|body| !body.is_null()) {
        one["requestBody"] = json!({ "required": true, "content": body });
    }
    one
}
