//! Series out of files: by a batch into a lake in memory, so that whatever `tallow batch` reads is read alike. Candles in
//! one JSON document, which have no lines, are read by themselves.

use std::path::Path;
use std::sync::Arc;

use tallow_files::{Checksums, File, Lines};
use tallow_forecast::{ForecastError, Input, candles_json, input};
use tallow_log::owner;
use tallow_manifest::{Forecast, Manifest};
use tallow_store::Store;

use crate::cli::Failure;
use crate::cli::compose::Host;
use crate::cli::report::{counted, grouped};

/// Bytes of lines that come at once.
const PIECE_BYTES: usize = 1 << 20;
/// A document is in memory whole.
const MOST_BYTES: u64 = 256 << 20;

/// The series of the manifest's one batch. `symbol`: in place of a document's own name.
pub fn read(
    host: &Host,
    manifest: &Manifest,
    forecast: &Forecast,
    symbol: Option<&str>,
) -> Result<Vec<Input>, Failure> {
    let Some(job) = manifest.batches.first() else { return Ok(Vec::new()) };
    let files = tallow_files::expand(&job.inputs, Path::new(""), &Default::default())
        .map_err(|error| Failure::new(error.exit_code(), error))?;
    let (mut documents, mut tables) = (Vec::new(), Vec::new());
    for file in files {
        let first = lines(&file, 1)?;
        if candles_json::is_one(first.lines().find(|line| !line.trim().is_empty()).unwrap_or_default()) {
            documents.push(file);
        } else {
            tables.push(file);
        }
    }
    let mut inputs = Vec::new();
    for file in documents {
        if file.size_bytes() > MOST_BYTES {
            return Err(Failure::usage(format!(
                "{}: a JSON document of more than 256 MiB is not read",
                file.name
            )));
        }
        let input = candles_json::read(&lines(&file, usize::MAX)?, symbol);
        inputs.push(input.map_err(ForecastError::input(&file.name))?);
    }
    if !tables.is_empty() {
        inputs.extend(by_batch(host, manifest, tables, &forecast.column)?);
    }
    inputs.sort_by(|one, other| one.symbol.cmp(&other.symbol));
    if let Some(pair) = inputs.windows(2).find(|pair| pair[0].symbol == pair[1].symbol) {
        let text = format!("`{}` is in two inputs: read them one after the other", pair[0].symbol);
        return Err(Failure::usage(text));
    }
    Ok(inputs)
}

/// A file's text; of so many pieces.
fn lines(file: &File, pieces: usize) -> Result<String, Failure> {
    let (mut bytes, mut left) = (Vec::new(), pieces);
    let mut sink = |lines: Lines| {
        bytes.extend_from_slice(&lines.bytes);
        left -= 1;
        left > 0
    };
    tallow_files::read(file, Checksums::Ignored, PIECE_BYTES, Arc::default(), &mut sink)
        .map_err(|error| Failure::new(error.exit_code(), error))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn by_batch(host: &Host, manifest: &Manifest, files: Vec<File>, column: &str) -> Result<Vec<Input>, Failure> {
    let Some(job) = manifest.batches.first() else { return Ok(Vec::new()) };
    let mut services = host.batch(manifest, job)?;
    services.store = Store::memory()?;
    let failed = |error: tallow_batch::BatchError| Failure::new(error.exit_code(), error);
    let outcome = tallow_batch::run(&services, files, &owner::name()).map_err(failed)?;
    Failure::of_several(outcome.failed.values().map(|error| (error.exit_code(), error.to_string())))?;
    say(&outcome.report);
    Ok(input::of_table(&services.store, &services.plan.table, column)?)
}

/// What of the files became no row, where a person sees it.
fn say(report: &tallow_batch::Report) {
    let lines = counted(report.lines, "line");
    eprintln!("{lines} of {}: {}", counted(report.files, "file"), counted(report.windows, "step"));
    for (what, reasons) in
        [("ignored", &report.ignored), ("rejected", &report.rejected), ("set aside", &report.set_aside)]
    {
        for (reason, count) in reasons {
            eprintln!("  {what}: {} of them: {reason}", grouped(*count));
        }
    }
    for (what, count) in [("conflicts", report.conflicts), ("duplicates", report.duplicates)] {
        if count > 0 {
            eprintln!("  {what}: {}", grouped(count));
        }
    }
    for (remark, (_, first)) in &report.remarks {
        eprintln!("  {first}: {remark}");
    }
}
