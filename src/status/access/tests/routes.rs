//! Every route, and who may.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::site;
use crate::access::Role;

/// Method, route as it stands in the source, an address of it, and who may: nobody in particular,
/// viewers, maintainers.
const ROUTES: &[(&str, &str, &str, Option<Role>)] = &[
    ("get", "/", "/", V),
    ("get", "/devices", "/devices", V),
    ("get", "/devices/{id}", "/devices/electricity_meter-0-0", V),
    ("post", "/devices/{id}/exchange", "/devices/electricity_meter-0-0/exchange", M),
    ("post", "/api/v1/devices/{id}/exchange", "/api/v1/devices/nothing/exchange", M),
    ("get", "/commands", "/commands", V),
    ("get", "/devices/{id}/command", "/devices/electricity_meter-0-0/command", V),
    ("post", "/devices/{id}/command", "/devices/electricity_meter-0-0/command", M),
    ("post", "/api/v1/devices/{id}/commands", "/api/v1/devices/nothing/commands", M),
    ("get", "/api/v1/commands", "/api/v1/commands", V),
    ("get", "/api/v1/commands/{id}", "/api/v1/commands/x", V),
    ("get", "/buses", "/buses", V),
    ("get", "/buses/{id}", "/buses/line-1", V),
    ("get", "/buses/{id}/frames.txt", "/buses/line-1/frames.txt", V),
    ("get", "/buses/{id}/frames.pcapng", "/buses/line-1/frames.txt", V),
    ("get", "/broadcast", "/broadcast", V),
    ("post", "/broadcast/preview", "/broadcast/preview", M),
    ("post", "/broadcast/send", "/broadcast/send", M),
    ("get", "/broadcast/{id}", "/broadcast/local-1", V),
    ("post", "/broadcast/{id}/cancel", "/broadcast/local-1/cancel", M),
    ("get", "/api/v1/broadcast", "/api/v1/broadcast", V),
    ("post", "/api/v1/broadcast", "/api/v1/broadcast", M),
    ("get", "/api/v1/broadcast/{id}", "/api/v1/broadcast/local-1", V),
    ("post", "/api/v1/broadcast/{id}/cancel", "/api/v1/broadcast/local-1/cancel", M),
    ("get", "/delivery", "/delivery", V),
    ("get", "/alarms", "/alarms", V),
    ("get", "/alarms/{id}", "/alarms/0", V),
    ("post", "/alarms/{id}/acknowledge", "/alarms/0/acknowledge", M),
    ("post", "/alarms/{id}/close", "/alarms/0/close", M),
    ("post", "/maintenance", "/maintenance", M),
    ("post", "/maintenance/{id}/end", "/maintenance/0/end", M),
    ("get", "/api/v1/alarms", "/api/v1/alarms", V),
    ("get", "/api/v1/alarms/{id}", "/api/v1/alarms/0", V),
    ("post", "/api/v1/alarms/{id}/acknowledge", "/api/v1/alarms/0/acknowledge", M),
    ("post", "/api/v1/alarms/{id}/close", "/api/v1/alarms/0/close", M),
    ("get", "/api/v1/maintenance", "/api/v1/maintenance", V),
    ("post", "/api/v1/maintenance", "/api/v1/maintenance", M),
    ("post", "/api/v1/maintenance/{id}/end", "/api/v1/maintenance/0/end", M),
    ("get", "/stars", "/stars", V),
    ("post", "/stars/attest", "/stars/attest", M),
    ("post", "/stars/withdraw", "/stars/withdraw", M),
    ("post", "/api/v1/stars/attest", "/api/v1/stars/attest", M),
    ("post", "/api/v1/stars/withdraw", "/api/v1/stars/withdraw", M),
    ("get", "/settings", "/settings", M),
    ("get", "/settings/configuration", "/settings/configuration", M),
    ("post", "/settings/configuration", "/settings/configuration", M),
    ("get", "/api/v1/configuration", "/api/v1/configuration", M),
    ("post", "/api/v1/configuration", "/api/v1/configuration", M),
    ("get", "/api/v1/support-bundle", "/api/v1/support-bundle", M),
    ("get", "/api/v1/gateway", "/api/v1/gateway", V),
    ("get", "/api/v1/devices", "/api/v1/devices", V),
    ("get", "/api/v1/devices/{id}", "/api/v1/devices/electricity_meter-0-0", V),
    ("get", "/api/v1/devices/{id}/history", "/api/v1/devices/nothing/history", V),
    ("get", "/api/v1/devices/{id}/history.csv", "/api/v1/devices/nothing/history.csv", V),
    // A stream that is let in has no end: of a device that there is not, it has one.
    ("get", "/api/v1/devices/{id}/live", "/api/v1/devices/nothing/live", V),
    ("get", "/api/v1/events", "/api/v1/events?once", V),
    ("get", "/api/v1/buses", "/api/v1/buses", V),
    ("post", "/api/v1/buses/{id}/scan", "/api/v1/buses/nothing/scan", M),
    ("get", "/api/v1/buffer", "/api/v1/buffer", V),
    ("get", "/api/v1/uplink", "/api/v1/uplink", V),
    ("get", "/api/v1/risk", "/api/v1/risk", V),
    ("get", "/api/v1/stars", "/api/v1/stars", V),
    ("get", "/api/v1/stars/verify", "/api/v1/stars/verify", V),
    ("get", "/api/v1/stars/report", "/api/v1/stars/report", V),
    ("get", "/metrics", "/metrics", V),
    ("get", "/healthz", "/healthz", None),
    ("get", "/readyz", "/readyz", None),
    ("get", "/login", "/login", None),
    ("post", "/login", "/login", None),
    ("post", "/logout", "/logout", V),
    ("get", "/audit", "/audit", M),
    ("get", "/api/v1/audit", "/api/v1/audit", M),
    ("get", "/api/v1/audit/verify", "/api/v1/audit/verify", M),
    ("get", "/api/v1/session", "/api/v1/session", V),
    ("get", "/api/v1/users", "/api/v1/users", M),
];

