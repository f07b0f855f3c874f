//! One alarm: raised, acknowledged, cleared, closed, escalated, damped.

use super::*;
use AlarmState as At;
use AlarmStep as Did;

#[test]
fn an_alarm_lives_from_raised_to_closed_and_every_step_is_told_and_in_the_ledger() {
    let mut desk = Desk::new();
    desk.on(HOT, 3, 10);
    desk.acknowledge(1, 100).unwrap();
    desk.off(HOT, 3, 200);
    desk.close(1, "已灭火", 300).unwrap();
    let steps = [
        (1, Did::Raised, At::Raised),
        (1, Did::Acknowledged, At::Acknowledged),
        (1, Did::Cleared, At::Cleared),
        (1, Did::Closed, At::Closed),
    ];
    assert_eq!(desk.steps(), steps);
    let ledger: Vec<_> = desk.ledger.iter().map(|(_, entry)| (entry.number, entry.step)).collect();
    assert_eq!(
        ledger,
        [(1, Did::Raised), (2, Did::Acknowledged), (3, Did::Cleared), (4, Did::Closed)]
    );
    assert_eq!(desk.ledger[3].1.reason.as_deref(), Some("已灭火"));
    let closed = &desk.closed[0];
    assert_eq!(
        (closed.closed_by.as_deref(), closed.value.clone()),
        (Some("李工"), Some(Value::Number(70.0)))
    );
    let life = &desk.lives[&id(1).to_string()];
    assert_eq!(life.level, 1);
    assert_eq!(life.acknowledged_after, Some(Duration::from_secs(90)));
    assert_eq!(life.closed_after, Some(Duration::from_secs(290)));
    assert_eq!(desk.book.open().count(), 0);
}

#[test]
fn a_condition_counts_only_after_it_held_and_one_that_went_before_is_forgotten() {
    let mut desk = Desk::new();
    desk.on(FULL, 0, 0);
    desk.run(0, 9 * MINUTE);
    desk.off(FULL, 0, 9 * MINUTE + 30);
    desk.run(10 * MINUTE, 30 * MINUTE);
    assert_eq!(desk.steps(), []);
    desk.on(FULL, 0, HOUR);
    desk.tick(HOUR + 10 * MINUTE - 1);
    assert_eq!(desk.steps(), []);
    desk.tick(HOUR + 10 * MINUTE);
    assert_eq!(desk.steps(), [(1, Did::Raised, At::Raised)]);
}

#[test]
fn closing_acknowledges_and_a_closed_condition_is_raised_anew_only_after_it_was_gone() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    assert!(matches!(desk.close(1, "  ", 10), Err(ActFault::Wrong(_))), "a reason is needed");
    desk.close(1, "传感器坏", 10).unwrap();
    assert_eq!(desk.lives[&id(1).to_string()].acknowledged_after, Some(Duration::from_secs(10)));
    desk.steps();
    desk.on(HOT, 0, 20);
    desk.run(MINUTE, HOUR);
    assert_eq!(desk.steps(), [], "it holds still");
    // Also across a restart, where the detector goes on with what held.
    desk.restart(&at(HOUR), 20, "boot", &at(HOUR + 5));
    assert_eq!(desk.book.active().len(), 1);
    desk.on(HOT, 0, HOUR + 10);
    assert_eq!(desk.steps(), []);
    desk.off(HOT, 0, HOUR + 20);
    desk.on(HOT, 0, HOUR + 30);
    assert_eq!(desk.steps().first(), Some(&(2, Did::Raised, At::Raised)), "another alarm");
}

#[test]
fn what_comes_back_before_it_is_closed_is_the_same_alarm_and_still_acknowledged() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    desk.acknowledge(1, 10).unwrap();
    desk.off(HOT, 0, 1000);
    desk.on(HOT, 0, 2000);
    let steps = desk.steps();
    assert_eq!(steps.last(), Some(&(1, Did::Raised, At::Acknowledged)));
    assert_eq!(desk.alarm(1).times, 2);
    assert!(matches!(desk.acknowledge(1, 2010), Err(ActFault::Acknowledged(by)) if by == "李工"));
}

#[test]
fn overdue_alarms_escalate_at_once_and_again_after_twice_the_time_at_most_a_day() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    desk.steps();
    let mut when = Vec::new();
    for second in (0..4 * DAY).step_by(60) {
        desk.tick(second);
        if let Some((_, Did::Escalated, _)) = desk.steps().first() {
            when.push(second / MINUTE);
        }
    }
    // Red: 5 minutes to acknowledge, 4 hours to close.
    assert_eq!(when[..6], [5, 15, 35, 75, 155, 240]);
    let last: Vec<u64> = when.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert_eq!(last.last(), Some(&1440), "once a day at last: {last:?}");
    assert_eq!(desk.lives[&id(1).to_string()].escalated_after, Some(Duration::from_secs(300)));
}

#[test]
fn who_acknowledges_in_time_has_until_the_second_clock() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    desk.tick(299);
    desk.acknowledge(1, 299).unwrap();
    desk.steps();
    desk.run(300, 4 * HOUR - 60);
    assert_eq!(desk.steps(), []);
    desk.tick(4 * HOUR);
    assert_eq!(desk.steps(), [(1, Did::Escalated, At::Acknowledged)]);
    let (_, entry) = desk.ledger.last().unwrap();
    assert!(entry.reason.as_deref().unwrap().contains("not closed"), "{entry:?}");
    assert_eq!(entry.escalation, Some(1));
}

