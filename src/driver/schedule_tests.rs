//! Behaviour of the schedule, in simulated time.

use super::*;

const MS: Duration = Duration::from_millis(1);
const SECOND: Duration = Duration::from_secs(1);

fn demand(periods: &[Duration]) -> Demand {
    Demand { periods: periods.to_vec(), urgent: Vec::new(), smallest: 0, group: 0 }
}

/// What a simulated hour brought.
#[derive(Debug, Default)]
struct Tally {
    polls: Vec<Vec<Vec<Time>>>,
    probing: Duration,
    missed: u64,
}

/// Runs the schedule against devices that answer within `answer` or never (`dead`, 1 s).
fn simulate(
    schedule: &mut Schedule,
    sizes: &[usize],
    answer: Duration,
    dead: impl Fn(usize, Time) -> bool,
    span: Duration,
) -> Tally {
    let mut tally = Tally {
        polls: sizes.iter().map(|&blocks| vec![Vec::new(); blocks]).collect(),
        ..Tally::default()
    };
    let mut failed = vec![0; sizes.len()];
    let mut now = Time::ZERO;
    while now < span {
        match schedule.next(now) {
            Next::Run(job) if dead(job.device, now) => {
                now += SECOND;
                failed[job.device] += 1;
                if job.purpose == Purpose::Probe {
                    tally.probing += SECOND;
                }
                schedule.failed(job, now, SECOND, failed[job.device] >= 3);
            }
            Next::Run(job) => {
                tally.polls[job.device][job.block].push(now);
                now += answer;
                failed[job.device] = 0;
                schedule.answered(job, now, answer);
            }
            Next::Wait(until) => {
                assert!(until > now, "a wait that does not wait");
                now = until;
            }
            Next::Nothing => break,
        }
    }
    tally.missed = schedule.take_missed();
    tally
}

#[test]
fn everything_is_read_at_once_and_then_on_spread_ticks() {
    let devices = 10;
    let mut schedule = Schedule::new(&vec![demand(&[SECOND]); devices], SECOND);
    let tally = simulate(&mut schedule, &vec![1; devices], MS, |_, _| false, SECOND * 10);
    for (device, polls) in tally.polls.iter().enumerate() {
        let polls = &polls[0];
        assert!(polls[0] <= 10 * MS, "first reading at {:?}", polls[0]);
        assert!((10..=11).contains(&polls.len()), "{} polls", polls.len());
        let phase = 100 * MS * u32::try_from(device).unwrap();
        for poll in &polls[1..] {
            assert_eq!(poll.as_millis() % 1000, phase.as_millis(), "device {device}");
        }
    }
    assert_eq!(tally.missed, 0);
}

#[test]
fn several_periods_on_one_device_each_keep_their_own() {
    let mut schedule = Schedule::new(&[demand(&[SECOND, SECOND * 10, SECOND * 60])], SECOND);
    let tally = simulate(&mut schedule, &[3], 20 * MS, |_, _| false, SECOND * 600);
    let polls: Vec<_> = tally.polls[0].iter().map(Vec::len).collect();
    assert!((599..=601).contains(&polls[0]), "{polls:?}");
    assert!((59..=61).contains(&polls[1]), "{polls:?}");
    assert!((10..=11).contains(&polls[2]), "{polls:?}");
}

#[test]
fn ticks_missed_on_a_bus_that_is_too_slow_are_counted_and_shared_fairly() {
    // Four devices want 4 * 500 ms each second: half of the ticks cannot be kept.
    let mut schedule = Schedule::new(&vec![demand(&[SECOND]); 4], SECOND);
    let tally = simulate(&mut schedule, &[1; 4], 500 * MS, |_, _| false, SECOND * 100);
    for polls in &tally.polls {
        assert!((48..=52).contains(&polls[0].len()), "{}", polls[0].len());
    }
    assert!((190..=205).contains(&tally.missed), "{}", tally.missed);
}

