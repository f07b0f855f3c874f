//! How long things take, on the engine and on a real pseudo terminal.

use super::*;

#[test]
fn a_reply_takes_what_its_characters_take_at_the_rate_of_the_line() {
    for settings in [METER, FAST, line(1200, Parity::Even)] {
        let delay = 30 * MS;
        let slave = Slave::modbus(1, unit(), settings).delay(delay);
        let mut bench = Bench::new(vec![slave], Tuning::of(settings));
        let (reply, last) = bench.ask(&ASK_UNIT, Duration::from_secs(2));
        assert_eq!(reply.len(), 25);
        let least = settings.time_of(ASK_UNIT.len()) + delay.max(settings.frame_gap());
        assert_eq!(last - bench.begin, least + settings.time_of(25));
    }
}

#[test]
fn the_log_tells_how_well_the_line_was_used() {
    let mut bench =
        Bench::new(vec![Slave::modbus(1, unit(), FAST).delay(10 * MS)], Tuning::of(FAST));
    let cycle = FAST.time_of(8) + 10 * MS + FAST.time_of(25);
    for _ in 0..10 {
        let (reply, _) = bench.ask(&ASK_UNIT, cycle + 5 * MS);
        assert_eq!(reply.len(), 25);
    }
    let sum = bench.engine.log.summary().unwrap();
    assert_eq!((sum.requests, sum.answered, sum.collisions), (10, 10, 0));
    assert_eq!(sum.least(), cycle * 10);
    assert_eq!(sum.elapsed, cycle * 10 + 5 * MS * 9);
    assert_eq!(sum.idle, 5 * MS * 9);
    assert!((sum.utilisation() - 0.908).abs() < 0.01, "{sum:?}");
}

/// Longer than it may take on a busy machine; the pace itself is told by the log.
async fn measure(settings: LineSettings) -> (Duration, Duration) {
    let value = vec![0x12; 84];
    let address = "000000000001";
    let meter = Dlt645Meter::new(dlt645::Edition::V2007, address.parse().unwrap())
        .with(0x0001_0000, &value);
    let line =
        Line::builder().slave(Slave::dlt645(meter.preamble(0), settings).delay(20 * MS)).build();
    let (path, serving) = line.open_pty(None).unwrap();
    let request = ask_meter(address);
    let took = async {
        let mut master = open(&path, settings);
        let begin = Instant::now();
        master.write_all(&request).await.unwrap();
        let mut reply = [0; 100];
        master.read_exact(&mut reply).await.unwrap();
        begin.elapsed()
    };
    let least = settings.time_of(request.len()) + 20 * MS + settings.time_of(100);
    tokio::select! {
        ended = serving.run(CancellationToken::new()) => panic!("{ended:?}"),
        took = took => (took, least),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_bytes_come_at_the_pace_of_the_line() {
    for settings in [METER, FAST] {
        let (took, least) = measure(settings).await;
        let over = (took.as_secs_f64() / least.as_secs_f64() - 1.0) * 100.0;
        println!("100 bytes at {settings}: {took:?}, least {least:?}, {over:+.2} %");
        assert!(took >= least, "{took:?} is less than {least:?}");
        assert!(over < 15.0, "{over} %");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_link_leads_to_the_pseudo_terminal_and_goes_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("line");
    let line = Line::builder().slave(Slave::modbus(1, unit(), FAST)).build();
    let (path, serving) = line.open_pty(Some(&link)).unwrap();
    assert_eq!(path, link);
    let stop = CancellationToken::new();
    let talk = async {
        for _ in 0..2 {
            // Closed and opened again, as a daemon does that starts anew.
            let mut master = open(&link, FAST);
            master.write_all(&ASK_UNIT).await.unwrap();
            let mut reply = [0; 25];
            timeout(Duration::from_secs(5), master.read_exact(&mut reply)).await.unwrap().unwrap();
        }
        stop.cancel();
    };
    let (ended, ()) = tokio::join!(serving.run(stop.clone()), talk);
    ended.unwrap();
    assert!(!link.is_symlink());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_serial_server_and_a_pair_of_somebody_else_carry_the_same_line() {
    let line = Line::builder().slave(Slave::modbus(1, unit(), FAST)).settings(FAST).build();
    let (address, serving) = line.listen("127.0.0.1:0").unwrap();
    let talk = async {
        let mut master = tokio::net::TcpStream::connect(address).await.unwrap();
        master.write_all(&ASK_UNIT).await.unwrap();
        let mut reply = [0; 25];
        timeout(Duration::from_secs(5), master.read_exact(&mut reply)).await.unwrap().unwrap();
    };
    tokio::select! {
        ended = serving.run(CancellationToken::new()) => panic!("{ended:?}"),
        () = talk => {}
    }
    let (mut far, near) = SerialStream::pair().unwrap();
    let path = tokio_serial::SerialPort::name(&near).unwrap();
    let serving = line.open_device(std::path::Path::new(&path)).unwrap();
    let talk = async {
        far.write_all(&ASK_UNIT).await.unwrap();
        let mut reply = [0; 25];
        timeout(Duration::from_secs(5), far.read_exact(&mut reply)).await.unwrap().unwrap();
    };
    tokio::select! {
        ended = serving.run(CancellationToken::new()) => panic!("{ended:?}"),
        () = talk => {}
    }
    assert_eq!(line.log().summary().unwrap().answered, 2);
}
