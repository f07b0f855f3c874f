//! What an example says that a command writes, held against what it would write.

use toml::Spanned;

use super::schema::WriteFile;
use super::{Written, encode_command};
use crate::model::Value;
use crate::profile::binding::Profile;
use crate::profile::example::{Block, Message, read_block};
use crate::profile::fault::Faults;

/// A value ordered, and what must be written then.
#[derive(Debug, Clone, PartialEq)]
pub struct Write {
    /// Line of the file.
    pub line: usize,
    /// The command's name.
    pub command: String,
    /// The value; none for a trigger.
    pub value: Option<Value>,
    /// The registers.
    pub blocks: Vec<Block>,
    /// The messages.
    pub messages: Vec<Message>,
}

/// A number, a text, true or false.
#[expect(clippy::cast_precision_loss, reason = "written by people, well below 2^53")]
pub(super) fn plain(given: &toml::Value) -> Option<Value> {
    Some(match given {
        toml::Value::Boolean(flag) => Value::Flag(*flag),
        toml::Value::Integer(n) => Value::Number(*n as f64),
        toml::Value::Float(n) => Value::Number(*n),
        toml::Value::String(text) => Value::Text(text.as_str().into()),
        _ => return None,
    })
}

/// Reads the `writes` of an example.
pub(in crate::profile) fn read_writes(
    files: Vec<Spanned<WriteFile>>,
    profile: &Profile,
    first: u32,
    faults: &mut Faults<'_>,
) -> Vec<Write> {
    let mut writes = Vec::new();
    for file in files {
        let (span, file) = (file.span(), file.into_inner());
        let name = file.command.get_ref();
        let known = || profile.commands.iter().map(|command| &*command.name);
        if !faults.entries_lost() && !known().any(|command| command == name) {
            let message = format!("there is no command `{name}`");
            faults.word(file.command.span(), message, name, known());
        }
        let value = file.value.as_ref().map(|value| {
            plain(value.get_ref()).unwrap_or_else(|| {
                faults.at(value.span(), "a value is a number, a text, true or false");
                Value::Flag(false)
            })
        });
        if file.registers.is_empty() && file.messages.is_empty() {
            faults.at(span.clone(), "what is written? `registers` or `messages` is missing");
        }
        writes.push(Write {
            line: faults.line(&span),
            command: file.command.into_inner(),
            value,
            blocks: file
                .registers
                .into_iter()
                .filter_map(|block| read_block(block, first, faults))
                .collect(),
            messages: file.messages.into_iter().map(Message::from).collect(),
        });
    }
    writes
}

impl Write {
    /// What is wrong, if the command would write something else.
    pub(in crate::profile) fn fault(&self, profile: &Profile, params: &[f64]) -> Option<String> {
        let command = profile.commands.iter().find(|command| *command.name == *self.command)?;
        let written = match encode_command(command, self.value.as_ref(), params) {
            Ok(written) => written,
            Err(error) => return Some(error.to_string()),
        };
        match &written {
            Written::Registers { table, address, words, .. } => {
                let block = Block { table: *table, address: *address, words: words.clone() };
                let same = self.blocks.len() == 1 && self.blocks[0] == block;
                (!same).then(|| {
                    format!(
                        "it writes {words:04x?} to address {address}, not what the example says"
                    )
                })
            }
            Written::Message { topic, payload } => {
                let same = |message: &Message| {
                    message.topic == *topic && same_payload(&message.payload, payload)
                };
                let same = self.messages.len() == 1 && self.messages.iter().all(same);
                (!same).then(|| {
                    format!("it publishes `{payload}` to `{topic}`, not what the example says")
                })
            }
        }
    }
}

/// JSON documents are compared by what they say.
fn same_payload(one: &str, other: &str) -> bool {
    let document = |text| serde_json::from_str::<serde_json::Value>(text).ok();
    one == other || document(one).is_some_and(|one| document(other) == Some(one))
}
