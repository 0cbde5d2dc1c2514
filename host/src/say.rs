//! What the program prints. Its reader may go away at any moment (`tallow up | head`): that ends nothing, least of all
//! a pipeline. And no secret gets out, whichever library repeats it.
//!
//! Within this crate `print!`, `println!` and `eprintln!` are these, so that nobody can forget it.

use std::borrow::Cow;
use std::fmt::Arguments;
use std::fs::File;
use std::io::{self, BufWriter, Stderr, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};

use tallow_manifest::Secrets;
use tallow_terminal::Screen;

macro_rules! print {
    ($($text:tt)*) => { $crate::say::out(format_args!($($text)*), "") };
}

macro_rules! println {
    () => { $crate::say::out(format_args!(""), "\n") };
    ($($text:tt)*) => { $crate::say::out(format_args!($($text)*), "\n") };
}

macro_rules! eprintln {
    ($($text:tt)*) => { $crate::say::err(format_args!($($text)*)) };
}

static SECRETS: RwLock<Option<Secrets>> = RwLock::new(None);
/// Nobody reads standard output any more.
static UNHEARD: AtomicBool = AtomicBool::new(false);
/// What was printed there is lost, though it may be wanted: a full disk.
static LOST: AtomicBool = AtomicBool::new(false);

/// What is drawn in place at the end of standard error.
static DRAWN: Mutex<Option<Drawing>> = Mutex::new(None);

struct Drawing {
    screen: Screen<BufWriter<Stderr>>,
    lines: Vec<String>,
}

/// From here on these values are shown nowhere.
pub fn hide(secrets: &Secrets) {
    let mut hidden = SECRETS.write().unwrap_or_else(PoisonError::into_inner);
    hidden.get_or_insert_default().learn_all(secrets);
}

/// The text as it may be shown.
pub fn shown(text: &str) -> Cow<'_, str> {
    match &*SECRETS.read().unwrap_or_else(PoisonError::into_inner) {
        Some(secrets) => secrets.hide(text),
        None => Cow::Borrowed(text),
    }
}

/// Whether the reader of standard output has gone away: what only prints may stop.
pub fn is_unheard() -> bool {
    UNHEARD.load(Ordering::Relaxed)
}

pub fn out(text: Arguments<'_>, end: &str) {
    if is_unheard() {
        return;
    }
    let text = format!("{text}{end}");
    let mut stdout = io::stdout().lock();
    let Err(error) = stdout.write_all(shown(&text).as_bytes()).and_then(|()| stdout.flush()) else { return };
    UNHEARD.store(true, Ordering::Relaxed);
    // A terminal that is gone answers with EIO.
    let gone = error.kind() == io::ErrorKind::BrokenPipe || error.raw_os_error() == Some(libc::EIO);
    if !gone {
        LOST.store(true, Ordering::Relaxed);
        err(format_args!("tallow: standard output cannot be written, and the rest of it is lost: {error}"));
    }
}

/// Whether something was lost that may be wanted.
pub fn is_lost() -> bool {
    LOST.load(Ordering::Relaxed)
}

pub fn err(text: Arguments<'_>) {
    above(&shown(&format!("{text}\n")));
}

/// Draws lines in place at the end of standard error; anything else that is printed there goes above them.
pub fn draw(lines: &[String]) {
    let lines: Vec<String> = lines.iter().map(|line| shown(line).into_owned()).collect();
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    let drawing = drawn.get_or_insert_with(|| Drawing { screen: Screen::stderr(), lines: Vec::new() });
    drawing.lines = lines;
    drawing.redraw();
}

/// Takes away what is drawn.
pub fn clear() {
    if let Some(mut drawing) = DRAWN.lock().unwrap_or_else(PoisonError::into_inner).take() {
        drawing.lines.clear();
        drawing.redraw();
    }
}

fn above(text: &str) {
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    // If this fails, there is nowhere left to report it.
    let _ = match &mut *drawn {
        Some(drawing) => {
            let lines: Vec<String> = text.lines().map(str::to_owned).collect();
            let said = drawing.screen.say(&lines, drawing.screen.size().0);
            drawing.redraw();
            said
        }
        None => io::stderr().lock().write_all(text.as_bytes()),
    };
}

impl Drawing {
    /// Errors of a terminal are not errors of the run.
    fn redraw(&mut self) {
        let width = self.screen.size().0;
        let _ = self.screen.draw(&self.lines, width);
    }
}

/// Where logs go: standard error, and a file where one is asked for. Gets a whole line at once.
#[derive(Clone)]
pub struct Log {
    pub file: Option<Arc<File>>,
}

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        static FILE_FAILED: AtomicBool = AtomicBool::new(false);
        let text = String::from_utf8_lossy(line);
        let text = shown(&text);
        above(&text);
        if let Some(mut file) = self.file.as_deref()
            && let Err(error) = file.write_all(text.as_bytes())
            && !FILE_FAILED.swap(true, Ordering::Relaxed)
        {
            err(format_args!("the log file lacks lines from here on: {error}"));
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A fault of the program is reported like all else; the standard way would show secrets.
pub fn tell_panics() {
    std::panic::set_hook(Box::new(|panic| {
        let trace = std::backtrace::Backtrace::capture();
        let trace = match trace.status() {
            std::backtrace::BacktraceStatus::Captured => format!("\n{trace}"),
            _ => String::new(),
        };
        let thread = std::thread::current();
        let name = thread.name().unwrap_or("without a name");
        eprintln!("tallow: a fault of the program itself, in the thread `{name}`: {panic}{trace}");
    }));
}
