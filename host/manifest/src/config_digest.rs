//! What a pipeline's results depend on, in one canonical form: two manifests that mean the same have the same
//! digest, however they are written.

use serde_json::Value;
use tallow_digest::Digest;

/// Of the value's canonical text.
pub(crate) fn digest(value: &Value) -> Digest {
    let mut text = String::new();
    write_canonical(value, &mut text);
    Digest::of(text.as_bytes())
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
    use serde_json::json;

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
        let printed = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest(&json!({})).to_string(), printed);
    }
}
