//! The JSON schema takes the manifests that the reader takes, and refuses what the reader refuses.

#![allow(clippy::unwrap_used)]

#[path = "../host/manifest/tests/common/mod.rs"]
mod common;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use common::documented::{NAME, documented, with_key};
use common::{read, with_every_table};
use serde_json::{Value, json};
use tallow_tests::markdown::blocks;
use tallow_tests::{paths, python, skip_unless_ci, tallow};

/// Validates each manifest of standard input, and prints what is wrong with which.
const VALIDATE: &str = r#"
import json, sys
from jsonschema import Draft7Validator
given = json.load(sys.stdin)
Draft7Validator.check_schema(given["schema"])
validator = Draft7Validator(given["schema"])
wrong = {name: [e.message[:200] for e in validator.iter_errors(it)] for name, it in given["manifests"].items()}
json.dump({name: errors for name, errors in wrong.items() if errors}, sys.stdout)
"#;

/// What the schema finds wrong, by the manifest's name. `None` if no validator is installed.
fn wrong(test: &str, manifests: &BTreeMap<String, String>) -> Option<BTreeMap<String, Vec<String>>> {
    let python = match python::with("jsonschema") {
        Ok(python) => python,
        Err(why) => {
            skip_unless_ci(test, &why);
            return None;
        }
    };
    let schema: Value = serde_json::from_str(&tallow::run(&["schema"]).success().stdout).unwrap();
    let manifests: BTreeMap<&String, Value> = manifests
        .iter()
        .map(|(name, text)| {
            (name, toml_edit::de::from_str(text).unwrap_or_else(|error| panic!("{name}: {error}")))
        })
        .collect();
    let given = json!({ "schema": schema, "manifests": manifests }).to_string();
    let mut validator = Command::new(python)
        .args(["-c", VALIDATE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    validator.stdin.take().unwrap().write_all(given.as_bytes()).unwrap();
    let said = validator.wait_with_output().unwrap();
    assert!(said.status.success(), "the validator failed: is the schema one of draft 7?");
    Some(serde_json::from_slice(&said.stdout).unwrap())
}

/// What tests put into manifests of their own.
const FILLED_IN: [(&str, &str); 4] = [
    ("{base-url}", "https://api.example.com"),
    ("{parse}", "{ remote = \"https://gateway.example.com\", token = \"{{ token }}\" }"),
    ("{window}", "\"window\""),
    ("{ids}", "ids = \"id\""),
];

/// Every `spin.toml` of the repository, by its path.
fn in_repository(folder: &Path, found: &mut BTreeMap<String, String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() && name != "target" && !name.starts_with('.') {
            in_repository(&path, found);
        } else if name == "spin.toml" {
            let shown = path.strip_prefix(paths::root()).unwrap().display().to_string();
            let text = fs::read_to_string(&path).unwrap();
            found.insert(shown, FILLED_IN.iter().fold(text, |text, (part, by)| text.replace(part, by)));
        }
    }
}

/// The manifest that `tallow init` makes.
fn made_by_init() -> String {
    let folder = tempfile::tempdir().unwrap();
    let market = folder.path().join("market");
    tallow::run(&["init".as_ref(), market.as_os_str()]).success();
    fs::read_to_string(market.join("spin.toml")).unwrap()
}

#[test]
fn the_schema_takes_every_manifest_of_the_repository() {
    let mut manifests = BTreeMap::new();
    in_repository(&paths::root(), &mut manifests);
    assert!(manifests.len() > 15, "{:?}", manifests.keys());
    let init = made_by_init();
    let days = fs::read_to_string(paths::root().join("host/src/cli/demo/more.toml")).unwrap();
    manifests.insert("tallow demo".to_owned(), format!("{init}\n{days}"));
    manifests.insert("tallow init".to_owned(), init);
    let shown = blocks().into_iter().filter(|block| block.text.contains("spin_manifest_version"));
    manifests.extend(shown.map(|block| (block.place, block.text)));
    manifests.insert("every table".to_owned(), with_every_table(NAME));
    let Some(wrong) = wrong("the_schema_takes_every_manifest_of_the_repository", &manifests) else { return };
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Lines of a pipeline that the reader takes.
const TAKEN: [&str; 14] = [
    "delay = \"1h 30m\"",
    "delay = \"{{ wait }}\"",
    "fetch-clients = \"{{ clients }}\"",
    "on-reject = \"{{ reject }}\"",
    "starting-offsets = \"latest\"",
    "starting-offsets = { \"trades/0\" = 17 }",
    "starting-offsets = { time = \"2024-08-09\" }",
    "scales = { price = 2 }",
    "parse-settings = { a = 1, b = \"c\", d = true, e = 1.5 }",
    "limits = { memory = \"1 GiB\", batch-bytes = 65536, batch-records = 100 }",
    "swap = { watch = true, invariants = [\"close >= 0\", \"close<9\"] }",
    "epoch = { interval = \"500ms\" }",
    "lake = { decimals = \"decimal\" }",
    "idle-after = \"0s\"",
];

#[test]
fn the_schema_takes_values_in_each_of_their_forms() {
    let variables = "[variables]\nwait = { default = \"3s\" }\nclients = { default = \"2\" }\nreject = { default = \"drop\" }";
    let manifests: BTreeMap<String, String> = TAKEN
        .iter()
        .map(|line| {
            let text = common::with_line("topic = \"trades\"", line).replace("[variables]", variables);
            read(&text).unwrap_or_else(|errors| panic!("{line}: {errors}"));
            ((*line).to_owned(), text)
        })
        .collect();
    let Some(wrong) = wrong("the_schema_takes_values_in_each_of_their_forms", &manifests) else { return };
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Parts of the smallest manifest, each with what breaks it.
const BROKEN: [(&str, &str); 26] = [
    ("topic = \"trades\"", "topic = \"trades\"\ndealy = \"2s\""),
    ("topic = \"trades\"", "topic = \"trades\"\ntopics = [\"more\"]"),
    ("topic = \"trades\"", ""),
    ("topic = \"trades\"", "topic = \"a b\""),
    ("topic = \"trades\"", "topic-pattern = \"trades\""),
    ("topic = \"trades\"", "topics = []"),
    ("id = \"candles\"", "id = \"Candles\""),
    ("id = \"candles\"", "id = \"candles\"\ncomponent = \"window\""),
    ("id = \"candles\"", "id = \"candles\"\ndelay = \"5\""),
    ("id = \"candles\"", "id = \"candles\"\nfetch-clients = 17"),
    ("id = \"candles\"", "id = \"candles\"\non-reject = \"ignore\""),
    ("id = \"candles\"", "id = \"candles\"\nstarting-offsets = { \"trades/0\" = -1 }"),
    ("id = \"candles\"", "id = \"candles\"\nlimits = { memory = \"lots\" }"),
    ("id = \"candles\"", "id = \"candles\"\nepoch = { max-record = 5 }"),
    ("id = \"candles\"", "id = \"candles\"\nscales = { price = 19 }"),
    ("parse = \"parse-market\"", "parse = { component = \"a\", remote = \"https://b\" }"),
    ("parse = \"parse-market\"", ""),
    ("kinds = [\"trade\"]", "kinds = []"),
    ("tumbling = \"1m\"", "tumbling = \"1m\"\nsession = \"5m\""),
    ("tumbling = \"1m\"", "sliding = { size = \"1m\" }"),
    ("keys = [\"symbol\"]", "keys = [\"symbol\", \"symbol\"]"),
    ("{ close = \"last(price)\" }", "{ close = \"median(price)\" }"),
    ("{ close = \"last(price)\" }", "{}"),
    ("lake = \"lake\"", "lake = \"lake\"\nforecast = { daily = { horizon = 0 } }"),
    ("lake = \"lake\"", "lake = \"lake\"\nclient = { \"group.id\" = \"x\" }"),
    ("lake = \"lake\"", "lake = \"lake\"\nclient = { group.id = \"x\" }"),
];

#[test]
fn the_schema_refuses_what_the_reader_refuses() {
    let broken = |(part, by): &(&str, &str)| (format!("{part} -> {by}"), common::with(part, by));
    let manifests: BTreeMap<String, String> = BROKEN.iter().map(broken).collect();
    for (name, text) in &manifests {
        assert!(read(text).is_err(), "the reader takes {name}");
    }
    let Some(wrong) = wrong("the_schema_refuses_what_the_reader_refuses", &manifests) else { return };
    let taken: Vec<&String> = manifests.keys().filter(|name| !wrong.contains_key(*name)).collect();
    assert!(taken.is_empty(), "{taken:#?}");
}

#[test]
fn the_schema_knows_every_key_its_type_and_its_default() {
    let (mut right, mut broken) = (BTreeMap::new(), BTreeMap::new());
    for (heading, keys) in documented() {
        for (key, default) in keys {
            let set = |to: &str| {
                with_key(&heading, &key, toml_edit::value(to.parse::<toml_edit::Value>().unwrap()))
            };
            // No key takes a list of lists.
            broken.insert(format!("{heading} {key}"), set("[[]]"));
            if let Some(default) = default.strip_prefix('`').and_then(|text| text.strip_suffix('`')) {
                right.insert(format!("{heading} {key}"), set(default));
            }
        }
    }
    assert!(right.len() > 50 && broken.len() > 100, "{} {}", right.len(), broken.len());
    let test = "the_schema_knows_every_key_its_type_and_its_default";
    let Some(wrong_defaults) = wrong(test, &right) else { return };
    assert!(wrong_defaults.is_empty(), "{wrong_defaults:#?}");
    let Some(wrong_types) = wrong(test, &broken) else { return };
    let taken: Vec<&String> = broken.keys().filter(|name| !wrong_types.contains_key(*name)).collect();
    assert!(taken.is_empty(), "{taken:#?}");
}
