//! `linli command sign`: what a platform publishes, made by hand.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};

use super::super::{complain, say, span};
use super::open;
use crate::command::LONGEST_LIFE;
use crate::config::{self, Settings};
use crate::model::{CommandDocument, CommandRequest, GatewayId, Value};
use crate::starlevel::report::SigningKey;
use crate::uplink::{self, Topic, Topics};

/// How long a command may wait, when nobody says.
const LIFE: Duration = Duration::from_secs(600);
/// Longest document that is read, bytes.
const MOST: u64 = 64 << 10;

pub(super) const EXAMPLE: &str = "Example 示例:\n  \
linli command key platform.pk8\n  \
linli command sign --key platform.pk8 --gateway jinan-lixia-0107 --device charger-1 --command currentLimit --value 16";

/// What to sign.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// JSON document of the command, or part of it, `-` for standard input; options replace its fields.
    #[arg(value_name = "FILE")]
    file: Option<PathBuf>,
    /// The key's file, from `linli command key`.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// For which gateway; that of the configuration when it is left out.
    #[arg(long, value_name = "ID")]
    gateway: Option<String>,
    /// Configuration of that gateway: names it, its topics, and the keys that count there.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// The device.
    #[arg(long)]
    device: Option<String>,
    /// The command, as the device's model calls it.
    #[arg(long)]
    command: Option<String>,
    /// A number, `true` or `false`, else a text; put a text that looks like a number in quotes ('"16"').
    #[arg(long, value_parser = value, allow_hyphen_values = true)]
    value: Option<Value>,
    /// What it is called, never twice; one of its own when it is left out.
    #[arg(long)]
    id: Option<String>,
    /// How long from now it may wait, at most 24 h.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    expires: Option<Duration>,
    /// How long from now the order holds; then the device returns to its safe value.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    until: Option<Duration>,
    /// Who orders, for the audit trail.
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Print topic and document as one JSON object.
    #[arg(long)]
    json: bool,
}

/// A document of which anything may be left out.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Draft {
    v: Option<u8>,
    gateway: Option<String>,
    id: Option<String>,
    device: Option<String>,
    command: Option<String>,
    value: Option<Value>,
    issued: Option<i64>,
    expires: Option<i64>,
    until: Option<i64>,
    by: Option<String>,
    /// Made anew.
    #[serde(rename = "signature")]
    _signature: Option<String>,
}

/// What is to be published.
#[derive(Debug, Serialize)]
struct Signed {
    topic: String,
    payload: CommandDocument,
    public_key: String,
}

fn value(text: &str) -> Result<Value, String> {
    Ok(serde_json::from_str(text).unwrap_or_else(|_| Value::Text(text.into())))
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let key = open(&arguments.key)?;
    let draft = arguments.file.as_deref().map_or_else(|| Ok(Draft::default()), read)?;
    let now_ms = jiff::Timestamp::now().as_millisecond();
    let known = config::examine_text(&arguments.config).ok();
    let document = filled(arguments, draft, known.as_ref(), now_ms)?;
    let signed = signed(document, &key, known.as_ref())?;
    for note in notes(&signed, known.as_ref(), now_ms) {
        complain(&note);
    }
    if arguments.json {
        say(&serde_json::to_string_pretty(&signed)?);
        return Ok(ExitCode::SUCCESS);
    }
    complain(&format!(
        "publish it with QoS 1, not retained, under / 以 QoS 1、不保留发布至：{}",
        signed.topic
    ));
    say(&serde_json::to_string(&signed.payload)?);
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<Draft> {
    let mut text = String::new();
    let shown = file.display();
    let read = match file == Path::new("-") {
        true => io::stdin().lock().take(MOST).read_to_string(&mut text),
        false => fs::File::open(file).and_then(|file| file.take(MOST).read_to_string(&mut text)),
    };
    read.with_context(|| format!("reading {shown} / 读取失败"))?;
    serde_json::from_str(&text).with_context(|| format!("{shown} is no command / 不是命令文件"))
}

/// The whole document, unsigned.
fn filled(
    arguments: &Arguments,
    draft: Draft,
    known: Option<&Settings>,
    now_ms: i64,
) -> anyhow::Result<CommandDocument> {
    let after =
        |span: Duration| now_ms.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX));
    let own = known.map(|settings| settings.gateway.to_string());
    let gateway = arguments.gateway.clone().or(draft.gateway).or(own).ok_or_else(|| {
        anyhow!(
            "for which gateway? {} cannot be read: give `--gateway ID` / 请用 `--gateway 网关标识` 指明网关",
            arguments.config.display()
        )
    })?;
    let needed = |given: &Option<String>, kept: Option<String>, option: &str| {
        given.clone().or(kept).ok_or_else(|| anyhow!("`--{option}` is missing / 缺少 `--{option}`"))
    };
    let issued = draft.issued.unwrap_or(now_ms);
    Ok(CommandDocument {
        v: draft.v.unwrap_or(1),
        gateway,
        id: arguments.id.clone().or(draft.id).unwrap_or_else(|| own_id(now_ms)),
        device: needed(&arguments.device, draft.device, "device")?,
        command: needed(&arguments.command, draft.command, "command")?,
        value: arguments.value.clone().or(draft.value),
        issued,
        expires: arguments.expires.map(after).or(draft.expires).unwrap_or_else(|| after(LIFE)),
        until: arguments.until.map(after).or(draft.until),
        by: arguments.by.clone().or(draft.by).unwrap_or_else(person),
        signature: None,
    })
}

