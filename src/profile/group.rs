//! `[[groups]]`: like things that a model has several of, described once.

use std::ops::Range;

use serde::Deserialize;
use toml::Spanned;

use super::binding::{Binding, Member, Profile};
use super::fault::Faults;
use crate::model::{Derived, Group, PointIndex};

/// Most members of a group.
const MAX_MEMBERS: u16 = 1000;

/// One entry of `[[groups]]`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [[groups]]")]
pub(super) struct GroupFile {
    pub name: Spanned<String>,
    /// Members when the device does not say.
    pub count: Spanned<u16>,
    /// Most that a device may say; `count` unless said.
    pub max: Option<Spanned<u16>>,
    /// Number of the first member, 1 unless said.
    pub from: Option<u32>,
    pub zh: Spanned<String>,
    pub en: Spanned<String>,
    /// Modbus: registers (or bits) from one member to the next.
    pub step: Option<u16>,
}

/// A group as it was read, with what only its points need.
#[derive(Debug)]
pub(super) struct GroupRead {
    pub group: Group,
    /// Members when the device does not say.
    pub usual: u16,
    pub step: Option<u16>,
    pub span: Range<usize>,
}

/// Checks the groups of a file.
pub(super) fn groups(files: Vec<Spanned<GroupFile>>, faults: &mut Faults<'_>) -> Vec<GroupRead> {
    let mut read: Vec<GroupRead> = Vec::new();
    for file in files {
        let (span, file) = (file.span(), file.into_inner());
        let name = file.name.get_ref();
        let plain = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name.chars().all(|c| c.is_ascii_alphanumeric())
            && name.len() <= 32;
        if !plain {
            faults.at(
                file.name.span(),
                format!("`{name}` is no name of a group: letters and digits, beginning with a lower-case letter, at most 32, like `cells`"),
            );
        } else if read.iter().any(|known| *known.group.name == **name) {
            faults.at(file.name.span(), format!("group `{name}` is given twice"));
        }
        let count = *file.count.get_ref();
        let max = file.max.as_ref().map_or(count, |max| *max.get_ref());
        if count == 0 || count > MAX_MEMBERS {
            faults.at(
                file.count.span(),
                format!("`count` = {count}, allowed are 1 to {MAX_MEMBERS}"),
            );
        }
        if let Some(given) = &file.max
            && (max < count || max > MAX_MEMBERS)
        {
            faults.at(
                given.span(),
                format!("`max` = {max}, allowed are {count} (`count`) to {MAX_MEMBERS}"),
            );
        }
        for title in
            [&file.zh, &file.en].into_iter().filter(|title| !title.get_ref().contains("{n}"))
        {
            faults.at(
                title.span(),
                format!(
                    "`{}` does not tell the members apart: write `{{n}}` where the number stands",
                    title.get_ref()
                ),
            );
        }
        let group = Group {
            name: name.as_str().into(),
            zh: file.zh.into_inner(),
            en: file.en.into_inner(),
            from: file.from.unwrap_or(1),
            count: max.clamp(1, MAX_MEMBERS),
            max: max.clamp(1, MAX_MEMBERS),
        };
        read.push(GroupRead { group, usual: count, step: file.step, span });
    }
    read
}

/// A group without points is a mistake.
pub(super) fn check_used(read: &[GroupRead], members: &[Option<Member>], faults: &mut Faults<'_>) {
    for (slot, group) in read.iter().enumerate() {
        if !members.iter().flatten().any(|member| member.group == slot) {
            faults.at(
                group.span.clone(),
                format!(
                    "group `{0}` counts nothing: write `group = \"{0}\"` into the points that each member has, or leave the group out",
                    group.group.name
                ),
            );
        }
    }
}

/// Why a device cannot have so many members in a group.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GroupError {
    /// The model has no group of this name.
    #[error("`{profile}` has no group `{name}`")]
    Unknown {
        /// The model.
        profile: String,
        /// What was asked for.
        name: String,
    },
    /// More than the model may have, or none.
    #[error("{size} members of `{name}`, allowed are 1 to {most}")]
    Size {
        /// The group.
        name: String,
        /// What was asked for.
        size: u16,
        /// Most members.
        most: u16,
    },
}

impl Profile {
    /// How many members each group has, in the order of `groups`.
    pub fn sizes(&self) -> Vec<u16> {
        self.groups.iter().map(|group| group.count).collect()
    }

