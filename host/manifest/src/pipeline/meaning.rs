//! What a pipeline's results depend on.

use serde_json::{Map, Value, json};

use super::{DECIMALS, ON_DATA_LOSS, ON_REJECT, Pipeline};
use crate::sink_influxdb::{DECIMALS as POINT_DECIMALS, MODE as POINT_MODE};
use crate::sink_topics::{DECIMALS as DECIMALS_IN_JSON, MODE, TIMES};
use crate::topics::{StartingOffsets, Topics};

impl Pipeline {
    /// Everything that decides which candles the pipeline makes of which records, without secrets, and
    /// without what only makes it slower or faster (epochs, limits, workers, clients, intervals).
    pub fn meaning(&self) -> Value {
        let mut meaning = json!({
            "id": self.id,
            "topics": match &self.topics {
                Topics::Names(names) => json!({ "names": names }),
                Topics::Pattern(pattern) => json!({ "pattern": pattern }),
            },
            "parse": self.parse,
            "parse_settings": self.parse_settings,
            "columns": self.wanted_columns().iter().map(|c| json!([c.name, c.scale])).collect::<Vec<_>>(),
            "delay_us": self.delay_us,
            "max_future_us": self.max_future_us,
            "idle_after_us": self.idle_after.as_micros() as u64,
            "idle_advance": self.idle_advance,
            "starting_offsets": match &self.starting_offsets {
                StartingOffsets::Earliest => json!("earliest"),
                StartingOffsets::Latest => json!("latest"),
                StartingOffsets::Time(time_us) => json!({ "time_us": time_us }),
                StartingOffsets::At(offsets) => {
                    offsets.iter().map(|(partition, offset)| json!([partition.to_string(), offset])).collect()
                }
            },
            "on_data_loss": ON_DATA_LOSS.word(self.on_data_loss),
            "on_reject": ON_REJECT.word(self.on_reject),
            "decimals": DECIMALS.word(self.decimals),
            "windows": self.windows,
        });
        // A pipeline without them keeps the digest that it had before there were any.
        let topics = self.topic_meaning();
        if !topics.is_empty() {
            meaning["result_topics"] = topics.into();
        }
        let points = self.point_meaning();
        if !points.is_empty() {
            meaning["points"] = points.into();
        }
        meaning
    }

    /// How results are written as points. Not to which server: another one is no other result.
    fn point_meaning(&self) -> Map<String, Value> {
        let windows = self.windows.iter().filter_map(|window| {
            let it = window.influxdb.as_ref()?;
            let (mode, decimals) = (POINT_MODE.word(it.mode), POINT_DECIMALS.word(it.decimals));
            let measurement = self.measurement(window, it);
            let how =
                json!({ "measurement": measurement, "tags": it.tags, "mode": mode, "decimals": decimals });
            Some((format!("window {}", window.name), how))
        });
        windows.collect()
    }

    /// Which results go to which topics, and how they are written.
    fn topic_meaning(&self) -> Map<String, Value> {
        let windows = self.windows.iter().filter_map(|window| {
            let it = window.kafka.as_ref()?;
            let (decimals, times) = (DECIMALS_IN_JSON.word(it.decimals), TIMES.word(it.times));
            let mode = MODE.word(it.mode);
            let how = json!({ "topic": it.topic, "mode": mode, "decimals": decimals, "times": times });
            Some((format!("window {}", window.name), how))
        });
        let rekey = self.rekey.iter().map(|it| {
            ("records".to_owned(), json!({ "topic": it.topic, "keys": it.keys, "kinds": it.kinds }))
        });
        let late = self.late_rows.iter().map(|it| ("late rows".to_owned(), json!(it.topic)));
        let dead = self.dead_letters.iter().map(|it| ("dead letters".to_owned(), json!(it.topic)));
        windows.chain(rekey).chain(late).chain(dead).collect()
    }
}
