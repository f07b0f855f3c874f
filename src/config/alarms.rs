//! The file that `[alarms]` names, and the changes of its rules.

use super::DeviceSettings;
use super::machine::Machine;
use super::read::Context;
use crate::alarm::{Config, Rules};
use crate::broadcast::Texts;
use crate::settings::{Fault, Place, meant_value, nearest};

/// Reads the rules, and checks what the site changes of them; not when they stand in a file that is
/// not read.
pub(super) fn settle(
    config: &mut Config,
    devices: &[DeviceSettings],
    machine: Machine,
    context: &mut Context<'_>,
) {
    if machine.is_asked() {
        read_file(config, context);
    } else if config.file.is_some() {
        return;
    }
    context.faults.extend(config.faults_of(&config.changed));
    for device in devices {
        context.faults.extend(config.faults_of(&device.alarms));
    }
}

/// Whether rules that warn people name templates that there are.
pub(super) fn check_templates(
    config: &Config,
    texts: &Texts,
    devices: &[DeviceSettings],
    context: &mut Context<'_>,
) {
    let names = || texts.templates().iter().map(|template| template.name.as_str());
    let fault = |place: Place, rule: &str, template: &str| {
        let problem = (
            format!("rule `{rule}`: `broadcast` is `{template}`, which is no template"),
            format!("规则 `{rule}`：`broadcast` 指定的模板 `{template}` 不存在"),
        );
        let near = nearest(template, names()).map(meant_value);
        let allowed = names().collect::<Vec<_>>().join(", ");
        Fault::new(place, problem).allowed(allowed).maybe_hint(near)
    };
    let unknown = |template: &str| !template.is_empty() && texts.template(template).is_none();
    let changed = config.changed.iter().chain(devices.iter().flat_map(|device| &device.alarms));
    for one in changed {
        if let Some(template) = one.change.broadcast.as_deref().filter(|name| unknown(name)) {
            context.faults.push(fault(one.at.clone(), &one.rule, template));
        }
    }
    let file = || config.file.as_ref().map_or_else(String::new, |file| file.display().to_string());
    for rule in config.rules.all() {
        if let Some(template) = rule.broadcast.as_deref().filter(|name| unknown(name)) {
            context.faults.push(fault(Place::of_file(&file()), &rule.id, template));
        }
    }
    unheard(config, devices, context);
}

/// That somebody could hear what a rule of this site plays is worth a remark.
fn unheard(config: &Config, devices: &[DeviceSettings], context: &mut Context<'_>) {
    if devices.iter().any(super::broadcast::hears) {
        return;
    }
    let changed = config.changed.iter().chain(devices.iter().flat_map(|device| &device.alarms));
    for one in changed {
        let Some(template) = one.change.broadcast.as_deref().filter(|name| !name.is_empty()) else {
            continue;
        };
        let problem = (
            format!(
                "rule `{}` plays `{template}` and nobody hears it: there is no terminal and no screen \
                 whose `allow` names `play` or `text`",
                one.rule
            ),
            format!(
                "规则 `{}` 联动 `{template}`，但没有 `allow` 含 `play` 或 `text` 的广播终端或信息屏，无人能收到",
                one.rule
            ),
        );
        context.notes.push(Fault::new(one.at.clone(), problem));
    }
}

