//! The names of librdkafka's settings for consumers (`setting_names.txt`): the library does not list them, and a misspelt
//! one needs its nearest.

/// All names.
pub fn all() -> std::str::Lines<'static> {
    include_str!("setting_names.txt").lines()
}

/// The name that was probably meant.
pub fn nearest(name: &str) -> &'static str {
    let likeness = |known: &&str| strsim::jaro_winkler(name, known);
    all().max_by(|a, b| likeness(a).total_cmp(&likeness(b))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rdkafka::ClientConfig;
    use rdkafka::error::KafkaError;
    use rdkafka::types::RDKafkaConfRes;

    use super::*;

    #[test]
    fn librdkafka_knows_every_name() {
        for name in all() {
            let set = ClientConfig::new().set(name, "?").create_native_config();
            if let Err(KafkaError::ClientConfig(answer, ..)) = set {
                assert_ne!(answer, RDKafkaConfRes::RD_KAFKA_CONF_UNKNOWN, "{name}");
            }
        }
    }

    #[test]
    fn a_misspelt_name_has_its_nearest() {
        for (misspelt, meant) in [
            ("sasl.pasword", "sasl.password"),
            ("security.protocl", "security.protocol"),
            ("fetch.wait.ms", "fetch.wait.max.ms"),
            ("ssl.ca", "ssl.ca.pem"),
        ] {
            assert_eq!(nearest(misspelt), meant);
        }
    }
}
