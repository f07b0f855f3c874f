//! `linli profiles schema`: what an MQTT model publishes, as JSON Schema.

use std::process::ExitCode;

use super::super::{complain, say};
use crate::profile::{BUILT_IN, Binding, Library, Loaded, parse, payload_schema};

/// Which model.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The profile's identifier, or its file.
    #[arg(value_name = "ID")]
    profile: String,
    /// Refuse members that the model does not have.
    #[arg(long)]
    strict: bool,
}

pub(super) fn execute(arguments: &Arguments, library: &Library) -> anyhow::Result<ExitCode> {
    let wanted = arguments.profile.as_str();
    let Some((name, text)) = text_of(wanted, library)? else {
        let near = library.nearest(wanted);
        let (en, zh) = near.map_or_else(Default::default, |near| {
            (format!("; did you mean `{near}`?"), format!("；是否应为 `{near}`？"))
        });
        complain(&format!(
            "no profile is called `{wanted}`{en} / 没有名为 `{wanted}` 的设备模型{zh}"
        ));
        return Ok(ExitCode::FAILURE);
    };
    let Loaded { full: profile, examples, .. } = match parse(&name, &text) {
        Ok(loaded) => loaded,
        Err(faults) => {
            faults.iter().for_each(|fault| complain(&fault.to_string()));
            return Ok(ExitCode::FAILURE);
        }
    };
    let Binding::Mqtt(model) = &profile.binding else {
        complain(&format!(
            "`{wanted}` publishes nothing: only MQTT profiles have payloads / \
             `{wanted}` 不是 MQTT 型号，没有报文"
        ));
        return Ok(ExitCode::FAILURE);
    };
    let schema = payload_schema(&profile, model, &examples, arguments.strict);
    say(&serde_json::to_string_pretty(&schema)?);
    Ok(ExitCode::SUCCESS)
}

/// The file of a profile that is named by its identifier or its path.
fn text_of(wanted: &str, library: &Library) -> std::io::Result<Option<(String, String)>> {
    let given = wanted.ends_with(".toml").then_some(wanted);
    if let Some(path) = given.or_else(|| library.file(wanted)) {
        return std::fs::read_to_string(path).map(|text| Some((path.to_owned(), text)));
    }
    let built_in = BUILT_IN.iter().find(|(id, _)| *id == wanted);
    Ok(built_in.map(|(id, text)| (format!("{id}.toml"), (*text).to_owned())))
}
