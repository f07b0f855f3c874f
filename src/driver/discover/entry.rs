//! A device that announced itself, as an entry of the configuration.

use std::fmt::Write as _;

use super::bounds::clean;
use super::proposal::Announced;
use super::write::quoted;
use crate::driver::scan::{FoundDevice, Names};

/// The entry. Where nothing fits, or the profile made for it is nowhere yet, it is a comment:
/// `saved` tells whether the profile was written to a folder that the configuration names.
pub fn entry(device: &FoundDevice, own: &Announced, names: &mut Names, saved: bool) -> String {
    let mut text = String::new();
    let mut told = |line: &str| {
        let line = line.replace(char::is_control, " ");
        writeln!(text, "{line}").expect("a text takes all");
    };
    let what = [own.name.as_str(), own.maker.as_str(), own.model.as_str(), own.key.as_str()];
    let what: Vec<&str> = what.into_iter().filter(|part| !part.is_empty()).collect();
    told(&format!("# {}: {}", own.source.title(), what.join(", ")));
    if let Some(made) = &own.generated {
        told(&format!(
            "# {}: made from the announcement, {} points, unverified / 依公告生成，{} 个测点，未核实",
            made.id, made.points, made.points
        ));
    }
    for (rank, candidate) in device.candidates.iter().enumerate() {
        let lead = if rank == 0 && own.generated.is_none() { "likely 可能" } else { "or 或" };
        told(&format!(
            "# {lead}: {} ({} %) {} {}; {} {}",
            candidate.profile,
            (candidate.confidence * 100.0).round(),
            candidate.title.zh,
            candidate.title.en,
            candidate.why.zh,
            candidate.why.en,
        ));
    }
    for unread in &own.unread {
        let (name, why) = (clean(&unread.name), &unread.why);
        told(&format!("# not read 未读取: {name}: {} {}", why.zh, why.en));
    }
    let best = device.candidates.first().map(|best| best.profile.as_str());
    let profile = own.generated.as_ref().map(|made| made.id.as_str()).or(best);
    let unsaved = own.generated.is_some() && !saved;
    let topic = own.topic.as_deref();
    let ready = profile.is_some() && topic.is_some() && !unsaved;
    if unsaved {
        told(
            "# its profile is printed below: save it (or scan again with --profiles FOLDER), then",
        );
        told("# remove the marks of this entry; the folder stands in `profiles` of [gateway]");
        told("# 其设备模型附在下方：保存后（或加 --profiles 文件夹 重新扫描）去掉本条的注释符号；");
        told("# 该文件夹须写入 [gateway] 的 `profiles`");
    } else if !ready {
        told("# no known model fits: choose one of `linli profiles`, or write one");
        told("# 没有相符的型号：请从 `linli profiles` 中选择，或自行编写");
    }
    let mark = if ready { "" } else { "# " };
    let wanted = wanted(own);
    // A comment takes no name away.
    let id = if ready { names.give(&wanted) } else { wanted };
    told(&format!("{mark}[[device]]"));
    told(&format!("{mark}id = {}", quoted(&id)));
    if !own.name.is_empty() {
        told(&format!("{mark}name = {}", quoted(&own.name)));
    }
    told(&format!("{mark}profile = {}", quoted(profile.unwrap_or("?"))));
    told(&format!("{mark}topic = {}", quoted(topic.unwrap_or("?"))));
    if !own.groups.is_empty() {
        let sizes = own.groups.iter().map(|(group, size)| format!("{group} = {size}"));
        let sizes: Vec<String> = sizes.collect();
        told(&format!("{mark}groups = {{ {} }}", sizes.join(", ")));
    }
    text
}

/// An identifier for the device: of its name where that has letters, else of its address.
fn wanted(own: &Announced) -> String {
    let plain = |text: &str| {
        let mut id = String::new();
        for c in text.to_lowercase().chars() {
            if c.is_ascii_alphanumeric() {
                id.push(c);
            } else if !id.is_empty() && !id.ends_with('-') {
                id.push('-');
            }
        }
        id.trim_end_matches('-').to_owned()
    };
    let topic = own.topic.as_deref().and_then(|topic| topic.rsplit('/').next()).unwrap_or("");
    let names = [own.name.as_str(), topic, own.key.as_str()].map(plain);
    let good = names.iter().find(|id| id.chars().filter(char::is_ascii_alphabetic).count() >= 2);
    let id = good.or_else(|| names.iter().find(|id| !id.is_empty()));
    id.map_or_else(|| "mqtt-device".to_owned(), |id| id.chars().take(48).collect())
}
