//! Behaviour of the read planner.

use proptest::prelude::*;

use super::*;
use crate::driver::bus::lessons::Lesson;
use crate::profile::{Encoding, Scale, WordOrder};

/// A block as `(table, address, quantity)`.
fn place(block: &Block) -> (Table, u16, u16) {
    let Read::Registers { table, address, quantity } = block.read else { panic!("registers") };
    (table, address, quantity)
}

fn planned(
    sources: &[RegisterSource],
    periods: &[Option<Duration>],
    default: Duration,
    limits: &Limits,
    lessons: &[Lesson],
) -> Vec<Block> {
    plan(sources, Wishes::of(periods, default), limits, &Lessons::of(lessons))
}

fn source(table: Table, address: u16, width: u8) -> RegisterSource {
    RegisterSource {
        table,
        address,
        encoding: if table.is_bits() { Encoding::Bit } else { Encoding::Unsigned(width) },
        order: WordOrder::Abcd,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag: false,
        decimals: 0,
    }
}

fn holding(places: &[(u16, u8)]) -> Vec<RegisterSource> {
    places.iter().map(|&(address, width)| source(Table::Holding, address, width)).collect()
}

fn ranges(sources: &[RegisterSource], limits: &Limits) -> Vec<(u16, u16)> {
    taught(sources, limits, &[])
}

fn taught(sources: &[RegisterSource], limits: &Limits, lessons: &[Lesson]) -> Vec<(u16, u16)> {
    let blocks = planned(sources, &[], Duration::from_secs(1), limits, lessons);
    blocks.iter().map(place).map(|(_, address, quantity)| (address, quantity)).collect()
}

#[test]
fn what_a_model_taught_is_planned_around() {
    let sources = holding(&[(0, 2), (2, 2), (6, 2), (8, 2)]);
    let limits = Limits::default();
    assert_eq!(ranges(&sources, &limits), [(0, 10)]);
    let hole = Lesson::Hole(Table::Holding, 5, 5);
    assert_eq!(taught(&sources, &limits, &[hole]), [(0, 4), (6, 4)]);
    let elsewhere = Lesson::Hole(Table::Input, 5, 5);
    assert_eq!(taught(&sources, &limits, &[elsewhere]), [(0, 10)]);
    let most = Lesson::Most(Table::Holding, 4);
    assert_eq!(taught(&sources, &limits, &[most]), [(0, 4), (6, 4)]);
    // An illegal value stands alone, rarely; nothing reaches over it.
    let illegal = Lesson::Illegal(Table::Holding, 2, 3);
    let blocks = planned(&sources, &[], Duration::from_secs(1), &limits, &[illegal]);
    let places: Vec<_> = blocks.iter().map(|b| (place(b).1, place(b).2, b.period)).collect();
    let second = Duration::from_secs(1);
    assert_eq!(places, [(0, 2, second), (6, 4, second), (2, 2, ILLEGAL_EVERY)]);
}

#[test]
fn adjacent_points_and_small_holes_become_one_read_and_large_holes_do_not() {
    let sources = holding(&[(20, 2), (0, 2), (2, 1), (5, 2)]);
    let limits = Limits { max_gap: 2, ..Limits::default() };
    assert_eq!(ranges(&sources, &limits), [(0, 7), (20, 2)]);
}

#[test]
fn a_read_stops_before_the_models_largest_and_does_not_split_a_value() {
    let sources = holding(&[(0, 2), (2, 2), (4, 2)]);
    let limits = Limits { max_registers: 5, ..Limits::default() };
    assert_eq!(ranges(&sources, &limits), [(0, 4), (4, 2)]);
}

#[test]
fn a_forbidden_hole_parts_two_reads() {
    let sources = holding(&[(0, 1), (3, 1), (4, 1)]);
    let limits = Limits { forbidden: vec![(2, 2)], ..Limits::default() };
    assert_eq!(ranges(&sources, &limits), [(0, 1), (3, 2)]);
}

#[test]
fn a_one_by_one_model_gets_a_request_per_value_but_bits_of_one_word_share_it() {
    let sources = holding(&[(0, 1), (1, 1), (1, 1), (2, 2)]);
    let limits = Limits { one_by_one: true, ..Limits::default() };
    assert_eq!(ranges(&sources, &limits), [(0, 1), (1, 1), (2, 2)]);
}

#[test]
fn points_of_different_periods_or_tables_are_never_read_together() {
    let mut sources = holding(&[(0, 1), (1, 1)]);
    sources.push(source(Table::Input, 2, 1));
    let slow = Some(Duration::from_secs(60));
    let blocks =
        planned(&sources, &[None, slow, None], Duration::from_secs(1), &Limits::default(), &[]);
    assert_eq!(blocks.len(), 3);
    assert_eq!(blocks[2].period, Duration::from_secs(60));
}

#[test]
fn the_last_register_of_a_table_can_be_read() {
    assert_eq!(ranges(&holding(&[(65535, 1), (65534, 1)]), &Limits::default()), [(65534, 2)]);
}

proptest! {
    #[test]
    fn every_point_lies_whole_in_exactly_one_read_within_the_limits(
        places in prop::collection::vec((0u8..4, 0u16..400, 1u8..5, 0u8..3), 0..80),
        most in 4u16..125,
        gap in 0u16..20,
        one_by_one: bool,
        hole in 0u16..400,
    ) {
        let tables = [Table::Coil, Table::DiscreteInput, Table::Holding, Table::Input];
        let sources: Vec<_> = places
            .iter()
            .map(|&(table, address, width, _)| source(tables[usize::from(table)], address, width))
            .collect();
        let periods: Vec<_> =
            places.iter().map(|p| (p.3 > 0).then(|| Duration::from_secs(u64::from(p.3)))).collect();
        let forbidden = vec![(hole, hole.saturating_add(3))];
        let limits = Limits {
            max_registers: most, max_bits: most, max_gap: gap, one_by_one, forbidden,
            ..Limits::default()
        };
        let default = Duration::from_secs(1);
        let blocks = planned(&sources, &periods, default, &limits, &[]);
        prop_assert_eq!(&blocks, &planned(&sources, &periods, default, &limits, &[]));
        let mut seen = vec![0; sources.len()];
        for block in &blocks {
            let (table, address, quantity) = place(block);
            prop_assert!(quantity <= most);
            let end = u32::from(address) + u32::from(quantity);
            for slice in &block.points {
                let source = &sources[slice.point.slot()];
                seen[slice.point.slot()] += 1;
                prop_assert_eq!(source.table, table);
                prop_assert_eq!(periods[slice.point.slot()].unwrap_or(default), block.period);
                prop_assert_eq!(address + slice.offset, source.address);
                prop_assert_eq!(slice.width, source.encoding.width());
                prop_assert!(slice.range().end <= usize::from(quantity));
                if one_by_one {
                    prop_assert_eq!(slice.width, quantity);
                }
            }
            // A forbidden address is touched only by a value that lies on it itself.
            for forbidden in (hole..hole.saturating_add(4)).map(u32::from) {
                if (u32::from(address)..end).contains(&forbidden) {
                    let first = block.points[0];
                    prop_assert!(block.points.iter().all(|s| s.offset <= first.width));
                    prop_assert!(block.points.len() == 1 || one_by_one);
                }
            }
        }
        prop_assert!(seen.iter().all(|&n| n == 1));
    }
}
