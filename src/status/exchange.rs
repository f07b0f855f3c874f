//! Records that a meter was exchanged, by name.

use std::sync::Arc;

use axum::extract::rejection::JsonRejection;
use axum::extract::{Form, Json, Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Redirect, Response};
use maud::{Markup, html};
use serde::{Deserialize, Serialize};
use tokio::sync::oneshot;

use super::access::{Via, Who};
use super::layout::Request;
use super::server::{Fault, body};
use super::text::Text;
use super::view::View;
use crate::model::{Device, DeviceId, Quantity};
use crate::pipeline::Act;
use crate::starlevel::LONGEST_NAME;

/// That a meter was exchanged.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(super) struct Exchange {
    /// Who did it, 1 to 64 characters; the user or token where there is one.
    #[serde(default)]
    by: String,
}

/// It is done, and durable.
#[derive(Debug, Serialize)]
pub(super) struct Done {
    pub(super) done: bool,
}

/// The form on a meter's page; empty for devices without a counter.
pub(super) fn form(ask: &Request, device: &Device) -> Markup {
    let lang = ask.lang;
    let counts = device.points.iter().any(|point| point.quantity == Quantity::Counter);
    html! {
        @if counts && ask.may_act() {
            details {
                summary { (lang.t(Text::RecordExchange)) }
                form method="post" action={ "/devices/" (device.id) "/exchange" } {
                    (ask.form_field())
                    p.small.soft { (lang.t(Text::ExchangeMeans)) }
                    label { (lang.t(Text::YourName)) " "
                        input name="by" required maxlength=(LONGEST_NAME) autocomplete="name" value=[ask.person()];
                    }
                    " " button { (lang.t(Text::Record)) }
                }
            }
        }
    }
}

/// Records it and shows the device again.
pub(super) async fn record(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Form(exchange): Form<Exchange>,
) -> Response {
    if !from_this_page(&headers) {
        return refuse(StatusCode::FORBIDDEN, "only this gateway's own page may record it");
    }
    match keep(&view, &id, &exchange.by).await {
        Ok(()) => Redirect::to(&format!("/devices/{id}")).into_response(),
        Err((status, why)) => refuse(status, &why),
    }
}

/// `POST /api/v1/devices/{id}/exchange`
pub(super) async fn api(
    State(view): State<Arc<View>>,
    Path(id): Path<String>,
    who: Who,
    asked: Result<Json<Exchange>, JsonRejection>,
) -> Response {
    let exchange = match body(asked) {
        Ok(exchange) => exchange,
        Err(refused) => return *refused,
    };
    match keep(&view, &id, &doer(&who, &exchange.by)).await {
        Ok(()) => Json(Done { done: true }).into_response(),
        Err((status, error)) => (status, Json(Fault { error: &error })).into_response(),
    }
}

/// Who does it: the user or token; on an open page the name that was given.
pub(super) fn doer(who: &Who, given: &str) -> String {
    match who.via {
        Via::Open if !given.trim().is_empty() => given.trim().to_owned(),
        Via::Open | Via::Session | Via::Token => who.name.clone(),
    }
}

/// Durable when this returns.
async fn keep(view: &View, id: &str, by: &str) -> Result<(), (StatusCode, String)> {
    let by = by.trim();
    if by.is_empty() || by.chars().count() > LONGEST_NAME {
        let why = "the name must have 1 to 64 characters".to_owned();
        return Err((StatusCode::BAD_REQUEST, why));
    }
    let stopping = || (StatusCode::SERVICE_UNAVAILABLE, "the gateway is stopping".to_owned());
    let device = DeviceId::new(id)
        .map_err(|_| (StatusCode::NOT_FOUND, "there is no such device".to_owned()))?;
    let (reply, answer) = oneshot::channel();
    let act = Act::MeterExchanged { device, by: by.to_owned(), reply };
    view.acts.send(act).await.map_err(|_| stopping())?;
    let kept = answer.await.map_err(|_| stopping())?;
    kept.map_err(|error| (StatusCode::NOT_FOUND, error.to_string()))?;
    tracing::info!(device = id, by, "a meter exchange was recorded");
    Ok(())
}

/// Other sites' pages in the same browser must not record anything. Browsers send one of these
/// headers with every form; what sends neither is no browser and carries no user's session.
pub(super) fn from_this_page(headers: &HeaderMap) -> bool {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text("sec-fetch-site") {
        return site == "same-origin";
    }
    match (text(header::ORIGIN.as_str()), text(header::HOST.as_str())) {
        (Some(origin), Some(host)) => {
            origin.split_once("://").is_some_and(|(_, from)| from == host)
        }
        (None, _) => true,
        (Some(_), None) => false,
    }
}

pub(super) fn refuse(status: StatusCode, why: &str) -> Response {
    (status, why.to_owned()).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_form_of_another_site_is_refused() {
        assert!(!from_this_page(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!from_this_page(&headers(&[("origin", "http://evil"), ("host", "box:8080")])));
        assert!(!from_this_page(&headers(&[("origin", "null"), ("host", "box:8080")])));
        assert!(from_this_page(&headers(&[("origin", "http://box:8080"), ("host", "box:8080")])));
        assert!(from_this_page(&headers(&[("sec-fetch-site", "same-origin")])));
    }
}
