//! What was learned about models from their refusals: kept for all devices of a model, across
//! restarts.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::plan::Read;
use crate::profile::Table;
use crate::protocol::{cjt188, dlt645};
use crate::store::{Changes, StoreError, Tree};

/// How often a read that is refused for itself is tried nevertheless.
pub(in crate::driver) const ILLEGAL_EVERY: Duration = Duration::from_secs(60);
/// Most lessons about one model.
const LESSONS_MAX: usize = 256;

/// One thing that a model taught.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::driver) enum Lesson {
    /// No read may span these unused addresses (first, last).
    Hole(Table, u16, u16),
    /// The model does not have these addresses (first, last), though its profile names them.
    Illegal(Table, u16, u16),
    /// It gives at most so many registers (or bits) of a table at once.
    Most(Table, u16),
    /// It does not have this identifier of DL/T 645.
    Item(dlt645::DataId),
    /// It does not have this identifier of CJ/T 188.
    Meter(cjt188::DataId),
}

const TABLES: [(&str, Table); 4] = [
    ("coil", Table::Coil),
    ("discrete_input", Table::DiscreteInput),
    ("holding", Table::Holding),
    ("input", Table::Input),
];

fn word(table: Table) -> &'static str {
    TABLES.iter().find(|(_, known)| *known == table).map_or("", |(word, _)| word)
}

impl Lesson {
    /// As it is stored, after the profile's name.
    fn key(self) -> String {
        match self {
            Lesson::Hole(table, first, last) => format!("hole {} {first} {last}", word(table)),
            Lesson::Illegal(table, first, last) => {
                format!("illegal {} {first} {last}", word(table))
            }
            Lesson::Most(table, most) => format!("most {} {most}", word(table)),
            Lesson::Item(id) => format!("item {}", id.0),
            Lesson::Meter(id) => format!("meter {}", id.0),
        }
    }

    fn parse(key: &str) -> Option<Self> {
        let mut words = key.split(' ');
        let kind = words.next()?;
        if kind == "item" {
            return Some(Lesson::Item(dlt645::DataId(words.next()?.parse().ok()?)));
        }
        if kind == "meter" {
            return Some(Lesson::Meter(cjt188::DataId(words.next()?.parse().ok()?)));
        }
        let name = words.next()?;
        let table = TABLES.iter().find(|(word, _)| *word == name)?.1;
        let first = words.next()?.parse().ok()?;
        match kind {
            "hole" => Some(Lesson::Hole(table, first, words.next()?.parse().ok()?)),
            "illegal" => Some(Lesson::Illegal(table, first, words.next()?.parse().ok()?)),
            "most" => Some(Lesson::Most(table, first)),
            _ => None,
        }
    }
}

/// What is known about one model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lessons(BTreeSet<Lesson>);

impl Lessons {
    /// Whether a read may reach over the unused addresses from `first` to `last`.
    pub(in crate::driver) fn may_span(&self, table: Table, first: u16, last: u16) -> bool {
        let barred = |lesson: &Lesson| match *lesson {
            Lesson::Hole(of, from, to) | Lesson::Illegal(of, from, to) => {
                of == table && from <= last && to >= first
            }
            _ => false,
        };
        !self.0.iter().any(barred)
    }

    /// Whether the model does not have one of these addresses.
    pub(in crate::driver) fn illegal(&self, table: Table, first: u16, last: u16) -> bool {
        self.0.iter().any(|lesson| match *lesson {
            Lesson::Illegal(of, from, to) => of == table && from <= last && to >= first,
            _ => false,
        })
    }

    /// Most registers (or bits) of a table at once, if that was learned.
    pub(in crate::driver) fn most(&self, table: Table) -> Option<u16> {
        let of = |lesson: &Lesson| match *lesson {
            Lesson::Most(of, most) if of == table => Some(most),
            _ => None,
        };
        self.0.iter().filter_map(of).min()
    }

    /// Whether the model refuses this identifier of DL/T 645.
    pub(in crate::driver) fn item_refused(&self, id: dlt645::DataId) -> bool {
        self.0.contains(&Lesson::Item(id))
    }

    /// Whether the model refuses this identifier of CJ/T 188.
    pub(in crate::driver) fn meter_refused(&self, id: cjt188::DataId) -> bool {
        self.0.contains(&Lesson::Meter(id))
    }

