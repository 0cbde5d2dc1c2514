//! The manifests for platforms that take HTTP alone have the gateway of the repository's own, and nothing else.

#![allow(clippy::unwrap_used)]

use std::path::Path;

use tallow_tests::paths;
use toml_edit::{DocumentMut, Item};

fn manifest(path: &str) -> DocumentMut {
    std::fs::read_to_string(paths::root().join(path)).unwrap().parse().unwrap()
}

fn at<'a>(document: &'a DocumentMut, keys: &[&str]) -> &'a Item {
    keys.iter().fold(document.as_item(), |item, key| &item[key])
}

/// What a table says, without comments and layout.
fn said(item: &Item) -> String {
    let mut table = item.clone().into_table().unwrap();
    table.sort_values();
    for (_, value) in table.iter_mut() {
        if let Some(value) = value.as_value_mut() {
            value.decor_mut().clear();
        }
    }
    table.to_string()
}

#[test]
fn the_gateway_is_wired_alike_in_every_manifest() {
    let root = manifest("spin.toml");
    for path in ["deploy/http/spin.toml", "deploy/spin-p3/spin.toml"] {
        let other = manifest(path);
        let dependencies = ["component", "gateway", "dependencies"];
        assert_eq!(said(at(&root, &dependencies)), said(at(&other, &dependencies)), "{path}");
        let triggers = other["trigger"].as_table().unwrap();
        assert_eq!(triggers.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["http"], "{path}");
        assert_eq!(root["trigger"]["http"].to_string(), other["trigger"]["http"].to_string(), "{path}");
        // Nothing of what Spin alone could grant: the gateway asks for HTTP and functions.
        let keys: Vec<&str> =
            other["component"]["gateway"].as_table().unwrap().iter().map(|it| it.0).collect();
        assert_eq!(keys, ["source", "description", "dependencies", "build"], "{path}");
    }
}

#[test]
fn the_gateways_components_are_the_root_manifests() {
    let root = manifest("spin.toml");
    for path in ["deploy/http/spin.toml", "deploy/spin-p3/spin.toml"] {
        let other = manifest(path);
        let folder = Path::new(path).parent().unwrap();
        let dependencies = at(&other, &["component", "gateway", "dependencies"]).as_table().unwrap();
        assert_eq!(dependencies.len(), 4, "{path}");
        for (contract, dependency) in dependencies {
            let name = dependency["component"].as_str().unwrap();
            let source =
                |document: &DocumentMut| document["component"][name]["source"].as_str().unwrap().to_owned();
            let back = format!("../../{}", source(&root));
            assert_eq!(source(&other), back, "{path}: {contract} from {}", folder.display());
        }
    }
}
