//! Made-up minutes of klines as CSV, 58 bytes a row, a file a symbol.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// 2015-01-01 00:00 UTC: ten symbols of five million minutes end in 2024.
const START_MS: u64 = 1_420_070_400_000;
const MINUTE_MS: u64 = 60_000;
const SYMBOLS: [&str; 10] =
    ["AAAUSD", "BBBUSD", "CCCUSD", "DDDUSD", "EEEUSD", "FFFUSD", "GGGUSD", "HHHUSD", "IIIUSD", "JJJUSD"];

/// Files of klines in a folder of the build.
pub struct Klines {
    pub folder: PathBuf,
    pub rows: u64,
    pub bytes: u64,
}

impl Klines {
    /// Writes `rows` rows, spread over the symbols; what an earlier run wrote of as many is taken.
    pub fn write(folder: &Path, rows: u64) -> Result<Self> {
        let each = rows / SYMBOLS.len() as u64;
        let folder = folder.join(format!("klines-{rows}"));
        std::fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut bytes = 0;
        for (index, symbol) in SYMBOLS.iter().enumerate() {
            let path = folder.join(format!("{symbol}-1m.csv"));
            let done = folder.join(format!("{symbol}.done"));
            if !done.exists() {
                write(&path, each, index as u64)?;
                std::fs::write(&done, "")?;
            }
            bytes += std::fs::metadata(&path)?.len();
        }
        Ok(Self { folder, rows: each * SYMBOLS.len() as u64, bytes })
    }

    pub fn pattern(&self) -> String {
        format!("{}/*.csv", self.folder.display())
    }
}

fn write(path: &Path, rows: u64, seed: u64) -> Result<()> {
    let mut file = BufWriter::with_capacity(1 << 20, File::create(path)?);
    writeln!(file, "open_time,open,high,low,close,volume")?;
    let mut price = 2_000_000 + seed * 500_000;
    for row in 0..rows {
        // Knuth's multiplicative hash: digits that a branch predictor cannot learn.
        let noise = (row + 1 + (seed << 40)).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 20;
        let open = price;
        price = (price + noise % 2_001).saturating_sub(1_000).clamp(1_000_000, 9_000_000);
        let (high, low) = (open.max(price) + noise / 7 % 500, open.min(price) - noise / 11 % 500);
        let time = START_MS + row * MINUTE_MS;
        let cents = |value: u64| (value / 100, value % 100);
        let ((o, oc), (h, hc), (l, lc), (c, cc)) = (cents(open), cents(high), cents(low), cents(price));
        let (v, vc) = (noise / 13 % 10, noise / 17 % 100_000);
        writeln!(file, "{time},{o}.{oc:02},{h}.{hc:02},{l}.{lc:02},{c}.{cc:02},{v}.{vc:05}")?;
    }
    Ok(file.flush()?)
}
