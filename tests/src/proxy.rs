//! A TCP proxy between Kafka and its clients that cuts the connection when a producer ends a transaction, before or after
//! the broker has heard of it, and lets nobody through until it is told to.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

/// Kafka's number of the request that commits or aborts a transaction.
const END_TXN: i16 = 26;

/// Where the connection is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cut {
    /// The broker never hears of the end: nothing is committed.
    Request,
    /// The broker commits, and its answer never comes.
    Answer,
}

pub struct Proxy {
    pub port: u16,
    state: Arc<State>,
}

struct State {
    /// The broker's port; 0 while there is none.
    broker: AtomicUsize,
    armed: Mutex<Option<Cut>>,
    /// Nobody is let through.
    shut: AtomicBool,
}

impl State {
    fn armed(&self) -> std::sync::MutexGuard<'_, Option<Cut>> {
        self.armed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Proxy {
    /// On a port of its own, for a broker that is yet to come.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a loopback port");
        let port = listener.local_addr().expect("a bound port").port();
        let state = Arc::new(State {
            broker: AtomicUsize::new(0),
            armed: Mutex::default(),
            shut: AtomicBool::new(false),
        });
        let shared = state.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let state = shared.clone();
                // A refused connection is one that is closed at once.
                std::thread::spawn(move || drop(serve(client, &state)));
            }
        });
        Self { port, state }
    }

    /// Where connections go.
    pub fn forward_to(&self, bootstrap: &str) {
        let port = bootstrap.rsplit(':').next().and_then(|port| port.parse().ok());
        self.state.broker.store(port.expect("host:port"), Ordering::SeqCst);
    }

    /// Cuts the next end of a transaction, and shuts.
    pub fn arm(&self, cut: Cut) {
        *self.state.armed() = Some(cut);
    }

    /// Whether the cut has been made.
    pub fn has_cut(&self) -> bool {
        self.state.shut.load(Ordering::SeqCst)
    }

    /// Lets clients through again.
    pub fn open(&self) {
        self.state.shut.store(false, Ordering::SeqCst);
    }
}

fn serve(client: TcpStream, state: &Arc<State>) -> io::Result<()> {
    let port = state.broker.load(Ordering::SeqCst);
    if state.shut.load(Ordering::SeqCst) || port == 0 {
        return Ok(());
    }
    let broker = TcpStream::connect(("127.0.0.1", port as u16))?;
    // Set once the answer to a request is to be lost.
    let lost = Arc::new(AtomicBool::new(false));
    let (mut answers_from, mut answers_to) = (broker.try_clone()?, client.try_clone()?);
    let (answers_lost, answers_state) = (lost.clone(), state.clone());
    std::thread::spawn(move || {
        let mut bytes = [0; 1 << 16];
        while let Ok(count @ 1..) = answers_from.read(&mut bytes) {
            if answers_lost.load(Ordering::SeqCst) {
                answers_state.shut.store(true, Ordering::SeqCst);
            }
            if answers_state.shut.load(Ordering::SeqCst) || answers_to.write_all(&bytes[..count]).is_err() {
                break;
            }
        }
        // The other side may be gone.
        let _ = (answers_to.shutdown(Shutdown::Both), answers_from.shutdown(Shutdown::Both));
    });
    let done = requests(&client, &broker, state, &lost);
    let _ = (
        client.shutdown(Shutdown::Both),
        if lost.load(Ordering::SeqCst) { Ok(()) } else { broker.shutdown(Shutdown::Both) },
    );
    done
}

/// Passes a client's requests on, one by one.
fn requests(
    mut client: &TcpStream,
    mut broker: &TcpStream,
    state: &State,
    lost: &AtomicBool,
) -> io::Result<()> {
    loop {
        let mut length = [0; 4];
        client.read_exact(&mut length)?;
        let mut request = vec![0; u32::from_be_bytes(length) as usize];
        client.read_exact(&mut request)?;
        if state.shut.load(Ordering::SeqCst) {
            return Ok(());
        }
        let ends = request.len() >= 2 && i16::from_be_bytes([request[0], request[1]]) == END_TXN;
        let cut = if ends { state.armed().take() } else { None };
        if cut == Some(Cut::Request) {
            state.shut.store(true, Ordering::SeqCst);
            return Ok(());
        }
        lost.fetch_or(cut == Some(Cut::Answer), Ordering::SeqCst);
        broker.write_all(&length)?;
        broker.write_all(&request)?;
        if cut == Some(Cut::Answer) {
            return Ok(());
        }
    }
}
