//! What is asked of a running `tallow up`: shadow, promote, swap, rollback.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::json;
use tallow_log::record::Mode;

use crate::cli::report::counted;
use crate::cli::{Failure, settings};
use crate::oci::{self, Credentials, OciError};
use tallow_env::exit;
use tallow_swap::comparison::Difference;
use tallow_swap::control::protocol::{Answer, Component, Request, Terms};
use tallow_swap::control::{self, socket};
use tallow_swap::tally::{Tally, Verdict};

#[derive(clap::Args)]
pub struct Target {
    #[command(flatten)]
    settings: settings::Args,
    /// The pipeline, if the manifest has several
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// The socket that `tallow up` listens on, if it was given one
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Print every answer as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct How {
    /// Whether results wait for the end of the probation [default: as the manifest says]
    #[arg(long, value_parser = ["hold", "publish"])]
    mode: Option<String>,
    /// Length of the probation, in epochs with records [default: as the manifest says]
    #[arg(long, value_name = "EPOCHS")]
    probation: Option<u32>,
}

#[derive(clap::Args)]
pub struct Swap {
    /// The function, by its name in the manifest
    name: String,
    /// The component to swap in: a file, or oci://REGISTRY/REPOSITORY@sha256:DIGEST (user and password
    /// from TALLOW_REGISTRY_USER and TALLOW_REGISTRY_PASSWORD)
    component: String,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
pub struct Shadow {
    /// The function, by its name in the manifest
    name: String,
    /// The component that is compared with it: a file, or oci://REGISTRY/REPOSITORY@sha256:DIGEST
    component: String,
    /// Epochs to compare before the verdict
    #[arg(long, value_name = "N", default_value_t = 10)]
    epochs: u32,
    /// Swap it in automatically after this many equal epochs in a row
    #[arg(long, value_name = "N", conflicts_with = "epochs")]
    until_same: Option<u32>,
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
pub struct Promote {
    #[command(flatten)]
    how: How,
    #[command(flatten)]
    target: Target,
}

#[derive(clap::Args)]
pub struct Rollback {
    /// The reason, for the log
    #[arg(long, default_value = "asked for by hand")]
    why: String,
    #[command(flatten)]
    target: Target,
}

pub fn swap(args: Swap) -> Result<(), Failure> {
    let candidate = candidate(args.name, &args.component)?;
    ask(&args.target, &Request::Swap { candidate, terms: terms(&args.how) })
}

pub fn shadow(args: Shadow) -> Result<(), Failure> {
    let candidate = candidate(args.name, &args.component)?;
    let (epochs, until_same, terms) = (args.epochs, args.until_same, terms(&args.how));
    ask(&args.target, &Request::Shadow { candidate, epochs, until_same, terms })
}

pub fn promote(args: Promote) -> Result<(), Failure> {
    ask(&args.target, &Request::Promote { terms: terms(&args.how) })
}

pub fn rollback(args: Rollback) -> Result<(), Failure> {
    ask(&args.target, &Request::Rollback { why: args.why })
}

fn terms(how: &How) -> Terms {
    let mode = how.mode.as_deref().map(|mode| if mode == "hold" { Mode::Hold } else { Mode::Publish });
    Terms { mode, probation_epochs: how.probation }
}

fn candidate(name: String, origin: &str) -> Result<Component, Failure> {
    let bytes = match origin.starts_with(oci::SCHEME) {
        true => oci::pull(origin, &credentials()).map_err(|error| {
            let code =
                if matches!(error, OciError::Registry { .. }) { exit::UNAVAILABLE } else { exit::USAGE };
            Failure::new(code, error)
        })?,
        false => std::fs::read(origin).map_err(|error| Failure::file(Path::new(origin), error))?,
    };
    Ok(Component { name, bytes: BASE64.encode(bytes), origin: origin.to_owned() })
}

fn credentials() -> Credentials {
    let variable = |name: &str| std::env::var(format!("TALLOW_REGISTRY_{name}")).ok();
    Credentials(variable("USER").zip(variable("PASSWORD")))
}

/// Asks, and shows the answers as they come. What was refused or found wanting is a failure.
fn ask(target: &Target, request: &Request) -> Result<(), Failure> {
    let path = socket_path(target)?;
    let mut failure = None;
    let mut answered = false;
    let heard = control::ask::ask(&path, request, |answer| {
        answered = true;
        if target.json {
            println!("{}", json!(answer));
        } else if let Some(line) = line(&answer) {
            println!("{line}");
        }
        failure = failed(&answer);
    });
    if let Err(error) = heard {
        return Err(Failure::new(exit::UNAVAILABLE, unreachable(&path, &error)));
    }
    match failure {
        Some(why) => Err(Failure::failed(why)),
        None if answered => Ok(()),
        None => Err(Failure::new(exit::UNAVAILABLE, "the pipeline ended before it answered")),
    }
}

fn socket_path(target: &Target) -> Result<PathBuf, Failure> {
    if let Some(path) = &target.control {
        return Ok(path.clone());
    }
    let manifest = target.settings.load()?;
    let pipelines = settings::pipelines(&manifest, target.pipeline.as_deref())?;
    match pipelines[..] {
        [pipeline] => Ok(socket::path(&manifest.kafka.lake, &pipeline.id)),
        _ => {
            let names: Vec<&str> = pipelines.iter().map(|pipeline| pipeline.id.as_str()).collect();
            let why = format!("name one of them with --pipeline: {}", names.join(", "));
            Err(Failure::usage(why))
        }
    }
}

fn unreachable(path: &Path, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused => format!(
            "no `tallow up` of this pipeline and lake listens at {}: start it, or name its socket with --control",
            path.display()
        ),
        _ => format!("{}: {error}", path.display()),
    }
}

fn failed(answer: &Answer) -> Option<String> {
    match answer {
        Answer::Refused { why } => Some(format!("refused: {why}")),
        Answer::Dropped { why } => Some(format!("dropped, and the old function continues: {why}")),
        Answer::Verdict { verdict, .. } if *verdict != Verdict::Same => {
            Some(format!("verdict: {}", verdict.name()))
        }
        _ => None,
    }
}

/// `None` if the failure says it, or if it answers another request.
fn line(answer: &Answer) -> Option<String> {
    Some(match answer {
        Answer::Step { text } => text.clone(),
        Answer::Shadow { tally } => format!(
            "{}, {}, {} compared, {} differ, {} skipped",
            counted(tally.epochs.into(), "epoch"),
            counted(tally.records, "record"),
            tally.comparison.compared,
            tally.comparison.differing,
            counted(tally.skipped, "epoch")
        ),
        Answer::Verdict { verdict, percent, tally } => verdict_lines(*verdict, *percent, tally).join("\n"),
        Answer::Swapped { seq, pause_us } => {
            format!("swapped by log record {seq}; the windows paused for {:.1} ms", *pause_us as f64 / 1000.0)
        }
        Answer::RolledBack { seq } => format!("rolled back by log record {seq}"),
        Answer::Dropped { .. } | Answer::Refused { .. } | Answer::Status { .. } => return None,
    })
}

fn verdict_lines(verdict: Verdict, percent: Option<u64>, tally: &Tally) -> Vec<String> {
    let mut lines = vec![format!("{} compared", counted(tally.epochs.into(), "epoch"))];
    lines.extend(percent.map(|it| format!("time of the candidate: {it} % of the running function's")));
    lines.extend(tally.failed.as_ref().map(|failed| format!("the candidate failed: {failed}")));
    for Difference { of, at, field, running, candidate } in &tally.comparison.differences {
        lines.push(format!("differs: {of}, {at} {field}: running {running}, candidate {candidate}"));
    }
    if verdict == Verdict::Same {
        lines.push("verdict: same".to_owned());
    }
    lines
}
