//! The control port and socket under attack: whatever a client sends or leaves undone, it is answered or shown the door, others
//! are answered meanwhile, and the program leaves when it is asked to.

#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tallow_env::{Clock, SystemClock};
use tallow_tests::paths;
use tallow_tests::stream::Stream;
use tallow_tests::tallow::{self, Finished, Running};

const TOKEN: &str = "correct-horse-battery-staple";
const STATUS: &str = r#"{"do":"status"}"#;
/// More than a client can have in the system's buffers, less than what it wants to send.
const MUCH_BYTES: usize = 64 << 20;
const MOST_TAKEN_BYTES: usize = 16 << 20;

/// A pipeline that listens.
struct Stage {
    stream: Stream,
    address: String,
    socket: PathBuf,
}

impl Stage {
    fn open() -> (Self, Running) {
        let stream = Stream::in_memory();
        let token = stream.folder().join("token");
        fs::write(&token, format!("{TOKEN}\n")).unwrap();
        fs::set_permissions(&token, fs::Permissions::from_mode(0o600)).unwrap();
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
        let socket = stream.folder().join("control.sock");
        let mut command = Command::new(paths::program("tallow"));
        command.args(["up", "--brokers", &stream.brokers, "--control-http", &address]);
        command.arg("-f").arg(stream.manifest()).arg("--control").arg(&socket);
        command.arg("--control-token-file").arg(&token);
        let running = tallow::start_command(command);
        let stage = Self { stream, address, socket };
        let clock = SystemClock::new();
        let answers = || stage.send(&request(TOKEN, STATUS)).contains(r#""is":"status""#);
        while TcpStream::connect(&stage.address).is_err() || !answers() {
            assert!(running.age() < Duration::from_secs(60), "nothing listens");
            clock.sleep(Duration::from_millis(20));
        }
        (stage, running)
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(&self.address).unwrap()
    }

    /// All that comes back for what is sent.
    fn send(&self, request: &str) -> String {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = Vec::new();
        // A connection that is closed on unread bytes may break; what came before it counts.
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }

    fn assert_answers(&self) {
        let answer = self.send(&request(TOKEN, STATUS));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(r#""is":"status""#), "{answer}");
    }
}

fn request(token: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST /control/candles HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {token}\r\ncontent-length: {length}\r\n\r\n{body}"
    )
}

fn leave(stage: &Stage, running: Running) {
    let finished: Finished = running.signal_when(&["TERM"], || true);
    assert_eq!(finished.status.code(), Some(0), "{finished:?}");
    assert!(!stage.socket.exists(), "the socket is taken away");
    stage.stream.finish_and_compare();
}

/// Goes on sending drop by drop what never becomes a request, while `meanwhile` runs. Gives whether it was shown the door.
fn drip(mut stream: impl Write + Send, first: &str, drop: &[u8], meanwhile: impl FnOnce()) -> bool {
    let (clock, over) = (SystemClock::new(), AtomicBool::new(false));
    stream.write_all(first.as_bytes()).unwrap();
    std::thread::scope(|scope| {
        let dripping = scope.spawn(|| {
            while !over.load(Ordering::SeqCst) {
                if stream.write_all(drop).is_err() {
                    return true;
                }
                clock.sleep(Duration::from_millis(100));
            }
            stream.write_all(drop).is_err() || stream.write_all(drop).is_err()
        });
        meanwhile();
        over.store(true, Ordering::SeqCst);
        dripping.join().unwrap()
    })
}

#[test]
fn half_a_request_does_not_keep_the_program() {
    let body = format!("authorization: Bearer {TOKEN}\r\ncontent-length: 100000\r\n\r\n{{");
    for (first, drop) in [
        ("POST /control/cand".to_owned(), "a"),
        ("POST /control/candles HTTP/1.1\r\n".to_owned(), "x: y\r\n"),
        (format!("POST /control/candles HTTP/1.1\r\nhost: x\r\n{body}"), " "),
    ] {
        let (stage, running) = Stage::open();
        drip(stage.connect(), &first, drop.as_bytes(), || {
            stage.assert_answers();
            leave(&stage, running);
        });
    }
    let (stage, running) = Stage::open();
    let socket = UnixStream::connect(&stage.socket).unwrap();
    drip(socket, "POST /control HTTP/1.1\r\n", b"x: y\r\n", || leave(&stage, running));
}

/// How much of endless bytes is taken before the door is closed, and what is said.
fn pour(stage: &Stage, head: &str, filling: &[u8]) -> (usize, String) {
    let mut stream = stage.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let mut taken = 0;
    while taken < MUCH_BYTES {
        match stream.write(filling) {
            Ok(bytes) => taken += bytes,
            Err(error) => {
                assert!(
                    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset),
                    "{error}"
                );
                break;
            }
        }
    }
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    (taken, String::from_utf8_lossy(&answer).into_owned())
}

