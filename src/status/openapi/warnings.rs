//! The operations of the emergency broadcast.

use schemars::generate::SchemaGenerator;
use serde_json::Value;

use super::{NO_TEXT, NOT_YET, Operation, UNKNOWN, of};
use crate::broadcast::{BroadcastView, WarningRow};
use crate::status::warn::{Compose, Sent};

pub(super) fn warnings(types: &mut SchemaGenerator) -> Vec<Operation> {
    let get = Operation::get;
    let sent = of::<Sent>(types);
    vec![
        get(
            "/api/v1/broadcast",
            "warnings",
            "Warnings, refused messages, zones and drills.",
            of::<BroadcastView>(types),
        )
        .also(&[NOT_YET]),
        Operation {
            method: "post",
            body: Some(of::<Compose>(types)),
            ..get("/api/v1/broadcast", "warn", "Warns people, at once.", sent.clone()).also(&[
                ("400", "A field is not allowed, or the body is no JSON."),
                NOT_YET,
                ("409", "It would reach nobody, or too many warnings are on."),
                ("415", "The body is not said to be JSON."),
                ("422", "The body is JSON of another form."),
            ])
        },
        get(
            "/api/v1/broadcast/{id}",
            "warning",
            "A warning with the receipt of each terminal and screen.",
            of::<WarningRow>(types),
        )
        .also(&[NO_TEXT, UNKNOWN]),
        Operation {
            method: "post",
            body: Some(Value::Null),
            ..get("/api/v1/broadcast/{id}/cancel", "cancelWarning", "Cancels a warning.", sent)
                .also(&[NO_TEXT, UNKNOWN])
        },
    ]
}
