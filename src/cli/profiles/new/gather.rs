//! Gathers the answers from the flags.

use super::Arguments;
use super::answers::{Answers, NewPoint, Place, Protocol, slug};
use super::expected::Expected;
use super::grammar::Context;
use crate::profile::Library;

/// Answers, what the category offers, and what was made of them.
pub(super) type Gathered = (Answers, Expected, Vec<String>);

pub(super) const DEFAULT_TOPIC: &str = "{base}/state";

pub(super) fn line(protocol: Protocol) -> (&'static str, &'static str) {
    match protocol {
        Protocol::Modbus => ("9600", "8N1"),
        _ => ("2400", "8E1"),
    }
}

/// From the flags alone.
///
/// # Errors
/// All that is missing or wrong, a line each.
pub(super) fn from_flags(args: &Arguments, library: &Library) -> Result<Gathered, Vec<String>> {
    let mut wrong = Vec::new();
    let mut notes = Vec::new();
    let needed = [
        ("--category", args.category.is_none()),
        ("--protocol", args.protocol.is_none()),
        ("--brand", args.brand.is_none()),
        ("--model", args.model.is_none()),
        ("--source", args.source.is_empty()),
        ("--point", args.point.is_empty()),
    ];
    let missing: Vec<&str> =
        needed.iter().filter(|(_, open)| *open).map(|(flag, _)| *flag).collect();
    if !missing.is_empty() {
        wrong.push(format!("missing / 缺少: {}", missing.join(" ")));
    }
    let (Some(category), Some(protocol)) = (args.category, args.protocol) else {
        return Err(wrong);
    };
    let expected = Expected::of(library, category);
    let mut answers = start(args, protocol);
    answers.category = category;
    let context = context(args, &answers);
    let mut points = Vec::new();
    for text in &args.point {
        match context.point(text, &mut notes) {
            Ok(point) => points.push(point),
            Err(why) => wrong.push(format!("--point: {why}")),
        }
    }
    let table = args.table.or_else(|| table_of(&points));
    let context = Context { table: table.unwrap_or("holding"), ..context };
    let mut raws = Vec::new();
    for text in &args.raw {
        match context.raw(text, &mut notes) {
            Ok(raw) => raws.push(raw),
            Err(why) => wrong.push(format!("--raw: {why}")),
        }
    }
    if args.raw.is_empty() != args.reads.is_empty() {
        wrong.push(
            "--raw and --reads go together: what the device holds, and what must be read from it / \
             --raw 与 --reads 须同时给出"
                .to_owned(),
        );
    }
    if !wrong.is_empty() {
        return Err(wrong);
    }
    answers.table = context.table;
    answers.points = points;
    answers.raws = raws;
    answers.reads.clone_from(&args.reads);
    Ok((answers, expected, notes))
}

/// What the flags say, defaults for the rest.
pub(super) fn start(args: &Arguments, protocol: Protocol) -> Answers {
    let category = args.category.unwrap_or(crate::model::Category::Other);
    let (brand, model) = (args.brand.clone(), args.model.clone());
    let (brand, model) = (brand.unwrap_or_default(), model.unwrap_or_default());
    let (usual_baud, usual_frame) = line(protocol);
    Answers {
        id: args.id.clone().unwrap_or_else(|| slug(&brand, &model)),
        category,
        protocol,
        zh: args.zh.clone().unwrap_or_else(|| format!("{brand} {model} {}", category.zh())),
        en: args
            .en
            .clone()
            .unwrap_or_else(|| format!("{brand} {model} {}", category.en().to_lowercase())),
        brand,
        model,
        sources: args.source.clone(),
        baud: args.baud.unwrap_or_else(|| usual_baud.parse().unwrap_or(9600)),
        frame: args.frame.clone().unwrap_or_else(|| usual_frame.to_owned()),
        unit: args.unit,
        counting: args.first_address.unwrap_or_default(),
        table: args.table.unwrap_or("holding"),
        encoding: args.encoding.unwrap_or("u16"),
        order: args.order.unwrap_or("abcd"),
        edition: args.edition.unwrap_or("2007"),
        meter_type: args.meter_type.unwrap_or(0x10),
        points: Vec::new(),
        raws: Vec::new(),
        reads: Vec::new(),
    }
}

pub(super) fn context<'a>(args: &'a Arguments, answers: &Answers) -> Context<'a> {
    Context {
        protocol: answers.protocol,
        counting: answers.counting,
        topic: args.topic.as_deref().unwrap_or(DEFAULT_TOPIC),
        table: answers.table,
    }
}

/// The table that Modicon numbers of the points tell, when they agree.
pub(super) fn table_of(points: &[NewPoint]) -> Option<&'static str> {
    let tables = points.iter().map(|point| match point.place {
        Place::Register { table, .. } => table,
        _ => None,
    });
    let mut told = tables.flatten();
    let first = told.next()?;
    told.all(|table| table == first).then_some(first)
}
