//! What is said about what is wrong.

mod common;

use common::{MINIMAL, error, errors, with, with_line};

#[test]
fn an_unknown_key_is_an_error_at_its_line_with_the_nearest_known_key() {
    assert_eq!(
        error(&with_line(r#"topic = "trades""#, r#"dealy = "2s""#)),
        "spin.toml:15:1: trigger.kafka[candles].dealy: unknown key; did you mean `delay`?"
    );
    assert_eq!(
        error(&with_line(r#"keys = ["symbol"]"#, r#"kind = ["trade"]"#)),
        "spin.toml:22:1: trigger.kafka[candles].windows[1m].kind: unknown key; did you mean `kinds`?"
    );
    let epoch = error(&with_line(r#"topic = "trades""#, "epoch = { max-record = 5 }"));
    assert!(epoch.ends_with("epoch.max-record: unknown key; did you mean `max-records`?"), "{epoch}");
    let far = error(&with_line(r#"topic = "trades""#, "lake = { zzz = 5 }"));
    assert!(far.ends_with("lake.zzz: unknown key; known here: `decimals`"), "{far}");
}

#[test]
fn a_function_that_is_no_component_is_an_error_with_the_nearest_one() {
    let vetting = "\n[application.trigger.kafka.functions.windov]\nmax-size = \"1MiB\"\n";
    let said = error(&format!("{MINIMAL}{vetting}"));
    let key = "application.trigger.kafka.functions.windov";
    assert!(
        said.ends_with(&format!("{key}: there is no [component.windov]; did you mean `window`?")),
        "{said}"
    );
}

#[test]
fn spins_own_tables_follow_spins_schema() {
    for (text, part) in [
        (format!("{MINIMAL}enviroment = {{}}\n"), "Spin knows no such key; did you mean `environment`?"),
        (
            format!("{MINIMAL}[triggers]\n"),
            "spin.toml:29:2: triggers: Spin knows no such key; did you mean `trigger`?",
        ),
        (
            format!("{MINIMAL}files = [3]\n"),
            "files[#1]: this is an integer, but a string or a table is needed",
        ),
        (
            format!("{MINIMAL}build = {{}}\n"),
            "component.window.build: `command` is missing: Spin requires it",
        ),
        (
            format!("{MINIMAL}[component.a_b]\nsource = \"x\"\n"),
            "words of letters and digits with `-` between them",
        ),
        (format!("{MINIMAL}[component.b]\n"), "component.b: `source` is missing: Spin requires it"),
        (with("spin_manifest_version = 2", ""), "`spin_manifest_version = 2` is missing"),
        (
            with("spin_manifest_version = 2", "spin_manifest_version = \"1\""),
            "1:25: spin_manifest_version: this must be 2",
        ),
        (with("name = \"test\"", ""), "application: `name` is missing: Spin requires it"),
        (with("[variables]", "[variables]\nx = {}"), "variables.x: needs a `default`, or `required = true`"),
        (
            with("[variables]", "[variables]\nx = { defualt = \"\", required = true }"),
            "did you mean `default`?",
        ),
    ] {
        let error = error(&text);
        assert!(error.contains(part), "{part}: {error}");
    }
}

#[test]
fn several_mistakes_are_reported_together_in_the_order_of_their_lines() {
    let text = with_line(r#"topic = "trades""#, "delay = 5\non-reject = \"ignore\"\nfetch-clients = 17")
        .replace("tumbling = \"1m\"", "tumbling = \"0s\"")
        .replace("lake = \"lake\"", "lake = \"ftp://x\"");
    let starts: Vec<String> =
        errors(&text).iter().map(|e| e.split(": ").take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(
        starts,
        [
            "spin.toml:10:8 application.trigger.kafka.lake",
            "spin.toml:15:9 trigger.kafka[candles].delay",
            "spin.toml:16:13 trigger.kafka[candles].on-reject",
            "spin.toml:17:17 trigger.kafka[candles].fetch-clients",
            "spin.toml:23:12 trigger.kafka[candles].windows[1m].tumbling",
        ]
    );
}

#[test]
fn wrong_types_and_values_say_what_is_needed() {
    for (line, part) in [
        ("delay = 5", "delay: this is an integer, but a duration like \"2s\" is needed"),
        ("delay = \"1M\"", "`M` has no fixed length; write days or weeks (a minute is `m`)"),
        ("delay = \"5\"", "\"5\": not a duration; write a number and a unit"),
        ("topic-pattern = \"^x\"", "topic-pattern: only one of `topic`"),
        ("idle-advance = \"yes\"", "idle-advance: this is a string, but true or false is needed"),
        ("parse-workers = 65", "65 is out of range; it must be 1 to 64"),
        ("parse-workers = 2.0", "this is a float, but an integer is needed"),
        ("new-partitions-every = \"0s\"", "this must be longer than zero"),
        ("archive = 1", "this is an integer, but true or false is needed"),
        ("verify-retention = 1", "1 is out of range; it must be 2 to 100000"),
        ("starting-offsets = \"earlist\"", "one of `earliest`, `latest` is needed"),
        ("starting-offsets = { trades = 1 }", "a partition is written \"topic/number\""),
        ("starting-offsets = { time = \"yesterday\" }", "write a day like 2024-08-09"),
        ("starting-offsets = { time = 1723161600 }", "a day or a moment like"),
        ("starting-offsets = { time = \"2024-08-09\", \"trades/0\" = 1 }", "`time` is for all partitions"),
        ("starting-offsets = { \"trades/0\" = -1 }", "-1 is out of range; it must be at least 0"),
        ("on-data-loss = \"ignore\"", "one of `halt`, `continue` is needed"),
        ("epoch = { max-records = 0 }", "0 is out of range; it must be at least 1"),
        ("limits = { memory = \"8GiB\" }", "a size from 1 MiB to 4 GiB is needed"),
        ("limits = { memory = \"lots\" }", "\"lots\": not a size"),
        ("limits = { queue = \"4KiB\" }", "`queue` must hold at least one batch"),
        ("limits = []", "limits: this is a list, but a table is needed"),
        ("scales = { price = 19 }", "scales.price: 19 is out of range; it must be 0 to 18"),
        ("scales = { prize = 2 }", "no window of this pipeline reads such a column; did you mean `price`?"),
        ("parse-settings = { a = [1] }", "parse-settings.a: this is a list, but a string is needed"),
        ("topics = [\"a\"]", "topics: only one of `topic`, `topics`, `topic-pattern` can be given"),
        ("component = \"window\"", "Spin keeps this key for itself; name the parse component with `parse"),
        ("components = {}", "Spin keeps this key for itself"),
        ("dependencies = {}", "Spin keeps this key for itself"),
        ("delay = \"{{ x }}\"", "the variable `x` is not declared in [variables]; there are none here"),
        ("delay = \"{{ x\"", "`{{` without `}}`: write a variable as `{{ name }}`"),
        ("delay = \"{{ X! }}\"", "is not a variable name"),
    ] {
        let error = error(&with_line(r#"id = "candles""#, line));
        assert!(error.contains(part), "{line}: {error}");
    }
}

#[test]
fn wrong_topics_say_what_is_needed() {
    for (by, part) in [
        ("", "one of `topic`, `topics`, `topic-pattern` is missing"),
        ("topic = \"a b\"", "a topic's name is made of letters"),
        ("topics = []", "name at least one topic"),
        ("topics = [\"a\", \"a\"]", "`a` is here twice"),
        ("topic-pattern = \"trades-.*\"", "a pattern begins with `^`"),
        ("topic-pattern = \"^trades-(\"", "not a regular expression: unclosed group"),
    ] {
        let error = error(&with("topic = \"trades\"", by));
        assert!(error.contains(part), "{by}: {error}");
    }
}

#[test]
fn wrong_windows_say_what_is_needed() {
    for (part, by, problem) in [
        ("name = \"1m\"", "name = \"1 m\"", "a name is made of a-z, 0-9, `-` and `_`"),
        ("kinds = [\"trade\"]", "", "windows[1m]: `kinds` is missing; it takes a list of kinds"),
        ("kinds = [\"trade\"]", "kinds = []", "name at least one kind of rows"),
        ("kinds = [\"trade\"]", "kinds = \"trade\"", "this is a string, but a list of strings is needed"),
        ("tumbling = \"1m\"", "", "one of `tumbling`, `sliding`, `session` is missing"),
        (
            "tumbling = \"1m\"",
            "tumbling = \"1m\"\nsession = \"1m\"",
            "only one of `tumbling`, `sliding`, `session`",
        ),
        (
            "tumbling = \"1m\"",
            "sliding = { size = \"1m\" }",
            "sliding: `slide` is missing; it takes a duration",
        ),
        (
            "tumbling = \"1m\"",
            "sliding = { size = \"1m\", slide = \"2m\" }",
            "rows between two windows would be in neither",
        ),
        (
            "tumbling = \"1m\"",
            "sliding = { size = \"1d\", slide = \"7us\" }",
            "in pieces of their common divisor, 1us: in 86400000000 pieces, and 10000 are the most; write a longer \
             `slide` that divides `size`, such as \"9s\"",
        ),
        (
            // Seven days have 604,800 seconds, which one second divides: the windows are too many, not uneven.
            "tumbling = \"1m\"",
            "sliding = { size = \"7d\", slide = \"1s\" }",
            "a row would be in 604800 windows at once, and 10000 are the most; write a longer `slide` that divides \
             `size`, such as \"1m 3s\"",
        ),
        ("tumbling = \"1m\"", "tumbling = \"1m\"\noffset = \"60s\"", "the offset must be shorter than"),
        ("tumbling = \"1m\"", "session = \"1m\"\noffset = \"1s\"", "it has no offset"),
        ("keys = [\"symbol\"]", "", "`keys` is missing"),
        ("keys = [\"symbol\"]", "keys = [\"symbol\", \"symbol\"]", "`symbol` is here twice"),
        ("keys = [\"symbol\"]", "keys = [\"revision\"]", "every candle already has a `revision`"),
        (
            "keys = [\"symbol\"]",
            "keys = [\"symbol\"]\nids = { first = \"a\" }",
            "ids: `last` is missing; it takes a column",
        ),
        ("{ close = \"last(price)\" }", "{}", "name at least one column"),
        (
            "{ close = \"last(price)\" }",
            "{ close = 5 }",
            "this is an integer, but an expression like \"max(price)\"",
        ),
        (
            "{ close = \"last(price)\" }",
            "{ close = \"lst(price)\" }",
            "no such operation; did you mean `last`?",
        ),
        (
            "{ close = \"last(price)\" }",
            "{ symbol = \"count()\" }",
            "this is a key column of the window already",
        ),
        ("{ close = \"last(price)\" }", "{ \"a b\" = \"count()\" }", "not a column's name"),
    ] {
        let error = error(&with(part, by));
        assert!(error.contains(problem), "{by}: {error}");
    }
}

#[test]
fn no_aggregate_may_take_the_name_of_a_column_that_every_candle_has() {
    for name in
        ["window_start", "window_end", "first_id", "last_id", "missing", "complete", "revision", "date"]
    {
        let error = error(&with("{ close = ", &format!("{{ {name} = ")));
        assert!(error.contains(&format!("every candle already has a `{name}`")), "{error}");
    }
}

#[test]
fn client_settings_that_the_promise_depends_on_are_refused_with_the_reason() {
    for (setting, why) in [
        ("bootstrap.servers", "name the brokers with `brokers`"),
        ("metadata.broker.list", "name the brokers with `brokers`"),
        ("enable.auto.commit", "offsets are committed with the candles"),
        ("enable.auto.offset.store", "offsets are committed with the candles"),
        ("auto.offset.reset", "its default skips lost records in silence"),
        ("isolation.level", "tallow reads committed records only"),
        ("enable.partition.eof", "to tell idle ones from slow ones"),
        ("check.crcs", "tallow always checks"),
        ("group.id", "tallow names the group after the pipeline"),
    ] {
        for key in [setting.to_owned(), format!("\"{setting}\"")] {
            let table = format!("[application.trigger.kafka.client]\n{key} = \"x\"\n[[trigger.kafka]]");
            let error = error(&with("[[trigger.kafka]]", &table));
            assert!(error.starts_with("spin.toml:13:"), "{error}");
            assert!(
                error.contains(&format!("`{setting}` cannot be set: ")) && error.contains(why),
                "{error}"
            );
        }
    }
}

#[test]
fn a_setting_given_both_dotted_and_quoted_is_refused() {
    let table = "[application.trigger.kafka.client]\n\"a.b\" = 1\na.b = 2\n[[trigger.kafka]]";
    assert!(error(&with("[[trigger.kafka]]", table)).contains("`a.b` is given twice"));
}

#[test]
fn keys_of_later_versions_are_refused_as_such() {
    let shards = error(&with("[[trigger.kafka]]", "[[trigger.kafka]]\nshards = 2"));
    assert!(shards.contains("shards: not supported by this version of tallow"), "{shards}");
}

#[test]
fn a_component_that_is_not_there_is_named_with_the_pipeline_that_names_it() {
    assert_eq!(
        error(&with(r#"parse = "parse-market""#, r#"parse = "parse-markt""#)),
        "spin.toml:15:9: trigger.kafka[candles].parse: pipeline `candles` names the component `parse-markt`, but \
         there is no [component.parse-markt]; did you mean `parse-market`?"
    );
    let window = error(&with_line("tumbling = \"1m\"", "function = \"windw\""));
    assert!(
        window.contains("windows[1m].function: pipeline `candles` names the component `windw`"),
        "{window}"
    );
}

const SECOND_WINDOW: &str = r#"
[[trigger.kafka.windows]]
name = "2m"
kinds = ["trade"]
tumbling = "2m"
keys = []
aggregates = { n = "count()" }
"#;

fn with_second_window(change: (&str, &str)) -> String {
    let second = SECOND_WINDOW.replace(change.0, change.1);
    with("[component.parse-market]", &format!("{second}\n[component.parse-market]"))
}

#[test]
fn windows_of_one_pipeline_have_different_names_one_function_and_one_time() {
    let same_name = error(&with_second_window(("\"2m\"\nkinds", "\"1m\"\nkinds")));
    assert!(same_name.contains("a window `1m` is there already"), "{same_name}");
    let other = error(&with_second_window(("keys = []", "keys = []\nfunction = \"parse-market\"")));
    let time = error(&with_second_window(("keys = []", "keys = []\ntime = \"received\"")));
    assert!(
        time.contains("windows[2m]: `time` is `received` here and `event_time` in window `1m`"),
        "{time}"
    );
    assert!(other.contains("one function computes all windows of a pipeline"), "{other}");
}

fn with_second_pipeline(id: &str, window: &str) -> String {
    let second = format!(
        "[[trigger.kafka]]\nid = \"{id}\"\ntopic = \"x\"\nparse = \"parse-market\"\n{}",
        SECOND_WINDOW.replace("\"2m\"\nkinds", &format!("\"{window}\"\nkinds"))
    );
    with("[component.parse-market]", &format!("{second}\n[component.parse-market]"))
}

#[test]
fn pipelines_have_different_ids_and_never_share_a_table() {
    let same = errors(&with_second_pipeline("candles", "2m")).join("\n");
    assert!(same.contains("a pipeline `candles` is there already"), "{same}");
    let text = with_second_pipeline("candles_a", "b").replace("name = \"1m\"", "name = \"a_b\"");
    let shared = error(&text);
    assert!(
        shared.contains("window `b` would write the table `candles_a_b`, as pipeline `candles` does"),
        "{shared}"
    );
}

#[test]
fn a_manifest_without_a_pipeline_is_refused() {
    let text =
        MINIMAL.split("[[trigger.kafka]]").next().unwrap().to_owned() + "[[trigger.http]]\nroute = \"/\"\n";
    assert!(error(&text).contains("there is no [[trigger.kafka]]: tallow has nothing to run"));
    let single = error(
        &with("[[trigger.kafka]]", "[trigger.kafka]")
            .replace("[[trigger.kafka.windows]]", "[trigger.kafka.w]"),
    );
    assert!(single.contains("[[trigger.kafka]] with two brackets is needed"), "{single}");
}

#[test]
fn what_is_not_toml_is_said_with_its_place() {
    let error = error("spin_manifest_version = 2\n[application\n");
    assert!(error.starts_with("spin.toml:2:13: this is not TOML: "), "{error}");
}

#[test]
fn filling_that_cannot_be_done_is_refused_at_its_key() {
    let fill = |more: &str| with_line(r#"keys = ["symbol"]"#, more);
    for (text, key, problem) in [
        (fill("fill = \"last\""), "fill", "`previous`"),
        (fill("fill-for = \"1h\""), "fill-for", "nothing is filled: add `fill`, or remove this"),
        (
            fill("fill = \"null\"\nfill-for = \"59s\""),
            "fill-for",
            "shorter than a window: nothing would be filled",
        ),
        (
            fill("fill = \"null\"\nfill-for = \"100001m\""),
            "fill-for",
            "this is 100001 windows of 1m, and 100000 are the most",
        ),
        (
            fill("fill = \"zero\"").replace("tumbling = \"1m\"", "session = \"1m\""),
            "fill",
            "only tumbling windows can be filled, and these are sessions: remove `fill`, or write `tumbling`",
        ),
        (
            fill("fill = \"zero\"")
                .replace("tumbling = \"1m\"", "sliding = { size = \"1m\", slide = \"30s\" }"),
            "fill",
            "and these are sliding windows",
        ),
        (
            fill("fill = \"zero\"").replace("close = ", "filled = "),
            "aggregates.filled",
            "with `fill`, every candle already has a `filled`; choose another name",
        ),
    ] {
        let said = error(&text);
        assert!(said.contains(&format!("windows[1m].{key}: ")) && said.contains(problem), "{said}");
    }
}

#[test]
fn a_topic_of_results_is_neither_read_nor_the_markers() {
    let topic = |topic: &str| format!("{MINIMAL}[trigger.kafka.windows.kafka]\ntopic = \"{topic}\"\n");
    let key = "spin.toml:30:9: trigger.kafka[candles].windows[1m].kafka.topic: ";
    let said = error(&topic("trades"));
    assert!(said.starts_with(key) && said.contains("take its own results for records"), "{said}");
    let pattern = topic("trades-1m").replace("topic = \"trades\"\n", "topic-pattern = \"^trades.*\"\n");
    assert!(error(&pattern).starts_with(key), "{}", error(&pattern));
    let said = error(&topic("_tallow_markers_candles"));
    assert!(said.starts_with(key) && said.contains("`marker-topic`"), "{said}");
    let late = error(&format!("{MINIMAL}[trigger.kafka.late-rows]\ntopic = \"trades\"\n"));
    assert!(late.starts_with("spin.toml:30:9: trigger.kafka[candles].late-rows.topic: "), "{late}");
    let lake = error(&with_line("topic = \"trades\"", "lake = { mode = \"update\" }"));
    assert!(lake.contains("the lake only gets windows that have closed"), "{lake}");
    let most = error(&(topic("results") + "most-rows = 9\n"));
    assert!(most.contains("kafka.most-rows: only the mode `complete` sends all rows"), "{most}");
    let complete = topic("results") + "mode = \"complete\"\n";
    let sessions = error(&complete.replace("tumbling = ", "session = "));
    assert!(sessions.contains("kafka.mode: sessions grow and merge"), "{sessions}");
    let mode = topic("results") + "mode = \"upsert\"\n";
    assert!(error(&mode).contains("windows[1m].kafka.mode: "), "{}", error(&mode));
}
