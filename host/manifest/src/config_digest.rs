//! What a pipeline's results depend on, in one canonical form: two manifests that mean the same have the same
//! digest, however they are written.

use serde_json::Value;
use tallow_digest::Digest;

/// Of the value's text: JSON without spaces and with sorted keys.
pub(crate) fn digest(value: &Value) -> Digest {
    Digest::of(value.to_string().as_bytes())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn keys_are_sorted_and_lists_are_kept_in_order() {
        // serde_json's feature `preserve_order` would change every digest.
        let value = json!({ "b": [2, 1, { "z": null, "y": "q\"" }], "a": true });
        assert_eq!(value.to_string(), r#"{"a":true,"b":[2,1,{"y":"q\"","z":null}]}"#);
    }

    #[test]
    fn the_digest_is_sha_256() {
        // echo -n '{}' | sha256sum
        let printed = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a";
        assert_eq!(digest(&json!({})).to_string(), printed);
    }
}