    /// Sets the members of one group in `sizes`.
    ///
    /// # Errors
    /// [`GroupError`] names the group and what is allowed.
    pub fn resize(&self, sizes: &mut [u16], name: &str, size: u16) -> Result<(), GroupError> {
        let Some(slot) = self.groups.iter().position(|group| *group.name == *name) else {
            let (profile, name) = (self.id.clone(), name.to_owned());
            return Err(GroupError::Unknown { profile, name });
        };
        let most = self.groups[slot].max;
        if !(1..=most).contains(&size) {
            return Err(GroupError::Size { name: name.to_owned(), size, most });
        }
        sizes[slot] = size;
        Ok(())
    }

    /// Which member of a group the point is of.
    pub fn member(&self, point: usize) -> Option<Member> {
        self.members.get(point).copied().flatten()
    }

    /// The same model with so many members in each group, in the order of `groups`; the points of
    /// members beyond are left out. A group never grows beyond the members it has.
    pub fn sized(&self, sizes: &[u16]) -> Profile {
        let size = |group: usize| sizes.get(group).copied().unwrap_or(u16::MAX);
        let stays = |member: Option<Member>| member.is_none_or(|m| m.place < size(m.group));
        let mut places: Vec<Option<u16>> = Vec::with_capacity(self.points.len());
        let mut next = 0u16;
        for slot in 0..self.points.len() {
            places.push(stays(self.member(slot)).then_some(next));
            next += u16::from(stays(self.member(slot)));
        }
        let moved = |point: PointIndex| places.get(point.slot()).copied().flatten();
        let kept = |slot: usize| places.get(slot).is_some_and(Option::is_some);
        let derived = |derived: &Derived| {
            let of = derived.of.iter().filter_map(|&of| moved(of)).map(PointIndex).collect();
            let point = PointIndex(moved(derived.point)?);
            Some(Derived { point, of, ..derived.clone() })
        };
        let mut commands: Vec<_> =
            self.commands.iter().filter(|command| stays(command.member)).cloned().collect();
        for command in &mut commands {
            command.read_back = command.read_back.and_then(moved_point(&places));
        }
        Profile {
            binding: sized_binding(&self.binding, kept, stays),
            points: pick(&self.points, kept).into(),
            periods: pick(&self.periods, kept),
            urgent: pick(&self.urgent, kept),
            members: pick(&self.members, kept),
            groups: self
                .groups
                .iter()
                .enumerate()
                .map(|(slot, group)| Group { count: group.count.min(size(slot)), ..group.clone() })
                .collect(),
            derived: self.derived.iter().filter_map(derived).collect(),
            commands,
            ..self.clone()
        }
    }
}

fn moved_point(places: &[Option<u16>]) -> impl Fn(PointIndex) -> Option<PointIndex> {
    |point| places.get(point.slot()).copied().flatten().map(PointIndex)
}

fn pick<T: Clone>(list: &[T], kept: impl Fn(usize) -> bool) -> Vec<T> {
    list.iter().enumerate().filter(|(slot, _)| kept(*slot)).map(|(_, item)| item.clone()).collect()
}

fn sized_binding(
    binding: &Binding,
    kept: impl Fn(usize) -> bool,
    stays: impl Fn(Option<Member>) -> bool,
) -> Binding {
    match binding {
        Binding::Modbus { serial, unit, limits, sources } => Binding::Modbus {
            serial: *serial,
            unit: *unit,
            limits: limits.clone(),
            sources: pick(sources, kept),
        },
        Binding::Mqtt(model) => {
            let mut model = model.clone();
            let places: Vec<usize> = model
                .topics
                .iter()
                .scan(0, |next, topic| {
                    let place = *next;
                    *next += usize::from(stays(topic.member));
                    Some(place)
                })
                .collect();
            model.sources = pick(&model.sources, kept);
            for source in &mut model.sources {
                source.topic = places.get(source.topic).copied().unwrap_or(source.topic);
            }
            model.topics.retain(|topic| stays(topic.member));
            Binding::Mqtt(model)
        }
        // Meters have no groups.
        Binding::Dlt645(_) | Binding::Cjt188(_) => binding.clone(),
    }
}

#[cfg(test)]
mod tests;
