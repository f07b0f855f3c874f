//! The open alarms of the two gravest levels, among what is broken.

use super::{Severity, Trouble};
use crate::alarm::{Alarm, Kind};
use crate::model::{AlarmLevel, Moment};
use crate::starlevel::Bilingual;
use crate::status::alarms::now;
use crate::status::view::View;

/// Most that are named; the board has all.
const MOST: usize = 20;

/// Red and orange alarms that hold, unless what they say stands in the list already: that a device
/// is offline, that the gateway breaks a promise.
pub(super) fn all(view: &View, list: &mut Vec<Trouble>) {
    let Some(desk) = &view.alarms else { return };
    let (board, now) = (desk.board(), now(view));
    let named = |alarm: &Alarm| {
        let rule = board.plan.rule_of(&alarm.key);
        rule.is_some_and(|rule| {
            matches!(rule.kind, Kind::Offline | Kind::Promise | Kind::Certificate | Kind::Wiring)
        })
    };
    let grave = board
        .called()
        .filter(|alarm| alarm.active && alarm.level <= AlarmLevel::Orange && !named(alarm));
    for alarm in grave.take(MOST) {
        let device = alarm.key.device.as_ref().and_then(|id| view.estate.find(id));
        let device = device.map(|index| view.estate.device(index));
        let at = device.map_or_else(String::new, |device| format!(" · {}", device.title()));
        let place = device.map_or("", |device| device.place.as_str());
        let level = alarm.level.words();
        let age = board.age_ms(alarm, &now);
        list.push(Trouble {
            severity: match alarm.level {
                AlarmLevel::Red => Severity::Critical,
                _ => Severity::Warning,
            },
            title: Bilingual::new(
                format!("{}{at}", alarm.title.zh),
                format!("{}{at}", alarm.title.en),
            ),
            cause: Bilingual::new(
                format!("{}报警 {place}", level.zh),
                format!("{} alarm {place}", level.en),
            ),
            advice: Bilingual::new(alarm.todo.zh.clone(), alarm.todo.en.clone()),
            since: Some(Moment { boot_ms: now.moment.boot_ms.saturating_sub(age) }),
            link: format!("/alarms/{}", alarm.id),
        });
    }
}
