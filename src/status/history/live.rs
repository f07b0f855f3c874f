//! Streams of events: what changes on a device, and whose health changes in the estate. A stream
//! looks at the present state once a second; who loses it gets everything anew.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::extract::{ConnectInfo, Extension, Path, State};
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::stream::unfold;
use serde::Serialize;
use tokio::time::{Interval, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use super::calls::Calls;
use crate::model::{DeviceIndex, Health, Moment, PointState, Quality};
use crate::status::layout::Request;
use crate::status::listener::Peer;
use crate::status::server::{Asked, Shared, failed, find, missing};
use crate::status::show;
use crate::status::text::Lang;
use crate::status::view::View;

/// Streams at a time: a quarter of all connections.
const MOST: usize = 16;
/// Of these, to one address: a person with some windows.
const MOST_TO_ONE: usize = 6;
/// How often it is looked for changes.
const LOOK: Duration = Duration::from_secs(1);
/// A sign of life after so many looks without a change: proxies close what is silent.
const SILENT: u32 = 15;
/// Then a stream ends; the browser comes back, and is asked again who it is.
const LONGEST: Duration = Duration::from_secs(900);

/// After so many looks it is asked whether the session or token still holds.
const ASK_AGAIN: u32 = 5;

/// Told when the page is to stop.
#[derive(Debug, Clone)]
pub(in crate::status) struct Stop(pub CancellationToken);

/// Who has streams.
#[derive(Debug, Clone, Default)]
pub(super) struct Streams(Arc<Mutex<HashMap<IpAddr, usize>>>);

impl Streams {
    fn lock(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether nobody has one.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.lock().is_empty()
    }

    fn take(&self, address: IpAddr) -> Option<Place> {
        let mut book = self.lock();
        let own = book.get(&address).copied().unwrap_or(0);
        if book.values().sum::<usize>() >= MOST || own >= MOST_TO_ONE {
            return None;
        }
        book.insert(address, own + 1);
        Some(Place { streams: self.clone(), address })
    }
}

/// The place of a stream, free again when this is dropped.
struct Place {
    streams: Streams,
    address: IpAddr,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut book = self.streams.lock();
        if let Some(own) = book.get_mut(&self.address) {
            *own -= 1;
            if *own == 0 {
                book.remove(&self.address);
            }
        }
    }
}

/// A value that changed, also for people.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct LiveValue {
    point: String,
    value: Option<crate::model::Value>,
    /// With its unit, or what its code means, in the language asked for.
    text: String,
    quality: Option<&'static str>,
    quality_text: String,
    /// When it was last read, milliseconds since 1970; nothing while the clock is not trusted.
    at_ms: Option<i64>,
}

/// The health of a device that changed.
#[derive(Debug, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(in crate::status) struct LiveHealth {
    device: String,
    health: Health,
    for_s: u64,
}

/// What a stream looks at.
enum Watched {
    Device { index: DeviceIndex, lang: Lang, sent: Vec<PointState> },
    Estate { sent: Vec<Option<Health>>, calls: Calls },
}

impl Watched {
    /// An event of what changed since the last look.
    fn look(&mut self, view: &View) -> Option<String> {
        match self {
            Self::Device { index, lang, sent } => values(view, *index, *lang, sent),
            Self::Estate { sent, calls } => {
                let told: String =
                    [health(view, sent), calls.look(view)].into_iter().flatten().collect();
                (!told.is_empty()).then_some(told)
            }
        }
    }
}

pub(super) fn event(name: &str, rows: &impl Serialize) -> String {
    let data = serde_json::to_string(rows).expect("an event has text keys");
    format!("event: {name}\ndata: {data}\n\n")
}

fn values(
    view: &View,
    index: DeviceIndex,
    lang: Lang,
    sent: &mut Vec<PointState>,
) -> Option<String> {
    let state = view.snapshot.device(index);
    sent.resize(state.points.len(), PointState::default());
    let points = view.estate.device(index).points.iter();
    let mut rows = Vec::new();
    for ((point, now), sent) in points.zip(state.points).zip(sent) {
        // A reading that says the same is news too: its age begins anew.
        if *sent == now {
            continue;
        }
        rows.push(LiveValue {
            point: point.name.to_string(),
            text: now.value.as_ref().map_or("—".into(), |value| show::value(lang, point, value)),
            value: now.value.clone(),
            quality: now.quality.map(Quality::word),
            quality_text: show::quality(lang, now.quality),
            at_ms: now.at.and_then(|at| view.clock.wall(at)).map(|wall| wall.unix_ms),
        });
        *sent = now;
    }
    (!rows.is_empty()).then(|| event("values", &rows))
}