const V: Option<Role> = Some(Role::Viewer);
const M: Option<Role> = Some(Role::Maintainer);

/// Tests have routes of their own.
fn is_test(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().to_string_lossy().contains("tests"))
}

/// The routes in the source of the page: method and path.
fn routes_in(folder: &Path, found: &mut BTreeSet<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // The form of a first start is a server of its own, without users: its tests say who may.
        if path.ends_with("status/setup") {
            continue;
        }
        if path.is_dir() {
            routes_in(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !is_test(&path) {
            let text = fs::read_to_string(&path).unwrap();
            for part in text.split(".route(").skip(1).filter(|p| p.trim_start().starts_with('"')) {
                let mut quoted = part.splitn(3, '"').skip(1);
                let route = quoted.next().unwrap().to_owned();
                let rest = quoted.next().unwrap();
                let rest =
                    rest.split(".layer(").next().unwrap().split(".with_state").next().unwrap();
                for method in ["get", "post", "put", "delete", "patch", "any"] {
                    let named = format!("{method}(");
                    let mut before =
                        rest.match_indices(&named).filter_map(|(at, _)| rest.get(..at));
                    if before.any(|b| !b.ends_with(|c: char| c.is_alphanumeric() || c == '_')) {
                        found.insert((method.to_owned(), route.clone()));
                    }
                }
            }
        }
    }
}

#[test]
fn every_route_of_the_page_is_in_the_table() {
    let mut found = BTreeSet::new();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/status");
    routes_in(&folder, &mut found);
    let listed: BTreeSet<(String, String)> = ROUTES
        .iter()
        .map(|(method, route, _, _)| ((*method).to_owned(), (*route).to_owned()))
        .collect();
    let missing: Vec<_> = found.difference(&listed).collect();
    let gone: Vec<_> = listed.difference(&found).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not in the table: {missing:?}; gone: {gone:?}");
}

#[tokio::test]
async fn nobody_gets_further_than_his_role() {
    let site = site().await;
    for (method, _, address, need) in ROUTES {
        let line = format!("{} {address}", method.to_uppercase());
        let nobody = site.ask(&line, "", "").await;
        assert_eq!(!nobody.is_refused(), need.is_none(), "nobody: {line}: {}", nobody.head);
        for (name, role, token) in
            [("li", Role::Viewer, &site.tokens[0]), ("wang", Role::Maintainer, &site.tokens[1])]
        {
            let cookie = site.session(name);
            let proof = site.form_token(&cookie);
            let session = format!("Cookie: {cookie}\r\nX-Linli-CSRF: {proof}\r\n");
            for headers in [session, format!("Authorization: Bearer {token}\r\n")] {
                let answer = site.ask(&line, &headers, "").await;
                let may = *need <= Some(role);
                assert_eq!(!answer.is_refused(), may, "{name}: {line} {headers}: {}", answer.head);
            }
        }
    }
}

#[tokio::test]
async fn what_is_no_route_is_not_told_to_strangers() {
    let site = site().await;
    for line in
        ["GET /nothing", "GET /api/v1/nothing", "POST /nothing", "DELETE /devices", "PUT /login/"]
    {
        assert!(site.ask(line, "", "").await.is_refused(), "{line}");
    }
    // Other spellings of a guarded address are no way around.
    let cookie = format!("Cookie: {}\r\n", site.session("li"));
    for path in [
        "/%61udit",
        "//audit",
        "/audit/",
        "/api/v1//audit",
        "/./audit",
        "/AUDIT",
        "/login/../audit",
        "/assets/../audit",
    ] {
        let answer = site.get(path, &cookie).await;
        assert_ne!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("<table"), "{path}");
    }
    assert_eq!(site.get("/audit", &cookie).await.status, 403);
}

#[tokio::test]
async fn refusals_of_the_layer_have_the_headers_of_every_page() {
    let site = site().await;
    for path in ["/", "/api/v1/gateway", "/login"] {
        let head = site.get(path, "").await.head.to_lowercase();
        for part in ["default-src", "x-frame-options: deny", "no-store", "nosniff"] {
            assert!(head.contains(part), "{path} lacks {part}: {head}");
        }
    }
}
