//! What a pipeline's results depend on, in one canonical form: two manifests that mean the same have the same
//! digest, however they are written.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::pipeline::{DECIMALS, ON_DATA_LOSS, ON_REJECT, Pipeline};
use crate::topics::{StartingOffsets, Topics};

impl Pipeline {
    /// Everything that decides which candles the pipeline makes of which records, without secrets, and
    /// without what only makes it slower or faster (epochs, limits, workers, clients, intervals).
    pub fn meaning(&self) -> Value {
        json!({
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
        })
    }
}

/// SHA-256 of the value's canonical text, in hexadecimal.
pub(crate) fn digest(value: &Value) -> String {
    let mut text = String::new();
    write_canonical(value, &mut text);
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON without spaces and with sorted keys, whatever order the map happens to keep.
fn write_canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_by_key(|(key, _)| *key);
            out.push('{');
            for (index, (key, value)) in entries.into_iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write_canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                write_canonical(item, out);
            }
            out.push(']');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_sorts_keys_and_keeps_lists() {
        let mut text = String::new();
        write_canonical(&json!({ "b": [2, 1, { "z": null, "y": "q\"" }], "a": true }), &mut text);
        assert_eq!(text, r#"{"a":true,"b":[2,1,{"y":"q\"","z":null}]}"#);
    }

    #[test]
    fn the_digest_is_sha_256() {
        // echo -n '{}' | sha256sum
        assert_eq!(digest(&json!({})), "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a");
    }
}
