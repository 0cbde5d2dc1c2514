//! A pipeline's results in topics, as the manifest asks for them.

use std::sync::Arc;

use tallow_env::Clock;
use tallow_manifest::{JsonDecimals, JsonTimes, Manifest, OutputMode, Pipeline, WindowTopic, exposed};
use tallow_sink::Sink;
use tallow_sink_kafka::settings::{self, Decimals, Mode, Settings, Style, Times};
use tallow_sink_kafka::{Brokers, Config, KafkaSink};

/// The sink of a pipeline's topics; `None` if the manifest names none.
pub(super) fn sink(manifest: &Manifest, pipeline: &Pipeline, clock: Arc<dyn Clock>) -> Option<Arc<dyn Sink>> {
    let settings = settings(pipeline);
    if settings.is_empty() {
        return None;
    }
    let topics = pipeline.result_topics().into_iter();
    let brokers = Brokers::new(Config {
        brokers: manifest.kafka.brokers.clone(),
        client: exposed(&manifest.kafka.client),
        pipeline: pipeline.id.clone(),
        topics: topics.map(|(topic, key)| (topic.to_owned(), manifest.locate(&key))).collect(),
        marker_topic: pipeline.marker_topic.clone(),
        clock,
    });
    Some(Arc::new(KafkaSink::new(settings, Arc::new(brokers))))
}

fn settings(pipeline: &Pipeline) -> Settings {
    let windows = pipeline.windows.iter().filter_map(|window| {
        let to = window.kafka.as_ref()?;
        let topic = settings::WindowTopic {
            topic: to.topic.clone(),
            mode: match to.mode {
                OutputMode::Append => Mode::Append,
                OutputMode::Update => Mode::Update,
                OutputMode::Complete => Mode::Complete,
            },
            style: style(to),
        };
        Some((window.name.clone(), topic))
    });
    Settings {
        windows: windows.collect(),
        rekeyed: pipeline.rekey.as_ref().map(|it| it.topic.clone()),
        late: pipeline.late_rows.as_ref().map(|it| it.topic.clone()),
        dead: pipeline.dead_letters.as_ref().map(|it| it.topic.clone()),
    }
}

fn style(to: &WindowTopic) -> Style {
    Style {
        decimals: match to.decimals {
            JsonDecimals::String => Decimals::Text,
            JsonDecimals::Number => Decimals::Number,
        },
        times: match to.times {
            JsonTimes::Rfc3339 => Times::Text,
            JsonTimes::EpochMs => Times::Millis,
        },
    }
}
