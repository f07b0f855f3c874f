//! Maintenance windows.

use super::*;
use crate::alarm::window::Scope;
use AlarmState as At;
use AlarmStep as Did;

fn plans(from: Option<u64>, to: u64, devices: &[&str]) -> Plans {
    Plans {
        name: "更换电池".into(),
        by: "王工".into(),
        from_ms: from.map(|from| at(from).wall_ms),
        to_ms: at(to).wall_ms,
        scope: Scope {
            devices: devices.iter().map(|id| (*id).to_owned()).collect(),
            ..Scope::default()
        },
    }
}

#[test]
fn a_window_silences_what_it_covers_and_what_still_holds_at_its_end_is_raised_with_new_clocks() {
    let mut desk = Desk::new();
    let (number, effects) =
        desk.book.plan_window(plans(None, HOUR, &["bin-0", "bin-1"]), &at(0)).unwrap();
    desk.take(effects);
    (0..3).for_each(|device| desk.on(HOT, device, 60));
    let steps = desk.steps();
    assert_eq!(steps[..2], [(1, Did::Silenced, At::Raised), (2, Did::Silenced, At::Raised)]);
    assert_eq!(steps[2], (3, Did::Raised, At::Raised), "not covered");
    assert!(desk.lives.keys().eq([&id(3).to_string()]), "silenced ones do not count");
    assert!(matches!(desk.acknowledge(1, 70), Err(ActFault::Silenced(_))));
    desk.off(HOT, 1, 600);
    assert_eq!(desk.steps(), [(2, Did::Closed, At::Closed)], "over within the window");
    desk.tick(HOUR - 1);
    desk.steps();
    desk.tick(HOUR);
    assert_eq!(desk.steps(), [(1, Did::Raised, At::Raised)]);
    assert_eq!(desk.alarm(1).raised, HOUR * 1000);
    assert!(desk.book.windows().iter().any(|w| w.number == number && w.over));
}

#[test]
fn a_window_can_be_ended_early_by_name_and_its_alarms_call_at_once() {
    let mut desk = Desk::new();
    let (number, effects) = desk.book.plan_window(plans(None, DAY, &[]), &at(0)).unwrap();
    desk.take(effects);
    desk.on(HOT, 0, 10);
    desk.signal(CLOCK, None, true, 10);
    assert!(desk.steps().iter().all(|(_, step, _)| *step == Did::Silenced), "all is covered");
    let effects = desk.book.end_window(number, "王工", &at(20)).unwrap();
    desk.take(effects);
    assert_eq!(desk.steps().len(), 2);
    assert_eq!(desk.book.end_window(number, "王工", &at(30)), Err(ActFault::NoWindow));
    assert_eq!(desk.book.windows()[0].ended_by.as_deref(), Some("王工"));
}

#[test]
fn a_window_that_cannot_be_is_refused() {
    let mut desk = Desk::new();
    for wrong in [
        plans(Some(20), 10, &[]),
        plans(None, 31 * DAY, &[]),
        Plans { by: String::new(), ..plans(None, 10, &[]) },
        Plans { name: "x".repeat(65), ..plans(None, 10, &[]) },
    ] {
        assert!(matches!(desk.book.plan_window(wrong, &at(0)), Err(ActFault::Wrong(_))));
    }
}

#[test]
fn windows_of_the_configuration_come_and_go_with_it_and_keep_that_they_are_over() {
    let ms = |seconds| at(seconds).wall_ms;
    let window = |name: &str| {
        let names = (name.to_owned(), "王工".to_owned());
        Window::configured(names.0, names.1, (ms(100), ms(200)), Scope::default())
    };
    let mut book = book(&config(), 3, Kept::default(), &[window("a"), window("b")], &at(0));
    book.opening();
    book.tick(&at(300));
    assert!(book.windows().iter().all(|window| window.over));
    let kept = book.kept(&at(300));
    let mut book = crate::alarm::testing::book(&config(), 3, kept, &[window("b")], &at(310));
    assert_eq!(book.opening().forgotten, [1]);
    assert_eq!(book.windows().len(), 1);
    assert!(book.windows()[0].over, "it is over, whatever the clock says");
}
