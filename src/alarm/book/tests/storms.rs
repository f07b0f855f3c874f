//! Many alarms at once.

use super::*;
use AlarmState as At;
use AlarmStep as Did;

#[test]
fn many_alarms_of_one_rule_become_one_group_with_the_clocks_of_the_first() {
    let mut desk = Desk::new();
    // Long after the start, so that eight are needed.
    (0..7).for_each(|device| desk.on(OFFLINE, device, DAY + u64::from(device)));
    assert_eq!(desk.steps().len(), 7);
    desk.on(OFFLINE, 7, DAY + 10);
    let steps = desk.steps();
    assert_eq!(steps[..2], [(8, Did::Raised, At::Raised), (9, Did::Raised, At::Raised)]);
    assert!(steps[2..].iter().all(|(_, step, _)| *step == Did::Grouped), "{steps:?}");
    assert_eq!((desk.alarm(9).members, desk.alarm(9).raised), (Some(8), DAY * 1000));
    desk.on(OFFLINE, 8, DAY + 20);
    assert_eq!(desk.steps(), [(10, Did::Grouped, At::Raised)], "a member from the first");
    assert_eq!(desk.alarm(9).members, Some(9));
    // Only the group has clocks.
    desk.run(DAY + MINUTE, DAY + 5 * HOUR);
    let escalated = desk.steps();
    assert!(escalated.iter().all(|(number, step, _)| (*number, *step) == (9, Did::Escalated)));
    assert_eq!(escalated.len(), 1);
    // What the star level knew of the first members is what became of the group.
    assert!(desk.lives[&id(1).to_string()].escalated_after.is_some());
    assert!(!desk.lives.contains_key(&id(10).to_string()));
}

#[test]
fn what_is_done_to_a_group_is_done_to_all_and_members_cannot_be_acted_on_alone() {
    let mut desk = Desk::new();
    (0..8).for_each(|device| desk.on(OFFLINE, device, DAY));
    assert_eq!(desk.acknowledge(3, DAY + 10), Err(ActFault::Member(id(9))));
    desk.acknowledge(9, DAY + 10).unwrap();
    assert_eq!(desk.alarm(3).state, At::Acknowledged);
    desk.steps();
    (0..7).for_each(|device| desk.off(OFFLINE, device, DAY + 100));
    assert_eq!(desk.steps(), [], "one is still off");
    desk.off(OFFLINE, 7, DAY + 200);
    assert_eq!(desk.steps(), [(9, Did::Cleared, At::Cleared)]);
    desk.on(OFFLINE, 2, DAY + 300);
    assert_eq!(desk.steps(), [(9, Did::Raised, At::Acknowledged)]);
    desk.close(9, "供电已恢复", DAY + 400).unwrap();
    assert_eq!((desk.book.open().count(), desk.closed.len()), (0, 9));
    assert!(desk.lives[&id(1).to_string()].closed_after.is_some());
    // The one that held is not raised until it was gone.
    desk.on(OFFLINE, 2, DAY + 500);
    assert_eq!(desk.book.open().count(), 0);
}

#[test]
fn right_after_the_start_three_missing_devices_are_a_group_and_it_takes_the_rest() {
    let mut desk = Desk::new();
    (0..3).for_each(|device| desk.on(OFFLINE, device, 100));
    assert_eq!(desk.alarm(4).members, Some(3));
    desk.on(OFFLINE, 3, 500);
    assert_eq!(desk.alarm(4).members, Some(4), "late, but still within the start");
    desk.on(OFFLINE, 4, 2000);
    assert_eq!(desk.alarm(4).members, Some(4));
    assert!(desk.alarm(6).is_called());
}

#[test]
fn a_group_goes_on_across_a_restart() {
    let mut desk = Desk::new();
    (0..8).for_each(|device| desk.on(OFFLINE, device, DAY));
    desk.restart(&at(DAY + 5), 20, "boot", &at(DAY + 10));
    assert_eq!(desk.book.active().len(), 8);
    desk.steps();
    desk.on(OFFLINE, 12, DAY + 20);
    assert_eq!(desk.steps(), [(10, Did::Grouped, At::Raised)]);
    (0..8).for_each(|device| desk.off(OFFLINE, device, DAY + 100));
    desk.off(OFFLINE, 12, DAY + 100);
    assert_eq!(desk.steps(), [(9, Did::Cleared, At::Cleared)]);
}
