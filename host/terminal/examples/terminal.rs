//! The terminal view over a made-up market, to be looked at: `cargo run --release -p tallow-sink --example
//! terminal`. An argument is the number of frames to draw.

use std::sync::Arc;
use std::time::Duration;

use arrow_array::{
    ArrayRef, BooleanArray, Decimal128Array, Int64Array, RecordBatch, StringArray, TimestampMicrosecondArray,
};
use arrow_schema::ArrowError;
use tallow_env::{Clock, Random, SeededRandom, SystemClock};
use tallow_terminal::{Output, Phase, Screen, View, plain, render};

const START_US: i64 = 1_723_161_600_000_000;
const FRAME_US: i64 = 7_000_000;
const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 1_440 * MINUTE_US;

/// Symbols with a price and its smallest step, in 10^-8.
const MARKET: [(&str, i64, i64); 8] = [
    ("ADAUSDT", 33_450_000, 10_000),
    ("BNBUSDT", 51_230_000_000, 10_000_000),
    ("BTCUSDT", 6_012_312_000_000, 1_000_000),
    ("DOTUSDT", 463_200_000, 100_000),
    ("ETHUSDT", 268_311_000_000, 1_000_000),
    ("LINKUSDT", 1_023_000_000, 1_000_000),
    ("PEPEUSDT", 812, 1),
    ("SOLUSDT", 15_632_000_000, 1_000_000),
];

/// One symbol's open candle, in 10^-8.
#[derive(Clone, Copy)]
struct Candle {
    open: i64,
    high: i64,
    low: i64,
    close: i64,
    volume: i64,
    count: i64,
}

impl Candle {
    fn at(price: i64) -> Self {
        Self { open: price, high: price, low: price, close: price, volume: 0, count: 0 }
    }

    fn trade(&mut self, price: i64, volume: i64) {
        self.high = self.high.max(price);
        self.low = self.low.min(price);
        self.close = price;
        self.volume += volume;
        self.count += 1;
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let frames: i64 = std::env::args().nth(1).map_or(Ok(2_000), |count| count.parse())?;
    let clock = SystemClock::new();
    let random = SeededRandom::new(7);
    let output = Output::detect();
    let mut screen = Screen::stdout();
    let mut view = View::new("trades", ["1m", "1d"]);
    let mut minutes = MARKET.map(|(_, price, _)| Candle::at(price));
    let mut days = minutes;

    for frame in 0..frames {
        let now_us = START_US + frame * FRAME_US;
        for (at, (_, _, step)) in MARKET.iter().enumerate() {
            let moved = (random.next_u64() % 21) as i64 - 10;
            let price = (minutes[at].close + moved * step).max(*step);
            let volume = (random.next_u64() % 500_000_000) as i64;
            minutes[at].trade(price, volume);
            days[at].trade(price, volume);
        }
        let minute_us = now_us - now_us.rem_euclid(MINUTE_US);
        let closes = (now_us + FRAME_US) / MINUTE_US > now_us / MINUTE_US;
        let phase = if closes { Phase::Closed } else { Phase::Open };
        let table = table(&minutes, minute_us, MINUTE_US, closes)?;
        view.show("1m", &table, phase);
        view.show("1d", &self::table(&days, START_US, DAY_US, false)?, Phase::Open);
        if closes {
            minutes = minutes.map(|candle| Candle::at(candle.close));
        }
        count(&mut view, frame, now_us);
        match output {
            Output::Terminal(palette) => {
                let (width, height) = screen.size();
                screen.draw(&render(&view, width, height, palette), width)?;
                clock.sleep(Duration::from_millis(50));
            }
            Output::Lines if closes => {
                plain::closed("trades", "1m", &table).iter().for_each(|line| println!("{line}"));
                println!("{}", plain::progress("trades", &view.counters));
            }
            Output::Lines => {}
        }
    }
    Ok(())
}

fn count(view: &mut View, frame: i64, now_us: i64) {
    let counters = &mut view.counters;
    let frame = frame as u64;
    counters.records += 41_233;
    counters.records_per_s = 412_330.0;
    counters.rows = counters.records - frame / 20;
    counters.late = frame / 40;
    counters.duplicates = frame / 3;
    counters.dead_letters = frame / 90;
    counters.lag = Some(1_204 - frame % 1_000);
    counters.watermark_us = Some(now_us - 10_000_000);
    counters.epochs = frame / 10;
    counters.candles = frame / 9 * MARKET.len() as u64;
}

fn table(
    candles: &[Candle; 8],
    start_us: i64,
    size_us: i64,
    closed: bool,
) -> Result<RecordBatch, ArrowError> {
    let times = |time_us: i64| -> ArrayRef {
        Arc::new(TimestampMicrosecondArray::from(vec![time_us; MARKET.len()]).with_timezone("UTC"))
    };
    let decimals = |of: fn(&Candle) -> i64| -> Result<ArrayRef, ArrowError> {
        let mantissas: Decimal128Array = candles.iter().map(|candle| Some(i128::from(of(candle)))).collect();
        Ok(Arc::new(mantissas.with_precision_and_scale(38, 8)?))
    };
    let hole = |at: usize| at == 3 && (start_us / MINUTE_US) % 3 == 0;
    RecordBatch::try_from_iter([
        ("symbol", Arc::new(StringArray::from(MARKET.map(|(symbol, _, _)| symbol).to_vec())) as ArrayRef),
        ("window_start", times(start_us)),
        ("window_end", times(start_us + size_us)),
        ("open", decimals(|candle| candle.open)?),
        ("high", decimals(|candle| candle.high)?),
        ("low", decimals(|candle| candle.low)?),
        ("close", decimals(|candle| candle.close)?),
        ("volume", decimals(|candle| candle.volume)?),
        ("count", Arc::new(Int64Array::from_iter_values(candles.iter().map(|candle| candle.count)))),
        ("missing", Arc::new(Int64Array::from_iter_values((0..8).map(|at| if hole(at) { 12 } else { 0 })))),
        ("complete", Arc::new(BooleanArray::from_iter((0..8).map(|at| Some(closed && !hole(at)))))),
    ])
}
