//! Every kind of store is held to the same suite, and the suite finds a store that does not conform.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use object_store::memory::InMemory;
use proptest::prelude::*;
use tallow_env::{Clock, ManualClock, Random, SeededRandom, SystemClock, SystemRandom};
use tallow_store::{Create, Store, StoreError};
use tallow_test_support::faulty::{Fault, Faulty, Op};
use tallow_test_support::store_conformance;

use crate::bench::bench;

fn conforms(store: &Store) -> Result<(), String> {
    store_conformance::run(store, Arc::new(SystemClock::new()), Arc::new(SystemRandom))
}

fn open(url: &str) -> Result<Store, StoreError> {
    Store::open(url, &BTreeMap::new())
}

#[test]
fn memory_conforms() {
    conforms(&Store::memory().unwrap()).unwrap();
}

#[test]
fn a_folder_conforms_and_nothing_is_left_in_it() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("a lake/that is new");
    let store = open(root.to_str().unwrap()).unwrap();
    conforms(&store).unwrap();
    assert!(store.list("").unwrap().is_empty());
    let url = url::Url::from_file_path(&root).unwrap();
    conforms(&open(url.as_str()).unwrap()).unwrap();
}

#[test]
fn a_root_inside_a_bucket_conforms_and_touches_nothing_beside_it() {
    let bench = bench(40);
    conforms(&bench.store).unwrap();
    assert!(bench.faulty.requests().iter().all(|(op, path)| *op == Op::Delete || path.starts_with("lake/")));
}

#[test]
fn a_store_with_faults_that_pass_conforms() {
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    for seed in 0..5 {
        let random: Arc<dyn Random> = Arc::new(SeededRandom::new(seed));
        let faulty = Arc::new(Faulty::new(Arc::new(InMemory::new()), clock.clone()));
        faulty.draw(random.clone(), 8);
        let store = Store::from_object_store(faulty, "lake", clock.clone(), random.clone()).unwrap();
        // Long enough for any streak of faults: each may cost half a minute of the clock.
        let patience = tallow_store::Patience { whole: Duration::from_secs(36_000), ..Default::default() };
        store_conformance::run(&store.with_patience(patience), clock.clone(), random).unwrap();
    }
}

#[test]
fn a_store_that_overwrites_in_silence_is_refused() {
    let bench = bench(41);
    bench.faulty.overwrite();
    let error = bench.store.probe(&*bench.random).unwrap_err();
    assert!(error.to_string().contains("this store overwrites"), "{error}");
    assert_eq!(error.exit_code(), 2);
    assert!(conforms(&bench.store).unwrap_err().contains("a second create is refused"));
    assert!(bench.store.list("").unwrap().is_empty(), "the probe leaves nothing behind");
}

#[test]
fn the_probe_keeps_to_its_verdict_while_answers_are_lost() {
    for fault in [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable, Fault::Conflict] {
        for nth in 0..2 {
            let fit = bench(42);
            fit.faulty.script_after(nth, Op::Create, "probe", fault);
            fit.store.probe(&*fit.random).unwrap();
            let unfit = bench(42);
            unfit.faulty.overwrite();
            unfit.faulty.script_after(nth, Op::Create, "probe", fault);
            assert!(unfit.store.probe(&*unfit.random).is_err(), "{fault:?} at create {nth}");
        }
    }
}

#[test]
fn what_a_killed_probe_left_is_removed_once_it_is_old() {
    let bench = bench(43);
    let begun_us = bench.clock.now_us();
    let left = [begun_us - 3_600_000_001, begun_us - 3_500_000_000]
        .map(|us| format!("_tallow/probe/{us:016x}-00000000000000aa"));
    for path in &left {
        bench.store.create(path, "first").unwrap();
    }
    bench.store.probe(&*bench.random).unwrap();
    let found: Vec<_> = bench.store.list("_tallow").unwrap().into_iter().map(|(path, _)| path).collect();
    assert_eq!(found, left[1..], "another's probe may still be under way");
}