fn own_id(now_ms: i64) -> String {
    format!("cli-{now_ms}-{:04x}", fastrand::u16(..))
}

/// Who sits at the terminal.
fn person() -> String {
    let named = ["SUDO_USER", "USER"].into_iter().filter_map(|name| std::env::var(name).ok());
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "console".into())
}

/// The document with its signature, after the same look as the gateway has at it.
fn signed(
    document: CommandDocument,
    key: &SigningKey,
    known: Option<&Settings>,
) -> anyhow::Result<Signed> {
    let gateway = GatewayId::new(&document.gateway)?;
    let mut request =
        CommandRequest::of_platform(document).map_err(|words| anyhow!(words.both()))?;
    let signature = key.sign(&request.signed_bytes(gateway.as_str()));
    request.signature = Some(signature.iter().map(|byte| format!("{byte:02x}")).collect());
    let configured = known.filter(|settings| settings.gateway == gateway);
    let prefix = configured
        .and_then(|settings| settings.uplink.as_ref())
        .map_or_else(|| uplink::Config::default().prefix, |uplink| uplink.prefix.clone());
    let topic = Topics::new(&prefix, &gateway)?.print(&Topic::Command(request.id.to_string()));
    Ok(Signed { topic, payload: request.document(gateway.as_str()), public_key: key.public_hex() })
}

/// Why the gateway would not do it, as far as that can be seen from here.
fn notes(signed: &Signed, known: Option<&Settings>, now_ms: i64) -> Vec<String> {
    let document = &signed.payload;
    let mut notes = Vec::new();
    if document.expires <= now_ms {
        notes.push("! it has expired already / 命令已过期".to_owned());
    }
    let longest = i64::try_from(LONGEST_LIFE.as_millis()).unwrap_or(i64::MAX);
    if document.expires.saturating_sub(now_ms) > longest {
        notes.push(
            "! it expires in more than 24 h: refused / 有效期超过 24 小时，将被拒绝".to_owned(),
        );
    }
    let Some(settings) = known.filter(|settings| settings.gateway.as_str() == document.gateway)
    else {
        return notes;
    };
    let keys = &settings.commands.public_keys;
    if !keys.iter().any(|key| format!("{key:?}") == signed.public_key) {
        let key = &signed.public_key;
        notes.push(format!(
            "! {key} is not among [commands] public_keys / 该公钥不在网关的 public_keys 中"
        ));
    }
    let device = settings.devices.iter().find(|device| device.id.as_str() == document.device);
    match device {
        None => notes.push(format!("! there is no device `{}` / 没有这台设备", document.device)),
        Some(device) if !device.commands.iter().any(|name| **name == *document.command) => {
            let allowed = device.commands.join(", ");
            notes.push(format!(
                "! `{}` is not allowed for this device, allowed: {allowed} / 该设备未允许此命令",
                document.command
            ));
        }
        Some(_) => {}
    }
    notes
}

#[cfg(test)]
#[path = "sign_tests.rs"]
mod tests;
