//! What every [`Http`] has to keep, as one suite: the network and the servers in memory.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tallow_http::{AllowList, Http, HttpError, Limits, Names, Origin, OriginError, Request};

use super::{Answer, Handler, Received, ScriptedNames, Trouble};

/// A network to run the suite on.
pub trait Bench {
    /// Starts a server that lives as long as the bench, and says where it is.
    fn listen(&self, handler: Handler) -> SocketAddr;
    fn client(&self, allow: AllowList, limits: Limits, names: Arc<dyn Names>) -> Box<dyn Http>;
}

type Check = fn(&dyn Bench) -> Result<(), String>;

const CHECKS: &[(&str, Check)] = &[
    ("a request arrives as it was written", arrives_as_written),
    ("an answer comes back byte for byte, whatever its status", comes_back),
    ("hosts, ports and schemes that are not allowed get nothing", only_the_allowed),
    ("what is no HTTP URL is refused", only_http),
    ("redirects are followed within the allow-list", follows_inside),
    ("redirects off the allow-list are not followed", stays_inside),
    ("an internal address is refused however it is written", no_internal_literal),
    ("a name that leads to an internal address is refused, on each hop", no_internal_name),
    ("one internal address among public ones is enough", no_mixed_name),
    ("a connection goes to the addresses that were checked", pinned),
    ("redirects in a circle come to an end", circle_ends),
    ("POST stays POST where the redirect says so, and becomes GET where it says that", post_and_get),
    ("what says who asks stays with the origin that it was meant for", secrets_stay),
    ("a body beyond its limit is refused, announced or not", body_is_capped),
    ("an answer that takes too long, breaks off or never begins may come later", troubles_pass),
];

/// Runs all checks. The error names the check that failed and what was seen.
pub fn run(bench: &dyn Bench) -> Result<(), String> {
    for (what, check) in CHECKS {
        check(bench).map_err(|seen| format!("{what}: {seen}"))?;
    }
    Ok(())
}

/// What a server has received.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<Received>>>);

