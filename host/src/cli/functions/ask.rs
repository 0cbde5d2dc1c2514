//! What is asked of a running `tallow up`: shadow, promote, swap, rollback.

use std::io;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::Value;
use tallow_log::record::Mode;
use tallow_oci::{Credentials, OciError};

use crate::cli::report::counted;
use crate::cli::{Failure, settings};
use tallow_env::exit;
use tallow_swap::control::protocol::{Component, Request, Terms};
use tallow_swap::control::{self, socket};

#[derive(clap::Args)]
pub struct Target {
    #[command(flatten)]
    settings: settings::Args,
    /// The pipeline, where the manifest has several
    #[arg(long, value_name = "NAME")]
    pipeline: Option<String>,
    /// The socket that `tallow up` listens at, if it was told of one
    #[arg(long, value_name = "PATH")]
    control: Option<PathBuf>,
    /// Print every answer as a line of JSON
    #[arg(long)]
    json: bool,
}

#[derive(clap::Args)]
struct How {
    /// Whether results wait for the end of the probation; without it as the manifest says
    #[arg(long, value_parser = ["hold", "publish"])]
    mode: Option<String>,
    /// Epochs with records that the new function is on probation for; without it as the manifest says
    #[arg(long, value_name = "EPOCHS")]
    probation: Option<u32>,
}

#[derive(clap::Args)]
pub struct Swap {
    /// The function, by its name in the manifest
    name: String,
    /// The component that is to take its place: a file, or oci://REGISTRY/REPOSITORY@sha256:DIGEST (user and password
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
    /// Swap it in by itself after so many epochs in a row that are the same
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
    let bytes = match origin.starts_with(tallow_oci::SCHEME) {
        true => tallow_oci::pull(origin, &credentials()).map_err(|error| {
            let code =
                if matches!(error, OciError::Registry { .. }) { exit::UNAVAILABLE } else { exit::USAGE };
            Failure::new(code, error)
        })?,
        false => {
            std::fs::read(origin).map_err(|error| Failure::new(exit::USAGE, format!("{origin}: {error}")))?
        }
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
            println!("{answer}");
        } else if let Some(line) = line(&answer) {
            println!("{line}");
        }
        failure = failed(&answer);
    });
    if let Err(error) = heard {
        return Err(Failure::new(exit::UNAVAILABLE, unreachable(&path, &error)));
    }
    match failure {
        Some(why) => Err(Failure::new(exit::FAILED, why)),
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
            let why = format!("--pipeline says which one is meant: {}", names.join(", "));
            Err(Failure::new(exit::USAGE, why))
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

fn failed(answer: &Value) -> Option<String> {
    let why = || answer["why"].as_str().unwrap_or("no reason was given").to_owned();
    match answer["is"].as_str()? {
        "refused" => Some(format!("refused: {}", why())),
        "dropped" => Some(format!("dropped, and the old function goes on: {}", why())),
        "verdict" if answer["verdict"] != "same" => Some(format!("verdict: {}", answer["verdict"].as_str()?)),
        _ => None,
    }
}

fn line(answer: &Value) -> Option<String> {
    let number = |value: &Value| value.as_u64().unwrap_or_default();
    Some(match answer["is"].as_str()? {
        "step" => answer["text"].as_str()?.to_owned(),
        "shadow" => {
            let tally = &answer["tally"];
            format!(
                "{}, {}, {} compared, {} differ, {} passed over",
                counted(number(&tally["epochs"]), "epoch"),
                counted(number(&tally["records"]), "record"),
                number(&tally["comparison"]["compared"]),
                number(&tally["comparison"]["differing"]),
                counted(number(&tally["skipped"]), "epoch")
            )
        }
        "verdict" => verdict(answer),
        "swapped" => format!(
            "swapped by log record {}; the windows stood still for {:.1} ms",
            number(&answer["seq"]),
            number(&answer["pause_us"]) as f64 / 1000.0
        ),
        "rolled-back" => format!("rolled back by log record {}", number(&answer["seq"])),
        _ => return None,
    })
}

fn verdict(answer: &Value) -> String {
    let tally = &answer["tally"];
    let epochs = counted(tally["epochs"].as_u64().unwrap_or_default(), "epoch");
    let mut lines = vec![format!("{epochs} compared")];
    if let Some(percent) = answer["percent"].as_u64() {
        lines.push(format!("time of the candidate: {percent} % of the running function's"));
    }
    if let Some(failed) = tally["failed"].as_str() {
        lines.push(format!("the candidate failed: {failed}"));
    }
    for difference in tally["comparison"]["differences"].as_array().into_iter().flatten() {
        let text = |key: &str| difference[key].as_str().unwrap_or_default();
        lines.push(format!(
            "differs: {}, {} {}: running {}, candidate {}",
            text("of"),
            text("at"),
            text("field"),
            text("running"),
            text("candidate")
        ));
    }
    if answer["verdict"] == "same" {
        lines.push("verdict: same".to_owned());
    }
    lines.join("\n")
}
