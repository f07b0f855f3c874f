//! Where a command is written: registers of a Modbus model, a message of an MQTT model.

use super::Target;
use super::load::Reader;
use super::schema::{FunctionWord, KindWord};
use crate::profile::binding::{Code, Encoding, Member, RegisterSource, Table};
use crate::profile::encoding::encoding;
use crate::profile::fault::Faults;
use crate::profile::points_modbus::address;
use crate::profile::schema::{PointFile, TableWord};

impl Reader<'_> {
    /// The registers or the coil that the command writes.
    pub fn registers(
        &self,
        point: &PointFile,
        member: Option<Member>,
        mut raw: Vec<Code>,
        faults: &mut Faults<'_>,
    ) -> Option<Target> {
        let (file, span) = (self.file, self.span);
        let modbus = self.templates.modbus()?;
        if file.topic.is_some() || file.payload.is_some() {
            faults.at(span.clone(), "`topic` and `payload` belong to MQTT models");
        }
        let Some(table) = file.table.or(modbus.table).map(TableWord::table) else {
            faults.at(span.clone(), "`table` is missing, `holding` or `coil`");
            return None;
        };
        if !matches!(table, Table::Holding | Table::Coil) {
            faults.at(span.clone(), "nothing can be written there: `table` is `holding` or `coil`");
            return None;
        }
        let encoding = match (table, &file.encoding) {
            (Table::Coil, None) => Encoding::Bit,
            _ => encoding(modbus, point, span, faults)?,
        };
        if table.is_bits() != (encoding == Encoding::Bit) {
            faults.at(span.clone(), "encoding `bit` goes with the table `coil`, and only with it");
        }
        let kind = *file.kind.get_ref();
        let is_text = matches!(encoding, Encoding::Ascii(_) | Encoding::Utf16(_));
        if is_text != (kind == KindWord::Text) {
            faults.at(
                span.clone(),
                "encodings `ascii` and `utf16` go with kind `text`, and only with it",
            );
        }
        if kind == KindWord::Trigger && raw.is_empty() {
            raw.push(Code::new("1", 1));
        }
        for code in raw.iter().filter(|code| code.number.is_none()) {
            faults.at(
                span.clone(),
                format!("`{}` is no whole number, registers hold only those", code.raw),
            );
        }
        let Some(given) = &file.address else {
            faults.at(span.clone(), "`address` is missing");
            return None;
        };
        let address = address(modbus, given, self.templates.stride(member), encoding, faults)?;
        let several = encoding.width() > 1;
        if several && file.function == Some(FunctionWord::Single) {
            faults.at(span.clone(), "function `single` writes one register, this value takes more");
        }
        let multiple = several || file.function == Some(FunctionWord::Multiple);
        let source = RegisterSource {
            table,
            address,
            encoding,
            order: file.order.or(modbus.order).map(|order| order.order()).unwrap_or_default(),
            scale: self.templates.scale(point, faults),
            unavailable: Vec::new(),
            codes: raw,
            flag: matches!(kind, KindWord::Flag | KindWord::Trigger),
            decimals: 0,
        };
        Some(Target::Registers { source, multiple })
    }

    /// The message that the command publishes.
    pub fn message(
        &self,
        point: &PointFile,
        numbered: &dyn Fn(&str) -> String,
        codes: Vec<Code>,
        faults: &mut Faults<'_>,
    ) -> Option<Target> {
        let (file, span) = (self.file, self.span);
        let strange = file.table.is_some()
            || file.address.is_some()
            || file.encoding.is_some()
            || file.order.is_some()
            || file.function.is_some();
        if strange {
            faults.at(
                span.clone(),
                "`table`, `address`, `encoding`, `order` and `function` belong to Modbus models",
            );
        }
        let (Some(topic), Some(payload)) = (&file.topic, &file.payload) else {
            faults.at(span.clone(), "`topic` and `payload` are needed: what is published where?");
            return None;
        };
        let pattern = numbered(topic.get_ref());
        let levels = || pattern.split('/');
        if levels().filter(|level| *level == "{base}").count() != 1
            || levels().any(|level| level != "{base}" && level.contains(['{', '}', '+', '#']))
        {
            faults.at(topic.span(), format!("topic `{pattern}`: `{{base}}` must be one level of it, `+` and `#` may not be in it"));
        }
        let text = numbered(payload.get_ref());
        let json = text.trim_start().starts_with(['{', '[']) && text.trim() != "{value}";
        let filled = text.replace("{value}", "1");
        if json && serde_json::from_str::<serde_json::Value>(&filled).is_err() {
            faults.at(payload.span(), format!("`{filled}` is no JSON document; a payload that begins with `{{` or `[` must be one"));
        }
        let takes = *file.kind.get_ref() != KindWord::Trigger;
        if takes != text.contains("{value}") {
            faults.at(
                payload.span(),
                "`{value}` must stand in the payload, but of a `trigger` it must not",
            );
        }
        let scale = self.templates.scale(point, faults);
        Some(Target::Message { topic: pattern, payload: text, json, codes, scale })
    }
}
