//! Commands on the page and in the API: what may be ordered, the order in two steps, what became of
//! it.
//!
//! On the page a command is chosen, looked at once more with its danger and the present value, and
//! confirmed. Its id is made with the second step: whoever sends the form twice orders once.

mod api;
mod page;
mod words;

use std::time::Duration;

use ring::rand::SecureRandom as _;

#[cfg(feature = "schema")]
pub(super) use api::{CommandBody, CommandRows};
pub(super) use api::{all, one, post};
pub(super) use page::{confirm, list, of_device, order, section};

use super::access::{Via, Who};
use super::view::View;
use crate::command::{Known, Ordered, Stopping};
use crate::model::{CommandId, CommandReport, CommandRequest, CommandSource, Value};
use crate::profile::{Command, CommandKind};

/// So long a command of the page is good for, milliseconds: also the time to confirm it.
const LIFE_MS: i64 = 120_000;
/// So long the answer waits for the end of a command.
const PATIENCE: Duration = Duration::from_secs(8);

/// An id that nobody guesses and nobody used.
fn new_id() -> Option<CommandId> {
    let mut bytes = [0; 12];
    ring::rand::SystemRandom::new().fill(&mut bytes).ok()?;
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    CommandId::new(&format!("page-{digits}")).ok()
}

/// Milliseconds since 1970, by the best knowledge: the gateway's own clock judges it again.
fn now_ms(view: &View) -> i64 {
    view.clock.best_wall(view.now()).unix_ms
}

/// Who orders: whoever is logged in; without a login the name that was given.
fn by(who: &Who, given: &str) -> String {
    let given = given.trim();
    if who.via == Via::Open && !given.is_empty() { given.to_owned() } else { who.name.clone() }
}

/// The value as it was typed in; `None` for a trigger.
///
/// # Errors
/// It is no number, nothing was chosen.
fn typed(known: Known<'_>, text: &str) -> Result<Option<Value>, ()> {
    let text = text.trim();
    let kind = match known {
        Known::Command(Command { kind, .. }) => kind,
        Known::Act(_) => &CommandKind::Trigger,
    };
    Ok(Some(match kind {
        CommandKind::Trigger => return Ok(None),
        CommandKind::Flag => match text {
            "on" => Value::Flag(true),
            "off" => Value::Flag(false),
            _ => return Err(()),
        },
        CommandKind::Number { .. } | CommandKind::Choice { .. } => {
            Value::Number(text.parse().map_err(|_| ())?)
        }
        CommandKind::Text { .. } if text.is_empty() => return Err(()),
        CommandKind::Text { .. } => Value::Text(text.into()),
    }))
}

/// Orders, and waits a while for the end; what is known then.
///
/// # Errors
/// The gateway is stopping, or takes no commands.
async fn ordered(view: &View, request: CommandRequest) -> Result<CommandReport, Stopping> {
    let router = view.commands.as_ref().ok_or(Stopping)?;
    let ordered: Ordered = router.order(request).await?;
    let decision = ordered.decision.clone();
    match tokio::time::timeout(PATIENCE, ordered.end()).await {
        Ok(end) => end,
        Err(_elapsed) => Ok(decision),
    }
}

/// A request of the page.
fn request(
    (id, device, command): (CommandId, &str, &str),
    value: Option<Value>,
    (issued_ms, expires_ms): (i64, i64),
    by: String,
) -> CommandRequest {
    CommandRequest {
        id,
        device: device.to_owned(),
        command: command.to_owned(),
        value,
        issued_ms,
        expires_ms,
        until_ms: None,
        by,
        source: CommandSource::Page,
        signature: None,
    }
}