#[test]
fn a_head_or_body_without_end_is_not_read() {
    let (stage, running) = Stage::open();
    let filling = vec![b'x'; 1 << 20];
    let wrong = "POST /control/candles HTTP/1.1\r\nhost: x\r\nauthorization: Bearer wrong\r\n";
    for head in [
        "POST /control/candles HTTP/1.1\r\nx: ".to_owned(),
        "GET /".to_owned(),
        format!("{wrong}content-length: 100000000\r\n\r\n"),
        format!("{wrong}transfer-encoding: chunked\r\n\r\n5f5e100\r\n"),
    ] {
        let (taken, said) = pour(&stage, &head, &filling);
        assert!(taken < MOST_TAKEN_BYTES, "{taken} bytes of {head:?} were taken: {said}");
        stage.assert_answers();
    }
    let too_long = request(TOKEN, "").replace("length: 0", "length: 200000000");
    assert!(stage.send(&too_long).starts_with("HTTP/1.1 413"));
    leave(&stage, running);
}

#[test]
fn idle_clients_make_place_for_those_who_ask() {
    let (stage, running) = Stage::open();
    let mut idle: Vec<TcpStream> = (0..500).map(|_| stage.connect()).collect();
    stage.assert_answers();
    // The first ones were sent away; the last are still let in.
    assert_eq!(idle[0].read(&mut [0]).unwrap_or(0), 0);
    let newest = idle.last_mut().unwrap();
    newest.write_all(request(TOKEN, STATUS).as_bytes()).unwrap();
    let mut answer = String::new();
    newest.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    leave(&stage, running);
}

#[test]
fn one_request_a_connection_is_answered_whatever_follows_it() {
    let (stage, running) = Stage::open();
    let two = request(TOKEN, STATUS).repeat(2);
    let answer = stage.send(&two);
    assert_eq!(answer.matches("HTTP/1.1").count(), 1, "{answer}");
    for (request, status) in [
        (request("wrong", STATUS), "401"),
        (request("", STATUS), "401"),
        (request(TOKEN, STATUS).replace("candles", "other"), "404"),
        (request(TOKEN, STATUS).replace("POST", "GET"), "404"),
        (request(TOKEN, r#"{"do":"nothing"}"#), "400"),
        ("\r\n\r\n\r\nnot HTTP at all\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = stage.send(&request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{request:?}: {answer}");
    }
    leave(&stage, running);
}

#[test]
fn a_token_or_socket_that_others_can_reach_is_refused() {
    let stream = Stream::in_memory();
    let token = stream.folder().join("token");
    fs::write(&token, format!("{TOKEN}\n")).unwrap();
    let mode = |path: &PathBuf, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    let shared = stream.folder().join("shared");
    fs::create_dir(&shared).unwrap();
    mode(&shared, 0o777);
    let run = |more: &[&str]| {
        let manifest = stream.manifest().display().to_string();
        let up = ["up", "--available-now", "--brokers", &stream.brokers, "-f", &manifest];
        tallow::run(&[&up[..], more].concat())
    };
    let file = token.display().to_string();
    mode(&token, 0o644);
    let http = ["--control-http", "0.0.0.0:0", "--control-token-file", &file];
    let refused = run(&http);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.contains("chmod 600"), "{refused:?}");
    let refused = run(&["--control", &shared.join("x.sock").display().to_string()]);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    assert!(refused.stderr.contains("who can write there can swap functions"), "{refused:?}");
    mode(&token, 0o600);
    let said = run(&http).success().stderr;
    assert!(
        said.contains("listens for POST /control/PIPELINE") && said.contains("there is no TLS here"),
        "{said}"
    );
    let said = run(&["--control-http", "127.0.0.1:0", "--control-token-file", &file]).success().stderr;
    assert!(said.contains("listens for POST /control/PIPELINE") && !said.contains("no TLS"), "{said}");
}
