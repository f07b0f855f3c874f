//! Points of Modbus models: their registers.

use toml::Spanned;

use super::binding::{Code, Encoding, Member, RegisterSource};
use super::encoding::encoding;
use super::fault::Faults;
use super::load_modbus::first_address;
use super::plausible::check_scale;
use super::points::{Place, Source, Templates};
use super::schema::{ModbusFile, PointFile, QuantityWord};

/// The address as on the wire, so many registers behind the given one.
pub(super) fn address(
    modbus: &ModbusFile,
    given: &Spanned<u32>,
    offset: u32,
    encoding: Encoding,
    faults: &mut Faults<'_>,
) -> Option<u16> {
    let address = given
        .get_ref()
        .checked_sub(first_address(modbus))
        .map(|address| address.saturating_add(offset))
        .filter(|first| first.saturating_add(u32::from(encoding.width())) <= 65_536)
        .and_then(|first| u16::try_from(first).ok());
    if address.is_none() {
        let (given_address, first, width) =
            (given.get_ref(), first_address(modbus), encoding.width());
        let behind = if offset == 0 { String::new() } else { format!(", {offset} behind it") };
        let message = format!(
            "`address` = {given_address}: the point would end beyond the last register; registers go from {first} to {}, and it takes {width}{behind}",
            first.saturating_add(65_535)
        );
        faults.at(given.span(), message);
    }
    address
}

impl Templates<'_> {
    /// Registers before those of a member of a group.
    pub(super) fn stride(&self, member: Option<Member>) -> u32 {
        member.map_or(0, |member| {
            let step = u32::from(self.groups[member.group].step.unwrap_or(0));
            u32::from(member.place).saturating_mul(step)
        })
    }

    /// Where a point lies in the registers.
    pub(super) fn register(
        &self,
        modbus: &ModbusFile,
        file: &PointFile,
        at: Place<'_>,
        codes: &[Code],
        faults: &mut Faults<'_>,
    ) -> Option<Source> {
        let span = at.span;
        if file.topic.is_some() || file.path.is_some() || !file.words.is_empty() {
            faults.at(span.clone(), "`topic`, `path` and `words` belong to MQTT models");
        }
        let Some(table) = file.table.or(modbus.table).map(|table| table.table()) else {
            faults.at(span.clone(), "`table` is missing, here or in `[modbus]`");
            return None;
        };
        let encoding = encoding(modbus, file, span, faults)?;
        if table.is_bits() != (encoding == Encoding::Bit) {
            faults.at(span.clone(), "encoding `bit` goes with the tables `coil` and `discrete_input`, and only with them");
        }
        let is_text = matches!(encoding, Encoding::Ascii(_) | Encoding::Utf16(_));
        if is_text != (file.quantity == Some(QuantityWord::Text)) && codes.is_empty() {
            faults.at(
                span.clone(),
                "encodings `ascii` and `utf16` go with quantity `text` or with `codes`",
            );
        }
        for raw in file.codes.keys().filter(|raw| !is_text && raw.get_ref().parse::<i64>().is_err())
        {
            faults.at(raw.span(), format!("raw code `{}` is no whole number", raw.get_ref()));
        }
        let Some(given) = &file.address else {
            faults.at(span.clone(), "`address` is missing");
            return None;
        };
        let scale = self.scale(file, faults);
        let numeric = codes.is_empty() && file.quantity != Some(QuantityWord::Flag);
        if numeric && scale.factor.is_finite() {
            check_scale(file, encoding, &scale, self.params, span, faults);
        }
        let step = u32::from(file.step.unwrap_or_else(|| encoding.width()));
        let offset = at.place.saturating_mul(step).saturating_add(self.stride(at.member));
        let address = address(modbus, given, offset, encoding, faults)?;
        let mut unavailable = Vec::new();
        for sentinel in &file.unavailable {
            match sentinel.get_ref().bits() {
                Some(bits) => unavailable.push(bits),
                None => faults.at(
                    sentinel.span(),
                    format!(
                        "`{}` is no register value: a positive number or \"0x…\"",
                        sentinel.get_ref().0
                    ),
                ),
            }
        }
        Some(Source::Register(RegisterSource {
            table,
            address,
            encoding,
            order: file.order.or(modbus.order).map(|order| order.order()).unwrap_or_default(),
            scale,
            unavailable,
            codes: codes.to_vec(),
            flag: file.quantity == Some(QuantityWord::Flag),
            decimals: file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref()),
        }))
    }
}
