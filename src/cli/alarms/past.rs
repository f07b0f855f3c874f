//! Where the readings of the past come from: the buffer's blocks, or a file of them.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context as _;

use crate::alarm::Sample;
use crate::buffer;
use crate::model::{
    DeviceColumns, DeviceId, Document, Estate, Event, Moment, PointIndex, Quality, Reading, Reason,
    TimeTrust,
};

/// A source of what was read and what happened, block by block.
pub(super) trait Past {
    /// Shows every block, each lane in order.
    ///
    /// # Errors
    /// The source cannot be read.
    fn each(&self, show: &mut dyn FnMut(&Document)) -> anyhow::Result<()>;
}

/// The buffer's blocks; no gateway must be running on it.
pub(super) struct Stored<'p>(pub(super) &'p Path);

impl Past for Stored<'_> {
    fn each(&self, show: &mut dyn FnMut(&Document)) -> anyhow::Result<()> {
        buffer::documents(self.0, |document| {
            show(&document);
            ControlFlow::Continue(())
        })
        .context(
            "reading the buffer; while the gateway runs, take `--from` a file / \
             读取缓存；网关运行时请用 --from 指定文件",
        )
    }
}

/// Lines of JSON, as `linli buffer export` writes them.
pub(super) struct Exported<'p>(pub(super) &'p Path);

impl Past for Exported<'_> {
    fn each(&self, show: &mut dyn FnMut(&Document)) -> anyhow::Result<()> {
        let name = self.0.display();
        let file = File::open(self.0).with_context(|| format!("opening {name}"))?;
        for (number, line) in (1..).zip(BufReader::new(file).lines()) {
            let line = line.with_context(|| format!("reading {name}"))?;
            let document = serde_json::from_str(&line)
                .with_context(|| format!("{name}, line {number} is no block"))?;
            show(&document);
        }
        Ok(())
    }
}

/// Something of the past, with its wall time.
pub(super) enum Seen {
    Reading(Sample),
    Event(i64, Box<Event>),
}

impl Seen {
    pub(super) fn at_ms(&self) -> i64 {
        match self {
            Seen::Reading(sample) => sample.at_ms,
            Seen::Event(at_ms, _) => *at_ms,
        }
    }
}

/// What a block tells of the devices of the estate, in order of time. Nothing of a block whose time
/// is not known.
pub(super) fn seen(document: &Document, estate: &Estate) -> Vec<Seen> {
    if document.time.trust == TimeTrust::SinceBoot {
        return Vec::new();
    }
    let base = document.time.base;
    let mut all = Vec::new();
    for device in &document.devices {
        readings(device, base, estate, &mut all);
    }
    for event in &document.events {
        let device = match &event.device {
            Some(id) => match DeviceId::new(id) {
                Ok(id) => Some(id),
                Err(_) => continue,
            },
            None => None,
        };
        let at = Moment::default();
        let what = event.what.clone();
        let happened = Box::new(Event { at, device, kind: what });
        all.push(Seen::Event(base.saturating_add(event.at), happened));
    }
    all.sort_by_key(Seen::at_ms);
    all
}

fn readings(columns: &DeviceColumns, base: i64, estate: &Estate, all: &mut Vec<Seen>) {
    let Some(device) = DeviceId::new(&columns.id).ok().and_then(|id| estate.find(&id)) else {
        return;
    };
    let notes: HashMap<(u32, u32), Quality> = columns
        .quality
        .iter()
        .filter_map(|note| {
            let reason = Reason::ALL.iter().find(|reason| reason.word() == note.3)?;
            let quality =
                if note.2 == "bad" { Quality::Bad(*reason) } else { Quality::Uncertain(*reason) };
            Some(((note.0, note.1), quality))
        })
        .collect();
    let points = &estate.device(device).points;
    for (column, (name, values)) in (0u32..).zip(columns.points.iter().zip(&columns.values)) {
        let slot = points.iter().position(|point| *point.name == **name);
        let Some(point) = slot.and_then(|slot| u16::try_from(slot).ok()).map(PointIndex) else {
            continue;
        };
        for (row, (at, value)) in (0u32..).zip(columns.at.iter().zip(values)) {
            if value.is_none() {
                continue;
            }
            let quality = notes.get(&(row, column)).copied().unwrap_or(Quality::Good);
            let reading = Reading { point, value: value.clone(), quality };
            all.push(Seen::Reading(Sample { device, at_ms: base.saturating_add(*at), reading }));
        }
    }
}