#[test]
fn the_clocks_go_on_across_restarts_and_do_not_mind_a_wall_clock_that_jumps() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    desk.acknowledge(1, 10).unwrap();
    desk.steps();
    // Restarted within the same boot after an hour; the wall clock jumped back by a day.
    let jumped = Now { wall_ms: at(HOUR).wall_ms - 86_400_000, ..at(HOUR) };
    desk.restart(&at(HOUR - 10), 20, "boot", &jumped);
    desk.tick(4 * HOUR - 1);
    assert_eq!(desk.steps(), []);
    desk.tick(4 * HOUR);
    assert_eq!(desk.steps(), [(1, Did::Escalated, At::Acknowledged)]);
    // Without power for half a day: the next boot counts from 0, the wall clock says how long.
    let woken = Now { moment: crate::model::Moment { boot_ms: 5000 }, ..at(16 * HOUR) };
    desk.restart(&at(4 * HOUR), 20, "other", &woken);
    assert_eq!(desk.book.line().at(woken.moment), 16 * HOUR * 1000);
    let effects = desk.book.tick(&woken);
    desk.take(effects);
    assert_eq!(desk.steps(), [(1, Did::Escalated, At::Acknowledged)]);
}

#[test]
fn what_comes_and_goes_is_told_until_it_is_too_much_and_once_it_rests() {
    let mut desk = Desk::new();
    for turn in 0..30 {
        desk.on(HOT, 0, turn * 20);
        desk.off(HOT, 0, turn * 20 + 10);
    }
    let steps: Vec<Did> = desk.steps().into_iter().map(|(_, step, _)| step).collect();
    assert_eq!(
        steps,
        [Did::Raised, Did::Cleared, Did::Raised, Did::Cleared, Did::Raised, Did::Flapping]
    );
    assert_eq!((desk.alarm(1).times, desk.book.open().count()), (30, 1));
    let last = 29 * 20 + 10;
    desk.acknowledge(1, last).unwrap();
    desk.steps();
    desk.tick(last + 599);
    assert_eq!(desk.steps(), []);
    desk.tick(last + 600);
    assert_eq!(desk.steps(), [(1, Did::Steady, At::Cleared)]);
    desk.on(HOT, 0, last + 700);
    assert_eq!(desk.steps(), [(1, Did::Raised, At::Acknowledged)], "it is told again");
}

#[test]
fn an_alarm_of_a_rule_that_says_so_closes_by_itself_and_others_never_do() {
    let mut desk = Desk::new();
    desk.on(FULL, 0, 0);
    desk.on(HOT, 0, 0);
    desk.run(0, 20 * MINUTE);
    desk.off(FULL, 0, HOUR);
    desk.off(HOT, 0, HOUR);
    desk.run(HOUR, 2 * HOUR - 60);
    assert!(desk.closed.is_empty());
    desk.run(2 * HOUR, 10 * DAY);
    assert_eq!(desk.closed.len(), 1);
    assert_eq!((&*desk.closed[0].key.rule, desk.closed[0].closed_by.clone()), ("full", None));
    assert_eq!(desk.book.open().count(), 1);
}

#[test]
fn an_alarm_whose_device_left_the_configuration_clears_and_waits_to_be_closed() {
    let mut desk = Desk::new();
    desk.on(HOT, 15, 0);
    desk.signal(CLOCK, None, true, 0);
    desk.steps();
    desk.restart(&at(10), 3, "boot", &at(20));
    assert_eq!(desk.steps(), [(1, Did::Cleared, At::Cleared)]);
    desk.close(1, "已拆除", 30).unwrap();
    assert_eq!(desk.book.open().count(), 1, "the gateway's own is still there");
}

#[test]
fn identifiers_are_not_given_twice_and_unknown_ones_are_refused() {
    let mut desk = Desk::new();
    desk.on(HOT, 0, 0);
    desk.close(1, "x", 5).unwrap();
    assert_eq!(desk.close(1, "x", 6), Err(ActFault::Unknown));
    assert_eq!(desk.acknowledge(9, 6), Err(ActFault::Unknown));
    desk.restart(&at(10), 20, "boot", &at(20));
    desk.on(HOT, 1, 30);
    assert_eq!(desk.steps().last().map(|(number, ..)| *number), Some(2));
    let foreign = AlarmId { epoch: Epoch(8), number: 2 };
    assert_eq!(desk.book.acknowledge(foreign, "x", &at(31)), Err(ActFault::Unknown));
}

#[test]
fn more_than_the_most_open_alarms_wait_for_room() {
    let many = u32::try_from(MOST_OPEN).unwrap() + 3;
    let mut config = config();
    config.grouping.size = 1_000_000;
    config.grouping.after_start = Duration::ZERO;
    let mut desk = Desk::with(config, many as usize, &[]);
    (0..many).for_each(|device| desk.on(HOT, device, 0));
    assert_eq!((desk.book.open().count(), desk.book.totals().waited), (MOST_OPEN, 3));
    desk.close(1, "x", 10).unwrap();
    desk.tick(11);
    assert_eq!(desk.book.open().count(), MOST_OPEN);
    assert_eq!(desk.book.pending.len(), 2);
}
