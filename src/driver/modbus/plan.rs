//! Which registers are read together: adjacent points of one table and one period become one
//! request, within what the model bears.
//!
//! A value is never split, every point lies in exactly one block, and the same points always give
//! the same blocks.

use std::ops::Range;
use std::time::Duration;

use crate::model::PointIndex;
use crate::profile::{Limits, RegisterSource, Table};

/// One read request and the points that its answer holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Block {
    /// Which table.
    pub(super) table: Table,
    /// First address.
    pub(super) address: u16,
    /// Registers or bits.
    pub(super) quantity: u16,
    /// How often it is read.
    pub(super) period: Duration,
    /// Points inside, by address.
    pub(super) points: Vec<Slice>,
}

/// Where a point lies in a block's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Slice {
    /// Which point.
    pub(super) point: PointIndex,
    /// Registers (or bits) before it.
    pub(super) offset: u16,
    /// Registers (or bits) that it takes.
    pub(super) width: u16,
}

impl Slice {
    /// Its place in the answer.
    pub(super) fn range(self) -> Range<usize> {
        usize::from(self.offset)..usize::from(self.offset) + usize::from(self.width)
    }
}

/// A point on its way into a block; ends are exclusive and may be 65,536.
struct Span {
    point: PointIndex,
    first: u32,
    end: u32,
}

/// Plans the reads of one device. `periods` holds one entry per source, `None` for `default`.
pub(super) fn plan(
    sources: &[RegisterSource],
    periods: &[Option<Duration>],
    default: Duration,
    limits: &Limits,
) -> Vec<Block> {
    let period_of = |slot: usize| periods.get(slot).copied().flatten().unwrap_or(default);
    let mut order: Vec<usize> = (0..sources.len()).collect();
    order.sort_by_key(|&slot| (period_of(slot), sources[slot].table, sources[slot].address, slot));

    let mut blocks = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    for (place, &slot) in order.iter().enumerate() {
        let source = &sources[slot];
        let first = u32::from(source.address);
        let point = PointIndex(u16::try_from(slot).expect("an estate refuses more than 65535"));
        let span = Span { point, first, end: first + u32::from(source.encoding.width().max(1)) };
        if let Some(&before) = place.checked_sub(1).and_then(|place| order.get(place)) {
            let same = sources[before].table == source.table
                && period_of(before) == period_of(slot)
                && fits(&open, &span, source.table, limits);
            if !same {
                blocks.push(close(&mut open, sources[before].table, period_of(before)));
            }
        }
        open.push(span);
    }
    if let Some(&last) = order.last() {
        blocks.push(close(&mut open, sources[last].table, period_of(last)));
    }
    blocks
}

/// Whether the next span (by address) may join those of the open block.
fn fits(open: &[Span], next: &Span, table: Table, limits: &Limits) -> bool {
    let (Some(head), Some(end)) = (open.first(), open.iter().map(|span| span.end).max()) else {
        return true;
    };
    // Several points of the same registers, e.g. the bits of one word, are one request anyway.
    if limits.one_by_one {
        return next.first == head.first && next.end == head.end;
    }
    let most = if table.is_bits() { limits.max_bits } else { limits.max_registers };
    let whole = head.first..end.max(next.end);
    let forbidden = |&(first, last): &(u16, u16)| {
        u32::from(first) < whole.end && u32::from(last) >= whole.start
    };
    next.first.saturating_sub(end) <= u32::from(limits.max_gap)
        && whole.end - whole.start <= u32::from(most)
        && !limits.forbidden.iter().any(forbidden)
}

fn close(open: &mut Vec<Span>, table: Table, period: Duration) -> Block {
    let first = open.first().expect("a block is closed only after a point joined it").first;
    let end = open.iter().map(|span| span.end).max().unwrap_or(first);
    let narrow = |n: u32| u16::try_from(n).expect("within a table of 65536 registers");
    let points = open
        .drain(..)
        .map(|span| Slice {
            point: span.point,
            offset: narrow(span.first - first),
            width: narrow(span.end - span.first),
        })
        .collect();
    Block { table, address: narrow(first), quantity: narrow(end - first), period, points }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
