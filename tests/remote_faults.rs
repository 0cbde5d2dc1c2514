//! Gateways that answer wrongly, or not: what the host says, with which code it ends, and that nothing of the epoch was
//! committed: the same run goes on when the gateway is right again, and gives the same rows.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tallow_contract::messages::{CONTENT_TYPE, WINDOW, WINDOW_CONTENT_TYPE};
use tallow_test_support::http::local::Server;
use tallow_test_support::http::{Answer, Received, Trouble};
use tallow_tests::gateway::{COMPOSED, Gateway, send};
use tallow_tests::remote::{self, Market, Scene, trade};
use tallow_tests::{lake, paths, tallow};

const TRADES: i64 = 2_000;
/// Calls that are answered well before one is spoiled: some epochs are committed by then.
const GOOD_CALLS: usize = 12;

type Spoil = dyn Fn(usize, &Received) -> Option<Answer> + Send + Sync;

/// A gateway behind a server that spoils some of its answers.
struct Front {
    server: Server,
    /// Whether it spoils any.
    spoils: Arc<AtomicBool>,
    _gateway: Gateway,
}

impl Front {
    /// `spoil` is given how many calls there were before.
    fn before(
        gateway: Gateway,
        spoil: impl Fn(usize, &Received) -> Option<Answer> + Send + Sync + 'static,
    ) -> Self {
        let (address, spoil): (String, Box<Spoil>) = (gateway.address.clone(), Box::new(spoil));
        let (calls, spoils) = (AtomicUsize::new(0), Arc::new(AtomicBool::new(true)));
        let on = spoils.clone();
        let server = Server::start(Arc::new(move |received: &Received| {
            let before = match received.method.as_str() {
                "POST" => calls.fetch_add(1, Ordering::SeqCst),
                _ => 0,
            };
            let spoiled = on.load(Ordering::SeqCst).then(|| spoil(before, received)).flatten();
            spoiled.unwrap_or_else(|| forward(&address, received))
        }));
        Self { server: server.unwrap(), spoils, _gateway: gateway }
    }

    fn mend(&self) {
        self.spoils.store(false, Ordering::SeqCst);
    }
}

fn forward(address: &str, received: &Received) -> Answer {
    let content_type = received.header("content-type").unwrap_or_default();
    let reply =
        send(address, &received.method, &received.path, &[("content-type", content_type)], &received.body);
    let answer = Answer::new(reply.status, reply.body.clone());
    ["content-type", "tallow-function"]
        .iter()
        .filter(|name| !reply.header(name).is_empty())
        .fold(answer, |answer, name| answer.with_header(name, reply.header(name)))
}

/// An answer to a call after the good ones.
fn late(before: usize, received: &Received, answer: impl Fn() -> Answer) -> Option<Answer> {
    (received.method == "POST" && before >= GOOD_CALLS).then(|| of_path(answer(), &received.path))
}

/// A function's answer, in the binary form of the path that it is given for.
fn of_path(answer: Answer, path: &str) -> Answer {
    let is_binary = answer.headers.iter().any(|(name, _)| name == "tallow-function");
    let content_type = if path == WINDOW { WINDOW_CONTENT_TYPE } else { CONTENT_TYPE };
    if is_binary { answer.with_header("content-type", content_type) } else { answer }
}

fn binary(body: &'static [u8], function: &str) -> Answer {
    Answer::ok(body).with_header("tallow-function", function)
}

/// Runs into the fault, then, the gateway mended, to the end.
fn assert_stops(market: &Market, here: &Scene, front: &Front, parts: &[&str]) {
    let scene = market.scene(&remote::behind(&front.server.url()));
    let finished = scene.start().wait();
    assert_eq!(finished.status.code(), Some(69), "{}", finished.stderr);
    for part in [&front.server.url()[..]].iter().chain(parts) {
        assert!(finished.stderr.contains(part), "no `{part}` in: {}", finished.stderr);
    }
    assert!(tallow::log_records(&scene.lake()) > 1, "nothing was committed before: {}", finished.stderr);
    front.mend();
    scene.start().wait().success();
    scene.assert_same_rows(&format!("after {parts:?}"), here);
}

