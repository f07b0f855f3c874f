//! The members of a payload as a tree, and the tree as JSON Schema.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::{Map, Value as Json, json};

use crate::profile::mqtt::PathStep;

/// One step into a document, counted ones together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::profile) enum Step {
    Key(String),
    /// One place of an array, or a name that is a number.
    Index(usize),
    /// All of them from one to another.
    Many {
        from: usize,
        to: usize,
    },
}

impl Step {
    pub fn of(step: &PathStep) -> Self {
        match step {
            PathStep::Key(key) => Step::Key(key.clone()),
            PathStep::Index(index) => Step::Index(*index),
        }
    }

    /// The first place that it means.
    pub fn first(&self) -> PathStep {
        match self {
            Step::Key(key) => PathStep::Key(key.clone()),
            Step::Index(index) | Step::Many { from: index, .. } => PathStep::Index(*index),
        }
    }

    pub fn alike(&self, other: &Self) -> bool {
        matches!((self, other), (Step::Many { .. }, Step::Many { .. })) || self == other
    }

    /// Takes in the places of one that is alike.
    pub fn widen(&mut self, other: &Self) {
        if let (Step::Many { from, to }, Step::Many { from: first, to: last }) = (self, other) {
            (*from, *to) = ((*from).min(*first), (*to).max(*last));
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Key(key) => f.write_str(&key.replace('~', "~0").replace('/', "~1")),
            Step::Index(index) => index.fmt(f),
            Step::Many { .. } => f.write_str("{n}"),
        }
    }
}

/// What holds counted members.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Container {
    Array,
    Object,
}

/// A place of a document and what lies below it.
#[derive(Debug, Clone, Default)]
pub(super) struct Node {
    value: Option<Json>,
    keys: BTreeMap<String, Node>,
    places: BTreeMap<usize, Node>,
    many: Option<(usize, usize, Box<Node>)>,
}

impl Node {
    pub fn insert(&mut self, steps: &[Step], value: Json) {
        match steps {
            [] => self.value = Some(value),
            [Step::Key(key), rest @ ..] => {
                self.keys.entry(key.clone()).or_default().insert(rest, value);
            }
            [Step::Index(index), rest @ ..] => {
                self.places.entry(*index).or_default().insert(rest, value);
            }
            [Step::Many { from, to }, rest @ ..] => {
                let (first, last, below) =
                    self.many.get_or_insert_with(|| (*from, *to, Box::default()));
                (*first, *last) = ((*first).min(*from), (*last).max(*to));
                below.insert(rest, value);
            }
        }
    }

    /// `seen` tells what the examples hold at a place.
    pub fn schema(&self, strict: bool, seen: &impl Fn(&[Step]) -> Option<Container>) -> Json {
        self.below(strict, seen, &mut Vec::new())
    }

    fn below(
        &self,
        strict: bool,
        seen: &impl Fn(&[Step]) -> Option<Container>,
        steps: &mut Vec<Step>,
    ) -> Json {
        if self.keys.is_empty() && self.places.is_empty() && self.many.is_none() {
            return self.value.clone().unwrap_or_else(|| json!({}));
        }
        let counted = !self.places.is_empty() || self.many.is_some();
        let first = self.places.keys().next().copied();
        let from = self.many.as_ref().map(|(from, ..)| *from).or(first);
        let usual = if from == Some(0) { Container::Array } else { Container::Object };
        let container = if counted && self.keys.is_empty() {
            seen(steps).unwrap_or(usual)
        } else {
            Container::Object
        };
        let mut child = |step: Step, node: &Node| {
            steps.push(step);
            let schema = node.below(strict, seen, steps);
            steps.pop();
            schema
        };
        let keys: Vec<(String, Json)> = self
            .keys
            .iter()
            .map(|(key, node)| (key.clone(), child(Step::Key(key.clone()), node)))
            .collect();
        let places: Vec<(usize, Json)> = self
            .places
            .iter()
            .map(|(index, node)| (*index, child(Step::Index(*index), node)))
            .collect();
        let many = self
            .many
            .as_ref()
            .map(|(from, to, node)| (*from, *to, child(Step::Many { from: *from, to: *to }, node)));
        match container {
            Container::Array => array(&places, many),
            Container::Object => object(keys, places, many, strict),
        }
    }
}

fn object(
    keys: Vec<(String, Json)>,
    places: Vec<(usize, Json)>,
    many: Option<(usize, usize, Json)>,
    strict: bool,
) -> Json {
    let mut properties: Map<String, Json> = keys.into_iter().collect();
    properties.extend(places.into_iter().map(|(index, schema)| (index.to_string(), schema)));
    let mut schema = json!({ "type": "object", "minProperties": 1 });
    if let Some((from, to, below)) = many {
        let pattern = if from == 0 { "^(0|[1-9][0-9]*)$" } else { "^[1-9][0-9]*$" };
        schema["patternProperties"] = json!({ pattern: below });
        schema["description"] = format!("{from} … {to}").into();
        if properties.is_empty() {
            schema["maxProperties"] = (to - from + 1).into();
        }
    }
    if !properties.is_empty() {
        schema["properties"] = Json::Object(properties);
    }
    if strict {
        schema["additionalProperties"] = false.into();
    }
    schema
}

fn array(places: &[(usize, Json)], many: Option<(usize, usize, Json)>) -> Json {
    match many {
        Some((_, to, below)) => json!({ "type": "array", "items": below, "maxItems": to + 1 }),
        None => {
            let last = places.last().map_or(0, |(index, _)| *index);
            let at = |index| places.iter().find(|(place, _)| *place == index);
            let all: Vec<Json> =
                (0..=last).map(|i| at(i).map_or_else(|| json!({}), |(_, s)| s.clone())).collect();
            json!({ "type": "array", "prefixItems": all })
        }
    }
}
