//! What the functions do in a second of a core, in the sandbox: `cargo run --release -p tallow-engine --example
//! calls`. Trades of five symbols, about 125 bytes each, 2,048 and 4,096 a call; every column that candles need,
//! then windows of a minute and a day. The thread's own time on the processor counts, in the best of several rounds,
//! since others use the machine too.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use tallow_engine::{
    Aggregate, Contract, IdColumns, Limits, Operation, ParseFunction, ParseOptions, Rows, Runtime, Shape,
    Spec, WantedColumn, WindowFunction,
};
use tallow_record::Batch;

const ROUNDS: usize = 10;
const ROUND: Duration = Duration::from_millis(300);
const COLUMNS: [&str; 5] = ["symbol", "event_time", "id", "price", "quantity"];

fn main() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new(None)?;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/functions");
    let parse = runtime.load_file("parse-market", &folder.join("parse-market.wasm"), Contract::Parse)?;
    let window = runtime.load_file("window", &folder.join("window.wasm"), Contract::Window);
    for records in [2048, 4096] {
        let columns = COLUMNS.map(|name| WantedColumn { name: name.to_owned(), scale: 8 });
        let options = ParseOptions { kinds: vec!["trade".into()], columns: columns.into(), settings: vec![] };
        let mut function = ParseFunction::new(&parse, Limits::default(), options)?;
        let mut batch = trades(records, 0);
        let bytes = batch.size_bytes() as u64 / records;
        let rate = best_rate(records, || {
            function.parse(&mut batch)?;
            Ok(())
        })?;
        println!("parse   {records} records of {bytes} bytes a call: {:6.2} M records/s", rate / 1e6);

        let Ok(window) = &window else { continue };
        let calls = (0..64).map(|call| Ok(function.parse(&mut trades(records, call * records))?.rows));
        let calls: Vec<Rows> = calls.collect::<Result<_, Box<dyn Error>>>()?;
        let specs = [candles("1m", 60_000_000), candles("1d", 86_400_000_000)];
        let rate = best_rate(records * calls.len() as u64, || {
            let mut function = WindowFunction::open(window, Limits::default(), &specs)?;
            for rows in &calls {
                function.update(rows)?;
            }
            function.advance(i64::MAX)?;
            Ok(())
        })?;
        println!("windows {records} rows a call, 1m and 1d:          {:6.2} M rows/s", rate / 1e6);
    }
    if let Err(error) = window {
        println!("windows: {error}");
    }
    Ok(())
}

/// Units a second in the best round; each call of `f` does `units`.
fn best_rate(units: u64, mut f: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut best: f64 = 0.0;
    for _ in 0..ROUNDS {
        let (start, mut done) = (on_processor()?, 0);
        while on_processor()? - start < ROUND {
            // Asking for the time takes as long as a hundred records.
            for _ in 0..16 {
                f()?;
                done += units;
            }
        }
        best = best.max(done as f64 / (on_processor()? - start).as_secs_f64());
    }
    Ok(best)
}

/// How long this thread has been running.
fn on_processor() -> Result<Duration, Box<dyn Error>> {
    let times = std::fs::read_to_string("/proc/thread-self/schedstat")?;
    let nanoseconds = times.split(' ').next().unwrap_or_default().parse()?;
    Ok(Duration::from_nanos(nanoseconds))
}

fn candles(name: &str, size_us: u64) -> Spec {
    let aggregate = |name: &str, operation, column: &str| Aggregate {
        name: name.into(),
        operation,
        column: Some(column.into()),
        by: None,
    };
    Spec {
        name: name.into(),
        kinds: vec!["trade".into()],
        keys: vec!["symbol".into()],
        time: "event_time".into(),
        ids: Some(IdColumns::unbounded("id", "id")),
        shape: Shape::Tumbling(size_us),
        offset_us: 0,
        aggregates: vec![
            aggregate("open", Operation::First, "price"),
            aggregate("high", Operation::Max, "price"),
            aggregate("low", Operation::Min, "price"),
            aggregate("close", Operation::Last, "price"),
            aggregate("volume", Operation::Sum, "quantity"),
        ],
    }
}

/// Trades with ids from `first` on, each symbol's own ids without holes.
fn trades(records: u64, first: u64) -> Batch {
    let symbols =
        [("BTCUSDT", 61_837), ("ETHUSDT", 2_683), ("SOLUSDT", 152), ("BNBUSDT", 571), ("DOGEUSDT", 1)];
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"trades".into());
    for index in first..first + records {
        // Knuth's multiplicative hash: digits that a branch predictor cannot learn.
        let noise = (index + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let (symbol, base) = symbols[(index % 5) as usize];
        let time_ms = 1_723_161_255_000 + index;
        let value = format!(
            r#"{{"e":"trade","E":{},"s":"{symbol}","t":{},"p":"{base}.{:08}","q":"{}.{:08}","T":{time_ms},"m":{}}}"#,
            time_ms + 1,
            3_735_683_259u64 + index / 5,
            noise % 10_000 * 10_000,
            noise % 3,
            noise % 100_000 * 1_000,
            noise % 2 == 0,
        );
        batch.push(topic, 0, index as i64, time_ms as i64 * 1000, 0, None, Some(value.as_bytes()));
    }
    batch
}
