//! Lets clients in, by sockets and a port: HTTP/1 with limits on all that a client can send or leave undone. One thread
//! serves all of them, and leaving waits for none.

use std::fs;
use std::io;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::runtime::Builder;
use tokio::sync::oneshot;

use super::guests::{Guest, Guests};
use super::http::{Place, answer};
use super::serve::ControlHandler;
use super::token::Token;

/// A request's head, from the first byte that could come to its last.
const HEAD_TIME: Duration = Duration::from_secs(10);
const LARGEST_HEAD_BYTES: usize = 16 << 10;
const MOST_HEADERS: usize = 64;
/// What is being answered when the pipelines have ended may be said to its end for so long.
const LAST_WORDS: Duration = Duration::from_millis(500);
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Pause after a client that could not be let in, as where the process has no file left to open.
const PAUSE: Duration = Duration::from_millis(100);

/// Where clients come in.
pub enum Door {
    Socket { listener: UnixListener, path: PathBuf, desk: Arc<ControlHandler> },
    Port { listener: TcpListener, token: Token, desks: Vec<Arc<ControlHandler>> },
}

/// Serves until it is dropped.
pub struct Server {
    leave: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    pub fn start(doors: Vec<Door>) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
        let (leave, leaves) = oneshot::channel();
        let serve = move || {
            runtime.block_on(serve(doors, leaves));
            // Closes every connection, whatever it is at.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("control".to_owned()).spawn(serve)?;
        Ok(Self { leave: Some(leave), thread: Some(thread) })
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.leave.take());
        if let Some(thread) = self.thread.take() {
            // The client may leave during the answer; a fault of ours has been logged.
            let _ = thread.join();
        }
    }
}

async fn serve(doors: Vec<Door>, leaves: oneshot::Receiver<()>) {
    let guests = Arc::new(Guests::default());
    let mut paths = Vec::new();
    for door in doors {
        if let Door::Socket { path, .. } = &door {
            paths.push(path.clone());
        }
        if let Err(error) = open(door, &guests) {
            tracing::error!(%error, "`tallow functions` cannot connect");
        }
    }
    // Dropped rather than sent: both mean that it is time.
    let _ = leaves.await;
    for path in paths {
        // Gone already: another process's may be there by now.
        let _ = fs::remove_file(path);
    }
    let last_words = async {
        while guests.asking() > 0 {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    let _ = tokio::time::timeout(LAST_WORDS, last_words).await;
}

/// Serves every client in a separate task.
fn open(door: Door, guests: &Arc<Guests>) -> io::Result<()> {
    let guests = guests.clone();
    match door {
        Door::Socket { listener, desk, .. } => {
            let listener = tokio::net::UnixListener::from_std(listener)?;
            let place = Arc::new(Place::Socket(desk));
            tokio::spawn(async move {
                loop {
                    let_in(listener.accept().await.map(|(stream, _)| stream), &place, &guests).await;
                }
            });
        }
        Door::Port { listener, token, desks } => {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let place = Arc::new(Place::Port(token, desks));
            tokio::spawn(async move {
                loop {
                    let_in(listener.accept().await.map(|(stream, _)| stream), &place, &guests).await;
                }
            });
        }
    }
    Ok(())
}

async fn let_in<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    accepted: io::Result<S>,
    place: &Arc<Place>,
    guests: &Arc<Guests>,
) {
    match accepted {
        Ok(stream) => drop(tokio::spawn(attend(stream, place.clone(), guests.enter()))),
        Err(error) => {
            tracing::warn!(%error, "a client of the control port could not be let in");
            tokio::time::sleep(PAUSE).await;
        }
    }
}

/// One request, however it is sent; what goes wrong is the client's own affair.
async fn attend<S: AsyncRead + AsyncWrite + Send + Unpin + 'static>(
    stream: S,
    place: Arc<Place>,
    guest: Guest,
) {
    let guest = Arc::new(guest);
    let asking = guest.clone();
    let service = service_fn(move |request| {
        let (place, guest) = (place.clone(), asking.clone());
        async move { Ok::<_, std::convert::Infallible>(answer(&place, &guest, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .max_buf_size(LARGEST_HEAD_BYTES)
        .max_headers(MOST_HEADERS)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        _ = connection => {}
        () = guest.has_to_leave() => {}
    }
}