    /// Whether a read is known to be refused for itself, and only tried now and then.
    pub(in crate::driver) fn refuse(&self, read: Read) -> bool {
        match read {
            Read::Registers { table, address, quantity } => {
                self.illegal(table, address, address.saturating_add(quantity.saturating_sub(1)))
            }
            Read::Item { id, .. } => self.item_refused(id),
            Read::Meter { id } => self.meter_refused(id),
        }
    }

    /// The same without those that speak against addresses or identifiers themselves: for a
    /// device that has them after all.
    pub(in crate::driver) fn without_illegal(&self) -> Self {
        let kept = |lesson: &&Lesson| matches!(lesson, Lesson::Hole(..) | Lesson::Most(..));
        Self(self.0.iter().filter(kept).copied().collect())
    }

    #[cfg(test)]
    pub(in crate::driver) fn of(lessons: &[Lesson]) -> Self {
        Self(lessons.iter().copied().collect())
    }
}

/// Lessons about all models; clones share it. What is added is durable with the store's next commit.
#[derive(Clone, Default)]
pub struct LessonBook(Arc<Mutex<Pages>>);

#[derive(Default)]
struct Pages {
    models: BTreeMap<String, Lessons>,
    tree: Option<Tree>,
}

impl std::fmt::Debug for LessonBook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LessonBook")
    }
}

impl LessonBook {
    /// Reads what is stored in `tree`; entries of another version are left alone.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn load(tree: Tree) -> Result<Self, StoreError> {
        let mut models: BTreeMap<String, Lessons> = BTreeMap::new();
        tree.scan(&[0], &[0xFF], |key, _| {
            let text = std::str::from_utf8(key).unwrap_or_default();
            if let Some((model, lesson)) = text.split_once('\0')
                && let Some(lesson) = Lesson::parse(lesson)
            {
                models.entry(model.to_owned()).or_default().0.insert(lesson);
            }
            ControlFlow::Continue(())
        })?;
        Ok(Self(Arc::new(Mutex::new(Pages { models, tree: Some(tree) }))))
    }

    /// What is known about a model.
    pub(in crate::driver) fn of(&self, profile: &str) -> Lessons {
        self.pages().models.get(profile).cloned().unwrap_or_default()
    }

    /// Adds what a device of the model taught; returns those that are new.
    pub(in crate::driver) fn add(&self, profile: &str, lessons: &[Lesson]) -> Vec<Lesson> {
        let mut pages = self.pages();
        let known = pages.models.entry(profile.to_owned()).or_default();
        let room = LESSONS_MAX.saturating_sub(known.0.len());
        let new: Vec<Lesson> =
            lessons.iter().copied().filter(|lesson| !known.0.contains(lesson)).take(room).collect();
        known.0.extend(&new);
        if let Some(tree) = &pages.tree
            && !new.is_empty()
        {
            let mut changes = Changes::default();
            for lesson in &new {
                changes.insert(format!("{profile}\0{}", lesson.key()).as_bytes(), &[]);
            }
            if let Err(error) = tree.apply(changes) {
                tracing::warn!(%error, profile, "what a model refuses is not remembered across restarts");
            }
        }
        new
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        match self.0.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_read_again() {
        let lessons = [
            Lesson::Hole(Table::Input, 3, 9),
            Lesson::Illegal(Table::Holding, 40_000, 40_001),
            Lesson::Most(Table::Coil, 16),
            Lesson::Item(dlt645::DataId(0x0201_FF00)),
            Lesson::Meter(cjt188::DataId(0xD120)),
        ];
        for lesson in lessons {
            assert_eq!(Lesson::parse(&lesson.key()), Some(lesson));
        }
        for foreign in ["", "hole", "hole input 3", "hole nowhere 1 2", "weather 3"] {
            assert_eq!(Lesson::parse(foreign), None, "{foreign}");
        }
    }

    #[test]
    fn a_lesson_is_new_once() {
        let book = LessonBook::default();
        let hole = Lesson::Hole(Table::Input, 3, 9);
        assert_eq!(book.add("m", &[hole]), [hole]);
        assert_eq!(book.add("m", &[hole]), []);
        assert!(!book.of("m").may_span(Table::Input, 9, 12));
        assert!(book.of("m").may_span(Table::Input, 10, 12));
        assert!(book.of("other").may_span(Table::Input, 3, 9));
    }
}
