//! The search after a refusal: a read that a device refuses is cut until its parts either give
//! data or stand alone. What the cuts showed becomes lessons about the model once the whole was
//! refused a second time: a device that just starts refuses everything, and teaches nothing.

use super::lessons::{Lesson, LessonBook, Lessons};
use super::plan::{Block, Read, plan, single_items};
use super::session::Answer;
use super::unit::{Said, Unit, refused_code};
use crate::driver::modbus::split::{ILLEGAL_ADDRESS, ILLEGAL_VALUE, cut};
use crate::profile::Binding;
use crate::protocol::cjt188;
use crate::protocol::dlt645::{self, ErrorBits};

/// Refusals in a row after which a read that once gave data is cut all the same.
const REFUSED_MAX: u8 = 3;
/// Refusals after which a read that cannot be cut, and never gave data, is known as illegal.
const ALONE_MAX: u8 = 2;
/// Times that a device is planned anew because what was refused gives data now.
const RESTORES_MAX: u8 = 3;

/// What the bus has to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sequel {
    /// Take it.
    Take,
    /// Nothing to take: the read was cut, its other parts are the last blocks now.
    Cut(usize),
    /// The reads were planned anew, and all are to be read.
    Replanned {
        /// What was learned, if anything.
        lessons: Vec<Lesson>,
        /// Whether the answer is to be taken too.
        take: bool,
    },
}

/// What a device teaches about its model.
#[derive(Debug)]
pub(super) struct Learner {
    book: LessonBook,
    search: Search,
    /// What the last search showed, and the whole reads whose second refusal confirms it.
    doubt: Option<(Vec<Lesson>, Vec<Read>)>,
    restores: u8,
    /// A search ended while the device refused everything: its parts are still read one by one.
    shattered: bool,
}

impl Learner {
    pub(super) fn new(book: LessonBook) -> Self {
        Self { book, search: Search::default(), doubt: None, restores: 0, shattered: false }
    }
}

/// The code with which an answer refuses for the address or the length, not for the hour.
fn refusal(answer: &Answer) -> Option<u8> {
    match answer {
        Answer::Exception(code @ (ILLEGAL_ADDRESS | ILLEGAL_VALUE)) => Some(*code),
        Answer::Dlt645 { reply: dlt645::Reply::Refused(bits), .. }
            if bits.0 & ErrorBits::NO_DATA.0 != 0 =>
        {
            Some(bits.0)
        }
        _ => None,
    }
}

impl Unit {
    /// Learns from an answer which reads the device does not bear. One illegal address must not
    /// take the good points of its block with it: the read is cut until it stands alone.
    pub(super) fn learn(&mut self, block: usize, answer: &Answer) -> Sequel {
        if let Answer::Cjt188 { reply: cjt188::Reply::Data { order, .. }, .. } = answer {
            self.order = (*order, true);
        }
        if refused_code(answer).is_some() {
            // A meter that does not know the identifier may know it the other way round.
            self.other_order();
        }
        let Some(code) = refusal(answer) else {
            return self.learn_from_data(block, refused_code(answer).is_none());
        };
        let whole = self.blocks[block].read;
        if let Some((lessons, _)) =
            self.learner.doubt.take_if(|(_, wholes)| wholes.contains(&whole))
        {
            return Sequel::Replanned { lessons: self.accept(&lessons), take: false };
        }
        let said = &mut self.said[block];
        said.illegal = said.illegal.saturating_add(1);
        if said.proven && said.illegal < REFUSED_MAX {
            return Sequel::Take;
        }
        let (proven, refusals) = (said.proven, said.illegal);
        self.learner.search.answered(block, false);
        let parts = self.parts(block, code);
        let Some((first, rest)) = parts.split_first() else {
            return self.stands_alone(block, proven, refusals);
        };
        self.learner.search.proven |= proven;
        let added = rest.len();
        self.said[block] = Said::default();
        self.blocks[block] = first.clone();
        let from = self.blocks.len();
        self.blocks.extend_from_slice(rest);
        self.said.resize(self.blocks.len(), Said::default());
        let places = std::iter::once(block).chain(from..self.blocks.len());
        let blocks = &self.blocks;
        self.learner.search.cut(whole, places.map(|place| (place, blocks[place].read)));
        Sequel::Cut(added)
    }

    /// A refused read that cannot be cut.
    fn stands_alone(&mut self, block: usize, proven: bool, refusals: u8) -> Sequel {
        if self.learner.search.is_on() {
            return self.end_search();
        }
        let works = self.said.iter().any(|said| said.proven);
        let known = self.said[block].rare;
        if proven || known || !works || refusals < ALONE_MAX {
            return Sequel::Take;
        }
        let lesson: Vec<Lesson> = alone(self.blocks[block].read).into_iter().collect();
        Sequel::Replanned { lessons: self.accept(&lesson), take: true }
    }

