//! A whole run of the program over a topic of a real Kafka, beside bare consumption of the same topic.

use anyhow::Result;
use tallow_tests::kafka::Kafka;

use crate::pairs::{Pairs, median, seconds};
use crate::process::Job;
use crate::report::Measure;
use crate::topic::Topic;

const PAIRS: usize = 3;
/// Of what bare consumption by one client does, records a second.
const REACH_RATIO: f64 = 0.7;

pub fn run(kafka: &Kafka, records: u64, measures: &mut Vec<Measure>) -> Result<()> {
    eprintln!("end-to-end: filling a topic with {records} trades");
    let topic = Topic::fill(kafka, records)?;
    let job = Job { fetch_clients: 1, delay: "2s", windows: &["1m", "1d"] };
    job.check(&topic)?;
    for clients in [1, 2] {
        let job = Job { fetch_clients: clients, ..job };
        side_by_side(&topic, job, measures)?;
    }
    Ok(())
}

fn side_by_side(topic: &Topic<'_>, job: Job, measures: &mut Vec<Measure>) -> Result<()> {
    let clients = match job.fetch_clients {
        1 => "1 client".to_owned(),
        clients => format!("{clients} clients"),
    };
    let records = topic.records as f64;
    let (mut cpu_seconds, mut steady) = (Vec::new(), Vec::new());
    // Both are held against one bare client: what a reader without tallow would write.
    let pairs = Pairs::measure(
        PAIRS,
        || {
            let (seconds, ()) = seconds(|| topic.read_bare())?;
            eprintln!("  bare, 1 client: {seconds:.2} s");
            Ok(records / seconds)
        },
        || {
            let run = job.run(topic)?;
            eprintln!("  tallow, {clients}: {:.2} s, {:.2} s of CPU", run.seconds, run.cpu_seconds);
            cpu_seconds.push(run.cpu_seconds);
            steady.extend(run.steady);
            Ok(records / run.seconds)
        },
    )?;
    let name = |what: &str| format!("end to end, {clients}: {what}");
    measures.extend([
        Measure::new(name("bare, 1 client"), median(pairs.a.clone()), "records/s"),
        Measure::new(name("tallow"), median(pairs.b.clone()), "records/s"),
    ]);
    if !steady.is_empty() {
        measures.push(Measure::new(name("tallow, steady"), median(steady), "records/s"));
    }
    let ratio = Measure::new(name("tallow / bare"), 1.0 / pairs.ratio(), "times").reach(REACH_RATIO);
    measures.extend([
        ratio,
        Measure::new(name("tallow's CPU"), median(cpu_seconds) / records * 1e6, "µs/record"),
    ]);
    Ok(())
}