/// What is answered, and what must be said of it.
type Case = (fn() -> Answer, &'static [&'static str]);

fn expected(market: &Market) -> Scene {
    let scene = market.scene(&remote::local());
    scene.start().wait().success();
    scene
}

#[test]
fn an_answer_of_no_gateway_stops_the_run_and_says_what_to_do() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    let cases: [Case; 6] = [
        (
            || Answer::ok("<html>").with_header("content-type", "text/html"),
            &["text/html", "not a gateway of this version"],
        ),
        (|| binary(b"\x00", "window 9.9.9"), &["window 9.9.9", "Start again"]),
        (|| Answer::new(404, "nothing"), &["404", "is this the gateway's address?"]),
        (|| Answer::new(401, ""), &["401", "set `token` beside `remote`"]),
        (
            || Answer::redirect(302, "http://127.0.0.1:9/"),
            &["http://127.0.0.1:9 is not one of the allowed hosts"],
        ),
        (|| Answer::new(400, r#"{"error": "not of this day"}"#), &["400", "not of this day"]),
    ];
    for (answer, parts) in cases {
        let front = Front::before(Gateway::start(COMPOSED[0]), move |before, received| {
            late(before, received, answer)
        });
        assert_stops(&market, &here, &front, parts);
    }
    // All records are parsed by then.
    let front = Front::before(Gateway::start(COMPOSED[0]), move |before, received| {
        late(before, received, || binary(b"\x00\xff\xff", "window 0.1.0"))
    });
    assert_stops(&market, &here, &front, &["no answer of this version of the contracts"]);
}

#[test]
fn the_run_stops_when_a_gateway_stays_away() {
    // Each is waited for a minute: all at once.
    std::thread::scope(|scope| {
        let cases: [fn() -> Answer; 3] = [
            || Answer::new(503, "busy"),
            || binary(b"\x00\x00\x00\x00", "window 0.1.0").with_trouble(Trouble::CutShort),
            || Answer::new(200, "").with_trouble(Trouble::Silent),
        ];
        for answer in cases {
            scope.spawn(move || {
                let market = Market::trades(TRADES);
                let here = expected(&market);
                let gateway = Gateway::start(COMPOSED[0]);
                let front = Front::before(gateway, move |before, received| late(before, received, answer));
                assert_stops(
                    &market,
                    &here,
                    &front,
                    &["60 s of tries", "Nothing of this epoch was committed"],
                );
            });
        }
    });
}

#[test]
fn answers_that_fail_now_and_then_are_asked_for_again() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    let front = Front::before(Gateway::start(COMPOSED[0]), |before, received| {
        let busy = |status| Answer::new(status, "busy").with_header("retry-after", "0");
        let good = || binary(b"\x00\x00\x00\x00", "window 0.1.0").with_trouble(Trouble::CutShort);
        match (received.method.as_str(), before % 9) {
            ("POST", 1) => Some(busy(503)),
            ("POST", 3) => Some(busy(429)),
            ("POST", 5) => Some(busy(500)),
            ("POST", 7) => Some(good()),
            ("POST", 8) => Some(Answer::ok("").with_trouble(Trouble::Silent)),
            _ => None,
        }
    });
    let scene = market.scene(&remote::behind(&front.server.url()));
    let finished = scene.start().wait().success();
    assert!(finished.stderr.contains("trying again"), "{}", finished.stderr);
    scene.assert_same_rows("asked again", &here);
}

