//! `tallow forecast`: series and their future, by a forecast of the manifest or by flags.

mod files;
mod flags;
mod show;

use std::sync::{Arc, Mutex, PoisonError};

use tallow_forecast::{ForecastError, Forecaster, Input, Outcome, input, runs};
use tallow_manifest::{Forecast, Manifest};

use super::compose::{Host, table_of};
use super::report::LineReporter;
use super::{Failure, allocator, settings, stop};

#[derive(clap::Args)]
pub struct Args {
    #[command(flatten)]
    settings: settings::Args,
    /// The forecast: a [application.trigger.kafka.forecast.NAME] of the manifest; with --input or --table what the results
    /// are called
    #[arg(required_unless_present_any = ["input", "table"])]
    name: Option<String>,
    /// Files of klines instead of a table: paths or URLs with wildcards; may be given more than once
    #[arg(long, value_name = "GLOB")]
    input: Vec<String>,
    /// The symbol of all rows, with --input
    #[arg(long, value_name = "SYMBOL", requires = "input", conflicts_with = "symbol_from")]
    symbol: Option<String>,
    /// Regular expression that finds the symbol in a file's name, with --input
    #[arg(long, value_name = "REGEX", requires = "input")]
    symbol_from: Option<String>,
    /// Names of the columns in order, separated by commas, with --input: for files without a header that names them
    #[arg(long, value_name = "NAMES", requires = "input")]
    columns: Option<String>,
    #[command(flatten)]
    job: flags::Job,
    /// Make a run even if an earlier one has the same results
    #[arg(long)]
    again: bool,
    /// List the runs
    #[arg(long, conflicts_with_all = ["restore", "again"])]
    list: bool,
    /// Make an earlier run the newest one
    #[arg(long, value_name = "RUN", conflicts_with = "again")]
    restore: Option<u64>,
    /// Fits side by side; as many as there are processors if absent
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: Option<u16>,
    /// Print progress and the results as JSON lines
    #[arg(long)]
    json: bool,
}

pub fn run(args: Args) -> Result<(), Failure> {
    allocator::keep_freed_memory();
    let stop = stop::on_signal()?;
    let (manifest, forecast) = args.manifest()?;
    let failed = |error| failure(&forecast, error);
    let host = Host::new(&manifest, stop)?;
    host.check_lake()?;
    if args.list {
        let runs = runs::list(&host.store, &forecast.name).map_err(failed)?;
        show::list(&runs, &host.store, &forecast.name, args.json);
        return Ok(());
    }
    if let Some(run) = args.restore {
        let record = runs::restore(&host.store, &forecast.name, run).map_err(failed)?;
        println!("{}: run {} has the results of run {}", forecast.name, record.run, record.results);
        return Ok(());
    }
    let forecaster = host.forecaster(&manifest, &forecast, args.threads.map(usize::from))?;
    let inputs = match &args.input[..] {
        [] => of_table(&host, &forecast)?,
        _ => files::read(&host, &manifest, &forecast, args.symbol.as_deref())?,
    };
    forecast_all(&host, &forecaster, &inputs, args.again, args.json).map_err(failed)
}

/// Runs a forecast of a table of the lake, and shows it. It runs to its end, also after what ran before was stopped.
pub fn run_and_print(host: &Host, manifest: &Manifest, forecast: &Forecast) -> Result<(), Failure> {
    let forecaster = Forecaster { stop: Arc::default(), ..host.forecaster(manifest, forecast, None)? };
    let inputs = of_table(host, forecast)?;
    forecast_all(host, &forecaster, &inputs, false, false).map_err(|error| failure(forecast, error))
}

fn failure(forecast: &Forecast, error: ForecastError) -> Failure {
    Failure::new(error.exit_code(), format!("forecast `{}`: {error}", forecast.name))
}

/// The symbols of a table of the lake, and their values.
fn of_table(host: &Host, forecast: &Forecast) -> Result<Vec<Input>, Failure> {
    let table = table_of(forecast);
    let inputs = input::of_table(&host.store, &table, &forecast.column)?;
    let Some(wanted) = &forecast.symbols else { return Ok(inputs) };
    let there: Vec<&str> = inputs.iter().map(|it| it.symbol.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|symbol| !there.contains(&symbol.as_str())) {
        let text =
            format!("{} has no symbol `{unknown}`; {}", table.root, tallow_manifest::offer(unknown, &there));
        return Err(Failure::usage(text));
    }
    Ok(inputs.into_iter().filter(|it| wanted.contains(&it.symbol)).collect())
}

fn forecast_all(
    host: &Host,
    forecaster: &Forecaster,
    inputs: &[Input],
    again: bool,
    json: bool,
) -> Result<(), ForecastError> {
    let start = host.clock.ticks();
    let line = Arc::new(Mutex::new(LineReporter::new(json)));
    let outcome = forecaster.run(inputs, again, &mut |event| {
        let mut line = line.lock().unwrap_or_else(PoisonError::into_inner);
        show::event(&mut line, host.clock.ticks().since(start), &event, json);
    });
    line.lock().unwrap_or_else(PoisonError::into_inner).finish();
    match &outcome? {
        Outcome::Nothing { run, newest } => show::nothing(forecaster, *run, *newest, json),
        Outcome::Done(done) => show::done(forecaster, done, json),
    }
    Ok(())
}
