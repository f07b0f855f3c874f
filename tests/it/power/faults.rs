//! Disks that fail while the daemon runs: it says so, goes on, loses nothing that it acknowledged,
//! and recovers by itself.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;

use crate::parts::{ask, let_run, wait_until};

use super::cuts::Victim;
use super::vm::{Clock, Vm};
use super::{Folder, unix_ms};

/// So long a fault lasts, in milliseconds: several attempts of the daemon.
const FAULT: i64 = 8000;

fn readings_are_stored(page: SocketAddr) -> bool {
    ask(page, "/api/v1/buffer").is_some_and(|status| status["fault"].is_null())
}

fn is_ready(page: SocketAddr) -> bool {
    ask(page, "/readyz").is_some_and(|answer| answer["ready"] == true)
}

/// What the page says of the buffer; a box that works hard may let one question go unanswered.
fn status(victim: &mut Victim, page: SocketAddr) -> Value {
    let mut answer = None;
    wait_until("the page answers", || {
        answer = victim.trial.glance(page);
        answer.is_some()
    });
    answer.unwrap()
}

/// A fault between `begin` and `end`, then a power cut: everything is there.
fn outlived(journal: bool, begin: impl Fn(&Victim, &Vm), end: impl Fn(&Victim, &Vm)) {
    let folder = Folder::new();
    let mut victim = Victim::new(folder.path(), journal);
    let started = unix_ms();
    let vm = victim.begin();
    let page = vm.page;
    victim.trial.until(page, unix_ms() + 3000);
    wait_until("all is well", || is_ready(page) && readings_are_stored(page));

    victim.without_control(&vm);
    begin(&victim, &vm);
    wait_until("the fault is said", || {
        assert!(!vm.console().contains("@@ended"), "the daemon ended:\n{}", vm.console());
        !readings_are_stored(page)
    });
    wait_until("the gateway is not ready", || !is_ready(page));
    let before = status(&mut victim, page);
    victim.trial.until(page, unix_ms() + FAULT);
    let during = status(&mut victim, page);
    assert_eq!(before["next_seq"], during["next_seq"], "stored on a failing disk: {during}");

    end(&victim, &vm);
    wait_until("it recovers", || {
        assert!(!vm.console().contains("@@ended"), "the daemon ended:\n{}", vm.console());
        is_ready(page) && readings_are_stored(page)
    });
    victim.trial.site.link(false);
    // What waited for the disk may have reached the platform before the link was cut.
    let next = status(&mut victim, page)["next_seq"].as_u64();
    wait_until("something new is durable", || {
        status(&mut victim, page)["next_seq"].as_u64() > next.map(|next| next + 2)
    });
    victim.cut(vm, started, "after a fault");
    if !journal {
        victim.disk.check();
    }
    let vm = victim.again(Clock::Trusted);
    victim.trial.await_page(vm.page);
    let messages = victim.trial.drain(vm.page);
    victim.trial.was_real(messages);
}

#[test]
fn a_full_disk_stops_nothing_for_good() {
    let fill = |victim: &Victim, vm: &Vm| {
        // The store goes on in the room that its files have. Nothing leaves it, and more comes in
        // than that room holds.
        victim.trial.site.link(false);
        let said = vm
            .order("dd if=/dev/zero of=/data/fill bs=65536; dd if=/dev/zero of=/data/rest bs=512");
        assert!(said.contains("No space left"), "{said}");
        // Below the rate at which the daemon turns messages of one client away.
        for _ in 0..16 {
            victim.trial.site.burst(1500);
            let_run(Duration::from_secs(1));
        }
    };
    let free = |victim: &Victim, vm: &Vm| {
        vm.order("rm /data/fill /data/rest");
        victim.trial.site.link(true);
    };
    outlived(true, fill, free);
}

#[test]
fn a_disk_that_becomes_read_only_stops_nothing_for_good() {
    let freeze = |_: &Victim, vm: &Vm| {
        // A mount with files open for writing is made read-only only by the kernel itself.
        vm.order("echo u >/proc/sysrq-trigger");
        wait_until("the disk is read-only", || vm.order("touch /data/x").contains("Read-only"));
    };
    let thaw = |_: &Victim, vm: &Vm| {
        assert_eq!(vm.order("mount -o remount,rw /data"), "");
    };
    outlived(true, freeze, thaw);
}

#[test]
fn a_disk_that_refuses_writes_stops_nothing_for_good() {
    // With a journal, ext4 itself gives up until the next boot.
    outlived(
        false,
        |victim, _| victim.disk.fail_writes(true),
        |victim, _| {
            victim.disk.fail_writes(false);
        },
    );
}
