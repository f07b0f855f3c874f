//! A scan of one bus beside its polls, for `linli scan` on this very machine: the owner of the bus
//! is asked, so there is never a second master.
//!
//! `POST /api/v1/buses/{id}/scan` with the options as JSON; the answer is a stream of events, one
//! JSON object a line. It ends when the client goes away.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::body::Body;
use axum::extract::rejection::JsonRejection;
use axum::extract::{ConnectInfo, Json, Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use serde::Serialize;

use super::listener::Peer;
use super::view::View;
use crate::clock::Clock;
use crate::driver::scan::{FoundDevice, Kind, Models, Prober, Scan, ScanEvent, ScanOptions, Walk};
use crate::model::{BusId, BusState};
use crate::starlevel::{AttestationDesk, Discovered};

/// What scans share: where the profiles are, and which buses are being scanned.
#[derive(Debug, Clone, Default)]
pub struct ScanDesk {
    profile_dirs: Arc<[PathBuf]>,
    busy: Arc<Mutex<BTreeSet<BusId>>>,
}

impl ScanDesk {
    /// Models are guessed among the built-in profiles and those of these folders. They are read
    /// when a scan begins: it is rare, and the memory is free in between.
    pub fn new(profile_dirs: &[PathBuf]) -> Self {
        Self { profile_dirs: profile_dirs.into(), busy: Arc::default() }
    }

    /// Takes the bus; `None` when it is being scanned.
    fn take(&self, bus: &BusId) -> Option<Place> {
        let taken = self.lock().insert(bus.clone());
        taken.then(|| Place { desk: self.clone(), bus: bus.clone() })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeSet<BusId>> {
        match self.busy.lock() {
            Ok(guard) => guard,
            Err(poisoned) => poisoned.into_inner(),
        }
    }
}

/// A bus is being scanned as long as this lives.
struct Place {
    desk: ScanDesk,
    bus: BusId,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.desk.lock().remove(&self.bus);
        tracing::info!(bus = %self.bus, "the scan of the bus ended");
    }
}

/// Where devices are noted that nobody registered: they speak against the attested inventory.
struct Finds {
    desk: Option<AttestationDesk>,
    bus: BusId,
    clock: Clock,
}

impl Finds {
    async fn note(&self, device: &FoundDevice) {
        let (Some(desk), None) = (self.desk.clone(), &device.known) else { return };
        let unit = device.unit.map(|unit| format!("#{unit}"));
        let Some(address) = unit.or_else(|| device.address.clone()) else { return };
        let found = Discovered {
            bus: self.bus.to_string(),
            address,
            protocol: device.protocol.clone(),
            category: device.category,
            first_seen_ms: self.clock.wall(self.clock.now()).map(|wall| wall.unix_ms),
        };
        let place = found.place();
        match tokio::task::spawn_blocking(move || desk.discover(&found)).await {
            Ok(Ok(true)) => tracing::info!(place, "found a device that is not registered"),
            Ok(Ok(false)) => {}
            Ok(Err(error)) => tracing::warn!(place, %error, "a found device is not noted"),
            Err(error) => tracing::warn!(place, %error, "a found device is not noted"),
        }
    }
}

#[derive(Serialize)]
struct Fault {
    error: String,
}

fn refuse(status: StatusCode, error: impl Into<String>) -> Response {
    (status, Json(Fault { error: error.into() })).into_response()
}

/// Begins a scan and streams what happens.
pub(super) async fn start(
    State(view): State<Arc<View>>,
    ConnectInfo(peer): ConnectInfo<Peer>,
    Path(id): Path<String>,
    options: Result<Json<ScanOptions>, JsonRejection>,
) -> Response {
    if !peer.address.ip().is_loopback() {
        let why = "a scan is started on the gateway itself, with `linli scan`";
        return refuse(StatusCode::FORBIDDEN, why);
    }
    let Json(options) = match options {
        Ok(options) => options,
        Err(bad) => return refuse(bad.status(), bad.body_text()),
    };
    let line = view.lines.iter().find(|line| line.id.as_str() == id);
    let state = view.buses.all().into_iter().find(|state| state.id.as_str() == id);
    let (Some(line), Some(state)) = (line, state) else {
        return refuse(StatusCode::NOT_FOUND, "there is no such bus");
    };
    let plan = match options.plan(kind(&state), known(&view, &state)) {
        Ok(plan) => plan,
        Err(bad) => return refuse(StatusCode::BAD_REQUEST, bad.to_string()),
    };
    let Some(place) = view.scan.take(&line.id) else {
        return refuse(StatusCode::CONFLICT, "this bus is being scanned already");
    };
    let dirs = Arc::clone(&view.scan.profile_dirs);
    let models = match tokio::task::spawn_blocking(move || Models::load(&dirs)).await {
        Ok(Ok(models)) => models,
        Ok(Err(why)) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, why),
        Err(_) => return refuse(StatusCode::INTERNAL_SERVER_ERROR, "the profiles cannot be read"),
    };
    tracing::info!(bus = %line.id, "the bus is being scanned beside its polls");
    peer.outlive();
    let walk = Walk::new(Scan::new(plan, models), Prober::Owner(line.order.clone()));
    let finds = Finds { desk: view.desk.clone(), bus: line.id.clone(), clock: view.clock.clone() };
    let events = unfold((walk, place, finds), |(mut walk, place, finds)| async move {
        let event = walk.next().await?;
        if let ScanEvent::Found(device) = &event {
            finds.note(device).await;
        }
        let mut line = serde_json::to_string(&event).expect("an event has text keys");
        line.push('\n');
        Some((Ok::<_, Infallible>(line), (walk, place, finds)))
    });
    let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
    (kind, Body::from_stream(events)).into_response()
}

/// By the words with which a bus shows its transport.
fn kind(state: &BusState) -> Kind {
    match state.line.split(' ').next() {
        Some("tcp") => Kind::Mbap,
        Some("rtu_over_tcp") => Kind::Fixed,
        _ => Kind::Serial,
    }
}

/// The devices of the bus: address as shown, identifier.
fn known(view: &View, state: &BusState) -> BTreeMap<String, String> {
    let id = |unit: &crate::model::UnitState| view.estate.device(unit.device).id.to_string();
    state.units.iter().map(|unit| (unit.address.clone(), id(unit))).collect()
}
