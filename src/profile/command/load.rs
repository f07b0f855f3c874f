//! Reads `[[commands]]`.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use toml::Spanned;

use super::schema::{CommandFile, KindWord};
use super::write::plain;
use super::{Command, CommandKind, encode_command};
use crate::model::{Label, PointIndex, Quantity, Unit, Value, Words};
use crate::profile::binding::{Code, Member};
use crate::profile::encoding::is_point_name;
use crate::profile::fault::Faults;
use crate::profile::points::{Read, Templates};
use crate::profile::runs::codes;
use crate::profile::schema::{PointFile, QuantityWord};

/// When a point shows what was written, unless the file says.
const WITHIN: Duration = Duration::from_secs(10);
/// Most bytes of a text.
const MAX_TEXT: usize = 2048;

/// Reads the commands; those of a group become one for each member.
pub(in crate::profile) fn commands(
    files: Vec<Spanned<CommandFile>>,
    templates: &Templates<'_>,
    faults: &mut Faults<'_>,
) -> Vec<Command> {
    let mut all: Vec<Command> = Vec::new();
    for file in files {
        let (span, file) = (file.span(), file.into_inner());
        let name = file.name.get_ref();
        if !is_point_name(name) {
            faults.at(file.name.span(), format!("`{name}` is no name of a command: letters and digits, beginning with a lower-case letter"));
        }
        let reader = Reader { file: &file, span: &span, templates };
        let Some(group) = reader.group(faults) else {
            faults.lose_entry();
            continue;
        };
        let members = group.map_or(1, |slot| templates.groups[slot].group.max);
        for place in 0..members {
            let member = group.map(|group| Member { group, place });
            let Some(command) = reader.command(member, faults) else {
                faults.lose_entry();
                break;
            };
            if all.iter().any(|known| known.name == command.name) {
                faults.at(file.name.span(), format!("command `{}` is given twice", command.name));
            }
            all.push(command);
        }
    }
    all
}

/// One entry, and what it refers to.
pub(super) struct Reader<'r> {
    pub file: &'r CommandFile,
    pub span: &'r Range<usize>,
    pub templates: &'r Templates<'r>,
}

