//! CAP 1.2 (OASIS, 1 July 2010), as far as a residential area needs it.
//!
//! | CAP | here |
//! | --- | --- |
//! | `status` Actual / Exercise / System, Test / Draft | actual / exercise / test / refused |
//! | `msgType` Alert / Update / Cancel / others | warn / warn and replace / cancel / refused |
//! | `scope` Public / others | taken / refused: what is not for everybody is not played to everybody |
//! | `severity` Extreme / Severe / Moderate / Minor | red / orange / yellow / blue; the worst `info` counts |
//! | `info` by `language` | zh…, en…; another language only where neither is there |
//! | `onset`, else `effective`; `expires` | the earliest start, the latest end |
//! | `geocode` of all areas, digits | zones; without, the whole estate: the platform sent it here |

use roxmltree::{Document, Node};

use super::json::{USUAL_PAUSE_S, cleaned};
use super::text::{add_zone, id_of, shortened};
use super::xml::{child, children, required, text};
use super::{MAX_NAME, MAX_REFERENCES, Message, Unread, time};
use crate::model::{
    Severity, Warning, WarningId, WarningRefusal, WarningSource, WarningStatus, WarningText,
};

/// The namespace of CAP 1.2.
const NAMESPACE: &str = "urn:oasis:names:tc:emergency:cap:1.2";
/// Most blocks `info` that are read.
const MAX_INFOS: usize = 16;

/// Reads an `alert`.
///
/// # Errors
/// It is incomplete, of another version, or not for playing.
pub(super) fn read(document: &Document<'_>) -> Result<Message, Unread> {
    let alert = document.root_element();
    let id = id_of(required(alert, "identifier")?)?;
    inside(alert, &id).map_err(|unread| unread.of(&id))
}

fn inside(alert: Node<'_, '_>, id: &WarningId) -> Result<Message, Unread> {
    if let Some(other) = alert.tag_name().namespace().filter(|space| *space != NAMESPACE) {
        return Err(Unread::malformed(format!("its namespace is `{other}`, known is {NAMESPACE}")));
    }
    let sender = shortened(required(alert, "sender")?, MAX_NAME);
    let sent_ms = time::zoned(required(alert, "sent")?)?;
    let no = |what: &str| Err(Unread::new(WarningRefusal::NotForPlaying, what));
    let status = match required(alert, "status")? {
        "Actual" => WarningStatus::Actual,
        "Exercise" => WarningStatus::Exercise,
        "System" | "Test" => WarningStatus::Test,
        "Draft" => return no("its status is Draft"),
        other => return Err(Unread::malformed(format!("its status is `{other}`"))),
    };
    if let Some(scope) = text(alert, "scope").filter(|scope| *scope != "Public") {
        return no(&format!("its scope is `{scope}`: only Public is played"));
    }
    let refers = references(text(alert, "references").unwrap_or_default())?;
    let replaces = match required(alert, "msgType")? {
        "Alert" => Vec::new(),
        "Update" => refers,
        "Cancel" if refers.is_empty() => {
            return Err(Unread::malformed("it cancels nothing: `references` is empty"));
        }
        "Cancel" => return Ok(Message::Cancel { refers, by: sender }),
        other @ ("Ack" | "Error") => return no(&format!("its msgType is {other}")),
        other => return Err(Unread::malformed(format!("its msgType is `{other}`"))),
    };
    let mut warning = Warning {
        id: id.clone(),
        source: WarningSource::Cap,
        sender,
        status,
        severity: Severity::Unknown,
        event: String::new(),
        sent_ms: Some(sent_ms),
        start_ms: None,
        end_ms: None,
        zones: Vec::new(),
        zh: WarningText::default(),
        en: WarningText::default(),
        repeat: 1,
        pause_s: USUAL_PAUSE_S,
    };
    let mut other = WarningText::default();
    for info in children(alert, "info").take(MAX_INFOS) {
        take_info(&mut warning, &mut other, info)?;
    }
    if warning.zh.is_empty() && warning.en.is_empty() {
        warning.en = other;
    }
    if warning.zh.is_empty() && warning.en.is_empty() {
        return Err(Unread::malformed("it says nothing: no `info` with a text"));
    }
    Ok(Message::Warn { warning: Box::new(warning), replaces })
}

fn take_info(
    warning: &mut Warning,
    other: &mut WarningText,
    info: Node<'_, '_>,
) -> Result<(), Unread> {
    let severity = match text(info, "severity") {
        Some("Extreme") => Severity::Red,
        Some("Severe") => Severity::Orange,
        Some("Moderate") => Severity::Yellow,
        Some("Minor") => Severity::Blue,
        _ => Severity::Unknown,
    };
    if severity.rank() > warning.severity.rank() {
        warning.severity = severity;
    }
    let start = text(info, "onset").or_else(|| text(info, "effective"));
    let start = start.map(time::zoned).transpose()?;
    warning.start_ms = earliest(warning.start_ms, start);
    let end = text(info, "expires").map(time::zoned).transpose()?;
    warning.end_ms = warning.end_ms.max(end);
    let event = shortened(text(info, "event").unwrap_or_default(), MAX_NAME);
    let title = text(info, "headline").unwrap_or(&event);
    let (what, todo) = (text(info, "description"), text(info, "instruction"));
    let body = [what, todo].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let said = cleaned(&WarningText { title: title.to_owned(), body });
    let language = text(info, "language").unwrap_or("en-US").to_ascii_lowercase();
    let place = match () {
        () if language.starts_with("zh") => &mut warning.zh,
        () if language.starts_with("en") => &mut warning.en,
        () => other,
    };
    if place.is_empty() {
        *place = said;
    }
    if warning.event.is_empty() {
        warning.event = event;
    }
    for area in children(info, "area") {
        for code in children(area, "geocode").filter_map(|geocode| child(geocode, "value")) {
            let code = code.text().unwrap_or_default().trim();
            if !code.is_empty() && code.bytes().all(|byte| byte.is_ascii_digit()) {
                add_zone(&mut warning.zones, code)?;
            }
        }
    }
    Ok(())
}

fn earliest(one: Option<i64>, other: Option<i64>) -> Option<i64> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

/// `sender,identifier,sent`, with spaces between.
fn references(text: &str) -> Result<Vec<WarningId>, Unread> {
    let mut found = Vec::new();
    for reference in text.split_whitespace() {
        if found.len() == MAX_REFERENCES {
            return Err(Unread::malformed(format!("it refers to more than {MAX_REFERENCES}")));
        }
        let identifier = reference.split(',').nth(1).ok_or_else(|| {
            Unread::malformed(format!("reference `{reference}` is not sender,identifier,sent"))
        })?;
        found.push(id_of(identifier)?);
    }
    Ok(found)
}
