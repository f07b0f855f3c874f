//! What is ordered: as a document, and as a request whose form was looked at.
//!
//! # What is signed
//!
//! Where the configuration demands a signature, it is ed25519 (RFC 8032) over these bytes: ten
//! lines of UTF-8, each but the last ended by a line feed.
//!
//! ```text
//! linli-command-1
//! <gateway>
//! <id>
//! <device>
//! <command>
//! <issued>                 milliseconds since 1970, decimal
//! <expires>                the same
//! <until>                  the same, or - when there is none
//! <by>
//! <value>                  - none, b:true or b:false, t:<text>, n:<16 hex digits>
//! ```
//! The sixteen digits are the number as IEEE 754 binary64, the highest byte first, lower case: 16
//! and 16.0 are the same number in every language. No field but the text may hold a line feed.

use serde::{Deserialize, Serialize};

use super::{CommandId, CommandSource, printable};
use crate::model::{Value, Words};

/// First line of what is signed.
const SIGNED_HEAD: &str = "linli-command-1";
/// Longest name of a person or a program that orders, characters.
pub const LONGEST_BY: usize = 64;
/// Longest name of a device or a command that is looked at, bytes.
const LONGEST_TARGET: usize = 128;
/// Longest text that is ordered, bytes.
pub const LONGEST_TEXT: usize = 2000;

/// A command as the platform publishes it, under `command/<id>`; QoS 1, not retained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct CommandDocument {
    /// Version of the document, 1.
    pub v: u8,
    /// Whom it is for.
    pub gateway: String,
    /// What it is called, the same as in the topic: 1 to 64 letters, digits, `.`, `_`, `-`; never
    /// used again.
    pub id: String,
    /// The device.
    pub device: String,
    /// The command, as the device's model calls it.
    pub command: String,
    /// What it takes: a number in the unit of the command, true or false, the code of a choice, a
    /// text; absent for a trigger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
    pub value: Option<Value>,
    /// When it was ordered, milliseconds since 1970.
    pub issued: i64,
    /// It is not begun after this, milliseconds since 1970; at most 24 h ahead.
    pub expires: i64,
    /// Until when the order holds: then the device returns to its safe value. Absent: until
    /// another order, or until the link to the platform is silent for too long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<i64>,
    /// Who orders, for the audit trail.
    pub by: String,
    /// Ed25519 over what stands in the documentation of commands, 128 hex digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
}

/// What somebody wants of a device.
#[derive(Debug, Clone, PartialEq)]
pub struct CommandRequest {
    /// What it is called.
    pub id: CommandId,
    /// The device.
    pub device: String,
    /// The command, as the device's profile calls it.
    pub command: String,
    /// What it takes; none for a trigger.
    pub value: Option<Value>,
    /// When it was ordered, milliseconds since 1970.
    pub issued_ms: i64,
    /// Not begun after this, milliseconds since 1970.
    pub expires_ms: i64,
    /// Until when it holds, milliseconds since 1970.
    pub until_ms: Option<i64>,
    /// Who orders.
    pub by: String,
    /// From where.
    pub source: CommandSource,
    /// Ed25519 signature, hex digits.
    pub signature: Option<String>,
}

/// So much of a wrong identifier is told.
const LONGEST_QUOTED: usize = 64;

impl CommandRequest {
    /// Takes a document over. What is wrong with its form is told; whether it may be done is not
    /// looked at.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn of_platform(document: CommandDocument) -> Result<Self, Words> {
        let CommandDocument { v, gateway: _, id, device, command, value, .. } = document;
        if v != 1 {
            return Err((format!("`v` is {v}, not 1"), format!("`v` 为 {v}，应为 1")).into());
        }
        let id = CommandId::new(&id).map_err(|error| {
            let id = printable(&id.chars().take(LONGEST_QUOTED).collect::<String>());
            (
                error.to_string(),
                format!("`{id}` 不是命令编号：须为 1 至 64 个字母、数字、`.`、`_`、`-`"),
            )
        })?;
        let request = Self {
            id,
            device,
            command,
            value,
            issued_ms: document.issued,
            expires_ms: document.expires,
            until_ms: document.until,
            by: document.by,
            source: CommandSource::Platform,
            signature: document.signature,
        };
        request.form()?;
        Ok(request)
    }

    /// The document that carries it to a gateway.
    pub fn document(&self, gateway: &str) -> CommandDocument {
        CommandDocument {
            v: 1,
            gateway: gateway.to_owned(),
            id: self.id.to_string(),
            device: self.device.clone(),
            command: self.command.clone(),
            value: self.value.clone(),
            issued: self.issued_ms,
            expires: self.expires_ms,
            until: self.until_ms,
            by: self.by.clone(),
            signature: self.signature.clone(),
        }
    }

    /// Whether its fields have the form that they must have.
    ///
    /// # Errors
    /// What is wrong, for people.
    pub fn form(&self) -> Result<(), Words> {
        let plain = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        for (key, text) in [("device", &self.device), ("command", &self.command)] {
            if !plain(text) || text.len() > LONGEST_TARGET {
                return Err((
                    format!(
                        "`{key}` must have 1 to {LONGEST_TARGET} bytes without control characters"
                    ),
                    format!("`{key}` 须为 1 至 {LONGEST_TARGET} 字节，且不含控制字符"),
                )
                    .into());
            }
        }
        if !plain(&self.by) || self.by.chars().count() > LONGEST_BY {
            return Err((
                format!("`by` must have 1 to {LONGEST_BY} characters"),
                format!("`by` 须为 1 至 {LONGEST_BY} 个字符"),
            )
                .into());
        }
        match &self.value {
            Some(Value::Text(text)) if text.len() > LONGEST_TEXT => {
                let bytes = text.len();
                return Err((
                    format!("the text has {bytes} bytes, at most {LONGEST_TEXT}"),
                    format!("文本有 {bytes} 字节，最多 {LONGEST_TEXT} 字节"),
                )
                    .into());
            }
            Some(Value::Number(number)) if !number.is_finite() => {
                return Err(("the value is no finite number", "数值不是有限数").into());
            }
            _ => {}
        }
        let until_late = self.until_ms.is_none_or(|until| until >= self.issued_ms);
        if self.expires_ms < self.issued_ms || self.issued_ms < 0 || !until_late {
            return Err((
                "`issued`, `expires` and `until` are not in this order",
                "`issued`、`expires`、`until` 的先后不对",
            )
                .into());
        }
        Ok(())
    }

    /// What a signature of it is over; also tells whether two requests are the same.
    pub fn signed_bytes(&self, gateway: &str) -> Vec<u8> {
        let value = match &self.value {
            None => "-".to_owned(),
            Some(Value::Flag(flag)) => format!("b:{flag}"),
            // Minus zero is zero.
            Some(Value::Number(number)) => format!("n:{:016x}", (number + 0.0).to_bits()),
            Some(Value::Text(text)) => format!("t:{text}"),
        };
        let until = self.until_ms.map_or_else(|| "-".to_owned(), |until| until.to_string());
        let (issued, expires) = (self.issued_ms.to_string(), self.expires_ms.to_string());
        let lines = [
            SIGNED_HEAD,
            gateway,
            self.id.as_str(),
            &self.device,
            &self.command,
            &issued,
            &expires,
            &until,
            &self.by,
            &value,
        ];
        lines.join("\n").into_bytes()
    }
}
