//! Where a read that the device refuses is cut in two.

use crate::driver::bus::plan::{Block, Read, Slice};

/// Exception code: the device does not have one of the addresses.
pub(in crate::driver) const ILLEGAL_ADDRESS: u8 = 2;
/// Exception code: the device does not give so much at once, or not from there.
pub(in crate::driver) const ILLEGAL_VALUE: u8 = 3;

/// The two parts of a read that was refused with `code`; `None` when nothing can be cut without
/// splitting a value. An address that the device does not have most likely lies in the largest
/// hole, so the cut goes there; otherwise into the middle.
pub(in crate::driver) fn cut(block: &Block, code: u8) -> Option<(Block, Block)> {
    let Read::Registers { quantity, .. } = block.read else { return None };
    let mut best: Option<((u16, u16), usize)> = None;
    let mut end = 0;
    for (place, slice) in block.points.iter().enumerate() {
        if place > 0 && slice.offset >= end {
            let hole = if code == ILLEGAL_ADDRESS { slice.offset - end } else { 0 };
            let left = slice.offset.min(quantity - slice.offset);
            if best.is_none_or(|(score, _)| (hole, left) > score) {
                best = Some(((hole, left), place));
            }
        }
        end = end.max(slice.offset + slice.width);
    }
    let (_, place) = best?;
    let (first, second) = block.points.split_at(place);
    Some((part(block, first)?, part(block, second)?))
}

fn part(block: &Block, points: &[Slice]) -> Option<Block> {
    let Read::Registers { table, address, .. } = block.read else { return None };
    let from = points.first()?.offset;
    let end = points.iter().map(|slice| slice.offset + slice.width).max()?;
    let points = points.iter().map(|slice| Slice { offset: slice.offset - from, ..*slice });
    let read = Read::Registers { table, address: address + from, quantity: end - from };
    Some(Block { read, period: block.period, urgent: block.urgent, points: points.collect() })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::model::PointIndex;
    use crate::profile::Table;

    fn block(places: &[(u16, u16)]) -> Block {
        let points = (0u16..).zip(places).map(|(point, &(offset, width))| Slice {
            point: PointIndex(point),
            offset,
            width,
        });
        let quantity = places.iter().map(|(offset, width)| offset + width).max().unwrap();
        let (table, period) = (Table::Holding, Duration::from_secs(1));
        let read = Read::Registers { table, address: 100, quantity };
        Block { read, period, urgent: false, points: points.collect() }
    }

    fn parts(places: &[(u16, u16)], code: u8) -> Option<[(u16, u16); 2]> {
        let place = |block: &Block| match block.read {
            Read::Registers { address, quantity, .. } => (address, quantity),
            _ => panic!("registers"),
        };
        cut(&block(places), code).map(|(a, b)| [place(&a), place(&b)])
    }

    #[test]
    fn an_illegal_address_is_looked_for_in_the_largest_hole() {
        let places = [(0, 2), (3, 2), (9, 1), (10, 1), (11, 1)];
        assert_eq!(parts(&places, ILLEGAL_ADDRESS), Some([(100, 5), (109, 3)]));
    }

    #[test]
    fn what_is_too_large_or_has_no_hole_is_halved() {
        let places = [(0, 2), (2, 2), (4, 2), (6, 2)];
        assert_eq!(parts(&places, ILLEGAL_ADDRESS), Some([(100, 4), (104, 4)]));
        assert_eq!(parts(&[(0, 1), (9, 1), (10, 10)], ILLEGAL_VALUE), Some([(100, 10), (110, 10)]));
    }

    #[test]
    fn a_value_is_never_cut() {
        assert_eq!(parts(&[(0, 4)], ILLEGAL_ADDRESS), None);
        assert_eq!(parts(&[(0, 4), (0, 2), (2, 2)], ILLEGAL_VALUE), None, "points of one value");
    }

    #[test]
    fn no_point_is_lost() {
        let whole = block(&[(0, 2), (3, 2), (9, 1), (9, 1), (11, 1)]);
        let (a, b) = cut(&whole, ILLEGAL_ADDRESS).unwrap();
        let of = |block: &Block| -> Vec<_> {
            let Read::Registers { address, .. } = block.read else { panic!("registers") };
            block.points.iter().map(|s| (s.point, address + s.offset, s.width)).collect()
        };
        assert_eq!([of(&a), of(&b)].concat(), of(&whole));
    }
}
