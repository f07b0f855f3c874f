//! Commands with real parts: Mosquitto as the platform's broker and that of the field, a simulated
//! charger over Modbus TCP, a simulated screen. Done with read-back, replayed, expired, out of
//! range, to a dead device, twice with one id, unsigned, retained, across a kill and a restart.

mod rig;

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use linli::model::{CommandRequest, Value};
use serde_json::Value as Json;

use crate::parts::{ask, free_port, linli, wait_until};

use rig::*;

fn reason(result: &Json) -> String {
    result["reason"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn each_command_has_the_outcome_that_it_must_have() {
    let mut site = Site::start();
    let again = done(&site);
    signed_by_hand(&site);
    refused(&site);
    dead(&site);
    killed(&mut site, &again);
    told(&site);
    assert_eq!(site.daemon.take().unwrap().terminate(), 0);
}

/// Done, and once; the command that is to come again.
fn done(site: &Site) -> CommandRequest {
    // Done, and read back from the device.
    let done = site.ordered(&site.limit("first", 16.0), 2);
    assert_eq!((&done["outcome"], &done["read_back"]), (&"done".into(), &16.0.into()), "{done}");
    assert_eq!(site.outcomes("first"), ["accepted", "done"]);
    assert!((site.shown() - 16.0).abs() < 0.01);

    // Several registers by function 16, on a line without transaction ids.
    let serial = site.order("serial", "wallbox", "currentLimit", Value::Number(10.0));
    let done = site.ordered(&serial, 2);
    assert_eq!((&done["outcome"], &done["read_back"]), (&"done".into(), &10.0.into()), "{done}");

    // By MQTT to the screen.
    let on = site.screen.with(|device| {
        let slot = device.profile().points.iter().position(|p| &*p.name == "on").unwrap();
        device.values()[slot].number() == Some(1.0)
    });
    let switch = site.order("screen-1", "screen", "on", Value::Flag(!on));
    let done = site.ordered(&switch, 2);
    assert_eq!((&done["outcome"], &done["read_back"]), (&"done".into(), &(!on).into()), "{done}");

    // Twice with one id: the same outcome again, nothing done.
    let again = site.signed(&site.limit("twice", 10.0));
    site.publish(&again, false);
    wait_until("it is done", || site.outcomes("twice").len() == 2);
    let changed = site.ordered(&site.limit("between", 12.0), 2);
    assert_eq!(changed["outcome"], "done", "{changed}");
    site.publish(&again, false);
    wait_until("it is answered again", || site.outcomes("twice").len() == 3);
    assert_eq!(site.outcomes("twice"), ["accepted", "done", "done"]);
    assert!((site.shown() - 12.0).abs() < 0.01, "it was not done again");

    // The id of another command.
    let stolen = site.ordered(&site.limit("twice", 11.0), 4);
    assert_eq!(reason(&stolen), "id_reused");

    again
}

/// What `linli command sign` prints is done; with another gateway's name in it, it is not.
fn signed_by_hand(site: &Site) {
    let key = by_hand(site.folder.path());
    let config = site.config.display().to_string();
    let words = ["sign", "--json", "--key", &key, "--config", &config, "--device", "charger"];
    let sign =
        |more: &[&str]| command(&[&words[..], &["--command", "currentLimit"], more].concat());
    let signed = sign(&["--value", "9", "--id", "by-hand", "--expires", "30s"]);
    site.send(&signed);
    wait_until("it is done", || site.outcomes("by-hand") == ["accepted", "done"]);
    assert!((site.shown() - 9.0).abs() < 0.01);
    let mut stolen = sign(&["--value", "8", "--id", "stolen", "--gateway", "another"]);
    stolen["payload"]["gateway"] = "orders".into();
    stolen["topic"] = format!("{PREFIX}/command/stolen").into();
    site.send(&stolen);
    wait_until("it is refused", || site.outcomes("stolen") == ["refused"]);
    assert_eq!(reason(&site.results("stolen")[0]), "signature");
}

fn refused(site: &Site) {
    // Out of range, not allowed, expired, for too long.
    assert_eq!(reason(&site.ordered(&site.limit("high", 400.0), 1)), "value");
    let other = site.order("other", "screen", "program", Value::Text("x".into()));
    assert_ne!(site.ordered(&other, 1)["outcome"], "accepted");
    let old = now_ms() - 60_000;
    let late = CommandRequest { issued_ms: old, expires_ms: old, ..site.limit("late", 10.0) };
    assert_eq!(site.ordered(&late, 1)["outcome"], "expired");
    let far = now_ms() + 3 * 86_400_000;
    let long = CommandRequest { expires_ms: far, ..site.limit("long", 10.0) };
    assert_eq!(reason(&site.ordered(&long, 1)), "lifetime");

    // Unsigned, changed after it was signed, retained.
    site.publish(&site.limit("unsigned", 10.0), false);
    wait_until("it is refused", || site.outcomes("unsigned") == ["refused"]);
    assert_eq!(reason(&site.results("unsigned")[0]), "signature");
    let forged = CommandRequest {
        value: Some(Value::Number(6.0)),
        ..site.signed(&site.limit("forged", 10.0))
    };
    site.publish(&forged, false);
    wait_until("it is refused", || site.outcomes("forged") == ["refused"]);
}

/// A dead device is not waited for.
fn dead(site: &Site) {
    site.unit.set_fault(linli::sim::Fault::Silent);
    wait_until("the charger is offline", || site.health("charger") == "offline");
    assert_eq!(reason(&site.ordered(&site.limit("dead", 10.0), 1)), "offline");
    site.unit.set_fault(linli::sim::Fault::None);
    wait_until("the charger is back", || site.health("charger") == "online");
    site.presence.send(false).unwrap();
    wait_until("the screen is gone", || site.health("screen") == "offline");
    let dark = site.order("dark", "screen", "on", Value::Flag(true));
    assert_eq!(reason(&site.ordered(&dark, 1)), "offline");
    site.presence.send(true).unwrap();
}

/// Across a kill: the same id, the same outcome; and what the broker kept is no order.
fn killed(site: &mut Site, again: &CommandRequest) {
    site.publish(&site.signed(&site.limit("kept", 9.0)), true);
    // The broker does not mark it for who is subscribed already: this one is an order.
    wait_until("it came to an end", || site.outcomes("kept").len() == 2);

    site.daemon.take().unwrap().kill();
    site.run();
    wait_until("the retained one is refused", || {
        site.results("kept").last().is_some_and(|last| last["reason"] == "retained")
    });
    let before = site.shown();
    site.publish(again, false);
    wait_until("it is answered", || site.outcomes("twice").len() == 5);
    assert_eq!(site.outcomes("twice").last().unwrap(), "done");
    assert!((site.shown() - before).abs() < 0.01, "it was not done again");
}

/// All of it is told to who looks.
fn told(site: &Site) {
    let all = ask(site.page, "/api/v1/commands?limit=500").unwrap();
    let ids: Vec<&str> =
        all["commands"].as_array().unwrap().iter().filter_map(|row| row["id"].as_str()).collect();
    for id in ["first", "screen-1", "twice", "high", "late", "long", "dead", "dark"] {
        assert!(ids.contains(&id), "{id} is missing in {ids:?}");
    }
    assert!(!ids.contains(&"unsigned"), "what anybody can send is not remembered");
    let trail = ask(site.page, "/api/v1/audit?limit=500").unwrap();
    let first = lines(&trail, "first");
    assert_eq!(first.len(), 2, "accepted and done: {trail}");
    assert!(first.iter().all(|line| line["who"] == "duty officer"));
    assert_eq!(lines(&trail, "dead")[0]["outcome"], "refused");
}

/// The lines of the trail about a command.
fn lines<'t>(trail: &'t Json, id: &str) -> Vec<&'t Json> {
    let begin = format!("{id}:");
    let of = |line: &&Json| {
        line["action"] == "command"
            && line["detail"].as_str().is_some_and(|detail| detail.starts_with(&begin))
    };
    trail["entries"].as_array().unwrap().iter().filter(of).collect()
}

