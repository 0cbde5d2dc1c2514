//! `[application.trigger.kafka]`: brokers and lake, which all pipelines share.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::backfill::Backfill;
use crate::batch::Batch;
use crate::error::Problem;
use crate::feed::Feed;
use crate::forecast::Forecast;
use crate::forms::Form;
use crate::function::Vetting;
use crate::merge::Merge;
use crate::secret::Setting;
use crate::settings::STORE_OPTIONS;
use crate::table::table;
use crate::{schema_pieces, settings, values};

table! {
    /// What the pipelines read from and write to.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct Cluster in "[application.trigger.kafka]", "What all pipelines share.";
    fn read(reader, report, folder: &Path);

    "Kafka brokers to start from. The command line may give them instead."
    pub brokers: String = key("brokers", BROKERS, required());

    "Object store root for tables, logs and state. A relative folder starts from the manifest's own. The command line may \
     give it instead."
    pub lake: String = key("lake", LAKE, required(), |node, report| {
        values::parsed(node, "a URL or a folder", report, |text| lake_url(text, folder))
    });

    "Settings passed to librdkafka under its own names, such as `security.protocol` or \
     `\"sasl.password\" = \"{{ password }}\"`."
    pub client: BTreeMap<String, Setting> = key("client", CLIENT, empty("no settings"));

    "Options passed to the object store under its own names, such as `aws_endpoint`."
    pub lake_options: BTreeMap<String, Setting> = key("lake-options", STORE_OPTIONS, empty("no options"));

    "How components are vetted."
    let _functions: () = key("functions", FUNCTIONS, empty("the defaults for every component"));

    "Where missing windows are fetched from."
    let _backfills: () = key("backfill", BACKFILLS, empty("nothing is fetched"));

    "What is brought from exchanges into topics."
    let _feeds: () = key("feed", FEEDS, empty("no feeds"));

    "Jobs that make tables of files."
    let _batches: () = key("batch", BATCHES, empty("no batches"));

    "Jobs that make one table of batch and speed."
    let _merges: () = key("merge", MERGES, empty("no merges"));

    "Forecasts of series, by name. See below."
    let _forecasts: () = key("forecast", FORECASTS, empty("no forecasts"));
}

const BROKERS: Form<String> =
    Form::parsed("`host:port`, several separated by commas", schema_pieces::text, "a string", parse_brokers);
const LAKE: Form<()> = Form::shown(
    "a URL (`file:///…`, `s3://…`, `gs://…`, `az://…`, `memory:///`) or a folder",
    schema_pieces::text,
);
const CLIENT: Form<BTreeMap<String, Setting>> = Form::new(
    "a table of librdkafka settings",
    || schema_pieces::settings(&REFUSED),
    |node, report| settings::read(node, &REFUSED, report),
);
// Each is read where the rest of the manifest is known.
const FUNCTIONS: Form<()> = Form::shown("a table of [application.trigger.kafka.functions.NAME]", || {
    schema_pieces::map(Vetting::declaration().schema())
});
const BACKFILLS: Form<()> = Form::shown("tables [application.trigger.kafka.backfill.NAME]", || {
    schema_pieces::map(Backfill::declaration().schema())
});
const FEEDS: Form<()> = Form::shown("tables [application.trigger.kafka.feed.NAME]", || {
    schema_pieces::map(Feed::declaration().schema())
});
const BATCHES: Form<()> =
    Form::shown("a table of batches by name", || schema_pieces::map(Batch::declaration().schema()));
const MERGES: Form<()> =
    Form::shown("a table of merges by name", || schema_pieces::map(Merge::declaration().schema()));
const FORECASTS: Form<()> =
    Form::shown("a table of forecasts by name", || schema_pieces::map(Forecast::declaration().schema()));

/// Settings that what tallow promises depends on, with the reason why each is refused.
pub(crate) const REFUSED: [(&str, &str); 25] = [
    ("bootstrap.servers", CONNECTS),
    ("metadata.broker.list", CONNECTS),
    ("enable.auto.commit", COMMITS),
    ("auto.commit.enable", COMMITS),
    ("auto.commit.interval.ms", COMMITS),
    ("enable.auto.offset.store", COMMITS),
    ("offset.store.method", COMMITS),
    ("offset.store.path", COMMITS),
    (
        "auto.offset.reset",
        "tallow sets it to `error`, since its default skips lost records in silence; \
         use `starting-offsets` and `on-data-loss` of the pipeline",
    ),
    (
        "isolation.level",
        "tallow reads committed records only: others may be aborted after they are in a candle",
    ),
    ("enable.partition.eof", "tallow needs the ends of partitions to tell idle ones from slow ones"),
    ("check.crcs", "tallow always checks the records' checksums"),
    (
        "group.id",
        "tallow names the group after the pipeline; offsets are kept in the checkpoint log, the group only shows lag",
    ),
    ("group.instance.id", ASSIGNS),
    ("partition.assignment.strategy", ASSIGNS),
    ("group.protocol", ASSIGNS),
    ("group.remote.assignor", ASSIGNS),
    ("transactional.id", PRODUCES),
    ("enable.idempotence", PRODUCES),
    ("message.max.bytes", "it limits producers; what a fetch may bring is `fetch.message.max.bytes`"),
    ("allow.auto.create.topics", "a misspelt topic must be an error, not a new topic"),
    ("consume.callback.max.messages", "tallow reads queues, not callbacks"),
    ("log.queue", "librdkafka's log goes to tallow's own"),
    ("plugin.library.paths", "it would load foreign code into the host"),
    ("test.mock.num.brokers", "it would read from an empty broker inside the process"),
];
const CONNECTS: &str = "name the brokers with `brokers` of [application.trigger.kafka]";
const COMMITS: &str = "offsets are committed with the candles, in the checkpoint log: any other commit would \
                       lose records or count them twice";