#[test]
fn memory_of_one_name_is_shared_and_of_another_is_not() {
    let store = open("memory:///stores-test").unwrap();
    assert_eq!(store.create("x", "1").unwrap(), Create::Created);
    assert_eq!(open("memory:///stores-test").unwrap().get("x").unwrap(), Some("1".into()));
    assert_eq!(open("memory:///stores-test-2").unwrap().get("x").unwrap(), None);
}

#[test]
fn wrong_urls_and_options_are_told_apart_and_named() {
    for (url, says) in
        [("ftp://host/x", "`ftp:` is not a store"), ("file://relative/x", "three slashes"), ("s3://", "s3:")]
    {
        let error = open(url).unwrap_err();
        assert!(matches!(error, StoreError::Misconfigured { .. }), "{error}");
        assert!(error.to_string().contains(says), "{error}");
    }
    let options = BTreeMap::from([("buket".to_owned(), "x".to_owned())]);
    let error = Store::open("s3://bucket/x", &options).unwrap_err();
    assert!(error.to_string().contains("`buket` is not an option"), "{error}");
}

/// Every option that the client knows.
const OPTIONS: [&str; 65] = [
    "endpoint",
    "region",
    "access_key_id",
    "secret_access_key",
    "token",
    "bucket",
    "virtual_hosted_style_request",
    "s3_express",
    "imdsv1_fallback",
    "metadata_endpoint",
    "unsigned_payload",
    "checksum_algorithm",
    "container_credentials_relative_uri",
    "container_credentials_full_uri",
    "container_authorization_token_file",
    "web_identity_token_file",
    "role_arn",
    "role_session_name",
    "endpoint_url_sts",
    "aws_endpoint_url_s3",
    "skip_signature",
    "copy_if_not_exists",
    "conditional_put",
    "disable_tagging",
    "disable_bulk_delete",
    "request_payer",
    "server_side_encryption",
    "sse_kms_key_id",
    "sse_bucket_key_enabled",
    "sse_customer_key_base64",
    "allow_http",
    "allow_invalid_certificates",
    "connect_timeout",
    "default_content_type",
    "http1_only",
    "http2_only",
    "http2_keep_alive_interval",
    "http2_max_frame_size",
    "pool_idle_timeout",
    "pool_max_idle_per_host",
    "proxy_url",
    "proxy_ca_certificate",
    "proxy_excludes",
    "randomize_addresses",
    "timeout",
    "user_agent",
    "account_key",
    "account_name",
    "client_id",
    "client_secret",
    "tenant_id",
    "authority_host",
    "sas_key",
    "bearer_token",
    "use_emulator",
    "identity_endpoint",
    "object_id",
    "federated_token_file",
    "use_fabric_endpoint",
    "use_azure_cli",
    "container_name",
    "service_account",
    "service_account_key",
    "base_url",
    "application_credentials",
];

/// With what people write into options by mistake.
#[test]
fn no_value_of_any_option_makes_a_store_panic() {
    let values =
        ["", "x", "é", "a\nb", "://", "http://", "localhost:9000", "-1", "true", "99999999999999999999"];
    let patience = tallow_store::Patience {
        attempt: Duration::from_millis(300),
        whole: Duration::ZERO,
        ..Default::default()
    };
    for url in ["s3://bucket/x", "gs://bucket/x", "az://container/x"] {
        for (name, value) in OPTIONS.iter().flat_map(|name| values.iter().map(move |value| (*name, *value))) {
            let mut options = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            if url.starts_with("s3") {
                let unused =
                    [("endpoint", "http://127.0.0.1:1"), ("access_key_id", "k"), ("secret_access_key", "s")];
                for (name, value) in unused {
                    options.entry(name.to_owned()).or_insert(value.to_owned());
                }
            }
            if url.starts_with("az") && name != "account_name" {
                options.insert("account_name".to_owned(), "somebody".to_owned());
            }
            match Store::open(url, &options) {
                Ok(store) if url.starts_with("s3") && !name.contains("endpoint") => {
                    store.with_patience(patience).get("y").unwrap_err();
                }
                Ok(_) => {}
                Err(error) => {
                    assert!(
                        matches!(error, StoreError::Misconfigured { .. }),
                        "{url} {name}={value}: {error}"
                    );
                    assert!(
                        error.to_string().contains(&format!("`{name}`")),
                        "{url} {name}={value}: {error}"
                    );
                }
            }
        }
    }
}

