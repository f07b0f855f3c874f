//! The handle: what is kept across restarts, and what others see.

use super::super::{Trust, config::AskPlatform};
use super::*;
use crate::store::{Limits, Store};

const RIGHT: i64 = WRITTEN_MS + 2_592_000_000;

/// Nobody gives the time by itself.
fn alone() -> Config {
    Config { synchronised: Vec::new(), ..Config::default() }
}

fn platform(offset_ms: i64) -> Sample {
    Sample { source: Source::Platform, offset_ms, uncertainty_ms: 50 }
}

fn store(folder: &tempfile::TempDir) -> Store {
    Store::open(&folder.path().join("store"), Limits::default()).unwrap()
}

#[tokio::test(start_paused = true)]
async fn moments_follow_paused_time() {
    let clock = Clock::new(Config { trust: Trust::System, ..Config::default() });
    let before = clock.now();
    tokio::time::advance(Duration::from_secs(5)).await;
    assert_eq!(clock.now().since(before), Duration::from_secs(5));
}

#[tokio::test]
async fn the_wall_clock_is_not_trusted_before_a_time_service_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let marker = folder.path().join("synchronized");
    let clock = Clock::new(Config { synchronised: vec![marker.clone()], ..Config::default() });
    assert_eq!(clock.wall(clock.now()), None);
    assert_eq!(clock.time_base(clock.now()).trust, TimeTrust::SinceBoot);
    std::fs::write(marker, "").unwrap();
    clock.judge();
    assert!(clock.wall(clock.now()).is_some());
    assert_eq!(clock.status().source, Some(Source::Ntp));
    let told = clock.effects();
    assert!(told.iter().any(|e| matches!(e, Effect::State { .. })), "{told:?}");
}

#[tokio::test]
async fn a_clock_that_is_right_from_the_start_is_no_news() {
    let clock = Clock::new(Config { trust: Trust::System, ..alone() });
    assert!(clock.effects().iter().all(|effect| matches!(effect, Effect::Compared { .. })));
    assert_eq!(clock.status().state, TrustState::Synchronised);
}

#[tokio::test(start_paused = true)]
async fn documents_say_how_good_their_time_is() {
    let clock = Clock::of_boot(alone(), "boot-1", 10_000);
    clock.hear(&platform(RIGHT));
    let at = clock.now();
    let fresh = clock.time_base(at);
    assert_eq!((fresh.trust, fresh.uncertainty_ms), (TimeTrust::Trusted, Some(50)));
    assert_eq!(fresh.base, RIGHT + 10_000);
    tokio::time::advance(Duration::from_secs(7200)).await;
    clock.judge();
    let later = clock.time_base(clock.now());
    assert_eq!((later.trust, later.uncertainty_ms), (TimeTrust::Holdover, Some(50 + 360)));
    assert_eq!(clock.status().state, TrustState::Holdover);
}

#[tokio::test(start_paused = true)]
async fn a_daemon_started_again_in_the_same_boot_knows_the_time_from_before() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let first = Clock::of_boot(alone(), "boot-1", 10_000);
    first.remember(&store.tree("clock")).unwrap();
    first.hear(&platform(RIGHT));
    first.keep(&store.tree("clock")).unwrap();
    let second = Clock::of_boot(alone(), "boot-1", 70_000);
    second.remember(&store.tree("clock")).unwrap();
    second.judge();
    assert_eq!(second.status().state, TrustState::Holdover);
    let moment = Moment { boot_ms: 5_000 };
    assert_eq!(second.afterwards("boot-1", moment).unwrap().base, RIGHT + 5_000);
}

