//! The operations of commands.

use schemars::generate::SchemaGenerator;
use serde_json::json;

use super::{BAD_QUERY, NO_TEXT, NOT_YET, Operation, UNKNOWN, of};
use crate::command::Row;
use crate::model::CommandReport;
use crate::status::commands::{CommandBody, CommandRows};

pub(super) fn commands(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    let limit = json!({ "type": "integer", "minimum": 1, "maximum": 500 });
    let number = json!({ "type": "integer", "minimum": 1 });
    vec![
        Operation {
            method: "post",
            body: Some(of::<CommandBody>(types)),
            ..get(
                "/api/v1/devices/{id}/commands",
                "orderDevice",
                "Orders something of a device; answers when it came to its end, or after 8 s.",
                of::<CommandReport>(types),
            )
            .also(&[
                ("400", "The body is no order."),
                NOT_YET,
                ("409", "It was not done; the body is the report, as with 200."),
            ])
        },
        get(
            "/api/v1/commands",
            "commands",
            "What was ordered, newest first.",
            of::<CommandRows>(types),
        )
        .asks("device", json!({ "type": "string" }), "One device.")
        .asks("before", number, "Commands older than this number.")
        .asks("limit", limit, "Most commands; 50 by default.")
        .also(&[BAD_QUERY, NOT_YET]),
        get("/api/v1/commands/{id}", "command", "One command.", of::<Row>(types))
            .also(&[NO_TEXT, UNKNOWN]),
    ]
}
