//! What a manifest resolves to.

mod common;

use std::time::Duration;

use common::{MINIMAL, error, pipeline, read, read_with, with, with_line};
use tallow_digest::Digest;
use tallow_manifest::{
    Aggregate, Decimals, Epoch, IdColumns, Limits, OnDataLoss, OnReject, OnUntracked, Operation, Overrides,
    Shape, Source, StartingOffsets, Topics, WantedColumn,
};
use tallow_record::TopicPartition;

const MIB: u64 = 1024 * 1024;

#[test]
fn what_is_left_out_has_its_default() {
    let pipeline = pipeline(MINIMAL);
    assert_eq!(pipeline.delay_us, 2_000_000);
    assert_eq!(pipeline.max_future_us, 60_000_000);
    assert_eq!(pipeline.idle_after, Duration::from_secs(10));
    assert!(!pipeline.idle_advance);
    assert_eq!(pipeline.starting_offsets, StartingOffsets::Earliest);
    assert_eq!(pipeline.on_data_loss, OnDataLoss::Halt);
    assert_eq!(pipeline.on_reject, OnReject::DeadLetter);
    assert_eq!((pipeline.parse_workers, pipeline.fetch_clients), (None, 1));
    assert_eq!(pipeline.new_partitions_every, Duration::from_secs(30));
    assert_eq!((pipeline.archive, pipeline.verify_retention), (false, 100));
    assert_eq!(pipeline.decimals, Decimals::Double);
    let epoch = Epoch { interval: Duration::from_secs(1), max_records: 1_000_000, max_bytes: 64 * MIB };
    assert_eq!(pipeline.epoch, epoch);
    assert_eq!(
        pipeline.limits,
        Limits {
            memory_bytes: 512 * MIB,
            deadline: Duration::from_secs(2),
            output_bytes: 64 * MIB,
            batch_records: 4096,
            batch_bytes: 512 * 1024,
            bisect_calls: 1000,
            queue_bytes: 64 * MIB,
        }
    );
    let window = &pipeline.windows[0];
    assert_eq!((window.function.as_str(), window.time.as_str()), ("window", "event_time"));
    assert_eq!((window.offset_us, &window.ids), (0, &None));
    assert_eq!((window.on_untracked, window.keep_ids_us), (OnUntracked::Count, 7 * 86_400_000_000));
}

#[test]
fn a_pipeline_may_start_at_a_time() {
    for (time, time_us) in
        [("2024-08-09", 1_723_161_600_000_000), ("2024-08-09T00:00:01.5Z", 1_723_161_601_500_000)]
    {
        let line = format!("starting-offsets = {{ time = \"{time}\" }}");
        let pipeline = pipeline(&with_line("parse = \"parse-market\"", &line));
        assert_eq!(pipeline.starting_offsets, StartingOffsets::Time(time_us));
    }
}

#[test]
fn what_is_written_overrides_every_default() {
    let text = with_line(
        r#"parse = "parse-market""#,
        r#"
parse-settings = { symbol = "X", depth = 3, strict = true }
scales = { price = 2 }
delay = "1h 30m"
max-future = "5s"
idle-after = "0s"
idle-advance = true
starting-offsets = { "trades/0" = 123, "trades/7" = 0 }
on-data-loss = "continue"
on-reject = "drop"
parse-workers = 8
fetch-clients = 2
new-partitions-every = "5m"
archive = true
verify-retention = 5000
epoch = { interval = "250ms", max-records = 5, max-bytes = "1GB" }
limits = { memory = 16777216, deadline = "100ms", output = "1MiB", batch-records = 10, batch-bytes = "2KiB", bisect-calls = 0, queue = "4MB" }
lake = { decimals = "decimal" }"#,
    );
    let pipeline = pipeline(&text);
    let settings: Vec<_> = pipeline.parse_settings.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
    assert_eq!(settings, [("depth", "3"), ("strict", "true"), ("symbol", "X")]);
    assert_eq!((pipeline.scale("price"), pipeline.scale("quantity")), (2, 8));
    assert_eq!((pipeline.delay_us, pipeline.max_future_us), (5_400_000_000, 5_000_000));
    assert_eq!((pipeline.idle_after, pipeline.idle_advance), (Duration::ZERO, true));
    let offsets = [(TopicPartition::new("trades", 0), 123), (TopicPartition::new("trades", 7), 0)];
    assert_eq!(pipeline.starting_offsets, StartingOffsets::At(offsets.into()));
    assert_eq!((pipeline.on_data_loss, pipeline.on_reject), (OnDataLoss::Continue, OnReject::Drop));
    assert_eq!((pipeline.parse_workers, pipeline.fetch_clients), (Some(8), 2));
    assert_eq!(pipeline.new_partitions_every, Duration::from_secs(300));
    assert_eq!((pipeline.archive, pipeline.verify_retention), (true, 5000));
    let epoch = Epoch { interval: Duration::from_millis(250), max_records: 5, max_bytes: 1_000_000_000 };
    assert_eq!(pipeline.epoch, epoch);
    assert_eq!(
        pipeline.limits,
        Limits {
            memory_bytes: 16 * MIB,
            deadline: Duration::from_millis(100),
            output_bytes: MIB,
            batch_records: 10,
            batch_bytes: 2048,
            bisect_calls: 0,
            queue_bytes: 4_000_000,
        }
    );
    assert_eq!(pipeline.decimals, Decimals::Decimal);
}