#[test]
fn a_slow_block_is_not_starved_by_fast_ones_on_a_full_bus() {
    let mut schedule = Schedule::new(&[demand(&[SECOND, SECOND * 20])], SECOND);
    let tally = simulate(&mut schedule, &[2], 1100 * MS, |_, _| false, SECOND * 200);
    assert!(tally.polls[0][1].len() >= 8, "{:?}", tally.polls[0][1]);
}

#[test]
fn dead_devices_take_at_most_a_twentieth_of_an_hour_and_the_others_keep_their_period() {
    let devices = 10;
    let mut schedule =
        Schedule::new(&vec![demand(&[SECOND * 5]); devices], Duration::from_secs(300));
    let hour = Duration::from_secs(3600);
    let tally = simulate(&mut schedule, &vec![1; devices], 30 * MS, |slot, _| slot < 3, hour);
    assert!(tally.probing <= hour / 20, "{:?}", tally.probing);
    assert!(tally.probing >= 10 * SECOND, "they are probed: {:?}", tally.probing);
    for polls in &tally.polls[3..] {
        assert!(polls[0].len() >= 715, "{} of 720 polls", polls[0].len());
        let worst = polls[0].windows(2).skip(4).map(|pair| pair[1] - pair[0]).max().unwrap();
        assert!(worst <= SECOND * 5 + SECOND + 300 * MS, "{worst:?}");
    }
}

#[test]
fn many_dead_devices_share_one_allowance() {
    let devices = 40;
    let mut schedule = Schedule::new(&vec![demand(&[SECOND]); devices], SECOND);
    let hour = Duration::from_secs(3600);
    let tally = simulate(&mut schedule, &vec![1; devices], 10 * MS, |slot, _| slot > 0, hour);
    assert!(tally.probing <= hour / 20, "{:?}", tally.probing);
    assert!(tally.probing >= hour / 25, "the allowance is used: {:?}", tally.probing);
}

#[test]
fn a_device_that_comes_back_is_read_whole_at_once_even_on_a_full_bus() {
    let demands = [demand(&[SECOND, SECOND * 60]), demand(&[SECOND])];
    let mut schedule = Schedule::new(&demands, SECOND * 30);
    let back = SECOND * 300;
    let dead = |slot, now| slot == 0 && now < back;
    // The other device alone fills the bus.
    let tally = simulate(&mut schedule, &[2, 1], 1200 * MS, dead, SECOND * 600);
    let first = tally.polls[0][0][0];
    assert!(first < back + SECOND * 100, "found at {first:?}");
    let whole = tally.polls[0][1][0];
    assert!(whole <= first + SECOND * 60, "read whole at {whole:?}");
}

#[test]
fn a_re_read_goes_before_everything_and_not_to_a_device_that_does_not_answer() {
    let mut schedule = Schedule::new(&vec![demand(&[SECOND, SECOND]); 2], SECOND);
    schedule.again(1, 1);
    let Next::Run(first) = schedule.next(Time::ZERO) else { panic!("work is due") };
    assert_eq!((first.device, first.block), (0, 0), "device 1 has not answered yet");
    schedule.answered(first, MS, MS);
    schedule.again(0, 1);
    schedule.again(0, 1);
    schedule.again(0, 0);
    let mut order = Vec::new();
    for step in 1..4 {
        let Next::Run(job) = schedule.next(step * MS) else { panic!("work is due") };
        order.push((job.device, job.block));
    }
    assert_eq!(order, [(0, 1), (0, 0), (1, 0)], "each block once");
}

#[test]
fn a_held_device_waits_while_the_others_are_read() {
    let mut schedule = Schedule::new(&vec![demand(&[SECOND]); 2], SECOND);
    schedule.hold(0, 500 * MS);
    let Next::Run(job) = schedule.next(MS) else { panic!("work is due") };
    assert_eq!(job.device, 1);
    schedule.answered(job, 2 * MS, MS);
    assert_eq!(schedule.next(2 * MS), Next::Wait(500 * MS));
}

#[test]
fn a_bus_without_points_has_nothing_to_do() {
    assert_eq!(Schedule::new(&[demand(&[])], SECOND).next(Time::ZERO), Next::Nothing);
}