/// Asks the page; status and body.
fn send(page: SocketAddr, head: &str, kind: &str, body: &str) -> (u16, String) {
    let mut stream = TcpStream::connect(page).unwrap();
    let length = body.len();
    write!(
        stream,
        "{head} HTTP/1.0\r\nHost: {page}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    (status, answer)
}

/// The value of a hidden field.
fn hidden(page: &str, name: &str) -> String {
    let begin = page.find(&format!("name=\"{name}\" value=\"")).unwrap();
    page.get(begin..).unwrap().split('"').nth(3).unwrap().to_owned()
}

#[test]
fn a_person_orders_on_the_page_in_two_steps_and_a_program_by_the_api() {
    let mut site = Site::start();
    let page = site.page;
    let form = "application/x-www-form-urlencoded";
    let (_, device) = send(page, "GET /devices/charger", form, "");
    assert!(device.contains("action=\"/devices/charger/command\""), "{device}");
    assert!(!device.contains("value=\"pause\""), "what is not allowed is not offered");
    let look = "GET /devices/charger/command?command=currentLimit&value=14";
    let (status, confirm) = send(page, look, form, "");
    assert!(status == 200 && confirm.contains("14 A"), "{confirm}");
    assert!(confirm.contains("限流过低会停充"), "the danger is told");
    let (id, issued) = (hidden(&confirm, "id"), hidden(&confirm, "issued"));
    let body = format!("id={id}&issued={issued}&command=currentLimit&value=14&by=wang");
    for _ in 0..2 {
        let (status, _) = send(page, "POST /devices/charger/command", form, &body);
        assert_eq!(status, 303, "sent twice, answered twice");
    }
    assert!((site.shown() - 14.0).abs() < 0.01);
    let all = ask(page, "/api/v1/commands").unwrap();
    let rows = all["commands"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "and done once: {all}");
    let row = &rows[0];
    assert_eq!(
        (&row["by"], &row["source"], &row["outcome"]),
        (&"wang".into(), &"page".into(), &"done".into())
    );
    let (_, list) = send(page, "GET /commands?lang=en", form, "");
    assert!(list.contains("wang") && list.contains("read back"), "{list}");
    // A value that is none, a command that is not allowed.
    for wrong in ["currentLimit&value=much", "pause", "nothing"] {
        let look = format!("GET /devices/charger/command?command={wrong}");
        assert!(send(page, &look, form, "").0 >= 400, "{wrong}");
    }

    let json = "application/json";
    let order = "POST /api/v1/devices/charger/commands";
    let (status, told) = send(page, order, json, r#"{"command":"currentLimit","value":11}"#);
    assert!(status == 200 && told.contains(r#""outcome":"done""#), "{told}");
    let (status, told) = send(page, order, json, r#"{"command":"currentLimit","value":99}"#);
    assert!(status == 409 && told.contains(r#""reason":"value""#), "{told}");
    assert_eq!(send(page, order, json, r#"{"comand":"currentLimit"}"#).0, 400);
    let order = "POST /api/v1/devices/nobody/commands";
    let (status, told) = send(page, order, json, r#"{"command":"currentLimit","value":11}"#);
    assert!(status == 409 && told.contains("unknown_device"), "{told}");
    let (_, metrics) = send(page, "GET /metrics", form, "");
    assert!(metrics.contains("linli_commands_total{outcome=\"done\"} 2"), "{metrics}");
    assert_eq!(site.daemon.take().unwrap().terminate(), 0);
}

#[test]
fn a_limit_returns_to_its_safe_value_when_the_platform_is_gone_also_after_a_kill() {
    let mut site = Site::start();
    let done = site.ordered(&site.limit("limit", 20.0), 2);
    assert_eq!(done["outcome"], "done", "{done}");
    site.daemon.take().unwrap().kill();
    // The platform is gone for the gateway: another port.
    let text = fs::read_to_string(&site.config).unwrap();
    let dead = free_port();
    let begin = text.find("[uplink]").unwrap();
    let (head, tail) = text.split_at(begin);
    let line = tail.lines().find(|line| line.starts_with("port = ")).unwrap();
    let tail = tail.replacen(line, &format!("port = {dead}"), 1);
    fs::write(&site.config, format!("{head}{tail}")).unwrap();
    site.daemon = Some(linli(&site.config, &site.folder.path().join("log")));
    wait_until("the charger has its safe value", || (site.shown() - 6.0).abs() < 0.01);
    wait_until("it is told", || {
        let all = ask(site.page, "/api/v1/commands?device=charger");
        all.is_some_and(|all| {
            let newest = &all["commands"][0];
            newest["takes_back"] == "limit" && newest["outcome"] == "done"
        })
    });
    assert_eq!(site.daemon.take().unwrap().terminate(), 0);
}
