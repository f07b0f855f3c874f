//! Sixty days of a made-up estate (outages, dead devices, heat meters out of season, a restart in the
//! night, a clock that is corrected) against the numbers of an independent script in Python, exactly.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;

use linli::model::{
    Category, Epoch, Estate, EstateKind, GatewayId, Moment, PointIndex, Quality, Reading, Reason,
    Seq, Snapshot, Value, WallTime,
};
use linli::starlevel::{
    Assessment, BufferSeen, Engine, EvidenceChain, GatewaySeen, LinkEvidence, Measure, RulePack,
    Season,
};
use linli::store::{Limits, Store};
use serde::Deserialize;

use crate::parts::{device, peer, point};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;

#[derive(Deserialize)]
struct History {
    tick: u64,
    devices: Vec<Played>,
    runs: Vec<[u64; 2]>,
    no_link: Vec<[u64; 2]>,
    wrong: Vec<[u64; 3]>,
    evicted: Vec<[u64; 2]>,
    block_every: u64,
    season: String,
    expected: serde_json::Map<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct Played {
    id: String,
    category: Category,
    every: u64,
    at: u64,
    silent: Vec<[u64; 2]>,
    #[serde(default)]
    since: u64,
    bad: Option<u64>,
}

/// The buffer and the link at the other end.
#[derive(Default)]
struct Blocks {
    made: u64,
    delivered: u64,
    lost: u64,
}

fn inside(time: u64, spans: &[[u64; 2]]) -> bool {
    spans.iter().any(|[begin, end]| *begin < time && time <= *end)
}

fn file() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/star-history.json")
}

impl History {
    fn wall(&self, time: u64) -> WallTime {
        let wrong = self.wrong.iter().filter(|[begin, end, _]| *begin < time && time <= *end);
        let seconds = time + wrong.map(|[.., step]| step).sum::<u64>();
        WallTime { unix_ms: MIDNIGHT + i64::try_from(seconds * 1000).unwrap() }
    }

    fn blocks(&self, blocks: &mut Blocks, time: u64) -> GatewaySeen {
        let link_up = !inside(time, &self.no_link);
        blocks.made += u64::from(time.is_multiple_of(self.block_every));
        for [_, count] in self.evicted.iter().filter(|[at, _]| *at == time) {
            blocks.lost += count;
        }
        if link_up {
            blocks.delivered = blocks.made;
        }
        let waiting = blocks.made - blocks.delivered;
        GatewaySeen {
            link_up,
            acknowledged: blocks.delivered,
            buffer: Some(BufferSeen {
                epoch: Epoch(7),
                next: Seq(blocks.made + 1),
                oldest: (waiting > 0).then(|| Seq(blocks.delivered + 1)),
                blocks: waiting,
                lost: blocks.lost,
                readings: 0,
                capacity_hours: None,
            }),
        }
    }

    /// The gateway from its start until it stops, with what its store holds.
    fn run(&self, folder: &Path, [begin, end]: [u64; 2], blocks: &mut Blocks) -> Assessment {
        let store = Store::open(folder, Limits::default()).unwrap();
        let here: Vec<&Played> = self.devices.iter().filter(|d| d.since <= begin).collect();
        let devices = here
            .iter()
            .map(|p| device(&p.id, p.category, p.every, vec![point("x", "1")]))
            .collect();
        let gateway = GatewayId::new("g").unwrap();
        let kind = EstateKind::OldRetrofit;
        let estate = Arc::new(Estate::new(gateway, String::new(), kind, devices).unwrap());
        let moment = |time: u64| Moment { boot_ms: (time - begin + 100) * 1000 };
        let snapshot = Snapshot::new(Arc::clone(&estate), moment(begin));
        let mut engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), moment(begin));
        engine.set_season(Some(Season::parse(&self.season).unwrap()));
        engine.keep(EvidenceChain::new(&store)).unwrap();
        let mut time = begin;
        while time < end {
            time += self.tick;
            for ((index, _), played) in estate.indexed().zip(&here) {
                if time % played.every == played.at && !inside(time, &played.silent) {
                    let turn = time / played.every;
                    let bad = played.bad.is_some_and(|bad| turn % bad == bad - 1);
                    let mut reading = Reading::good(PointIndex(0), Value::Number(1.0));
                    if bad {
                        reading.quality = Quality::Bad(Reason::NoAnswer);
                    }
                    snapshot.with(index, |state| state.apply(moment(time), &reading));
                }
            }
            let seen = self.blocks(blocks, time);
            engine.observe(&snapshot, moment(time), Some(self.wall(time)), &seen);
            if time.is_multiple_of(6 * 3600) {
                let (now, wall) = (moment(time), Some(self.wall(time)));
                let result = engine.assess(&snapshot, &LinkEvidence::default(), now, wall);
                engine.note(&result, wall);
            }
            engine.save(moment(time), time == end).unwrap();
        }
        store.commit().unwrap();
        let now = moment(end);
        engine.assess(&snapshot, &LinkEvidence::default(), now, Some(self.wall(end)))
    }
}

#[test]
fn sixty_days_with_everything_that_goes_wrong_measure_what_an_independent_script_says() {
    let history: History = serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    let mut blocks = Blocks::default();
    let results = history.runs.iter().map(|run| history.run(&path, *run, &mut blocks));
    let result = results.last().unwrap();
    assert!(!result.provisional);
    let mut wrong = Vec::new();
    for (check, stars) in &history.expected {
        for level in &result.check(check).unwrap().levels {
            let wanted = stars[level.star.to_string()].as_f64().map(Measure::Number);
            if level.measured != wanted {
                let (star, measured) = (level.star, level.measured);
                wrong.push(format!("{check} star {star}: {measured:?}, the script {wanted:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let store = Store::open(&path, Limits::default()).unwrap();
    let report = EvidenceChain::new(&store).verify().unwrap();
    // The present day is open. On day 53 the gateway was down, but meters that are read daily were
    // still online.
    assert_eq!((report.days, report.fault), (60, None));
}

#[test]
fn the_committed_numbers_are_what_the_script_says_now() {
    let pack = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/star-levels.toml");
    let output = Command::new("python3").arg(peer("star_history.py")).arg(pack).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let now: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let committed: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(file()).unwrap()).unwrap();
    assert!(now == committed, "run tests/it/peers/star_history.py and commit what it writes");
}
