//! Alone in its program: it changes the environment.

#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use tallow_env::SystemClock;
use tallow_http::{AllowList, Http, Limits, Request, client};
use tallow_test_support::http::Answer;
use tallow_test_support::http::local::Server;

#[test]
fn a_proxy_of_the_environment_is_not_asked() {
    for name in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"] {
        // SAFETY: no other thread of this program reads the environment while it is written.
        unsafe { std::env::set_var(name, "http://127.0.0.1:1") };
    }
    let server = Server::start(Arc::new(|_| Answer::ok("direct"))).unwrap();
    let allow = AllowList::default().internal(server.url().parse().unwrap());
    let http = client(allow, Limits::default(), Arc::new(SystemClock::new())).unwrap();
    assert_eq!(&http.send(&Request::get(server.url())).unwrap().body[..], b"direct");
}