const ASSIGNS: &str = "tallow assigns partitions itself, at the offsets of its checkpoint log";
const PRODUCES: &str = "tallow sets it for its own transactions";

fn parse_brokers(text: &str) -> Result<String, Problem> {
    let brokers: Vec<&str> = text.split(',').map(str::trim).collect();
    for broker in &brokers {
        let address = broker.rsplit_once("://").map_or(*broker, |(_, address)| address);
        let port = address.rsplit_once(':').filter(|_| !address.ends_with(']'));
        let sound_port = port.is_none_or(|(_, port)| port.parse::<u16>().is_ok_and(|port| port > 0));
        let host = port.map_or(address, |(host, _)| host);
        if host.is_empty() || host.contains([' ', '/', '@']) || !sound_port {
            return Err("a broker is written host:port, several are separated by commas".into());
        }
    }
    Ok(brokers.join(","))
}

/// A URL as it is, a folder as a `file://` URL.
fn lake_url(text: &str, folder: &Path) -> Result<String, Problem> {
    const SCHEMES: &str = "file:///…, s3://…, gs://…, az://…, memory:/// or a folder";
    if text.is_empty() {
        return Err(format!("write {SCHEMES}").into());
    }
    if !text.contains("://") {
        let path = without_dots(&folder.join(text));
        let url = Url::from_file_path(&path).map_err(|()| format!("{} is not absolute", path.display()))?;
        return Ok(without_slash(url.as_str()));
    }
    let url = Url::parse(text).map_err(|error| format!("{error}; write {SCHEMES}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("credentials do not belong in the URL; put them into \
                    [application.trigger.kafka.lake-options]"
            .into());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("a lake's URL has no `?` and no `#`".into());
    }
    let host = url.host_str().unwrap_or_default();
    match url.scheme() {
        "file" if host.is_empty() => Ok(without_slash(url.as_str())),
        "file" => Err("a file URL has three slashes: file:///data/lake".into()),
        "memory" => Ok("memory:///".to_owned()),
        "s3" | "gs" | "az" if host.is_empty() => Err("the bucket is missing".into()),
        "s3" | "gs" | "az" => Ok(without_slash(url.as_str())),
        scheme => Err(format!("tallow has no store for `{scheme}`; write {SCHEMES}").into()),
    }
}

fn without_slash(url: &str) -> String {
    url.trim_end_matches('/').to_owned()
}

/// The path without `.` and `..`, by its letters alone: the folder need not exist yet.
fn without_dots(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => _ = out.pop(),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lake(text: &str) -> Result<String, Problem> {
        lake_url(text, Path::new("/srv/app"))
    }

    #[test]
    fn a_folder_starts_from_the_manifests_own_unless_it_is_absolute() {
        assert_eq!(lake("lake").as_deref(), Ok("file:///srv/app/lake"));
        assert_eq!(lake("../my lake/").as_deref(), Ok("file:///srv/my%20lake"));
        assert_eq!(lake("/data/lake").as_deref(), Ok("file:///data/lake"));
        assert_eq!(lake("file:///data/lake/").as_deref(), Ok("file:///data/lake"));
    }

    #[test]
    fn object_stores_are_told_by_their_scheme() {
        assert_eq!(lake("s3://bucket/a/b/").as_deref(), Ok("s3://bucket/a/b"));
        assert_eq!(lake("gs://bucket").as_deref(), Ok("gs://bucket"));
        assert_eq!(lake("memory:///").as_deref(), Ok("memory:///"));
        for wrong in ["", "ftp://x/y", "s3:///a", "s3://key:secret@bucket/a", "file://host/a", "s3://b/a?x=1"]
        {
            assert!(lake(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn brokers_are_hosts_with_or_without_a_port() {
        for (text, brokers) in [
            ("localhost:9092", "localhost:9092"),
            ("a:1, b:2", "a:1,b:2"),
            ("kafka", "kafka"),
            ("[::1]:9092", "[::1]:9092"),
            ("[::1]", "[::1]"),
            ("SSL://a:9093", "SSL://a:9093"),
        ] {
            assert_eq!(parse_brokers(text).as_deref(), Ok(brokers), "{text}");
        }
        for wrong in ["", "a:1,", "a:0", "a:x", ":9092", "a b:1", "a:70000", "http://a:1/x"] {
            assert!(parse_brokers(wrong).is_err(), "{wrong}");
        }
    }
}