#[test]
fn topics_are_named_listed_or_matched() {
    let topics = |line: &str| pipeline(&with(r#"topic = "trades""#, line)).topics;
    let names = |names: &[&str]| Topics::Names(names.iter().map(|name| (*name).to_owned()).collect());
    assert_eq!(topics(r#"topic = "trades""#), names(&["trades"]));
    assert_eq!(topics(r#"topics = ["b", "a"]"#), names(&["b", "a"]));
    assert_eq!(topics(r#"topic-pattern = "^trades-.*""#), Topics::Pattern("^trades-.*".to_owned()));
}

#[test]
fn windows_have_one_of_three_shapes() {
    let window = |line: &str| pipeline(&with(r#"tumbling = "1m""#, line)).windows.remove(0);
    assert_eq!(window(r#"tumbling = "1w""#).shape, Shape::Tumbling { size_us: 604_800_000_000 });
    assert_eq!(
        window(r#"sliding = { size = "10m", slide = "5m" }"#).shape,
        Shape::Sliding { size_us: 600_000_000, slide_us: 300_000_000 }
    );
    assert_eq!(window(r#"session = "5m""#).shape, Shape::Session { gap_us: 300_000_000 });
    assert_eq!(window("tumbling = \"1d\"\noffset = \"-8h\"").offset_us, -28_800_000_000);
}

#[test]
fn aggregates_keep_the_order_in_which_they_are_written() {
    let text = with(
        r#"aggregates = { close = "last(price)" }"#,
        "ids = { first = \"id\", last = \"last_trade\" }\non-untracked = \"halt\"\nkeep-ids = \"12h\"\n\
         [trigger.kafka.windows.aggregates]\n\
         open = \"first(price)\"\nhigh = \"max(price)\"\nclose = \"last(price)\"\n\
         amount = \"sum_product(price, quantity)\"\ntrades = \"count()\"",
    );
    let pipeline = pipeline(&text);
    let window = &pipeline.windows[0];
    let names: Vec<&str> = window.aggregates.iter().map(|aggregate| aggregate.name.as_str()).collect();
    assert_eq!(names, ["open", "high", "close", "amount", "trades"]);
    assert_eq!(
        window.aggregates[3],
        Aggregate {
            name: "amount".to_owned(),
            operation: Operation::SumProduct,
            column: Some("price".to_owned()),
            by: Some("quantity".to_owned()),
        }
    );
    assert_eq!(window.ids, Some(IdColumns { first: "id".to_owned(), last: "last_trade".to_owned() }));
    assert_eq!((window.on_untracked, window.keep_ids_us), (OnUntracked::Halt, 12 * 3_600_000_000));
    let wanted = |name: &str| WantedColumn { name: name.to_owned(), scale: 8 };
    let columns = ["event_time", "id", "last_trade", "price", "quantity", "symbol"];
    assert_eq!(pipeline.wanted_columns(), columns.map(wanted));
}

#[test]
fn kinds_and_columns_are_the_union_over_the_windows() {
    let text = with(
        "[component.window]",
        r#"[[trigger.kafka.windows]]
name = "count"
kinds = ["agg-trade", "trade"]
session = "1m"
keys = []
aggregates = { n = "count(side)" }

[component.window]"#,
    )
    .replace("[component.parse-market]\nsource = \"parse-market.wasm\"\n\n", "")
        + "[component.parse-market]\nsource = \"parse-market.wasm\"\n";
    let pipeline = pipeline(&text);
    assert_eq!(pipeline.kinds(), ["agg-trade", "trade"]);
    let names: Vec<String> = pipeline.wanted_columns().into_iter().map(|column| column.name).collect();
    assert_eq!(names, ["event_time", "price", "side", "symbol"]);
    assert_eq!(pipeline.table(&pipeline.windows[1]), "candles_count");
}

#[test]
fn an_environment_variable_overrides_a_default_and_the_command_line_overrides_both() {
    let text = with(r#"brokers = "localhost:9092""#, r#"brokers = "{{ brokers }}""#)
        .replace("[variables]", "[variables]\nbrokers = { default = \"default:1\" }");
    let brokers =
        |env: &[(&str, &str)], overrides: &Overrides| read_with(&text, env, overrides).unwrap().kafka.brokers;
    let env = [("SPIN_VARIABLE_BROKERS", "environment:2"), ("SPIN_VARIABLE_brokers", "other:3")];
    let overrides = Overrides { brokers: Some("command:4".to_owned()), ..Overrides::default() };
    assert_eq!(brokers(&[], &Overrides::default()), "default:1");
    assert_eq!(brokers(&env, &Overrides::default()), "environment:2");
    assert_eq!(brokers(&env, &overrides), "command:4");
}

#[test]
fn what_the_command_line_gives_needs_no_variable() {
    let text = with(r#"lake = "lake""#, r#"lake = "{{ lake }}""#)
        .replace("[variables]", "[variables]\nlake = { required = true }");
    assert!(error(&text).contains("set SPIN_VARIABLE_LAKE in the environment"));
    let overrides = Overrides { lake: Some("s3://bucket/x/".to_owned()), ..Overrides::default() };
    assert_eq!(read_with(&text, &[], &overrides).unwrap().kafka.lake, "s3://bucket/x");
}

#[test]
fn variables_stand_for_parts_of_strings_and_for_numbers_and_booleans() {
    let text = with(r#"topic = "trades""#, r#"topic = "{{ stage }}-trades-{{region}}""#)
        .replace(
            "[variables]",
            "[variables]\nstage = { default = \"test\" }\nregion = { default = \"eu\" }\n\
             workers = { default = \"3\" }\nidle = { default = \"true\" }\nqueue = { default = \"1MiB\" }",
        )
        .replace(
            r#"parse = "parse-market""#,
            "parse = { component = \"parse-market\" }\nparse-workers = \"{{ workers }}\"\n\
             idle-advance = \"{{ idle }}\"\nlimits = { queue = \"{{ queue }}\" }",
        );
    let pipeline = pipeline(&text);
    assert_eq!(pipeline.topics, Topics::Names(vec!["test-trades-eu".to_owned()]));
    assert_eq!((pipeline.parse_workers, pipeline.idle_advance), (Some(3), true));
    assert_eq!((pipeline.limits.queue_bytes, pipeline.parse.as_str()), (MIB, "parse-market"));
}

#[test]
fn a_variable_that_our_tables_do_not_use_needs_no_value() {
    let text = with("[variables]", "[variables]\nfor_the_gateway = { required = true, secret = true }");
    assert!(read(&text).is_ok());
}

#[test]
fn triggers_of_other_types_are_named_and_not_looked_into() {
    let text = format!(
        "{MINIMAL}\n[[trigger.http]]\nroute = \"/\"\nanything = {{ goes = 1 }}\n[[trigger.http]]\nroute = \"/b\"\n\
         [[trigger.redis]]\nchannel = \"x\"\n[application.trigger.redis]\naddress = \"redis://localhost\"\n"
    );
    assert_eq!(read(&text).unwrap().skipped_triggers, ["http", "redis"]);
}

#[test]
fn every_form_of_a_components_source_is_taken() {
    let digest = format!("sha256:{}", Digest::of(b"a"));
    let text = format!(
        "{MINIMAL}\n[component.a]\nsource = {{ url = \"https://example.org/a.wasm\", digest = \"{digest}\" }}\n\
         [component.b]\nsource = {{ registry = \"ttl.sh\", package = \"user:b\", version = \"1.0.0\" }}\n\
         [component.c]\nsource = \"/opt/c.wasm\"\nbuild = {{ command = [\"make\", \"make check\"], workdir = \"c\" }}\n"
    );
    let components = read(&text).unwrap().components;
    let source = |name: &str| components[name].source.clone();
    assert_eq!(source("window"), Source::Local("/srv/app/window.wasm".into()));
    assert_eq!(
        source("a"),
        Source::Url { url: "https://example.org/a.wasm".to_owned(), digest: Digest::of(b"a") }
    );
    let registry = Some("ttl.sh".to_owned());
    let (package, version) = ("user:b".to_owned(), "1.0.0".to_owned());
    assert_eq!(source("b"), Source::Registry { registry, package, version });
    assert_eq!(source("c"), Source::Local("/opt/c.wasm".into()));
    assert_eq!(components["c"].build, ["make", "make check"]);
}

#[test]
fn everything_that_spin_allows_in_its_tables_is_taken() {
    let text = format!(
        r#"{MINIMAL}
[component.gateway]
source = "gateway.wasm"
description = "HTTP in front of the functions"
variables = {{ url = "{{{{ x }}}}" }}
environment = {{ LEVEL = "info" }}
files = ["assets/*", {{ source = "data", destination = "/" }}]
exclude_files = ["assets/x"]
allowed_http_hosts = []
allowed_outbound_hosts = ["https://example.org"]
key_value_stores = ["default"]
sqlite_databases = ["default"]
ai_models = ["llama2-chat"]
targets = ["spin-up:3.3", {{ http = "https://example.org", path = "x" }}]
dependencies_inherit_configuration = true
[component.gateway.build]
command = "make"
workdir = "."
watch = ["src/**"]
[component.gateway.tool.mine]
anything = 1
[component.gateway.dependencies]
"tallow:parse/parse@0.1.0" = {{ component = "parse-market" }}
"tallow:window/window@0.1.0" = {{ path = "window.wasm", export = "x", inherit_configuration = ["ai_models"] }}
"a:b" = ">= 0.1.0"
[component.gateway.profile.debug]
source = "debug.wasm"
build.command = "make debug"
environment = {{ LEVEL = "debug" }}
"#
    )
    .replace(
        "name = \"test\"",
        "name = \"test\"\nversion = \"1.0.0\"\ndescription = \"d\"\nauthors = [\"a\"]\ntargets = []\n\
         tool = { x = { y = 1 } }",
    );
    let manifest = read(&text).unwrap();
    let application = manifest.application;
    assert_eq!((application.name.as_str(), application.version.as_str()), ("test", "1.0.0"));
    assert_eq!((application.description.as_str(), &application.authors[..]), ("d", &["a".to_owned()][..]));
    assert_eq!(manifest.components.len(), 3);
}

#[test]
fn client_settings_are_taken_dotted_or_quoted_and_of_any_simple_type() {
    let text = with(
        "[[trigger.kafka]]",
        "[application.trigger.kafka.client]\nsecurity.protocol = \"SSL\"\n\"fetch.min.bytes\" = 5\n\
         socket.keepalive.enable = true\n[application.trigger.kafka.lake-options]\n\
         aws_endpoint = \"http://localhost:9000\"\n[[trigger.kafka]]",
    );
    let kafka = read(&text).unwrap().kafka;
    let client: Vec<_> = kafka.client.iter().map(|(name, value)| (name.as_str(), value.expose())).collect();
    let expected =
        [("fetch.min.bytes", "5"), ("security.protocol", "SSL"), ("socket.keepalive.enable", "true")];
    assert_eq!(client, expected);
    assert_eq!(kafka.lake_options["aws_endpoint"].expose(), "http://localhost:9000");
}