impl Reader<'_> {
    fn group(&self, faults: &mut Faults<'_>) -> Option<Option<usize>> {
        let Some(name) = &self.file.group else { return Some(None) };
        let known = || self.templates.groups.iter().map(|read| &*read.group.name);
        let found = known().position(|known| known == name.get_ref());
        if found.is_none() {
            let message = format!("there is no group `{}` in this file", name.get_ref());
            faults.word(name.span(), message, name.get_ref(), known());
        }
        found.map(Some)
    }

    fn command(&self, member: Option<Member>, faults: &mut Faults<'_>) -> Option<Command> {
        let (file, span) = (self.file, self.span);
        let number = member.map(|m| self.templates.groups[m.group].group.number(m.place));
        let numbered = |text: &str| match number {
            Some(number) => text.replace("{n}", &number.to_string()),
            None => text.to_owned(),
        };
        let group = member.map(|member| &self.templates.groups[member.group].group);
        let prefix = match (group, number) {
            (Some(group), Some(number)) => format!("{}.{number}.", group.name),
            _ => String::new(),
        };
        let point = self.point_file();
        let labels = self.templates.labels(&point, faults);
        let mut raw = codes(&point, &labels, faults);
        self.on_and_off(&mut raw, faults);
        let kind = self.kind(&labels, faults)?;
        let target = if self.templates.modbus().is_some() {
            self.registers(&point, member, raw, faults)?
        } else if self.templates.publishes() {
            self.message(&point, &numbered, raw, faults)?
        } else {
            faults.at(span.clone(), "commands belong to Modbus and MQTT models; what a meter of DL/T 645 or CJ/T 188 can be told is known to the driver");
            return None;
        };
        let read_back = self.read_back(&prefix, &kind, faults);
        let title = |own: &str, of_group: Option<&str>| {
            numbered(&format!("{} {own}", of_group.unwrap_or(""))).trim().to_owned()
        };
        let mut command = Command {
            name: Arc::from(format!("{prefix}{}", file.name.get_ref())),
            zh: title(&file.zh, group.map(|group| group.zh.as_str())),
            en: title(&file.en, group.map(|group| group.en.as_str())),
            member,
            kind,
            target,
            read_back,
            within: file.within.map_or(WITHIN, |span| span.0),
            safe: None,
            keep_alive: file.keep_alive.map(|span| span.0),
            danger: file
                .danger
                .as_ref()
                .map(|both| Words::from((both.en.as_str(), both.zh.as_str()))),
        };
        self.reachable(&command, faults);
        command.safe = self.safe(&command, faults);
        Some(command)
    }

    /// The keys that a point has too.
    fn point_file(&self) -> PointFile {
        let file = self.file;
        PointFile {
            quantity: Some(match file.kind.get_ref() {
                KindWord::Number => QuantityWord::Instantaneous,
                KindWord::Flag | KindWord::Trigger => QuantityWord::Flag,
                KindWord::Choice => QuantityWord::State,
                KindWord::Text => QuantityWord::Text,
            }),
            labels: file.labels.clone(),
            codes: file.codes.clone(),
            factor: file.factor.clone(),
            offset: file.offset.clone(),
            by: file.by.clone(),
            decimals: file.decimals.clone(),
            encoding: file.encoding.clone(),
            length: file.length.clone(),
            ..PointFile::default()
        }
    }

    fn on_and_off(&self, raw: &mut Vec<Code>, faults: &mut Faults<'_>) {
        let kind = *self.file.kind.get_ref();
        for (key, given, code) in [("on", &self.file.on, 1), ("off", &self.file.off, 0)] {
            let Some(given) = given else { continue };
            match (kind, key) {
                (KindWord::Flag, _) | (KindWord::Trigger, "on") => {
                    raw.push(Code::new(given.get_ref().0.clone(), code));
                }
                _ => faults.at(
                    given.span(),
                    format!("`{key}` belongs to a `flag`, `on` to a `trigger` as well"),
                ),
            }
        }
        if kind == KindWord::Flag && raw.len() == 1 {
            faults.at(self.span.clone(), "`on` and `off` go together");
        }
    }

    fn kind(&self, labels: &[Label], faults: &mut Faults<'_>) -> Option<CommandKind> {
        let (file, span) = (self.file, self.span);
        let word = *file.kind.get_ref();
        let belongs = [
            ("unit", file.unit.is_some(), word == KindWord::Number, "number"),
            ("range", file.range.is_some(), word == KindWord::Number, "number"),
            ("decimals", file.decimals.is_some(), word == KindWord::Number, "number"),
            ("factor", file.factor.is_some(), word == KindWord::Number, "number"),
            ("offset", file.offset.is_some(), word == KindWord::Number, "number"),
            ("labels", file.labels.is_some(), word == KindWord::Choice, "choice"),
            ("codes", !file.codes.is_empty(), word == KindWord::Choice, "choice"),
            ("max_length", file.max_length.is_some(), word == KindWord::Text, "text"),
        ];
        for (key, _, _, kind) in belongs.iter().filter(|(_, given, fits, _)| *given && !fits) {
            faults.at(file.kind.span(), format!("`{key}` belongs to a command of kind `{kind}`"));
        }
        Some(match word {
            KindWord::Number => {
                let unit = match &file.unit {
                    None => Unit::ONE,
                    Some(unit) => Unit::parse(unit.get_ref())
                        .map_err(|error| faults.at(unit.span(), error.to_string()))
                        .ok()?,
                };
                let Some(range) = &file.range else {
                    faults
                        .at(span.clone(), "`range` is missing: nothing is written without limits, e.g. `range = [6, 32]` in the unit of the command");
                    return None;
                };
                let [low, high] = *range.get_ref();
                if !low.is_finite() || !high.is_finite() || low >= high {
                    faults.at(
                        range.span(),
                        format!("range [{low}, {high}]: the first must be lower"),
                    );
                }
                let decimals = file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref());
                CommandKind::Number { unit, range: (low, high), decimals }
            }
            KindWord::Flag => CommandKind::Flag,
            KindWord::Choice if labels.is_empty() => {
                faults.at(span.clone(), "`labels` is missing: between what is the choice?");
                return None;
            }
            KindWord::Choice => CommandKind::Choice { labels: labels.to_vec() },
            KindWord::Text => {
                let Some(given) = &file.max_length else {
                    faults.at(span.clone(), "`max_length` is missing: bytes of the text at most");
                    return None;
                };
                let max_length = *given.get_ref();
                if max_length == 0 || max_length > MAX_TEXT {
                    faults.at(
                        given.span(),
                        format!("`max_length` = {max_length}, allowed are 1 to {MAX_TEXT}"),
                    );
                }
                CommandKind::Text { max_length }
            }
            KindWord::Trigger => CommandKind::Trigger,
        })
    }

    fn read_back(
        &self,
        prefix: &str,
        kind: &CommandKind,
        faults: &mut Faults<'_>,
    ) -> Option<PointIndex> {
        let given = self.file.read_back.as_ref()?;
        let read = self.templates.read();
        let place = |name: &str| read.iter().position(|read| *read.point.name == *name);
        let own = format!("{prefix}{}", given.get_ref());
        let Some(slot) = place(&own).or_else(|| place(given.get_ref())) else {
            let names = read.iter().map(|read| &*read.point.name);
            let known = names.map(|name| name.strip_prefix(prefix).unwrap_or(name));
            let message = format!("there is no point `{}` that is read", given.get_ref());
            faults.word(given.span(), message, given.get_ref(), known);
            return None;
        };
        if let Some(why) = cannot_show(&read[slot], kind) {
            faults.at(given.span(), why);
        }
        u16::try_from(slot).ok().map(PointIndex)
    }

    /// Both ends of the range, and each choice, can be written.
    fn reachable(&self, command: &Command, faults: &mut Faults<'_>) {
        let values: Vec<Option<Value>> = match &command.kind {
            CommandKind::Number { range: (low, high), .. } => {
                vec![Some(Value::Number(*low)), Some(Value::Number(*high))]
            }
            CommandKind::Flag => vec![Some(Value::Flag(true)), Some(Value::Flag(false))],
            #[expect(clippy::cast_precision_loss, reason = "codes are small")]
            CommandKind::Choice { labels } => {
                labels.iter().map(|label| Some(Value::Number(label.code as f64))).collect()
            }
            CommandKind::Trigger => vec![None],
            CommandKind::Text { .. } => return,
        };
        let params = self.templates.usual_params();
        for value in values {
            if let Err(error) = encode_command(command, value.as_ref(), &params) {
                faults.at(self.span.clone(), error.to_string());
            }
        }
    }

    fn safe(&self, command: &Command, faults: &mut Faults<'_>) -> Option<Value> {
        let given = self.file.safe.as_ref()?;
        let value = match plain(given.get_ref()) {
            Some(value) => value,
            None => {
                faults.at(given.span(), "`safe` is a number, a text, true or false");
                return None;
            }
        };
        let tried = encode_command(command, Some(&value), &self.templates.usual_params());
        if let Err(error) = tried {
            faults.at(given.span(), format!("`safe`: {error}"));
        }
        Some(value)
    }
}

/// Why a point does not show what the command writes.
fn cannot_show(read: &Read, kind: &CommandKind) -> Option<String> {
    let point = &read.point;
    let fits = match (kind, point.quantity) {
        (CommandKind::Number { unit, .. }, Quantity::Instantaneous) if *unit != point.unit => {
            return Some(format!(
                "`{}` is in `{}`, the command in `{unit}`: give both one unit",
                point.name, point.unit
            ));
        }
        (CommandKind::Number { .. }, quantity) => quantity == Quantity::Instantaneous,
        (CommandKind::Text { .. }, quantity) => quantity == Quantity::Text,
        (CommandKind::Flag | CommandKind::Choice { .. }, quantity) => quantity == Quantity::State,
        (CommandKind::Trigger, _) => true,
    };
    (!fits).then(|| format!("`{}` cannot show a {}", point.name, kind.word()))
}
