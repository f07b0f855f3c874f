//! The shape of the source: which module may name which, which crate stands where, file sizes.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Which modules a module may name, beside itself. Leaves name nothing of ours.
const EDGES: &[(&str, &[&str])] = &[
    ("access", &["format", "model", "whole_file"]),
    ("account", &[]),
    ("audit", &["model", "clock", "store"]),
    ("alarm", &["model", "clock", "settings", "store"]),
    ("backoff", &[]),
    ("broadcast", &["model", "settings", "clock", "store"]),
    ("broker", &["model"]),
    ("clock", &["model", "settings", "store"]),
    ("command", &["model", "clock", "settings", "store", "profile", "driver", "audit", "uplink"]),
    ("settings", &["model"]),
    ("diff", &[]),
    ("format", &[]),
    ("held", &[]),
    ("store", &["format", "held", "whole_file"]),
    ("whole_file", &[]),
    ("signed", &["model"]),
    ("supervise", &[]),
    ("model", &[]),
    ("protocol", &[]),
    ("profile", &["model", "protocol", "settings"]),
    (
        "driver",
        &["protocol", "store", "profile", "model", "clock", "backoff", "broker", "settings"],
    ),
    ("pipeline", &["model", "clock", "store"]),
    ("history", &["format", "model", "clock", "settings", "whole_file"]),
    ("selftest", &["model"]),
    ("starlevel", &["model", "settings", "store", "selftest", "whole_file"]),
    ("buffer", &["model", "clock", "store", "settings"]),
    ("uplink", &["broadcast", "buffer", "model", "clock", "backoff", "broker", "settings"]),
    ("bundle", &[]),
    ("upgrade", &["held", "model", "whole_file"]),
    ("doctor", &["account", "model", "clock", "driver", "buffer", "broker", "selftest", "status"]),
    (
        "status",
        &[
            "model",
            "clock",
            "settings",
            "buffer",
            "history",
            "uplink",
            "driver",
            "starlevel",
            "broadcast",
            "selftest",
            "alarm",
            "pipeline",
            "access",
            "audit",
            "store",
            "whole_file",
            "diff",
            "command",
            "profile",
            "proposal",
        ],
    ),
    (
        "config",
        &[
            "settings",
            "protocol",
            "model",
            "profile",
            "clock",
            "driver",
            "buffer",
            "history",
            "uplink",
            "status",
            "starlevel",
            "alarm",
            "broadcast",
            "broker",
            "command",
        ],
    ),
    ("setup", &["account", "config", "settings", "broker", "model", "signed", "whole_file"]),
    ("proposal", &["model", "whole_file"]),
    ("watchdog", &["buffer", "pipeline"]),
    ("receiver", &["model", "broker", "backoff"]),
    ("sim", &["protocol", "model", "profile", "driver", "receiver", "backoff", "broker"]),
];

/// Modules that join the others and may name all of them.
const JOINTS: &[&str] = &["app", "cli", "lib", "main", "bin"];

/// Which modules may name a crate.
const CRATES: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("rumqttc", &["broker", "driver", "uplink", "receiver", "sim", "bin"]),
    ("rumqttd", &["sim"]),
    ("tokio_modbus", &["driver", "sim"]),
    ("tokio_serial", &["driver"]),
    ("axum", &["status"]),
    ("hyper", &["status"]),
    ("tokio_rustls", &["status", "broker"]),
    ("maud", &["status", "starlevel"]),
    ("roxmltree", &["broadcast"]),
    ("minisign_verify", &["signed"]),
    ("tar", &["setup", "bundle"]),
    ("toml_edit", &["config", "setup"]),
    ("anyhow", &["main", "app", "cli", "bin"]),
];

/// Longest source file, lines.
const MOST_LINES: usize = 400;

fn sources() -> Vec<(String, PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut open = vec![root.clone()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let inside = path.strip_prefix(&root).unwrap();
                let first = inside.components().next().unwrap().as_os_str().to_str().unwrap();
                let module = first.trim_end_matches(".rs").to_owned();
                let text = fs::read_to_string(&path).unwrap();
                found.push((module, path, text));
            }
        }
    }
    found
}

/// Names that follow `crate::` in code.
fn named(text: &str) -> BTreeSet<String> {
    let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
    let mut names = BTreeSet::new();
    for line in code {
        for rest in line.split("crate::").skip(1) {
            let name = rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap();
            names.insert(name.to_owned());
        }
    }
    names
}

/// Files that are compiled for tests alone may name anything.
fn is_test(path: &Path) -> bool {
    let tests = |part: std::path::Component<'_>| {
        let part = part.as_os_str().to_str().unwrap_or_default();
        part.starts_with("tests") || part.ends_with("_tests.rs")
    };
    path.components().any(tests)
}

#[test]
fn no_module_names_another_that_the_design_does_not_allow() {
    let modules: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        if JOINTS.contains(&module.as_str()) || is_test(&path) {
            continue;
        }
        let Some((_, allowed)) = EDGES.iter().find(|(name, _)| *name == module) else {
            wrong.push(format!("{}: module `{module}` is not in the table", path.display()));
            continue;
        };
        // What stands in a `mod tests` at the end of a file may name anything.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for name in named(code) {
            if name != module && modules.contains(name.as_str()) && !allowed.contains(&&*name) {
                wrong.push(format!("{}: names `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "edges that the design does not allow:\n{}", wrong.join("\n"));
}

/// Whether code names a crate; `PerStar::` does not name `tar`.
fn names_crate(line: &str, name: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(&format!("{name}::"))
        .any(|(at, _)| !line.get(..at).is_some_and(|before| before.ends_with(part)))
}

#[test]
fn crates_stand_only_where_the_design_puts_them() {
    let mut wrong = Vec::new();
    for (module, path, text) in sources() {
        for (name, allowed) in CRATES {
            let used = text
                .lines()
                .filter(|line| !line.trim_start().starts_with("//"))
                .any(|line| names_crate(line, name));
            if used && !allowed.contains(&module.as_str()) && !is_test(&path) {
                wrong.push(format!("{}: names `{name}`", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "crates out of place:\n{}", wrong.join("\n"));
}

#[test]
fn every_file_is_documented_and_short() {
    let mut wrong = Vec::new();
    for (_, path, text) in sources() {
        let lines = text.lines().count();
        if lines > MOST_LINES {
            wrong.push(format!("{}: {lines} lines", path.display()));
        }
        if !text.starts_with("//!") {
            wrong.push(format!("{}: does not open with `//!`", path.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