    fn learn_from_data(&mut self, block: usize, data: bool) -> Sequel {
        let said = &mut self.said[block];
        if data {
            said.illegal = 0;
            said.proven = true;
        } else {
            return Sequel::Take;
        }
        let rare = said.rare;
        let read = self.blocks[block].read;
        // Not the address was wrong but the hour.
        self.learner.doubt.take_if(|(_, wholes)| wholes.contains(&read));
        // This device has what others of its model lack.
        if rare && self.learner.restores < RESTORES_MAX {
            self.learner.restores += 1;
            let lessons = self.learner.book.of(&self.profile.id).without_illegal();
            self.replan(&lessons);
            return Sequel::Replanned { lessons: Vec::new(), take: true };
        }
        self.learner.search.answered(block, true);
        // It only was not ready: what the search made of its reads says nothing.
        if !self.learner.search.is_on() && std::mem::take(&mut self.learner.shattered) {
            let known = self.learner.book.of(&self.profile.id);
            self.replan(&known);
            self.said.iter_mut().for_each(|said| said.proven = false);
            return Sequel::Replanned { lessons: Vec::new(), take: true };
        }
        self.end_search()
    }

    /// The parts of a refused read, none when it cannot be cut.
    fn parts(&self, block: usize, code: u8) -> Vec<Block> {
        let block = &self.blocks[block];
        match (block.read, &self.profile.binding) {
            (Read::Registers { .. }, _) => {
                cut(block, code).map_or_else(Vec::new, |(first, second)| vec![first, second])
            }
            (Read::Item { block: true, .. }, Binding::Dlt645(model)) => single_items(model, block),
            _ => Vec::new(),
        }
    }

    /// When every part of the search spoke: the whole is asked once more, to confirm what was
    /// found.
    fn end_search(&mut self) -> Sequel {
        let works = self.said.iter().any(|said| said.proven);
        let learner = &mut self.learner;
        let proven = learner.search.proven;
        let Some((lessons, wholes)) = learner.search.finish(&self.blocks) else {
            return Sequel::Take;
        };
        // What gave data once is not illegal, whatever the device says now.
        learner.shattered = !works;
        if !works || proven && learner.restores >= RESTORES_MAX {
            return Sequel::Take;
        }
        if proven {
            learner.restores += 1;
        } else {
            learner.doubt = Some((lessons, wholes.clone()));
        }
        let known = learner.book.of(&self.profile.id);
        self.replan(&known);
        for (said, block) in self.said.iter_mut().zip(&self.blocks) {
            said.proven &= proven || !wholes.contains(&block.read);
        }
        Sequel::Replanned { lessons: Vec::new(), take: true }
    }

    /// Remembers lessons and plans with them; returns those that are new.
    fn accept(&mut self, lessons: &[Lesson]) -> Vec<Lesson> {
        let new = self.learner.book.add(&self.profile.id, lessons);
        let known = self.learner.book.of(&self.profile.id);
        self.replan(&known);
        new
    }

    fn replan(&mut self, lessons: &Lessons) {
        self.learner.search = Search::default();
        self.blocks = plan(&self.profile, self.period, lessons);
        // What gave data before will give it again; what is known as illegal need not be proven.
        let planned = said_of(&self.blocks, lessons).into_iter();
        self.said = planned.map(|said| Said { proven: !said.rare, ..said }).collect();
    }
}

/// What is known of planned blocks before they were asked.
pub(super) fn said_of(blocks: &[Block], lessons: &Lessons) -> Vec<Said> {
    let said = |block: &Block| Said { rare: lessons.refuse(block.read), ..Said::default() };
    blocks.iter().map(said).collect()
}

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
struct Search {
    cuts: Vec<Cut>,
    /// The whole gave data once since the start.
    proven: bool,
}

impl Search {
    /// Whether a search is on.
    fn is_on(&self) -> bool {
        !self.cuts.is_empty()
    }

    /// A refused read was cut into these blocks.
    fn cut(&mut self, whole: Read, parts: impl Iterator<Item = (usize, Read)>) {
        let part = |(block, read)| Part { block, fine: None, read };
        self.cuts.push(Cut { whole, parts: parts.map(part).collect() });
    }

    /// A part was answered: with data, or refused.
    fn answered(&mut self, block: usize, fine: bool) {
        let parts = self.cuts.iter_mut().rev().flat_map(|cut| &mut cut.parts);
        if let Some(part) =
            parts.into_iter().find(|part| part.block == block && part.fine.is_none())
        {
            part.fine = Some(fine);
        }
    }

    /// What was found and the reads that were cut, once every part spoke; ends the search.
    fn finish(&mut self, blocks: &[Block]) -> Option<(Vec<Lesson>, Vec<Read>)> {
        let open = self.cuts.iter().flat_map(|cut| &cut.parts).any(|part| part.fine.is_none());
        if open || self.cuts.is_empty() {
            return None;
        }
        let cuts = std::mem::take(&mut self.cuts);
        self.proven = false;
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
        Some((lessons, cuts.iter().map(|cut| cut.whole).collect()))
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
        let found = vec![Lesson::Hole(Table::Holding, 3, 6)];
        assert_eq!(search.finish(&blocks), Some((found, vec![read(0, 10)])));
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
        let lessons = search.finish(&blocks).map(|(lessons, _)| lessons);
        assert_eq!(lessons, Some(vec![Lesson::Illegal(Table::Holding, 5, 5)]));
    }

    #[test]
    fn halves_that_give_data_show_the_length_that_the_model_bears() {
        let mut search = Search::default();
        search.cut(read(0, 40), [(0, read(0, 20)), (1, read(20, 20))].into_iter());
        search.answered(0, true);
        search.answered(1, true);
        let blocks = [block(read(0, 20)), block(read(20, 20))];
        let lessons = search.finish(&blocks).map(|(lessons, _)| lessons);
        assert_eq!(lessons, Some(vec![Lesson::Most(Table::Holding, 20)]));
    }
}
