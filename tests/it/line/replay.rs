//! Frames that the gateway recorded, played to it again, give the same readings.

use std::fs;
use std::process::Command;

use linli::sim::line::Line;

use super::daemon::{Place, built_in, download, entry};
use crate::parts::{Process, native, wait_until};

const DEVICES: [(&str, &str, &str); 4] = [
    ("power", "dlt645-2007-three-phase", "000000123456"),
    ("old", "dlt645-1997-single-phase", "000000000099"),
    ("water", "cjt188-water", "00000000004711"),
    ("unit", "eastron-sdm120", "3"),
];

#[test]
fn a_recorded_line_played_again_gives_the_same_readings() {
    let entries: String =
        DEVICES.iter().map(|(id, profile, address)| entry(id, profile, address)).collect();
    let place = Place::new(&entries);
    let slaves = DEVICES.iter().map(|(_, profile, address)| built_in(profile, address));
    let line = slaves.fold(Line::builder(), |line, slave| line.slave(slave)).build();
    let served = place.serve(&line);
    let daemon = place.run();
    for (id, ..) in DEVICES {
        wait_until(&format!("{id} is online"), || place.online(id));
    }
    // Every block was read twice.
    let swept = line.log().entries().len();
    wait_until("all was read", || line.log().entries().len() > 3 * swept);
    let real: Vec<_> = DEVICES.iter().map(|(id, ..)| place.values(id, 1)).collect();
    assert!(real[0].len() > 5 && real[3].len() > 5, "{real:?}");
    for name in ["frames.txt", "frames.pcapng"] {
        let bytes = download(place.page, &format!("/buses/line/{name}"));
        fs::write(place.folder.join(name), bytes).unwrap();
    }
    assert_eq!(daemon.terminate(), 0);
    drop(served);

    for name in ["frames.txt", "frames.pcapng"] {
        fs::remove_dir_all(place.folder.join("buffer")).unwrap();
        // The other end of the line, as the peers are: no work of a box.
        let mut command = Command::new(native());
        command.arg("simulate").arg("--replay").arg(place.folder.join(name));
        let replay = Process::start(command.arg("--pty").arg(place.line()));
        wait_until("the recording is played", || place.line().exists());
        let daemon = place.run();
        for ((id, ..), real) in DEVICES.iter().zip(&real) {
            assert_eq!(&place.values(id, real.len()), real, "{id} from {name}");
        }
        assert_eq!(daemon.terminate(), 0);
        assert_eq!(replay.terminate(), 0);
    }
}
