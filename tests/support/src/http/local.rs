//! A server on a loopback port: HTTP/1.1 of the plainest kind, a connection a request, a thread a connection.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use bytes::Bytes;

use super::{Answer, Handler, Received, Trouble};

/// How often a slow answer looks whether it is still wanted.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// A line of a request, its body.
const LONGEST_LINE: u64 = 64 << 10;
const LARGEST_BODY: u64 = 16 << 20;

/// Serves until it is dropped.
pub struct Server {
    address: SocketAddr,
    stopped: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens on a free port of 127.0.0.1.
    pub fn start(handler: Handler) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = stopped.clone();
        let accepting = std::thread::Builder::new().name("http".to_owned()).spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(stream), handler, stop) = (stream, handler.clone(), stop.clone()) else { continue };
                // A client that has left, or no thread: nobody is there to be told.
                let _ = std::thread::Builder::new()
                    .name("http connection".to_owned())
                    .spawn(move || _ = serve(stream, &handler, &stop));
            }
        })?;
        Ok(Self { address, stopped, accepting: Some(accepting) })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// `http://127.0.0.1:<port>`.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
        if let Some(accepting) = self.accepting.take() {
            let _ = accepting.join();
        }
    }
}

fn serve(stream: TcpStream, handler: &Handler, stop: &AtomicBool) -> io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let Some(received) = receive(&mut reader)? else { return Ok(()) };
    answer(stream, handler(&received), stop)
}

/// One request; `None` if the client closed the connection instead.
fn receive(reader: &mut impl BufRead) -> io::Result<Option<Received>> {
    let first = line(reader)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return Ok(None) };
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut received = Received {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: Vec::new(),
        body: Bytes::new(),
    };
    loop {
        let line = line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        received.headers.push((name.trim().to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = received.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0u64);
    if length > LARGEST_BODY {
        return Ok(None);
    }
    let mut body = vec![0; length as usize];
    reader.read_exact(&mut body)?;
    received.body = body.into();
    Ok(Some(received))
}

fn line(reader: &mut impl BufRead) -> io::Result<String> {
    let mut line = String::new();
    reader.take(LONGEST_LINE).read_line(&mut line)?;
    Ok(line.trim_end().to_owned())
}

fn answer(mut stream: TcpStream, answer: Answer, stop: &AtomicBool) -> io::Result<()> {
    let Answer { status, headers, body, trouble } = answer;
    if trouble == Trouble::Silent {
        return Ok(());
    }
    if let Trouble::Slow(delay) = trouble {
        let mut waited = Duration::ZERO;
        while waited < delay && !stop.load(Ordering::SeqCst) {
            std::thread::sleep(LOOK_EVERY);
            waited += LOOK_EVERY;
        }
    }
    let mut head = format!("HTTP/1.1 {status} -\r\nconnection: close\r\n");
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if trouble != Trouble::Endless {
        let announced = body.len() + usize::from(trouble == Trouble::CutShort);
        head.push_str(&format!("content-length: {announced}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    match trouble {
        Trouble::CutShort => stream.write_all(&body[..body.len() / 2])?,
        // Until the client has had enough and closes.
        Trouble::Endless => loop {
            stream.write_all(if body.is_empty() { b" " } else { &body })?;
        },
        _ => stream.write_all(&body)?,
    }
    stream.flush()
}
