//! Names to addresses.

use std::io;
use std::net::{IpAddr, ToSocketAddrs};

pub trait Names: Send + Sync {
    /// Every address of a host name, in the order in which they are to be tried.
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>>;
}

/// The machine's resolver.
pub struct SystemNames;

impl Names for SystemNames {
    fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        // The port is part of the call and of nothing else.
        Ok((host, 0).to_socket_addrs()?.map(|address| address.ip()).collect())
    }
}