/// What is wrong with the rules is noted. That the file is missing was said before.
fn read_file(config: &mut Config, context: &mut Context<'_>) {
    let Some(path) = &config.file else { return };
    if !path.exists() {
        return;
    }
    match Rules::load(path) {
        Ok(rules) => config.rules = rules,
        Err(faults) => context.faults.extend(faults.into_iter().map(|fault| {
            let problem = (
                format!("{}: {}", fault.place, fault.problem.en),
                format!("{}：{}", fault.place, fault.problem.zh),
            );
            Fault::new(Place::of_file(&fault.name), problem)
        })),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::config::{Settings, parse};
    use crate::model::AlarmLevel;
    use crate::profile::Library;

    fn read(more: &str) -> Result<Settings, String> {
        let text = format!(
            "[gateway]\nid = \"gw\"\n[mqtt]\nhost = \"127.0.0.1\"\n[[device]]\nid = \"hall\"\n\
             profile = \"zigbee2mqtt-smoke\"\ntopic = \"zigbee2mqtt/hall\"\n{more}"
        );
        let library = Library::load(&[]).unwrap();
        parse("linli.toml", &text, &library).map_err(|faults| faults.to_string())
    }

    #[test]
    fn rules_are_changed_for_all_devices_and_for_one_and_windows_are_read() {
        let settings = read(
            "[device.alarms.battery-level]\nlimit = 20\nclear = 30\nlevel = \"yellow\"\n\
             [alarms]\ncontact = \"值班室\"\n[alarms.rules.offline-detector]\nhold = \"5m\"\n\
             [alarms.grouping]\nsize = 20\n\
             [[alarms.maintenance]]\nname = \"检修\"\nby = \"王工\"\nfrom = \"2026-05-01T08:00\"\n\
             to = \"2026-05-01T18:00\"\ncategories = [\"other\"]\n",
        )
        .unwrap();
        let own = &settings.devices[0].alarms[0];
        assert_eq!((&*own.rule, own.change.limit), ("battery-level", Some(20.0)));
        assert_eq!(own.change.level, Some(AlarmLevel::Yellow));
        let alarms = &settings.alarms;
        assert_eq!(alarms.changed[0].change.hold, Some(Duration::from_secs(300)));
        assert_eq!((alarms.grouping.size, &*alarms.contact), (20, "值班室"));
        let window = &alarms.windows[0];
        assert_eq!(window.from_ms, 1_777_593_600_000, "08:00 in Shanghai");
        assert_eq!(window.to_ms - window.from_ms, 36_000_000);
    }

    #[test]
    fn what_is_wrong_with_them_is_told_with_the_nearest_rule() {
        let told = read(
            "[device.alarms.smok]\non = false\n[device.alarms.battery-level]\nclear = 5\n\
             [device.alarms.tamper]\nlimit = 3\n[alarms.rules.offlin]\nlevel = \"pink\"\n\
             [[alarms.maintenance]]\nname = \"x\"\nby = \"y\"\nfrom = \"2026-05-01T08:00\"\n\
             to = \"2026-04-01T08:00\"\ncategories = [\"moon\"]\n",
        )
        .unwrap_err();
        for part in
            ["smoke", "no such rule", "wrong side", "no limit", "pink", "ends before", "moon"]
        {
            assert!(told.contains(part), "{part} in\n{told}");
        }
    }

    #[test]
    fn a_rule_warns_people_with_a_template_that_there_is() {
        let settings = read("[device.alarms.smoke]\nbroadcast = \"fire\"\n").unwrap();
        assert_eq!(settings.devices[0].alarms[0].change.broadcast.as_deref(), Some("fire"));
        let note = |settings: &Settings| {
            settings.notes.iter().any(|note| note.problem.contains("nobody hears it"))
        };
        assert!(note(&settings), "{:?}", settings.notes);
        let heard = "[device.alarms.smoke]\nbroadcast = \"fire\"\n[[device]]\nid = \"horn\"\n\
                     profile = \"emergency-broadcast-terminal\"\ntopic = \"horn\"\nallow = [\"play\"]\n";
        assert!(!note(&read(heard).unwrap()));
        let off = "[device.alarms.smoke]\nbroadcast = \"\"\n";
        assert_eq!(read(off).unwrap().devices[0].alarms[0].change.broadcast.as_deref(), Some(""));
        let told = read("[device.alarms.smoke]\nbroadcast = \"fier\"\n").unwrap_err();
        for part in ["`smoke`", "`fier`", "no template", "gas", "did you mean \"fire\""] {
            assert!(told.contains(part), "{part}: {told}");
        }
    }
}