fn health(view: &View, sent: &mut Vec<Option<Health>>) -> Option<String> {
    let now = view.now();
    sent.resize(view.estate.devices().len(), None);
    let mut rows = Vec::new();
    for ((index, device), sent) in view.estate.indexed().zip(sent) {
        let (health, since) = view.snapshot.with(index, |state| (state.health, state.since));
        if sent.replace(health) != Some(health) {
            let for_s = now.since(since).as_secs();
            rows.push(LiveHealth { device: device.id.to_string(), health, for_s });
        }
    }
    (!rows.is_empty()).then(|| event("health", &rows))
}

struct Stream {
    view: Arc<View>,
    watched: Watched,
    ticks: Interval,
    begun: Moment,
    silent: u32,
    /// Ends after its first event.
    once: bool,
    told: bool,
    stop: CancellationToken,
    /// Who asked: cookie or token.
    headers: HeaderMap,
    looks: u32,
    _place: Place,
}

impl Stream {
    async fn next(&mut self) -> Option<String> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return None,
                _ = self.ticks.tick() => {}
            }
            if self.view.now().since(self.begun) > LONGEST || (self.once && self.told) {
                return None;
            }
            self.looks = self.looks.wrapping_add(1);
            if self.looks.is_multiple_of(ASK_AGAIN) && !self.view.access.knows(&self.headers) {
                return None;
            }
            self.told = true;
            if let Some(event) = self.watched.look(&self.view) {
                self.silent = 0;
                return Some(event);
            }
            self.silent += 1;
            if self.silent >= SILENT || self.once {
                self.silent = 0;
                return Some(": still here\n\n".into());
            }
        }
    }
}

fn begin(
    view: Arc<View>,
    peer: &Peer,
    stop: Option<Extension<Stop>>,
    (ask, headers): (&Request, HeaderMap),
    watched: Watched,
) -> Response {
    let Some(place) = view.history_desk.streams.take(peer.address.ip()) else {
        return failed("too many live streams are open: close other windows of this page");
    };
    peer.outlive();
    let mut ticks = tokio::time::interval(LOOK);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (begun, silent) = (view.now(), 0);
    let stop = stop.map(|Extension(Stop(stop))| stop).unwrap_or_default();
    // For scripts: what is so now, and nothing more.
    let (once, told) = (ask.query.contains_key("once"), false);
    let looks = 0;
    let stream = Stream {
        view,
        watched,
        ticks,
        begun,
        silent,
        once,
        told,
        stop,
        headers,
        looks,
        _place: place,
    };
    let events = unfold(stream, |mut stream| async move {
        let event = stream.next().await?;
        Some((Ok::<_, std::convert::Infallible>(event), stream))
    });
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        // It outlives what a connection may, so it is the last on its own.
        (header::CONNECTION, "close"),
    ];
    (headers, Body::from_stream(events)).into_response()
}

/// `GET /api/v1/devices/{id}/live`.
pub(in crate::status) async fn live(
    State(view): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    stop: Option<Extension<Stop>>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Asked(ask): Asked,
) -> Response {
    let Some(index) = find(&view, &id) else { return missing("there is no such device") };
    let watched = Watched::Device { index, lang: ask.lang, sent: Vec::new() };
    begin(view, &peer, stop, (&ask, headers), watched)
}

/// `GET /api/v1/events`.
pub(in crate::status) async fn events(
    State(view): Shared,
    ConnectInfo(peer): ConnectInfo<Peer>,
    stop: Option<Extension<Stop>>,
    headers: HeaderMap,
    Asked(ask): Asked,
) -> Response {
    begin(
        view,
        &peer,
        stop,
        (&ask, headers),
        Watched::Estate { sent: Vec::new(), calls: Calls::default() },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_bounded_for_one_and_for_all_and_free_again_when_left() {
        let streams = Streams::default();
        let one = |n: u8| IpAddr::from([192, 168, 1, n]);
        let mut first: Vec<Place> =
            (0..MOST_TO_ONE).map(|_| streams.take(one(1)).unwrap()).collect();
        assert!(streams.take(one(1)).is_none());
        first.pop();
        let again = streams.take(one(1));
        assert!(again.is_some() && streams.take(one(1)).is_none());
        let others: Vec<Place> = (2..=200).map_while(|n| streams.take(one(n))).collect();
        assert_eq!(others.len() + MOST_TO_ONE, MOST);
        drop((first, again, others));
        assert!(streams.is_idle());
    }
}