#[test]
fn a_store_that_is_away_at_the_start_is_told_within_half_a_minute() {
    let bench = bench(43);
    bench.faulty.down_until(i64::MAX);
    let begun = bench.clock.ticks();
    let error = bench.store.probe_soon(&*bench.random).unwrap_err();
    assert!(matches!(error, StoreError::Unreachable { .. }), "{error}");
    assert_eq!(error.exit_code(), 69);
    let took = bench.clock.ticks().since(begun);
    assert!(took <= Duration::from_secs(30), "{took:?}");
}

#[test]
fn paths_that_leave_the_root_are_refused() {
    let store = Store::memory().unwrap();
    for path in ["../x", "a/../../x", "a//b", "a/./b"] {
        assert!(matches!(store.get(path), Err(StoreError::Misconfigured { .. })), "{path}");
        assert!(matches!(store.create(path, ""), Err(StoreError::Misconfigured { .. })), "{path}");
    }
}

#[test]
fn errors_name_the_url_without_its_secrets() {
    let options = BTreeMap::from([
        ("endpoint".to_owned(), "http://127.0.0.1:9".to_owned()),
        ("access_key_id".to_owned(), "key-of-the-test".to_owned()),
        ("secret_access_key".to_owned(), "secret-of-the-test".to_owned()),
    ]);
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(0));
    let store = Store::open("s3://user:password-of-the-test@bucket/x?sig=signature-of-the-test", &options);
    let text = match store {
        Ok(store) => store.with_edge(clock, Arc::new(SeededRandom::new(1))).get("y").unwrap_err().to_string(),
        Err(error) => error.to_string(),
    };
    assert!(text.contains("bucket/x"), "{text}");
    for secret in ["secret-of", "password-of", "signature-of"] {
        assert!(!text.contains(secret), "{text}");
    }
}

proptest! {
    /// Whatever becomes of its requests: a create that says Created left our bytes, one that says Exists left
    /// the other's, and only one of two writers is told Created.
    #[test]
    fn a_create_tells_the_truth(
        faults in proptest::collection::vec((0..5usize, any::<bool>()), 0..6),
        theirs_first: bool,
    ) {
        let bench = bench(43);
        if theirs_first {
            bench.store.create("x", "theirs").unwrap();
        }
        let all = [Fault::AnswerLost, Fault::RequestLost, Fault::Unavailable, Fault::Conflict, Fault::Denied];
        for (fault, on_get) in faults {
            bench.faulty.script(if on_get { Op::Get } else { Op::Create }, "x", all[fault]);
        }
        let answer = bench.store.create("x", "ours");
        let clean = Store::from_object_store(
            bench.faulty.clone(), "lake", bench.clock.clone(), bench.random.clone()).unwrap();
        while bench.faulty.unmet() > 0 {
            let _ = clean.get("x");
            let _ = clean.create("x-other", "");
        }
        let found = clean.get("x").unwrap();
        match answer {
            Ok(Create::Created) => prop_assert!(!theirs_first && found == Some("ours".into())),
            Ok(Create::Exists { theirs }) => prop_assert!(theirs_first && theirs == "theirs"),
            Err(StoreError::Denied { .. }) => prop_assert_ne!(found, Some("ours".into())),
            Err(error) => prop_assert!(false, "{}", error),
        }
    }
}
