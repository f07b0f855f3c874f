//! A profile for people.

use super::binding::{Binding, Param, Profile};
use super::check_meter::{item_place, meter_place};
use super::command::{Command, CommandKind};
use super::load::table_word;
use crate::model::Words;

/// A description of a profile for people, Chinese and English side by side.
pub fn describe(profile: &Profile) -> String {
    use std::fmt::Write as _;
    let mut out =
        format!("{}  [{}]\n{} / {}\n", profile.id, profile.category, profile.zh, profile.en);
    let mut line = |text: std::fmt::Arguments<'_>| {
        out.write_fmt(text).expect("writing into a String cannot fail");
        out.push('\n');
    };
    for product in &profile.products {
        line(format_args!("  产品 product: {} {}", product.brand, product.model));
    }
    for source in &profile.sources {
        line(format_args!("  来源 source:  {source}"));
    }
    for caveat in &profile.caveats {
        line(format_args!("  注意 caveat:  {caveat}"));
    }
    for Param { name, default, range: (low, high), about } in &profile.params {
        line(format_args!("  参数 param:   {name} = {default} ({low} … {high}): {about}"));
    }
    line(format_args!(
        "  核实 verified: {} {}",
        profile.verified.level.word(),
        profile.verified.against
    ));
    for group in &profile.groups {
        line(format_args!(
            "  分组 group:   {} × {} (≤ {}): {} / {}",
            group.name, group.count, group.max, group.zh, group.en
        ));
    }
    for (slot, point) in profile.points.iter().enumerate() {
        if profile.member(slot).is_some_and(|member| member.place > 0) {
            continue;
        }
        let place = place(profile, slot);
        let group = profile.member(slot).map(|member| &profile.groups[member.group]);
        let rest = group.and_then(|group| Some((group, group.place_of(&point.name)?.1)));
        let name = match rest {
            Some((group, rest)) => format!("{}.{{n}}.{rest}", group.name),
            None => point.name.to_string(),
        };
        line(format_args!(
            "  {:<32} {:<6} {place}  {} / {}",
            name,
            point.unit.sign(),
            point.zh,
            point.en
        ));
    }
    for command in profile.commands.iter().filter(|c| c.member.is_none_or(|m| m.place == 0)) {
        line(format_args!("  命令 command: {}", describe_command(profile, command)));
    }
    out
}

/// Where a point comes from.
fn place(profile: &Profile, slot: usize) -> String {
    if let Some(derived) = profile.derived.iter().find(|derived| derived.point.slot() == slot) {
        let of: Vec<&str> =
            derived.of.iter().take(3).map(|of| &*profile.points[of.slot()].name).collect();
        let more = if derived.of.len() > 3 { ", …" } else { "" };
        return format!("{} ({}{more})", derived.rule.word(), of.join(", "));
    }
    match &profile.binding {
        Binding::Modbus { sources, .. } => {
            let source = &sources[slot];
            format!("{} {:#06x}", table_word(source.table), source.address)
        }
        Binding::Mqtt(model) => model.topics[model.sources[slot].topic].pattern.clone(),
        Binding::Dlt645(model) => item_place(&model.sources[slot]),
        Binding::Cjt188(model) => meter_place(&model.sources[slot]),
    }
}

fn describe_command(profile: &Profile, command: &Command) -> String {
    let takes = match &command.kind {
        CommandKind::Number { unit, range: (low, high), .. } => {
            format!("{low} … {high} {}", unit.sign())
        }
        CommandKind::Choice { labels } => {
            let labels: Vec<String> =
                labels.iter().map(|l| format!("{} {}/{}", l.code, l.zh, l.en)).collect();
            labels.join(", ")
        }
        CommandKind::Text { max_length } => format!("≤ {max_length} B"),
        CommandKind::Flag | CommandKind::Trigger => String::new(),
    };
    let mut text = format!(
        "{} [{} {takes}] {} / {}",
        command.name,
        command.kind.word(),
        command.zh,
        command.en
    );
    let mut tell = |zh: &str, en: &str, what: &str| text += &format!("; {zh} {en}: {what}");
    if let Some(point) = command.read_back {
        tell("回读", "read back", &profile.points[point.slot()].name);
    }
    if let Some(safe) = &command.safe {
        tell("安全值", "safe", &safe.to_string());
    }
    if let Some(every) = command.keep_alive {
        tell("须重复", "repeat every", &Words::of_span(every).en);
    }
    if let Some(danger) = &command.danger {
        tell("当心", "mind", &format!("{} / {}", danger.zh, danger.en));
    }
    text
}
