//! The search after a refusal: a read that a device refuses is cut until its parts either give
//! data or stand alone, and what the cuts showed becomes lessons about the model.

use super::lessons::Lesson;
use super::plan::{Block, Read};

/// One cut that was made, and what its parts said.
#[derive(Debug)]
struct Cut {
    whole: Read,
    parts: Vec<Part>,
}

#[derive(Debug)]
struct Part {
    block: usize,
    /// Gave data (`true`) or was refused in its turn; `None` before its first answer.
    fine: Option<bool>,
    /// What it read; cut parts change their block.
    read: Read,
}

/// The search on one device.
#[derive(Debug, Default)]
pub(super) struct Search {
    cuts: Vec<Cut>,
}

impl Search {
    /// Whether a search is on.
    pub(super) fn is_on(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// A refused read was cut into these blocks.
    pub(super) fn cut(&mut self, whole: Read, parts: impl Iterator<Item = (usize, Read)>) {
        let part = |(block, read)| Part { block, fine: None, read };
        self.cuts.push(Cut { whole, parts: parts.map(part).collect() });
    }

    /// A part was answered: with data, or refused.
    pub(super) fn answered(&mut self, block: usize, fine: bool) {
        let parts = self.cuts.iter_mut().rev().flat_map(|cut| &mut cut.parts);
        if let Some(part) =
            parts.into_iter().find(|part| part.block == block && part.fine.is_none())
        {
            part.fine = Some(fine);
        }
    }

    /// What was found, once every part spoke; ends the search.
    pub(super) fn finish(&mut self, blocks: &[Block]) -> Option<Vec<Lesson>> {
        let open = self.cuts.iter().flat_map(|cut| &cut.parts).any(|part| part.fine.is_none());
        if open || self.cuts.is_empty() {
            return None;
        }
        let cuts = std::mem::take(&mut self.cuts);
        let refused = |read: Read| {
            let mut parts = cuts.iter().flat_map(|cut| &cut.parts);
            parts.any(|part| part.fine == Some(false) && part.read == read)
        };
        let mut lessons = Vec::new();
        let mut illegal = false;
        for block in blocks.iter().filter(|block| refused(block.read)) {
            if let Some(lesson) = alone(block.read) {
                illegal |= matches!(lesson, Lesson::Illegal(..));
                lessons.push(lesson);
            }
        }
        for cut in &cuts {
            match cut.whole {
                Read::Registers { .. } => lessons.extend(between(&cut.parts, illegal)),
                Read::Item { id, .. } if cut.parts.iter().any(|part| part.fine == Some(true)) => {
                    lessons.push(Lesson::Item(id));
                }
                Read::Item { .. } | Read::Meter { .. } => {}
            }
        }
        Some(lessons)
    }
}

/// A read that is refused though it cannot be cut any more.
fn alone(read: Read) -> Option<Lesson> {
    match read {
        Read::Registers { table, address, quantity } => {
            let last = address.saturating_add(quantity.saturating_sub(1));
            Some(Lesson::Illegal(table, address, last))
        }
        Read::Item { id, block: false } => Some(Lesson::Item(id)),
        Read::Item { .. } => None,
        Read::Meter { id } => Some(Lesson::Meter(id)),
    }
}

/// Two parts that both give data where the whole was refused: what lies between them is a hole, or,
/// when nothing lies between them, the whole was too long. When an illegal address was found the
/// halves of the search say nothing about lengths.
fn between(parts: &[Part], illegal: bool) -> Option<Lesson> {
    let [first, second] = parts else { return None };
    let (Some(true), Some(true)) = (first.fine, second.fine) else { return None };
    let Read::Registers { table, address, quantity } = first.read else { return None };
    let Read::Registers { address: next, quantity: length, .. } = second.read else { return None };
    let end = address.saturating_add(quantity);
    match next.checked_sub(end) {
        Some(0) if !illegal => Some(Lesson::Most(table, quantity.max(length))),
        Some(gap) if gap > 0 => Some(Lesson::Hole(table, end, next - 1)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::profile::Table;

    fn read(address: u16, quantity: u16) -> Read {
        Read::Registers { table: Table::Holding, address, quantity }
    }

    fn block(read: Read) -> Block {
        Block { read, period: Duration::from_secs(1), urgent: false, points: Vec::new() }
    }

    #[test]
    fn a_hole_lies_between_two_parts_that_give_data() {
        let mut search = Search::default();
        search.cut(read(0, 10), [(0, read(0, 3)), (1, read(7, 3))].into_iter());
        search.answered(1, true);
        assert_eq!(search.finish(&[]), None, "one part is still to speak");
        search.answered(0, true);
        let blocks = [block(read(0, 3)), block(read(7, 3))];
        assert_eq!(search.finish(&blocks), Some(vec![Lesson::Hole(Table::Holding, 3, 6)]));
        assert!(!search.is_on());
    }

    #[test]
    fn a_wrong_cut_on_the_way_to_an_illegal_address_teaches_nothing() {
        let mut search = Search::default();
        search.cut(read(0, 8), [(0, read(0, 4)), (1, read(5, 3))].into_iter());
        search.answered(0, true);
        search.answered(1, false);
        search.cut(read(5, 3), [(1, read(5, 1)), (2, read(6, 2))].into_iter());
        search.answered(1, false);
        search.answered(2, true);
        let blocks = [block(read(0, 4)), block(read(5, 1)), block(read(6, 2))];
        assert_eq!(search.finish(&blocks), Some(vec![Lesson::Illegal(Table::Holding, 5, 5)]));
    }

    #[test]
    fn halves_that_give_data_show_the_length_that_the_model_bears() {
        let mut search = Search::default();
        search.cut(read(0, 40), [(0, read(0, 20)), (1, read(20, 20))].into_iter());
        search.answered(0, true);
        search.answered(1, true);
        let blocks = [block(read(0, 20)), block(read(20, 20))];
        assert_eq!(search.finish(&blocks), Some(vec![Lesson::Most(Table::Holding, 20)]));
    }
}
