//! What the demo shows: a table in place on a terminal, plain lines elsewhere, and the summary.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arrow_array::RecordBatch;
use tallow_env::{Clock, Ticks};
use tallow_lake::tables::speed_table;
use tallow_manifest::{Manifest, Pipeline, Window};
use tallow_store::Store;
use tallow_terminal::{Counters, Output, Palette, Phase, Screen, View, plain, render};

use crate::cli::again;
use crate::cli::compose::newest_record;
use crate::cli::functions::find::shown;
use crate::cli::report::{Rate, counted, grouped, time};
use tallow_pipeline::Services;
use tallow_pipeline::progress::{Counts, Viewer};

const REFRESH: Duration = Duration::from_millis(100);
const PLAIN_EVERY: Duration = Duration::from_secs(5);
const RATE_OVER: Duration = Duration::from_secs(1);

pub struct Show {
    clock: Arc<dyn Clock>,
    output: Output,
    shown: Arc<Mutex<Shown>>,
    screen: Mutex<Screen<std::io::BufWriter<std::io::Stdout>>>,
    start: Ticks,
    start_us: i64,
}

struct Shown {
    views: Vec<View>,
    /// Closed windows not yet printed, where lines are printed.
    lines: Option<Vec<String>>,
    printed: Ticks,
    rate: Rate,
    first_open: Option<Ticks>,
    first_closed: Option<Ticks>,
}

impl Show {
    pub fn new(manifest: &Manifest, clock: Arc<dyn Clock>) -> Self {
        let output = Output::detect();
        let now = clock.ticks();
        let views = manifest.pipelines.iter().map(|pipeline| {
            View::new(&pipeline.id, pipeline.windows.iter().map(|window| window.name.as_str()))
        });
        let shown = Shown {
            views: views.collect(),
            lines: matches!(output, Output::Lines).then(Vec::new),
            printed: now,
            rate: Rate::new(RATE_OVER, now),
            first_open: None,
            first_closed: None,
        };
        Self {
            start: now,
            start_us: clock.now_us(),
            shown: Arc::new(Mutex::new(shown)),
            screen: Mutex::new(Screen::stdout()),
            clock,
            output,
        }
    }

    /// Where a pipeline's windows are shown.
    pub fn viewer(&self, index: usize) -> Box<dyn Viewer> {
        Box::new(PipelineViewer { index, shown: self.shown.clone(), clock: self.clock.clone() })
    }

    /// Waits a moment, then shows the state.
    pub fn refresh(&self, streams: &[Arc<Services>]) {
        self.clock.sleep(REFRESH);
        let mut shown = lock(&self.shown);
        let counts: Vec<Counts> = streams.iter().map(|stream| stream.progress.counts()).collect();
        let now = self.clock.ticks();
        let records = counts.iter().map(|counts| counts.records).sum();
        let rate = shown.rate.look(now, records);
        for (view, counts) in shown.views.iter_mut().zip(&counts) {
            view.counters = counters(counts, rate);
        }
        match self.output {
            Output::Terminal(palette) => self.draw(&shown, palette),
            Output::Lines => self.print(&mut shown, streams, now),
        }
    }

    fn draw(&self, shown: &Shown, palette: Palette) {
        let mut screen = self.screen.lock().unwrap_or_else(PoisonError::into_inner);
        let (width, height) = screen.size();
        let share = height / shown.views.len().max(1);
        let lines: Vec<String> =
            shown.views.iter().flat_map(|view| render(view, width, share, palette)).collect();
        // A terminal that has gone away ends the demo by its signal, not by this.
        let _ = screen.draw(&lines, width);
    }

    fn print(&self, shown: &mut Shown, streams: &[Arc<Services>], now: Ticks) {
        for line in shown.lines.iter_mut().flat_map(|lines| lines.drain(..)) {
            println!("{line}");
        }
        if now.since(shown.printed) >= PLAIN_EVERY {
            shown.printed = now;
            for (view, stream) in shown.views.iter().zip(streams) {
                println!("{}", plain::progress(stream.plan.name(), &view.counters));
            }
        }
    }