impl Seen {
    fn all(&self) -> Vec<Received> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// A server that notes what it receives.
    fn server(&self, mind: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Handler {
        let seen = self.clone();
        Arc::new(move |received| {
            seen.0.lock().unwrap_or_else(PoisonError::into_inner).push(received.clone());
            mind(received)
        })
    }
}

fn expect<T: PartialEq + std::fmt::Debug>(what: &str, seen: T, wanted: T) -> Result<(), String> {
    if seen == wanted { Ok(()) } else { Err(format!("{what} gave {seen:?}, not {wanted:?}")) }
}

fn origin(text: &str) -> Result<Origin, String> {
    text.parse().map_err(|why: OriginError| why.to_string())
}

fn no_names() -> Arc<dyn Names> {
    Arc::new(ScriptedNames::default())
}

/// A server, and a client that may talk to it.
fn pair(bench: &dyn Bench, handler: Handler, limits: Limits) -> Result<(String, Box<dyn Http>), String> {
    let url = format!("http://{}", bench.listen(handler));
    let allow = AllowList::default().internal(origin(&url)?);
    Ok((url, bench.client(allow, limits, no_names())))
}

fn said(error: HttpError) -> String {
    error.to_string()
}

fn arrives_as_written(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let (url, http) = pair(bench, seen.server(|_| Answer::ok("")), Limits::default())?;
    let asked = Request::post(format!("{url}/a%2Fb/c?x=1&y=%20z"), &b"\x00\xffbody"[..])
        .with_header("Content-Type", "application/octet-stream")
        .with_header("X-Key", "k=v");
    http.send(&asked).map_err(said)?;
    let [received] = &seen.all()[..] else { return Err(format!("{} requests arrived", seen.all().len())) };
    expect("the method", received.method.as_str(), "POST")?;
    expect("the path", received.path.as_str(), "/a%2Fb/c")?;
    expect("the query", received.query.as_str(), "x=1&y=%20z")?;
    expect("the host", received.header("host"), url.strip_prefix("http://"))?;
    expect("a header", received.header("x-key"), Some("k=v"))?;
    expect("the body", &received.body[..], b"\x00\xffbody")
}

fn comes_back(bench: &dyn Bench) -> Result<(), String> {
    let mind = |received: &Received| {
        let status = received.path[1..].parse().unwrap_or(500);
        let body: Vec<u8> = (0..100_000u32).map(|at| (at * 31 % 251) as u8).collect();
        Answer::new(status, body).with_header("X-Used-Weight", "17")
    };
    let (url, http) = pair(bench, Arc::new(mind), Limits::default())?;
    for status in [200, 400, 418, 429, 500] {
        let answer = http.send(&Request::get(format!("{url}/{status}"))).map_err(said)?;
        expect("the status", answer.status, status)?;
        expect("a header", answer.header("x-used-weight"), Some("17"))?;
        let whole = answer.body.iter().zip(0u32..).all(|(byte, at)| u32::from(*byte) == at * 31 % 251);
        expect("the body", (answer.body.len(), whole), (100_000, true))?;
    }
    Ok(())
}

fn only_the_allowed(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let allowed = bench.listen(Arc::new(|_| Answer::ok("")));
    let other = bench.listen(seen.server(|_| Answer::ok("")));
    let allow = AllowList::default().internal(origin(&format!("http://{allowed}"))?);
    let names = ScriptedNames::default().with("exchange.test", &[allowed.ip()]);
    let http = bench.client(allow, Limits::default(), Arc::new(names));
    let port = allowed.port();
    for url in [
        format!("http://{other}/"),
        format!("https://{allowed}/"),
        format!("http://exchange.test:{port}/"),
        format!("http://{allowed}.exchange.test/"),
    ] {
        match http.send(&Request::get(url.clone())) {
            Err(HttpError::NotAllowed { .. } | HttpError::Invalid { .. }) => {}
            answer => return Err(format!("{url} gave {answer:?}")),
        }
    }
    expect("the other server", seen.all().len(), 0)
}

fn only_http(bench: &dyn Bench) -> Result<(), String> {
    let (url, http) = pair(bench, Arc::new(|_| Answer::ok("")), Limits::default())?;
    let host = url.trim_start_matches("http://").to_owned();
    let wrong = ["file:///etc/passwd", "gopher://host/", "/relative", "", "http://"].map(str::to_owned);
    for url in wrong.into_iter().chain([format!("http://user:secret@{host}/")]) {
        match http.send(&Request::get(url.clone())) {
            Err(error @ HttpError::Invalid { .. }) if !said(error.clone()).contains("secret") => {}
            answer => return Err(format!("{url} gave {answer:?}")),
        }
    }
    Ok(())
}

fn follows_inside(bench: &dyn Bench) -> Result<(), String> {
    let last = bench.listen(Arc::new(|received| Answer::ok(format!("{}?{}", received.path, received.query))));
    let to = format!("http://{last}/there?x=1");
    let first = bench.listen(Arc::new(move |received| match received.path.as_str() {
        "/here" => Answer::redirect(302, "/on?y=2"),
        _ => Answer::redirect(308, &to),
    }));
    let allow = AllowList::default()
        .internal(origin(&format!("http://{first}"))?)
        .internal(origin(&format!("http://{last}"))?);
    let http = bench.client(allow, Limits::default(), no_names());
    let answer = http.send(&Request::get(format!("http://{first}/here"))).map_err(said)?;
    expect("the last hop", (answer.status, &answer.body[..]), (200, &b"/there?x=1"[..]))
}

fn stays_inside(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let other = bench.listen(seen.server(|_| Answer::ok("secret")));
    for to in [
        format!("http://{other}/"),
        format!("//{other}/"),
        "http://169.254.169.254/latest/meta-data/".to_owned(),
        "https://example.com/".to_owned(),
        "file:///etc/passwd".to_owned(),
    ] {
        let mind = {
            let to = to.clone();
            move |_: &Received| Answer::redirect(302, &to)
        };
        let (url, http) = pair(bench, Arc::new(mind), Limits::default())?;
        match http.send(&Request::get(url)) {
            Err(HttpError::NotAllowed { .. } | HttpError::Invalid { .. }) => {}
            answer => return Err(format!("a redirect to {to} gave {answer:?}")),
        }
    }
    expect("the other server", seen.all().len(), 0)
}

fn no_internal_literal(bench: &dyn Bench) -> Result<(), String> {
    for host in [
        "127.0.0.1",
        "2130706433",
        "0x7f000001",
        "0177.0.0.1",
        "127.1",
        "0",
        "10.1.2.3",
        "169.254.169.254",
        "[::1]",
        "[::]",
        "[::ffff:127.0.0.1]",
        "[::ffff:a9fe:a9fe]",
        "[64:ff9b::169.254.169.254]",
        "[fe80::1]",
        "[fd00:ec2::254]",
    ] {
        let url = format!("http://{host}:8080");
        let allow = AllowList::default().public(origin(&url)?);
        let http = bench.client(allow, Limits::default(), no_names());
        match http.send(&Request::get(url.clone())) {
            Err(HttpError::Internal { .. }) => {}
            answer => return Err(format!("{url} gave {answer:?}")),
        }
    }
    Ok(())
}

fn no_internal_name(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let second = bench.listen(seen.server(|_| Answer::ok("secret")));
    let to = format!("http://second.test:{}/", second.port());
    let redirect = to.clone();
    let first = bench.listen(Arc::new(move |_| Answer::redirect(307, &redirect)));
    let start = format!("http://first.test:{}/", first.port());
    let allow = AllowList::default()
        .internal(origin(&format!("http://first.test:{}", first.port()))?)
        .public(origin(&format!("http://second.test:{}", second.port()))?);
    let names =
        ScriptedNames::default().with("first.test", &[first.ip()]).with("second.test", &[second.ip()]);
    let http = bench.client(allow, Limits::default(), Arc::new(names));
    for url in [start, to] {
        match http.send(&Request::get(url.clone())) {
            Err(HttpError::Internal { origin, .. }) if origin.contains("second.test") => {}
            answer => return Err(format!("{url} gave {answer:?}")),
        }
    }
    expect("the second server", seen.all().len(), 0)
}

fn no_mixed_name(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let server = bench.listen(seen.server(|_| Answer::ok("secret")));
    let public = IpAddr::from([1, 1, 1, 1]);
    let names = ScriptedNames::default().with("mixed.test", &[public, server.ip()]);
    let url = format!("http://mixed.test:{}", server.port());
    let allow = AllowList::default().public(origin(&url)?);
    match bench.client(allow, Limits::default(), Arc::new(names)).send(&Request::get(url)) {
        Err(HttpError::Internal { .. }) => expect("the server", seen.all().len(), 0),
        answer => Err(format!("{answer:?}")),
    }
}

fn pinned(bench: &dyn Bench) -> Result<(), String> {
    // No resolver of the machine knows the name: only the address that was checked leads to the server.
    let server =
        bench.listen(Arc::new(|received| Answer::ok(received.header("host").unwrap_or("").to_owned())));
    let url = format!("http://exchange.test:{}", server.port());
    let names = ScriptedNames::default().with("exchange.test", &[server.ip()]);
    let allow = AllowList::default().internal(origin(&url)?);
    let http = bench.client(allow, Limits::default(), Arc::new(names));
    let answer = http.send(&Request::get(url.clone())).map_err(said)?;
    expect("the host", &answer.body[..], &url.as_bytes()["http://".len()..])
}

fn circle_ends(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let limits = Limits { redirects: 3, ..Limits::default() };
    let (url, http) = pair(bench, seen.server(|_| Answer::redirect(301, "/again")), limits)?;
    match http.send(&Request::get(url)) {
        Err(HttpError::Redirects { limit: 3, .. }) => expect("requests", seen.all().len(), 4),
        answer => Err(format!("{answer:?}")),
    }
}

fn post_and_get(bench: &dyn Bench) -> Result<(), String> {
    for (status, method, body) in
        [(303, "GET", ""), (302, "GET", ""), (307, "POST", "body"), (308, "POST", "body")]
    {
        let mind = move |received: &Received| match received.path.as_str() {
            "/first" => Answer::redirect(status, "/second"),
            _ => Answer::ok(format!("{} {}", received.method, String::from_utf8_lossy(&received.body))),
        };
        let (url, http) = pair(bench, Arc::new(mind), Limits::default())?;
        let answer = http.send(&Request::post(format!("{url}/first"), "body")).map_err(said)?;
        expect(&status.to_string(), &answer.body[..], format!("{method} {body}").as_bytes())?;
    }
    Ok(())
}

fn secrets_stay(bench: &dyn Bench) -> Result<(), String> {
    let seen = Seen::default();
    let other = bench.listen(seen.server(|_| Answer::ok("")));
    let to = format!("http://{other}/");
    let first = bench.listen(Arc::new(move |_| Answer::redirect(307, &to)));
    let allow = AllowList::default()
        .internal(origin(&format!("http://{first}"))?)
        .internal(origin(&format!("http://{other}"))?);
    let http = bench.client(allow, Limits::default(), no_names());
    let request = Request::get(format!("http://{first}/"))
        .with_header("Authorization", "Bearer x")
        .with_header("X-Api-Key", "x")
        .with_header("Accept", "application/json");
    http.send(&request).map_err(said)?;
    let [received] = &seen.all()[..] else { return Err("the redirect was not followed".to_owned()) };
    expect("the key", (received.header("authorization"), received.header("x-api-key")), (None, None))?;
    expect("a harmless header", received.header("accept"), Some("application/json"))
}

fn body_is_capped(bench: &dyn Bench) -> Result<(), String> {
    let mind = |received: &Received| match received.path.as_str() {
        "/just" => Answer::ok(vec![b'x'; 1000]),
        "/announced" => Answer::ok(vec![b'x'; 1001]),
        _ => Answer::ok("x").with_trouble(Trouble::Endless),
    };
    let (url, http) = pair(bench, Arc::new(mind), Limits { body_bytes: 1000, ..Limits::default() })?;
    let just = http.send(&Request::get(format!("{url}/just"))).map_err(said)?;
    expect("a body at the limit", just.body.len(), 1000)?;
    for path in ["announced", "endless"] {
        match http.send(&Request::get(format!("{url}/{path}"))) {
            Err(HttpError::TooLarge { limit_bytes: 1000, .. }) => {}
            answer => return Err(format!("{path} gave {answer:?}")),
        }
    }
    Ok(())
}

fn troubles_pass(bench: &dyn Bench) -> Result<(), String> {
    let mind = |received: &Received| match received.path.as_str() {
        "/slow" => Answer::ok("late").with_trouble(Trouble::Slow(Duration::from_secs(60))),
        "/cut" => Answer::ok("a body that is cut").with_trouble(Trouble::CutShort),
        _ => Answer::ok("").with_trouble(Trouble::Silent),
    };
    let limits = Limits { whole: Duration::from_millis(500), ..Limits::default() };
    let (url, http) = pair(bench, Arc::new(mind), limits)?;
    for (path, timed_out) in [("slow", true), ("cut", false), ("silent", false)] {
        match http.send(&Request::get(format!("{url}/{path}"))) {
            Err(HttpError::TimedOut { .. }) if timed_out => {}
            Err(error) if error.is_transient() && !timed_out => {}
            answer => return Err(format!("{path} gave {answer:?}")),
        }
    }
    let nobody = "http://127.0.0.1:1";
    let http = bench.client(AllowList::default().internal(origin(nobody)?), limits, no_names());
    match http.send(&Request::get(nobody)) {
        Err(HttpError::Unreachable { .. }) => Ok(()),
        answer => Err(format!("nobody gave {answer:?}")),
    }
}
