//! The operations of the settings.

use schemars::generate::SchemaGenerator;
use serde_json::json;

use super::{Answer, NO_JSON, NOT_YET, Operation, UNKNOWN, of};
use crate::status::settings::{Change, ChangeDone, ConfigurationFile};

const STALE: Answer = ("409", "The file is not the one that the change was made from.");
const NO_JSON_AT_ALL: Answer = ("400", "The body is no JSON.");

pub(super) fn settings(types: &mut SchemaGenerator) -> Vec<Operation> {
    let (get, post) = (Operation::get, Operation::post);
    let bytes =
        json!({ "application/zstd": { "schema": { "type": "string", "format": "binary" } } });
    vec![
        get(
            "/api/v1/configuration",
            "configuration",
            "The files of the configuration.",
            of::<Vec<ConfigurationFile>>(types),
        )
        .also(&[NOT_YET]),
        post(
            "/api/v1/configuration",
            "changeConfiguration",
            "Checks a changed file of the configuration; with `apply` it is written and applied \
             without a restart. A wrong one is refused with `faults`, each at its line.",
            of::<Change>(types),
            of::<ChangeDone>(types),
        )
        .also(&[NO_JSON_AT_ALL, UNKNOWN, STALE])
        .also(&NO_JSON),
        get(
            "/api/v1/support-bundle",
            "supportBundle",
            "What support needs of the box, without secrets; look before you send it.",
            bytes,
        )
        .also(&[NOT_YET]),
    ]
}
