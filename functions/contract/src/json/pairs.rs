//! Settings by name.

use std::fmt;

use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads names with values from an object or from a list of pairs, for `deserialize_with`.
pub fn pairs<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<(String, String)>, D::Error> {
    struct Pairs;
    impl<'de> Visitor<'de> for Pairs {
        type Value = Vec<(String, String)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("names with text: {\"name\": \"value\"} or [[\"name\", \"value\"]]")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            // If a name comes twice, the later value counts.
            let mut pairs = std::collections::BTreeMap::new();
            while let Some((name, value)) = map.next_entry()? {
                pairs.insert(name, value);
            }
            Ok(pairs.into_iter().collect())
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut pairs = Vec::new();
            while let Some(pair) = list.next_element()? {
                pairs.push(pair);
            }
            Ok(pairs)
        }
    }
    deserializer.deserialize_any(Pairs)
}
