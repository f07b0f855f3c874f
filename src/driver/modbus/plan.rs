//! Which registers are read together: adjacent points of one table and one period become one
//! request, within what the model bears.
//!
//! A value is never split, every point lies in exactly one block, and the same points always give
//! the same blocks.

use std::time::Duration;

use crate::driver::bus::lessons::{ILLEGAL_EVERY, Lessons};
use crate::driver::bus::plan::{Block, Read, Slice, Wishes, point};
use crate::model::PointIndex;
use crate::profile::{Limits, RegisterSource, Table};

/// A point on its way into a block; ends are exclusive and may be 65,536.
struct Span {
    point: PointIndex,
    first: u32,
    end: u32,
    urgent: bool,
    /// The model is known not to have it.
    illegal: bool,
}

/// Plans the reads of one device.
pub(in crate::driver) fn plan(
    sources: &[RegisterSource],
    wishes: Wishes<'_>,
    limits: &Limits,
    lessons: &Lessons,
) -> Vec<Block> {
    let span = |slot: usize| {
        let source = &sources[slot];
        let width = source.encoding.width().max(1);
        let last = source.address.saturating_add(width - 1);
        Span {
            point: point(slot),
            first: u32::from(source.address),
            end: u32::from(source.address) + u32::from(width),
            urgent: wishes.urgent(slot),
            illegal: lessons.illegal(source.table, source.address, last),
        }
    };
    let period = |slot: usize, illegal: bool| {
        let period = wishes.period(slot);
        if illegal { period.max(ILLEGAL_EVERY) } else { period }
    };
    let mut order: Vec<(usize, Span)> = (0..sources.len()).map(|slot| (slot, span(slot))).collect();
    order.sort_by_key(|(slot, span)| {
        (period(*slot, span.illegal), sources[*slot].table, span.first, *slot)
    });
    let mut blocks = Vec::new();
    let mut open: Vec<Span> = Vec::new();
    let mut last: Option<(Table, Duration)> = None;
    for (slot, span) in order {
        let kind = (sources[slot].table, period(slot, span.illegal));
        if let Some(before) = last
            && (before != kind || !fits(&open, &span, kind.0, limits, lessons))
        {
            blocks.push(close(&mut open, before.0, before.1));
        }
        last = Some(kind);
        open.push(span);
    }
    if let Some((table, period)) = last {
        blocks.push(close(&mut open, table, period));
    }
    blocks
}

/// Whether the next span (by address) may join those of the open block.
fn fits(open: &[Span], next: &Span, table: Table, limits: &Limits, lessons: &Lessons) -> bool {
    let (Some(head), Some(end)) = (open.first(), open.iter().map(|span| span.end).max()) else {
        return true;
    };
    // Several points of the same registers, e.g. the bits of one word, are one request anyway.
    let alone = next.illegal || open.iter().any(|span| span.illegal);
    if limits.one_by_one || alone {
        return next.first == head.first && next.end == head.end;
    }
    let most = if table.is_bits() { limits.max_bits } else { limits.max_registers };
    let most = lessons.most(table).map_or(most, |learned| most.min(learned));
    // Between the two lie addresses that no point wants: some models refuse to pass over them.
    let gap = u16::try_from(end).ok().zip(u16::try_from(next.first.saturating_sub(1)).ok());
    if let Some((first, last)) = gap
        && first <= last
        && !lessons.may_span(table, first, last)
    {
        return false;
    }
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
    let urgent = open.iter().any(|span| span.urgent);
    let points = open
        .drain(..)
        .map(|span| Slice {
            point: span.point,
            offset: narrow(span.first - first),
            width: narrow(span.end - span.first),
        })
        .collect();
    let read = Read::Registers { table, address: narrow(first), quantity: narrow(end - first) };
    Block { read, period, urgent, points }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