#[tokio::test(start_paused = true)]
async fn a_moment_of_an_earlier_boot_is_stamped_if_that_boot_knew_the_time_else_only_bounded() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let boot = |id: &str, offset_ms: Option<i64>| {
        let clock = Clock::of_boot(alone(), id, 10_000);
        clock.remember(&store.tree("clock")).unwrap();
        offset_ms.iter().for_each(|offset| clock.hear(&platform(*offset)));
        clock.keep(&store.tree("clock")).unwrap();
        clock
    };
    boot("knew", Some(RIGHT));
    boot("never-1", None);
    let never = boot("never-2", None);
    let moment = Moment { boot_ms: 4_000 };
    let known = never.afterwards("knew", moment).unwrap();
    assert_eq!((known.base, known.afterwards), (RIGHT + 4_000, true));
    let open = never.afterwards("never-1", moment).unwrap();
    assert_eq!((open.not_before, open.not_after), (Some(RIGHT + 10_000 + 4_000), None));
    assert_eq!((open.trust, open.base), (TimeTrust::SinceBoot, 4_000), "nothing is invented");
    let last = boot("knows", Some(RIGHT + 3_600_000));
    for id in ["never-1", "never-2"] {
        let bounded = last.afterwards(id, moment).unwrap();
        assert_eq!(bounded.trust, TimeTrust::SinceBoot);
        assert_eq!(bounded.boot.as_deref(), Some(id));
        assert_eq!(bounded.not_before, Some(RIGHT + 14_000));
        assert_eq!(bounded.not_after, Some(RIGHT + 3_600_000), "before the next boot began");
    }
    assert_eq!(last.afterwards("never heard of", moment), None);
}

#[tokio::test(start_paused = true)]
async fn the_last_trusted_time_is_the_floor_of_the_next_boot_once_it_settled() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let far = RIGHT + 365 * 86_400_000;
    let boot = |id: &str| {
        let clock = Clock::of_boot(alone(), id, 10_000);
        clock.remember(&store.tree("clock")).unwrap();
        clock
    };
    let first = boot("a");
    first.hear(&platform(far));
    // Right after a step it is no floor: the step may have been wrong.
    first.keep(&store.tree("clock")).unwrap();
    let second = boot("b");
    second.hear(&platform(RIGHT));
    assert!(second.trusted());
    tokio::time::advance(Duration::from_secs(601)).await;
    second.hear(&platform(RIGHT));
    second.keep(&store.tree("clock")).unwrap();
    let third = boot("c");
    third.hear(&platform(RIGHT - 3_600_000));
    assert!(!third.trusted(), "an hour before what was known");
    assert_eq!(third.status().refused, [Source::Platform]);
}

#[tokio::test]
async fn what_was_kept_and_cannot_be_read_is_begun_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let mut rubbish = crate::store::Changes::default();
    rubbish.insert(b"trusted", b"{");
    rubbish.insert(&[b"boot/".as_slice(), &7u64.to_be_bytes()].concat(), b"{\"id\":7");
    store.tree("clock").apply(rubbish).unwrap();
    let clock = Clock::of_boot(alone(), "boot-1", 0);
    clock.remember(&store.tree("clock")).unwrap();
    assert_eq!(clock.afterwards("boot-0", Moment::default()), None);
}

#[tokio::test]
async fn a_box_that_boots_for_years_keeps_its_last_boots() {
    let folder = tempfile::tempdir().unwrap();
    let store = store(&folder);
    let tree = store.tree("clock");
    let id = |boot: u32| format!("{boot:08x}-9d7f-4a2e-b3c1-5f6a7b8c9d0e");
    for boot in 0..200 {
        let clock = Clock::of_boot(alone(), &*id(boot), 0);
        clock.remember(&tree).unwrap();
        clock.hear(&platform(RIGHT + i64::from(boot) * 60_000));
        clock.keep(&tree).unwrap();
    }
    let clock = Clock::of_boot(alone(), &*id(200), 0);
    clock.remember(&tree).unwrap();
    let stamped = |boot| clock.afterwards(&id(boot), Moment { boot_ms: 5 }).is_some();
    assert!(stamped(199) && stamped(137), "the last 64 boots are known");
    assert!(!stamped(136), "those before are forgotten");
    let mut entries = 0;
    tree.scan(b"", b"~", |_, _| {
        entries += 1;
        std::ops::ControlFlow::Continue(())
    })
    .unwrap();
    assert_eq!(entries, 64);
}

#[tokio::test]
async fn the_platform_is_asked_over_tls_alone_unless_it_is_configured() {
    let asks = |platform, tls| Clock::new(Config { platform, ..alone() }).asks_platform(tls);
    assert!(asks(AskPlatform::OverTls, true) && !asks(AskPlatform::OverTls, false));
    assert!(asks(AskPlatform::Always, false) && !asks(AskPlatform::Never, true));
}
