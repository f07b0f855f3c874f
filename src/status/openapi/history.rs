//! The operations of the history and of what changes.

use schemars::JsonSchema;
use schemars::generate::SchemaGenerator;
use serde_json::{Value, json};

use super::{BAD_QUERY, NO_TEXT, Operation, UNKNOWN, of, text};
use crate::status::history::{DeviceHistory, LiveAlarm, LiveHealth, LiveValue, LiveWarning};

/// An answer of events: by their names what `data` holds, as JSON.
fn stream<T: JsonSchema>(types: &mut SchemaGenerator, event: &str) -> Value {
    let rows = types.subschema_for::<Vec<T>>().to_value();
    json!({ "text/event-stream": { "schema": { "type": "string" }, "x-events": { event: rows } } })
}

pub(super) fn history(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    let mut all = stream::<LiveHealth>(types, "health");
    for (event, rows) in [
        ("alarms", types.subschema_for::<Vec<LiveAlarm>>()),
        ("warnings", types.subschema_for::<Vec<LiveWarning>>()),
    ] {
        all["text/event-stream"]["x-events"][event] = rows.to_value();
    }
    let word = || json!({ "type": "string" });
    let once = "With any value the answer ends after what is so now.";
    let spans = json!({ "type": "string", "enum": ["24h", "7d", "30d"] });
    let asks = |operation: Operation| {
        operation
            .asks("from", word(), "Begin: ms since 1970, a date or time at +08:00, or RFC 3339.")
            .asks("to", word(), "End, likewise; now without it.")
            .asks("span", spans.clone(), "In place of `from`; `24h` by default.")
            .asks(
                "step",
                word(),
                "A part of a day in five minutes: 5m 30m 2h 1d; at most 12000 steps.",
            )
            .asks("points", word(), "Names of points with commas between; all without it.")
            .also(&[BAD_QUERY, ("404", "There is no such device, or no history is kept.")])
    };
    let csv = text("text/csv; charset=utf-8; header=present");
    vec![
        asks(get(
            "/api/v1/devices/{id}/history",
            "deviceHistory",
            "What the points of a device were; at most 40000 values.",
            of::<DeviceHistory>(types),
        )),
        asks(get(
            "/api/v1/devices/{id}/history.csv",
            "deviceHistoryTable",
            "The same as a table, day by day, for spreadsheets.",
            csv,
        ))
        .asks("lang", json!({ "type": "string" }), "Language of its head: zh or en."),
        get(
            "/api/v1/devices/{id}/live",
            "deviceLive",
            "Server-sent events: the values of a device as they change, once a second at the most. \
             At most 16 streams, 6 of one address.",
            stream::<LiveValue>(types, "values"),
        )
        .asks("lang", word(), "Language of the texts: zh or en.")
        .asks("once", word(), once)
        .also(&[NO_TEXT, UNKNOWN]),
        get(
            "/api/v1/events",
            "events",
            "Server-sent events: the health of every device, open alarms and kept warnings, then \
             what changes of them. A closed alarm is told once.",
            all,
        )
        .asks("once", word(), once),
    ]
}
