//! From a JSON document or a text to the value of a point.

use super::{MqttSource, PathStep};
use crate::model::{Reason, Value};

/// Follows `path` into a document.
fn follow<'a>(doc: &'a serde_json::Value, path: &[PathStep]) -> Option<&'a serde_json::Value> {
    path.iter().try_fold(doc, |at, step| match step {
        PathStep::Key(key) => at.get(key.as_str()),
        PathStep::Index(slot) => at.get(slot),
    })
}

/// The value of a point in a document; `None` when the document does not hold it.
///
/// # Errors
/// The reason why what stands there is no value.
pub fn decode_json(
    source: &MqttSource,
    doc: &serde_json::Value,
    factor: f64,
) -> Result<Option<Value>, Reason> {
    match follow(doc, &source.path) {
        None => Ok(None),
        Some(serde_json::Value::Null) => Err(Reason::NotAvailable),
        Some(serde_json::Value::Bool(flag)) => Ok(Some(Value::Flag(*flag))),
        Some(serde_json::Value::Number(n)) => {
            let n = n.as_f64().ok_or(Reason::BadPayload)?;
            Ok(Some(Value::Number(n * factor + source.scale.offset)))
        }
        Some(serde_json::Value::String(text)) => decode_text(source, text, factor).map(Some),
        Some(_) => Err(Reason::BadPayload),
    }
}

/// The value of a point in a plain text.
///
/// # Errors
/// The reason why the text is no value.
pub fn decode_text(source: &MqttSource, text: &str, factor: f64) -> Result<Value, Reason> {
    if source.text {
        return Ok(Value::Text(text.into()));
    }
    let n: f64 = text.trim().parse().map_err(|_| Reason::BadPayload)?;
    Ok(Value::Number(n * factor + source.scale.offset))
}
