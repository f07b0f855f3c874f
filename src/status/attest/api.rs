//! Attestations in the API; those that hold stand in the assessment.

use axum::extract::rejection::JsonRejection;
use axum::extract::{Json, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use super::{NO_DESK, Refused, WrongField, known_item, take_back, twelve, value, vouch, wrong};
use crate::starlevel::{AttestationDesk, Subject, sentence, whole};
use crate::status::access::Who;
use crate::status::exchange::{Done, doer};
use crate::status::server::{Fault, Shared, body};

/// A person's word.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct Attest {
    /// What is vouched for.
    subject: Subject,
    /// The person's name; the user or token where there is one.
    #[serde(default)]
    by: String,
    /// The last day on which it holds: `2027-05-01`; as long as the rules allow when left out.
    #[serde(default)]
    until: String,
    /// What the person adds.
    #[serde(default)]
    note: String,
}

/// Which attestation is withdrawn.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub(in crate::status) struct Withdraw {
    /// Its word, as in the assessment: `inventory/water_meter`, `privacy`, `advisory/SD1`.
    what: String,
    /// Who withdraws it; the user or token where there is one.
    #[serde(default)]
    by: String,
}

/// `POST /api/v1/stars/attest`
pub(in crate::status) async fn attest(
    State(view): Shared,
    who: Who,
    asked: Result<Json<Attest>, JsonRejection>,
) -> Response {
    let Attest { subject, by, until, note } = match body(asked) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Some(desk) = view.desk.clone() else { return refuse((NOT_HERE, NO_DESK.to_owned())) };
    let subject = match checked(&desk, subject) {
        Ok(subject) => subject,
        Err(WrongField { field, wrong }) => return refuse(value(&field, &wrong)),
    };
    let said = [doer(&who, &by), until, note];
    answer(vouch(&view, desk, vec![subject], said).await)
}

/// `POST /api/v1/stars/withdraw`
pub(in crate::status) async fn withdraw(
    State(view): Shared,
    who: Who,
    asked: Result<Json<Withdraw>, JsonRejection>,
) -> Response {
    let Withdraw { what, by } = match body(asked) {
        Ok(asked) => asked,
        Err(refused) => return *refused,
    };
    let Some(desk) = view.desk.clone() else { return refuse((NOT_HERE, NO_DESK.to_owned())) };
    answer(take_back(&view, desk, what, doer(&who, &by)).await)
}

const NOT_HERE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

/// What a form cannot say otherwise, JSON can.
fn checked(desk: &AttestationDesk, subject: Subject) -> Result<Subject, WrongField> {
    let text = |field: &str, text: &str| {
        sentence(text).map_err(|wrong| WrongField { field: field.to_owned(), wrong })
    };
    let of_twelve = |category| match twelve().any(|one| one == category) {
        true => Ok(category),
        false => Err(wrong("category", ("is none of the twelve categories", "不是十二类之一"))),
    };
    Ok(match subject {
        Subject::Inventory { category, devices } => {
            let field = || "devices".to_owned();
            let devices =
                whole(f64::from(devices)).map_err(|wrong| WrongField { field: field(), wrong })?;
            Subject::Inventory { category: of_twelve(category)?, devices }
        }
        Subject::NotApplicable { category, reason } => Subject::NotApplicable {
            category: of_twelve(category)?,
            reason: text("reason", &reason)?,
        },
        Subject::SecurityGrading { document, issuer } => Subject::SecurityGrading {
            document: text("document", &document)?,
            issuer: text("issuer", &issuer)?,
        },
        Subject::Privacy { document } => {
            Subject::Privacy { document: text("document", &document)? }
        }
        Subject::Advisory { item, share, origin } => {
            known_item(desk, &item)?;
            if !(0.0..=1.0).contains(&share) {
                return Err(wrong("share", ("is not 0 to 1", "不是 0 至 1 的数")));
            }
            Subject::Advisory { item, share, origin: text("origin", &origin)? }
        }
    })
}

fn answer(done: Result<(), Refused>) -> Response {
    match done {
        Ok(()) => Json(Done { done: true }).into_response(),
        Err(refused) => refuse(refused),
    }
}

fn refuse((status, error): Refused) -> Response {
    (status, Json(Fault { error: &error })).into_response()
}