#[test]
fn a_token_goes_with_every_request_and_is_never_shown() {
    let market = Market::trades(TRADES);
    let here = expected(&market);
    let front = Front::before(Gateway::start(COMPOSED[0]), |before, received| {
        match received.header("authorization") {
            Some("Bearer s3cret-of-the-gateway") if before < GOOD_CALLS => None,
            Some("Bearer s3cret-of-the-gateway") => Some(Answer::new(403, "no more")),
            _ => Some(Answer::new(401, "who are you?")),
        }
    });
    let function = format!("{{ remote = \"{}\", token = \"{{{{ token }}}}\" }}", front.server.url());
    let scene = market.scene(&remote::manifest(&function, &function));
    let refused = scene.start().wait();
    assert_eq!(refused.status.code(), Some(69), "{}", refused.stderr);
    assert!(refused.stderr.contains("403"), "with the token it came that far: {}", refused.stderr);
    front.mend();
    let finished = scene.start().wait().success();
    scene.assert_same_rows("with a token", &here);
    for said in [refused.stdout, refused.stderr, finished.stdout, finished.stderr] {
        assert!(!said.contains("s3cret"), "{said}");
    }
    for (path, bytes) in scene.files("") {
        assert!(!String::from_utf8_lossy(&bytes).contains("s3cret"), "{}", path.display());
    }
}

#[test]
fn a_record_that_ends_the_instance_becomes_a_dead_letter() {
    let read = |path: &str| {
        let path = paths::functions().join(format!("{path}.wasm"));
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        (name, std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    };
    let functions = ["test/hostile-parse", "window", "merge", "backfill-binance"].map(read);
    let composed = tallow_functions_compose::compose(&read("gateway-p2"), &functions).unwrap();
    let place = tempfile::tempdir().unwrap();
    let component = place.path().join("hostile.wasm");
    std::fs::write(&component, composed).unwrap();
    let gateway = Gateway::serve(&component, "127.0.0.1:0");

    let record = |id: i64| match id {
        7 => "trap".to_owned(),
        _ => format!("SYN{} {} 1.5 {id} 2", id % 2, 1_704_067_200_000_000_i64 + id * 1_000_000),
    };
    let market = Market::of((0..100).map(record));
    let scene = market.scene(&remote::behind(&gateway.url()));
    scene.start().wait().success();
    let dead = lake::table(&scene.lake(), "dead-letter/trades");
    let told: Vec<(&str, &str)> =
        dead.iter().map(|row| (row["offset"].as_str(), row["value"].as_str())).collect();
    assert_eq!(told, [("7", "trap")], "{dead:?}");
    let trades: usize = lake::table(&scene.lake(), "speed/trades_session")
        .iter()
        .map(|row| row["trades"].parse::<usize>().unwrap())
        .sum();
    assert_eq!(trades, 99);
}

#[test]
fn a_state_that_is_too_large_stops_the_run_with_its_size() {
    // The broker in memory keeps 5 MiB of a topic; so each symbol is kept by many windows.
    let symbol = |id: i64| format!("{id:05}{}", "X".repeat(240));
    let market = Market::of((0..10_000).map(|id| trade(id, &symbol(id), 1_704_067_200_000)));
    let gateway = Gateway::start(COMPOSED[0]);
    let function = format!("{{ remote = {:?} }}", gateway.url());
    let windows = (2..8).map(|minutes| {
        format!(
            "[[trigger.kafka.windows]]\nname = \"{minutes}m\"\nfunction = {function}\nkinds = [\"trade\"]\n\
             tumbling = \"{minutes}m\"\nkeys = [\"symbol\"]\naggregates = {{ trades = \"count()\" }}\n"
        )
    });
    let windows: String = windows.collect();
    let manifest = remote::behind(&gateway.url())
        .replace("max-records = 400", "max-records = 1000")
        .replacen("[component.", &format!("{windows}\n[component."), 1);
    let scene = market.scene(&manifest);
    let finished = scene.start().wait();
    assert_eq!(finished.status.code(), Some(1), "{}", finished.stderr);
    for part in ["window", "10485760", "bytes"] {
        assert!(finished.stderr.contains(part), "no `{part}` in: {}", finished.stderr);
    }
    assert!(tallow::log_records(&scene.lake()) > 1, "nothing was committed before: {}", finished.stderr);
}
