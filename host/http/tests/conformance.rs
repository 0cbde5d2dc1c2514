//! The network and the servers in memory keep the same.

#![allow(clippy::unwrap_used)]

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};

use tallow_env::{Clock, ManualClock, SystemClock};
use tallow_http::{AllowList, Guarded, Http, Limits, Names, Wire};
use tallow_test_support::http::conformance::{Bench, run};
use tallow_test_support::http::local::Server;
use tallow_test_support::http::{Handler, MemoryNet};

#[derive(Default)]
struct Network {
    servers: Mutex<Vec<Server>>,
}

impl Bench for Network {
    fn listen(&self, handler: Handler) -> SocketAddr {
        let server = Server::start(handler).unwrap();
        let address = server.address();
        self.servers.lock().unwrap().push(server);
        address
    }

    fn client(&self, allow: AllowList, limits: Limits, names: Arc<dyn Names>) -> Box<dyn Http> {
        let clock = Arc::new(SystemClock::new());
        Box::new(Guarded::new(allow, limits, names, clock, Wire::new().unwrap()))
    }
}

#[test]
fn the_network_keeps_it() {
    run(&Network::default()).unwrap();
}

struct Memory {
    net: MemoryNet,
    clock: Arc<dyn Clock>,
    next_port: AtomicU16,
}

impl Bench for Memory {
    fn listen(&self, handler: Handler) -> SocketAddr {
        let address = SocketAddr::from(([127, 0, 0, 1], self.next_port.fetch_add(1, Ordering::SeqCst)));
        self.net.listen(address, handler);
        address
    }

    fn client(&self, allow: AllowList, limits: Limits, names: Arc<dyn Names>) -> Box<dyn Http> {
        Box::new(Guarded::new(allow, limits, names, self.clock.clone(), self.net.clone()))
    }
}

#[test]
fn servers_in_memory_keep_it() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let net = MemoryNet::new(clock.clone());
    run(&Memory { net, clock, next_port: AtomicU16::new(2000) }).unwrap();
}
