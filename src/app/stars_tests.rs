//! When the assessment is told to the platform.

use super::*;
use crate::model::{EstateKind, GatewayId, Moment, Snapshot};
use crate::starlevel::{Engine, LinkEvidence};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;
const MINUTE: Duration = Duration::from_secs(60);

struct Rig {
    present: Assessment,
    assessment: watch::Sender<Option<Arc<Assessment>>>,
    documents: watch::Receiver<Option<Arc<str>>>,
    stop: CancellationToken,
    task: tokio::task::JoinSet<()>,
}

impl Rig {
    fn start(at_ms: Option<i64>) -> Self {
        let gateway = GatewayId::new("g").unwrap();
        let estate = Estate::new(gateway, String::new(), EstateKind::New, Vec::new()).unwrap();
        let estate = Arc::new(estate);
        let now = Moment { boot_ms: 1 };
        let engine = Engine::new(RulePack::built_in(), Arc::clone(&estate), now);
        let snapshot = Snapshot::new(estate, now);
        let present = engine.assess(&snapshot, &LinkEvidence::default(), now, None);
        let assessment = watch::Sender::new(None);
        let (out, documents) = watch::channel(None);
        let stop = CancellationToken::new();
        let mut task = tokio::task::JoinSet::new();
        let reader = assessment.subscribe();
        task.spawn(publish_assessment(reader, out, RulePack::built_in(), stop.clone()));
        Self { present: Assessment { at_ms, ..present }, assessment, documents, stop, task }
    }

    /// A minute later a new assessment; whether it was told.
    async fn renew(&mut self, change: impl FnOnce(&mut Assessment)) -> bool {
        tokio::time::sleep(MINUTE).await;
        if let Some(at) = &mut self.present.at_ms {
            *at += 60_000;
        }
        change(&mut self.present);
        self.assessment.send_replace(Some(Arc::new(self.present.clone())));
        // In paused time this passes when the task has nothing left to do.
        tokio::time::sleep(Duration::from_millis(1)).await;
        let told = self.documents.has_changed().unwrap();
        if told {
            let text = self.documents.borrow_and_update().clone().unwrap();
            assert_eq!(&*text, self.present.to_json(), "the newest is told, whole");
        }
        told
    }

    async fn end(mut self) {
        self.stop.cancel();
        self.task.join_next().await.unwrap().unwrap();
    }
}

#[tokio::test(start_paused = true)]
async fn a_day_of_the_same_result_is_told_twice_the_first_time_and_at_midnight() {
    let mut rig = Rig::start(Some(MIDNIGHT + 12 * 3_600_000));
    let mut told = Vec::new();
    for minute in 0..24 * 60 {
        // The values move and so does the order of what is missing; the result does not.
        let moved = |present: &mut Assessment| {
            present.window_s += 60;
            present.missing.reverse();
            present.checks[3].measured = Some(crate::starlevel::Measure::Number(f64::from(minute)));
        };
        if rig.renew(moved).await {
            told.push(minute);
        }
    }
    // The minute that begins the second day: the first assessment is of 12:01.
    assert_eq!(told, [0, 12 * 60 - 1]);
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn each_change_of_the_result_is_told_at_once() {
    let mut rig = Rig::start(Some(MIDNIGHT));
    assert!(rig.renew(|_| ()).await, "the first after a start");
    type Change = fn(&mut Assessment);
    let changes: [(&str, Change); 7] = [
        ("star", |a| a.star = 1),
        ("next", |a| a.next = None),
        ("provisional", |a| a.provisional = !a.provisional),
        ("missing", |a| a.missing.truncate(1)),
        ("pack", |a| a.pack.sha256 = "other".into()),
        ("target", |a| a.target = 2),
        ("outcome", |a| a.checks[0].levels[4].outcome = Outcome::NotApplicable),
    ];
    for (what, change) in changes {
        assert!(!rig.renew(|_| ()).await, "nothing changed before {what}");
        assert!(rig.renew(change).await, "{what} changed");
    }
    rig.end().await;
}

#[tokio::test(start_paused = true)]
async fn without_a_trusted_clock_it_is_told_after_a_day_and_again_when_the_clock_is_trusted() {
    let mut rig = Rig::start(None);
    let mut told = Vec::new();
    for minute in 0..36 * 60 {
        if rig.renew(|_| ()).await {
            told.push(minute);
        }
    }
    assert_eq!(told, [0, 24 * 60]);
    assert!(rig.renew(|a| a.at_ms = Some(MIDNIGHT)).await);
    assert!(!rig.renew(|a| a.at_ms = None).await, "a clock that is lost is no news");
    rig.end().await;
}
