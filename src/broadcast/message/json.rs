//! Our own form of a warning.
//!
//! ```json
//! {"v":1,"id":"371002000000000000202601020001","status":"actual","severity":"red","event":"fire",
//!  "sender":"city","sent":"2026-01-02T03:04:05+08:00","start":null,"end":"2026-01-02T05:00:00+08:00",
//!  "zones":["north","371002001005"],"zh":{"title":"火警","body":"请离开"},
//!  "en":{"title":"Fire","body":"Leave"},"repeat":3,"pause_s":20,"replaces":[]}
//! {"v":1,"cancel":["371002000000000000202601020001"],"sender":"city"}
//! ```
//! Keys that are not named here are ignored, keys without a value may be left out; `id` and a text in
//! one language are needed. Without `zones` it is for the whole estate.

use serde::Deserialize;

use super::text::{add_zone, shortened};
use super::{
    MAX_BODY, MAX_NAME, MAX_PAUSE_S, MAX_REFERENCES, MAX_REPEAT, MAX_TITLE, Message, Unread, time,
};
use crate::model::{
    Severity, Warning, WarningId, WarningRefusal, WarningSource, WarningStatus, WarningText,
};

/// The version of this form.
const VERSION: u32 = 1;
/// Between two plays when nothing is said, seconds.
pub const USUAL_PAUSE_S: u32 = 15;

/// A message of the platform in our own form: a warning, or, with `cancel`, the end of some.
#[derive(Debug, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct WarningMessage {
    /// Version of this form, 1.
    v: u32,
    /// What it is called: 30 or 35 digits as of EBM, or 1 to 64 letters, digits and `.:_-`; needed
    /// for a warning, never used for another.
    id: Option<WarningId>,
    /// `actual` (also when absent), `exercise`, `test`.
    #[serde(default)]
    status: Option<String>,
    /// How bad it is.
    severity: Option<Severity>,
    /// What kind of event.
    #[serde(default)]
    event: String,
    /// Who warns.
    #[serde(default)]
    sender: String,
    /// When it was sent, RFC 3339; older than 24 h is refused.
    sent: Option<String>,
    /// When it begins, RFC 3339; at once when absent.
    start: Option<String>,
    /// When it ends, RFC 3339.
    end: Option<String>,
    /// Zones of the configuration and area codes; the whole estate when empty.
    #[serde(default)]
    zones: Vec<String>,
    /// Chinese.
    #[serde(default)]
    zh: WarningText,
    /// English; one of both is needed.
    #[serde(default)]
    en: WarningText,
    /// How often it is played, 1 to 100.
    repeat: Option<u16>,
    /// Between two plays, seconds.
    pause_s: Option<u32>,
    /// Earlier ones that it updates: they are taken away.
    #[serde(default)]
    replaces: Vec<WarningId>,
    /// Takes these away; nothing else of the message counts then but `sender`.
    cancel: Option<Vec<WarningId>>,
}

/// Reads the text of one message.
///
/// # Errors
/// It is not of this form, incomplete, or a draft.
pub fn read(text: &str) -> Result<Message, Unread> {
    let form: WarningMessage = serde_json::from_str(text)
        .map_err(|error| Unread::malformed(format!("it is not of our form: {error}")))?;
    if form.v != VERSION {
        return Err(Unread::malformed(format!("its version is {}, known is {VERSION}", form.v)));
    }
    for list in [Some(&form.replaces), form.cancel.as_ref()].into_iter().flatten() {
        if list.len() > MAX_REFERENCES {
            return Err(Unread::malformed(format!("it names more than {MAX_REFERENCES} others")));
        }
    }
    let by = shortened(&form.sender, MAX_NAME);
    if let Some(refers) = form.cancel {
        if refers.is_empty() {
            return Err(Unread::malformed("it cancels nothing: `cancel` is empty"));
        }
        return Ok(Message::Cancel { refers, by });
    }
    let Some(id) = form.id.clone() else { return Err(Unread::malformed("it has no `id`")) };
    warning(form, id.clone()).map_err(|unread| unread.of(&id))
}

fn warning(form: WarningMessage, id: WarningId) -> Result<Message, Unread> {
    let status = match form.status.as_deref() {
        None | Some("actual") => WarningStatus::Actual,
        Some("exercise" | "drill") => WarningStatus::Exercise,
        Some("test") => WarningStatus::Test,
        Some("draft") => {
            return Err(Unread::new(WarningRefusal::NotForPlaying, "it is a draft"));
        }
        Some(other) => {
            let known = "actual, exercise, test";
            return Err(Unread::malformed(format!("its status is `{other}`, known are {known}")));
        }
    };
    let mut zones = Vec::new();
    for zone in &form.zones {
        add_zone(&mut zones, zone)?;
    }
    let moment = |text: &Option<String>| text.as_deref().map(time::zoned).transpose();
    let warning = Warning {
        id,
        source: WarningSource::Json,
        sender: shortened(&form.sender, MAX_NAME),
        status,
        severity: form.severity.unwrap_or_default(),
        event: shortened(&form.event, MAX_NAME),
        sent_ms: moment(&form.sent)?,
        start_ms: moment(&form.start)?,
        end_ms: moment(&form.end)?,
        zones,
        zh: cleaned(&form.zh),
        en: cleaned(&form.en),
        repeat: form.repeat.unwrap_or(1).clamp(1, MAX_REPEAT),
        pause_s: form.pause_s.unwrap_or(USUAL_PAUSE_S).min(MAX_PAUSE_S),
    };
    if warning.zh.is_empty() && warning.en.is_empty() {
        return Err(Unread::malformed("it says nothing: `zh` and `en` are empty"));
    }
    Ok(Message::Warn { warning: Box::new(warning), replaces: form.replaces })
}

/// A text as it is kept.
pub fn cleaned(text: &WarningText) -> WarningText {
    WarningText { title: shortened(&text.title, MAX_TITLE), body: shortened(&text.body, MAX_BODY) }
}
