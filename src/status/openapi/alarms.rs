//! What the API offers of the alarms.

use schemars::generate::SchemaGenerator;
use serde_json::json;

use super::{Answer, BAD_QUERY, NO_JSON, NOT_YET, Operation, UNKNOWN, WRONG, done, of};
use crate::model::AlarmLevel;
use crate::status::alarms::{Acknowledge, AlarmDetail, AlarmRows, Close, NewWindow, WindowRow};

const NOT_SO: Answer =
    ("409", "It was acknowledged already, belongs to a group alarm, or is silenced.");
pub(super) fn operations(types: &mut SchemaGenerator) -> Vec<Operation> {
    let (get, post) = (Operation::get, Operation::post);
    let words = |words: &[&str]| json!({ "type": "string", "enum": words });
    let text = || json!({ "type": "string" });
    let levels: Vec<&str> = AlarmLevel::ALL.iter().map(|level| level.word()).collect();
    vec![
        get("/api/v1/alarms", "alarms", "Alarms, open or closed.", of::<AlarmRows>(types))
            .asks("state", words(&["open", "closed"]), "`open` by default.")
            .asks("level", words(&levels), "One level.")
            .asks("device", text(), "One device.")
            .asks("rule", text(), "One rule.")
            .asks(
                "before",
                json!({ "type": "integer", "minimum": 0 }),
                "`next` of the page before.",
            )
            .asks(
                "limit",
                json!({ "type": "integer", "minimum": 1, "maximum": 500 }),
                "Most alarms; 50 by default.",
            )
            .also(&[BAD_QUERY, NOT_YET]),
        get("/api/v1/alarms/{id}", "alarm", "An alarm, its steps.", of::<AlarmDetail>(types))
            .also(&[UNKNOWN]),
        post(
            "/api/v1/alarms/{id}/acknowledge",
            "acknowledgeAlarm",
            "Acknowledges an alarm; durable when answered.",
            of::<Acknowledge>(types),
            done(),
        )
        .also(&[WRONG, UNKNOWN, NOT_SO])
        .also(&NO_JSON),
        post(
            "/api/v1/alarms/{id}/close",
            "closeAlarm",
            "Closes an alarm with a reason, which acknowledges it too; durable when answered.",
            of::<Close>(types),
            done(),
        )
        .also(&[WRONG, UNKNOWN, NOT_SO])
        .also(&NO_JSON),
        get(
            "/api/v1/maintenance",
            "maintenance",
            "Maintenance windows.",
            of::<Vec<WindowRow>>(types),
        )
        .also(&[NOT_YET]),
        post(
            "/api/v1/maintenance",
            "planMaintenance",
            "Plans a maintenance window, or opens one.",
            of::<NewWindow>(types),
            done(),
        )
        .also(&[WRONG, NOT_YET])
        .also(&NO_JSON),
        post(
            "/api/v1/maintenance/{id}/end",
            "endMaintenance",
            "Ends a maintenance window.",
            of::<Acknowledge>(types),
            done(),
        )
        .also(&[WRONG, UNKNOWN])
        .also(&NO_JSON),
    ]
}
