//! Databases that get a window's candles as points: `[trigger.kafka.windows.influxdb]`.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::aggregate::Aggregate;
use crate::error::{Problem, Report};
use crate::forms::{BOOLEAN, Choice, Form, Integer, POSITIVE_DURATION, TEXT, Takes};
use crate::node::Node;
use crate::remote::{address, is_loopback};
use crate::secret::Secret;
use crate::table::table;
use crate::{aggregate, schema_pieces, values};

table! {
    /// The database that gets a window's candles.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub struct WindowPoints in "[trigger.kafka.windows.influxdb]",
        "A database of InfluxDB that gets the window's candles as points, in addition to the lake. docs/influxdb.md says what \
         is written.";
    fn read_keys(reader, report);

    "Where the server is."
    pub url: String = key("url", URL, required());

    "Which write API it has: `/write`, `/api/v2/write` or `/api/v3/write_lp`."
    pub version: ApiVersion = key("version", VERSION, required());

    "The database, of versions 1 and 3. It must exist."
    pub database: Option<String> = key("database", NAME, none("version 2 has `bucket`"));

    "The retention policy, of version 1."
    pub retention_policy: Option<String> = key("retention-policy", NAME, none("the database's default policy"));

    "The bucket, of version 2. It must exist."
    pub bucket: Option<String> = key("bucket", NAME, none("versions 1 and 3 have `database`"));

    "The organization, of version 2."
    pub org: Option<String> = key("org", NAME, none("versions 1 and 3 have none"));

    "A token that may write: `\"{{ influxdb_token }}\"`."
    pub token: Option<Secret> = key("token", SECRET, none("`user` and `password`, or nothing, is sent"));

    "A user who may write, of version 1."
    pub user: Option<String> = key("user", NAME, none("`token`, or nothing, is sent"));

    "The user's password: `\"{{ influxdb_password }}\"`."
    pub password: Option<Secret> = key("password", SECRET, none("`user` is not given either"));

    "The measurement of the points."
    pub measurement: Option<String> =
        key("measurement", NAME, none("the table's name, `<pipeline>_<window>`"));

    "Tags in addition to the window's keys, the same in every point: `{ exchange = \"binance\" }`."
    pub tags: BTreeMap<String, String> = key("tags", TAGS, empty("the window's keys alone"));

    "Which candles are written: those of windows that close; or in addition, at each epoch's end, those of open windows that \
     changed in it. A closed one takes the place of an open one."
    pub mode: PointMode = key("mode", MODE, default("\"append\""));

    "How decimals are written: as floats, which keep about 16 digits, or as strings, which keep all and cannot be \
     computed with. InfluxDB keeps the type of the first write."
    pub decimals: PointDecimals = key("decimals", DECIMALS, default("\"float\""));

    "Points in one request."
    pub batch_points: usize = key("batch-points", Integer(1, 100_000), default("5000"));

    "How long one answer may take. Without one the request is sent again."
    pub timeout: Duration = key("timeout", POSITIVE_DURATION, default("\"10s\""));

    "How many commits the pipeline may be ahead of a server that takes no points. Then the pipeline waits for it. With 0 it \
     always does."
    pub backlog: u64 = key("backlog", Integer(0, 100_000), default("1000"));

    "Whether the server may be in this machine's network. One that is named as `localhost` or by a loopback address may \
     be."
    pub internal: bool = key("internal", BOOLEAN, default("false"));
}

/// A write API of InfluxDB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ApiVersion {
    V1,
    V2,
    V3,
}

/// Which candles become points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointMode {
    /// Of closed windows.
    Append,
    /// Of open windows that changed in an epoch, too.
    Update,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PointDecimals {
    Float,
    String,
}

const VERSION: Choice<ApiVersion> =
    Choice(&[("1", ApiVersion::V1), ("2", ApiVersion::V2), ("3", ApiVersion::V3)]);
pub(crate) const MODE: Choice<PointMode> =
    Choice(&[("append", PointMode::Append), ("update", PointMode::Update)]);
pub(crate) const DECIMALS: Choice<PointDecimals> =
    Choice(&[("float", PointDecimals::Float), ("string", PointDecimals::String)]);
const SECRET: Form<Secret> = Form::new("a string", schema_pieces::text, values::secret);
const URL: Form<String> = Form::parsed(
    "an address, `https://host`",
    || schema_pieces::matching("https?://.+"),
    "a server's address, http://host:8086",
    address,
);
const NAME: Form<String> = Form::parsed("a string", schema_pieces::text, "a name", name);
const TAGS: Form<BTreeMap<String, String>> = Form::new(
    "a table of tag = \"value\"",
    || schema_pieces::map(schema_pieces::text()),
    |node, report| {
        values::entries(node, report, |entry, report| {
            if let Err(problem) = aggregate::column(&entry.key) {
                report.add(entry.key_place, &entry.node.path, problem);
            }
            let value = TEXT.read(&entry.node, report)?;
            if value.is_empty() {
                return report
                    .refuse(&entry.node, "InfluxDB has no empty tags: write a value, or remove this");
            }
            Some((entry.key.clone(), value))
        })
    },
);

