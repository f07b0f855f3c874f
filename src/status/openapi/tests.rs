//! The document against the routes in the sources, and against itself.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use super::*;

/// Every path that the sources hand to the router and that is no page for people.
fn routes(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            routes(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).unwrap();
            for rest in text.split(".route").filter_map(|rest| rest.strip_prefix('(')) {
                let first = rest.trim_start().strip_prefix('"').unwrap_or_default();
                let route = first.split('"').next().unwrap_or_default();
                let machine = ["/api/", "/metrics", "/healthz", "/readyz"];
                // Frames are files for programs too.
                let file = route.contains("/frames.");
                if file || machine.iter().any(|start| route.starts_with(start)) {
                    found.insert(route.to_owned());
                }
            }
        }
    }
}

#[test]
fn every_route_for_machines_is_described_and_nothing_else() {
    let mut found = BTreeSet::new();
    routes(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src/status"), &mut found);
    assert!(found.len() > 10, "the routes are looked for in the wrong way: {found:?}");
    let document = document();
    let described = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(found, described);
}

#[test]
fn every_reference_leads_somewhere() {
    fn look(value: &Value, root: &Value) {
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| {
                if let ("$ref", Some(to)) = (key.as_str(), value.as_str()) {
                    let to = to.strip_prefix('#').unwrap();
                    assert!(root.pointer(to).is_some(), "{to} leads nowhere");
                }
                look(value, root);
            }),
            Value::Array(values) => values.iter().for_each(|value| look(value, root)),
            _ => {}
        }
    }
    let document = document();
    look(&document, &document);
}
