//! What `[mqtt]` says about a model: its topics and how it says that it is there.

use std::ops::Range;

use super::binding::Member;
use super::fault::Faults;
use super::group::GroupRead;
use super::mqtt::{Availability, MqttModel, PathStep, PayloadFormat, TopicRule};
use super::schema::{MqttFile, TopicFile};

/// Most entries of `topics`.
const MAX_TOPICS: usize = 64;

/// Reads `[mqtt]`; a topic of a group becomes one for each member.
pub(super) fn mqtt_model(
    file: &MqttFile,
    groups: &[GroupRead],
    faults: &mut Faults<'_>,
) -> MqttModel {
    if file.topics.is_empty() || file.topics.len() > MAX_TOPICS {
        faults.whole(format!("{} topics, allowed are 1 to {MAX_TOPICS}", file.topics.len()));
    }
    let mut topics: Vec<TopicRule> = Vec::new();
    for (entry, spanned) in file.topics.iter().enumerate() {
        let (span, topic) = (spanned.span(), spanned.get_ref());
        let format = topic.format.map_or(PayloadFormat::Json, |format| format.format());
        let time = topic.time.as_deref().and_then(|path| pointer(path, &span, faults));
        for (pattern, member) in patterns(topic, &span, groups, faults) {
            check_pattern(&pattern, span.clone(), faults);
            if topics.iter().any(|known| known.pattern == pattern) {
                faults.at(span.clone(), format!("topic `{pattern}` is given twice"));
            }
            topics.push(TopicRule { pattern, format, entry, member, time: time.clone() });
        }
    }
    let availability = file.availability.as_ref().map(|spanned| {
        let (span, file) = (spanned.span(), spanned.get_ref());
        check_pattern(&file.pattern, span.clone(), faults);
        Availability {
            pattern: file.pattern.clone(),
            path: pointer(&file.path, &span, faults).unwrap_or_default(),
            online: file.online.clone(),
            offline: file.offline.clone(),
        }
    });
    let silent_after = file.silent_after.map(|span| span.0);
    MqttModel { topics, availability, sources: Vec::new(), silent_after }
}

/// The topic, or one for each member of its group.
fn patterns(
    topic: &TopicFile,
    span: &Range<usize>,
    groups: &[GroupRead],
    faults: &mut Faults<'_>,
) -> Vec<(String, Option<Member>)> {
    let numbered = topic.pattern.contains("{n}");
    let Some(name) = &topic.group else {
        if numbered {
            let message = format!("topic `{}`: with `{{n}}` it needs `group`", topic.pattern);
            faults.at(span.clone(), message);
            return Vec::new();
        }
        return vec![(topic.pattern.clone(), None)];
    };
    let known = || groups.iter().map(|read| &*read.group.name);
    let Some(group) = known().position(|known| known == name.get_ref()) else {
        let message = format!("there is no group `{}` in this file", name.get_ref());
        faults.word(name.span(), message, name.get_ref(), known());
        return Vec::new();
    };
    if !numbered {
        let message = format!("topic `{}` is one of a group: write `{{n}}` into it", topic.pattern);
        faults.at(span.clone(), message);
        return Vec::new();
    }
    let members = &groups[group].group;
    let pattern = |place| topic.pattern.replace("{n}", &members.number(place).to_string());
    (0..members.max).map(|place| (pattern(place), Some(Member { group, place }))).collect()
}

fn check_pattern(pattern: &str, span: Range<usize>, faults: &mut Faults<'_>) {
    let levels = || pattern.split('/');
    if levels().filter(|level| *level == "{base}").count() != 1
        || pattern.contains('#')
        || levels().any(|level| level != "+" && level.contains('+'))
        || levels().any(|level| level != "{base}" && level.contains(['{', '}']))
        || pattern.len() > 256
    {
        faults.at(
            span,
            format!(
                "topic `{pattern}`: one level of it must be `{{base}}`, which each device sets (e.g. `{{base}}/state`); `+` may be a level, `#` may not"
            ),
        );
    }
}

/// Reads a JSON pointer (RFC 6901).
pub(super) fn pointer(
    path: &str,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Option<Vec<PathStep>> {
    if path.is_empty() {
        return Some(Vec::new());
    }
    let Some(steps) = path.strip_prefix('/') else {
        let meant = path.trim_start_matches(['$', '.']).replace('.', "/");
        let message =
            format!("path `{path}` is no JSON pointer: it begins with `/`, write `/{meant}`");
        faults.at(span.clone(), message);
        return None;
    };
    let step = |step: &str| match step.parse() {
        Ok(index) if step == "0" || !step.starts_with(['0', '+']) => PathStep::Index(index),
        _ => PathStep::Key(step.replace("~1", "/").replace("~0", "~")),
    };
    Some(steps.split('/').map(step).collect())
}