/// Names on the server's side. What line protocol cannot say is refused here.
fn name(text: &str) -> Result<String, Problem> {
    if text.is_empty() || text.len() > 255 {
        return Err("a name of 1 to 255 bytes is needed".into());
    }
    if text.starts_with('_') {
        return Err("InfluxDB keeps names that begin with `_` for itself".into());
    }
    if text.contains(|c: char| c.is_control() || c == '\\') {
        return Err("line protocol has no way to write control characters and `\\` in a name".into());
    }
    Ok(text.to_owned())
}

impl WindowPoints {
    /// Whether the address names this machine.
    pub fn is_local(&self) -> bool {
        is_loopback(&self.url)
    }

    fn read(node: &Node, report: &mut Report) -> Option<Self> {
        let points = Self::read_keys(node, report)?;
        let sound = [points.check_place(node, report), points.check_credentials(node, report)];
        sound.into_iter().all(|sound| sound).then_some(points)
    }

    /// The version decides by which names a database is addressed.
    fn check_place(&self, node: &Node, report: &mut Report) -> bool {
        let given = [
            ("database", self.database.is_some()),
            ("retention-policy", self.retention_policy.is_some()),
            ("bucket", self.bucket.is_some()),
            ("org", self.org.is_some()),
        ];
        let (version, needed, allowed): (_, &[&str], &[&str]) = match self.version {
            ApiVersion::V1 => ("1", &["database"], &["database", "retention-policy"]),
            ApiVersion::V2 => ("2", &["org", "bucket"], &["org", "bucket"]),
            ApiVersion::V3 => ("3", &["database"], &["database"]),
        };
        let mut sound = true;
        for (key, is_given) in given {
            if needed.contains(&key) && !is_given {
                report.at(node, format!("`{key}` is missing: version \"{version}\" needs it"));
                sound = false;
            }
            if is_given && !allowed.contains(&key) {
                let at = node.find(&[key]).unwrap_or(node);
                report.at(at, format!("version \"{version}\" has no `{key}`; remove it"));
                sound = false;
            }
        }
        sound
    }

    fn check_credentials(&self, node: &Node, report: &mut Report) -> bool {
        let problem = match (&self.token, &self.user, &self.password) {
            (Some(_), None, None) | (None, None, None) => None,
            (None, Some(_), Some(_)) if self.version == ApiVersion::V1 => None,
            (None, Some(_), Some(_)) => Some("only version \"1\" has users with passwords: write `token`"),
            (Some(_), _, _) => Some("either `token`, or `user` and `password`"),
            _ => Some("`user` and `password` go together"),
        };
        if let Some(problem) = problem {
            report.at(node, problem);
            return false;
        }
        let secret = self.token.is_some() || self.password.is_some();
        if secret && self.url.starts_with("http://") && !self.is_local() && !self.internal {
            let problem = "credentials go over https only: anybody on the way could read them. `internal = true` says that \
                           the server is in this machine's network, and allows it";
            report.at(node, problem);
            return false;
        }
        true
    }
}

pub(crate) const WINDOW_POINTS: Form<WindowPoints> =
    Form::new("a table", || WindowPoints::declaration().schema(), WindowPoints::read);

/// Columns that every point has beside those of its candle.
pub(crate) const OWN_FIELDS: [&str; 2] = ["closed", "null_fields"];
/// Names that InfluxDB keeps for itself; version 1 drops a field `time` in silence.
const RESERVED: [&str; 4] = ["time", "_time", "_field", "_measurement"];

/// Fails where two columns of a point would have one name, or one that InfluxDB keeps for itself.
pub(crate) fn check_columns(
    points: &WindowPoints,
    node: &Node,
    keys: &[String],
    aggregates: &[Aggregate],
    report: &mut Report,
) -> bool {
    let columns: Vec<&str> =
        keys.iter().chain(aggregates.iter().map(|aggregate| &aggregate.name)).map(String::as_str).collect();
    let mut sound = true;
    for name in columns.iter().copied().chain(points.tags.keys().map(String::as_str)) {
        if RESERVED.contains(&name) || OWN_FIELDS.contains(&name) {
            let whose =
                if RESERVED.contains(&name) { "InfluxDB keeps it for itself" } else { "every point has one" };
            report.at(node, format!("a column `{name}` cannot be written: {whose}; give it another name"));
            sound = false;
        }
    }
    const CANDLE: [&str; 7] =
        ["window_end", "first_id", "last_id", "missing", "complete", "revision", "window_start"];
    for tag in
        points.tags.keys().filter(|tag| columns.contains(&tag.as_str()) || CANDLE.contains(&tag.as_str()))
    {
        report.at(node.find(&["tags"]).unwrap_or(node), format!("the candle has a column `{tag}` already"));
        sound = false;
    }
    sound
}