/// Retunings of a simulated run; each costs `retune`.
fn retunings(schedule: &mut Schedule, groups: &[usize], answer: Duration, span: Duration) -> usize {
    let (mut now, mut tuned, mut count) = (Time::ZERO, None, 0);
    while now < span {
        match schedule.next(now) {
            Next::Run(job) => {
                if tuned.replace(groups[job.device]) != Some(groups[job.device]) {
                    count += 1;
                }
                now += answer;
                schedule.answered(job, now, answer);
            }
            Next::Wait(until) => now = until,
            Next::Nothing => break,
        }
    }
    count
}

#[test]
fn devices_of_equal_line_settings_are_read_side_by_side() {
    let groups: Vec<usize> = (0..30).map(|device| device % 3).collect();
    // 60 % and 130 % of the line.
    for (answer, most) in [(20 * MS, 3 * 61), (43 * MS, 140)] {
        let demands: Vec<_> =
            groups.iter().map(|&group| Demand { group, ..demand(&[SECOND]) }).collect();
        let mut schedule = Schedule::new(&demands, SECOND * 30);
        let count = retunings(&mut schedule, &groups, answer, SECOND * 60);
        assert!(count <= most, "{count} retunings at {answer:?} a poll");
        assert!(count >= 60, "no group is forgotten: {count}");
    }
}

#[test]
fn on_a_full_line_every_group_gets_its_share() {
    let groups = [0, 0, 0, 0, 1, 2];
    let demands: Vec<_> =
        groups.iter().map(|&group| Demand { group, ..demand(&[SECOND]) }).collect();
    let mut schedule = Schedule::new(&demands, SECOND * 30);
    let tally = simulate(&mut schedule, &[1; 6], 300 * MS, |_, _| false, SECOND * 180);
    let polls: Vec<usize> = tally.polls.iter().map(|polls| polls[0].len()).collect();
    assert!(polls.iter().all(|&n| (80..=160).contains(&n)), "nobody starves: 100 each, {polls:?}");
}

#[test]
fn an_urgent_block_goes_before_everything_that_is_due() {
    let slow = Demand { ..demand(&[SECOND; 20]) };
    let alarm = Demand { urgent: vec![true], group: 1, ..demand(&[SECOND * 2]) };
    let mut schedule = Schedule::new(&[slow, alarm], SECOND * 30);
    // The first device alone wants 200 % of the line.
    let tally = simulate(&mut schedule, &[20, 1], 100 * MS, |_, _| false, SECOND * 60);
    let polls = &tally.polls[1][0];
    assert!(polls.len() >= 26, "{}", polls.len());
    let late = polls.windows(2).skip(2).map(|pair| pair[1] - pair[0]).max().unwrap();
    assert!(late <= SECOND * 2 + 200 * MS, "{late:?}");
}

#[test]
fn devices_that_are_dead_from_the_start_cost_the_others_no_tick() {
    let mut schedule = Schedule::new(&vec![demand(&[SECOND * 5]); 32], SECOND * 300);
    // The living take 85 % of the line, a dead one a second each time.
    let dead = |slot: usize, _| slot % 3 == 2;
    let tally = simulate(&mut schedule, &[1; 32], 190 * MS, dead, SECOND * 300);
    for (slot, polls) in tally.polls.iter().enumerate().filter(|(slot, _)| slot % 3 != 2) {
        assert!(polls[0].len() >= 55, "device {slot}: {} of 60 polls", polls[0].len());
    }
    assert_eq!(tally.missed, 0);
}

#[test]
fn urgent_blocks_that_fill_the_line_do_not_silence_the_others() {
    let alarms = Demand { urgent: vec![true; 3], ..demand(&[100 * MS; 3]) };
    let mut schedule = Schedule::new(&[alarms, demand(&[SECOND])], SECOND);
    let tally = simulate(&mut schedule, &[3, 1], 100 * MS, |_, _| false, SECOND * 60);
    let (alarms, meter) = (tally.polls[0].concat().len(), tally.polls[1][0].len());
    assert!(meter >= 55, "{meter} of 60");
    assert!(alarms >= 450, "{alarms}: the urgent ones still have most of the time");
}