    /// Counts, dead letters by reason, the ledger's balance, and where the tables are.
    pub fn summary(&self, streams: &[Arc<Services>], store: &Store) {
        let shown = lock(&self.shown);
        println!();
        println!(
            "a synthetic market from {} on, {} s long",
            time(self.start_us),
            self.since(Some(self.clock.ticks()))
        );
        println!(
            "first open candle after {} s, first closed one after {} s",
            self.since(shown.first_open),
            self.since(shown.first_closed)
        );
        for stream in streams {
            let (name, counts) = (stream.plan.name(), stream.progress.counts());
            println!();
            println!("{name}");
            for (what, count) in [
                ("records", counts.records),
                ("candles", counts.candles),
                ("late rows", counts.most(|window| window.late)),
                ("duplicates", counts.most(|window| window.duplicates)),
                ("conflicts", counts.most(|window| window.conflicts)),
                ("dead letters", counts.dead_letters),
            ] {
                println!("  {what:<13}{:>12}", grouped(count));
            }
            for (reason, count) in &counts.reasons {
                println!("      {:>10}  {reason}", grouped(*count));
            }
            println!("  {:<13}{}", "ledger", balance(stream, store));
        }
        print_tables(streams, store.url());
    }

    fn since(&self, moment: Option<Ticks>) -> String {
        moment.map_or("?".to_owned(), |moment| format!("{:.1}", moment.since(self.start).as_secs_f64()))
    }
}

fn balance(stream: &Services, store: &Store) -> String {
    let newest = match newest_record(store, stream.plan.name()) {
        Ok(Some(newest)) => newest,
        Ok(None) => return "no commit".to_owned(),
        Err(error) => return error.to_string(),
    };
    match newest.state.ledger.check() {
        Ok(()) => {
            let records: u64 = newest.state.ledger.partitions.values().map(|counts| counts.records).sum();
            format!("balanced over {}, {}", counted(records, "record"), counted(newest.seq, "commit"))
        }
        Err(imbalance) => imbalance.to_string(),
    }
}

fn print_tables(streams: &[Arc<Services>], lake: &str) {
    let local = url::Url::parse(lake).ok().and_then(|url| url.to_file_path().ok());
    let folder = local.map_or_else(|| lake.to_owned(), |path| shown(&path));
    println!();
    println!("tables");
    for stream in streams {
        for window in &stream.plan.pipeline.windows {
            println!("  {folder}/{}", speed_table(&stream.plan.pipeline.table(window)));
        }
    }
    if let Some((pipeline, window)) =
        streams.first().and_then(|it| Some((&it.plan.pipeline, it.plan.pipeline.windows.first()?)))
    {
        println!();
        println!("query them, for example with DuckDB:");
        println!("  {}", query(&folder, pipeline, window));
    }
}

/// A command that shows a table's newest rows.
fn query(folder: &str, pipeline: &Pipeline, window: &Window) -> String {
    let table = format!("{folder}/{}", speed_table(&pipeline.table(window))).replace('\'', "''");
    let key: String = window.keys.iter().map(|key| format!("{key}, ")).collect();
    // A backfill, or the true close of a window that was published open, writes a row beside the one before.
    let sql = format!(
        "SELECT * FROM '{table}/*/*.parquet' QUALIFY row_number() OVER (PARTITION BY {key}window_start ORDER BY \
         revision DESC) = 1 ORDER BY window_start DESC LIMIT 16"
    );
    format!("duckdb -c {}", again::in_double_quotes(&sql))
}

fn counters(counts: &Counts, records_per_s: f64) -> Counters {
    Counters {
        records: counts.records,
        records_per_s,
        rows: counts.rows,
        late: counts.most(|window| window.late),
        duplicates: counts.most(|window| window.duplicates),
        conflicts: counts.most(|window| window.conflicts),
        dead_letters: counts.dead_letters,
        watermark_us: counts.watermark_us,
        lag: None,
        candles: counts.candles,
        epochs: counts.epochs,
    }
}

struct PipelineViewer {
    index: usize,
    shown: Arc<Mutex<Shown>>,
    clock: Arc<dyn Clock>,
}

impl Viewer for PipelineViewer {
    fn open(&self, windows: &[(String, RecordBatch)]) {
        let mut shown = lock(&self.shown);
        for (name, rows) in windows {
            shown.first_open.get_or_insert(self.clock.ticks());
            shown.views[self.index].show(name, rows, Phase::Open);
        }
    }

    fn closed(&self, pipeline: &str, windows: &[(String, RecordBatch)]) {
        let mut shown = lock(&self.shown);
        for (name, rows) in windows {
            shown.first_closed.get_or_insert(self.clock.ticks());
            shown.views[self.index].show(name, rows, Phase::Closed);
            if let Some(lines) = &mut shown.lines {
                lines.extend(plain::closed(pipeline, name, rows));
            }
        }
    }
}

fn lock(shown: &Mutex<Shown>) -> MutexGuard<'_, Shown> {
    shown.lock().unwrap_or_else(PoisonError::into_inner)
}
