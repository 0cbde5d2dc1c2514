//! From a URL to a store.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex};

use object_store::aws::{AmazonS3Builder, AmazonS3ConfigKey, S3CopyIfNotExists};
use object_store::azure::{AzureConfigKey, MicrosoftAzureBuilder};
use object_store::gcp::{GoogleCloudStorageBuilder, GoogleConfigKey};
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{ClientConfigKey, ObjectStore, RetryConfig};
use tallow_env::{Clock, Random, SystemClock, SystemRandom};
use url::Url;

use super::error::is_denied;
use super::{Patience, Store, StoreError, options};

/// In-memory stores by the path of their URL: a second open within the process sees the same objects.
static MEMORY: Mutex<BTreeMap<String, Arc<InMemory>>> = Mutex::new(BTreeMap::new());

impl Store {
    /// Opens a root: `file:///absolute/folder` or a plain path, `s3://bucket/prefix`, `gs://bucket/prefix`,
    /// `az://container/prefix`, or `memory:///name` (shared within the process).
    ///
    /// `options` are those of the `object_store` crate (`endpoint`, `region`, `access_key_id` …); what they do
    /// not say is taken from the environment (`AWS_…`, `GOOGLE_…`, `AZURE_…`). Folders are made; files and
    /// folders are synced to disk before a write counts.
    pub fn open(url: &str, options: &BTreeMap<String, String>) -> Result<Store, StoreError> {
        let wrong =
            |why: String| StoreError::Misconfigured { url: without_secrets(url), path: String::new(), why };
        let mut root = None;
        let mut local = |folder: PathBuf| -> Result<_, StoreError> {
            std::fs::create_dir_all(&folder).map_err(|error| folder_error(url, &folder, &error))?;
            let files =
                LocalFileSystem::new_with_prefix(&folder).map_err(|error| wrong(error.to_string()))?;
            root = Some(Arc::from(folder));
            Ok((Arc::new(files.with_fsync(true)) as Arc<dyn ObjectStore>, Path::default()))
        };
        let (objects, prefix) = match Url::parse(url) {
            Err(url::ParseError::RelativeUrlWithoutBase) => local(PathBuf::from(url))?,
            Err(error) => return Err(wrong(error.to_string())),
            Ok(parsed) if parsed.scheme() == "file" => {
                let folder = parsed.to_file_path().map_err(|()| {
                    wrong("a file URL has three slashes and an absolute path: `file:///path`".to_owned())
                })?;
                local(folder)?
            }
            Ok(parsed) => {
                let path = Path::from_url_path(parsed.path()).map_err(|error| wrong(error.to_string()))?;
                match parsed.scheme() {
                    "memory" => (memory(&parsed), Path::default()),
                    _ => (bucket(&parsed, options).map_err(wrong)?, path),
                }
            }
        };
        let (clock, random) = (Arc::new(SystemClock::new()), Arc::new(SystemRandom));
        let store = Self::build(objects, prefix, &without_secrets(url), clock, random)?;
        Ok(Self { root, ..store })
    }

    /// A new, empty store in memory.
    pub fn memory() -> Result<Store, StoreError> {
        let clock = Arc::new(SystemClock::new());
        Self::build(Arc::new(InMemory::new()), Path::default(), "memory:", clock, Arc::new(SystemRandom))
    }

    /// A root inside any object store: for simulations, which bring faults, clock and randomness of their own.
    pub fn from_object_store(
        objects: Arc<dyn ObjectStore>,
        prefix: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Store, StoreError> {
        let url = format!("{objects}/{prefix}");
        let prefix = Path::parse(prefix).map_err(|error| StoreError::Misconfigured {
            url: url.clone(),
            path: prefix.to_owned(),
            why: error.to_string(),
        })?;
        Self::build(objects, prefix, &url, clock, random)
    }

    fn build(
        objects: Arc<dyn ObjectStore>,
        prefix: Path,
        url: &str,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Result<Store, StoreError> {
        // Its own worker keeps connections alive between calls; requests run on the calling threads.
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().map_err(
                |error| StoreError::Misconfigured {
                    url: url.to_owned(),
                    path: String::new(),
                    why: format!("cannot start a thread: {error}"),
                },
            )?;
        let (url, runtime) = (url.into(), Arc::new(runtime));
        Ok(Self { objects, prefix, root: None, url, runtime, clock, random, patience: Patience::default() })
    }
}

fn folder_error(url: &str, folder: &std::path::Path, error: &std::io::Error) -> StoreError {
    let (url, path) = (without_secrets(url), folder.display().to_string());
    match is_denied(error.kind()) {
        true => StoreError::Denied { url, doing: "make the folder", path, why: error.to_string() },
        false => StoreError::Misconfigured { url, path, why: format!("cannot make this folder: {error}") },
    }
}

fn memory(url: &Url) -> Arc<dyn ObjectStore> {
    let mut stores = MEMORY.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    stores.entry(url.path().to_owned()).or_default().clone()
}

/// Retries are ours ([`super::Patience`]): the crate's own would hide that a create was answered twice.
fn no_retries() -> RetryConfig {
    RetryConfig { max_retries: 0, ..RetryConfig::default() }
}

/// So are deadlines: the crate's own would cut off what may take long.
const DEADLINE: (ClientConfigKey, &str) = (ClientConfigKey::Timeout, "1 hour");

/// A store over the network; where an option is wrong, the error names it.
fn bucket(url: &Url, options: &BTreeMap<String, String>) -> Result<Arc<dyn ObjectStore>, String> {
    // The error says that a provider is installed already, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
    match url.scheme() {
        "s3" | "s3a" => checked::<AmazonS3ConfigKey>(options, "AWS_", &|options| s3(url, options)),
        "gs" => checked::<GoogleConfigKey>(options, "GOOGLE_", &|options| google(url, options)),
        "az" | "abfs" | "abfss" => {
            checked::<AzureConfigKey>(options, "AZURE_", &|options| azure(url, options))
        }
        other => Err(format!(
            "`{other}:` is not a store: use a folder, `file:///…`, `s3://…`, `gs://…`, `az://…` or `memory:///…`"
        )),
    }
}

type Build<'a> = &'a dyn Fn(&BTreeMap<String, String>) -> Result<Arc<dyn ObjectStore>, String>;

fn checked<K: FromStr>(
    given: &BTreeMap<String, String>,
    prefix: &str,
    build: Build<'_>,
) -> Result<Arc<dyn ObjectStore>, String> {
    for key in given.keys() {
        key_of::<K>(key)?;
    }
    let environment = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    options::check(given, environment, prefix, |name| name.parse::<K>().is_ok())?;
    build(given).map_err(|why| match culprit(given, &why, build) {
        Some(key) => format!("the store's option `{key}`: {why}"),
        None => why,
    })
}

/// The option without which there is no error, or at least another one.
fn culprit<'o>(given: &'o BTreeMap<String, String>, why: &str, build: Build<'_>) -> Option<&'o str> {
    let without = |key: &String| {
        let mut others = given.clone();
        others.remove(key);
        build(&others).err()
    };
    let errors: Vec<(&String, Option<String>)> = given.keys().map(|key| (key, without(key))).collect();
    let found = errors.iter().find(|(_, error)| error.is_none());
    let found = found.or_else(|| errors.iter().find(|(_, error)| error.as_deref() != Some(why)));
    found.map(|(key, _)| key.as_str())
}

fn s3(url: &Url, options: &BTreeMap<String, String>) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = AmazonS3Builder::from_env().with_url(bare(url)).with_retry(no_retries());
    builder = builder.with_config(AmazonS3ConfigKey::Client(DEADLINE.0), DEADLINE.1);
    for (key, value) in options {
        builder = builder.with_config(key_of::<AmazonS3ConfigKey>(key)?, value);
    }
    // S3 has no condition on a copy, but on the end of an upload, whose parts may be copies. Other stores have headers of
    // their own for it, which the options name.
    if builder.get_config_value(&AmazonS3ConfigKey::CopyIfNotExists).is_none() {
        builder = builder.with_copy_if_not_exists(S3CopyIfNotExists::Multipart);
    }
    // A person who writes `http://` for the endpoint has asked for it.
    let endpoints = [AmazonS3ConfigKey::S3Endpoint, AmazonS3ConfigKey::Endpoint];
    let endpoint = endpoints.iter().find_map(|key| builder.get_config_value(key)).unwrap_or_default();
    if endpoint.starts_with("http://") {
        builder = builder.with_allow_http(true);
    }
    Ok(Arc::new(builder.build().map_err(|error| error.to_string())?))
}

fn google(url: &Url, options: &BTreeMap<String, String>) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = GoogleCloudStorageBuilder::from_env().with_url(bare(url)).with_retry(no_retries());
    builder = builder.with_config(GoogleConfigKey::Client(DEADLINE.0), DEADLINE.1);
    for (key, value) in options {
        builder = builder.with_config(key_of::<GoogleConfigKey>(key)?, value);
    }
    Ok(Arc::new(builder.build().map_err(|error| error.to_string())?))
}

fn azure(url: &Url, options: &BTreeMap<String, String>) -> Result<Arc<dyn ObjectStore>, String> {
    let mut builder = MicrosoftAzureBuilder::from_env().with_url(bare(url)).with_retry(no_retries());
    builder = builder.with_config(AzureConfigKey::Client(DEADLINE.0), DEADLINE.1);
    for (key, value) in options {
        builder = builder.with_config(key_of::<AzureConfigKey>(key)?, value);
    }
    Ok(Arc::new(builder.build().map_err(|error| match error.to_string() {
        why if why.contains("Account must be specified") => format!(
            "{why}: set `azure_storage_account_name` in [application.trigger.kafka.lake-options], or \
             AZURE_STORAGE_ACCOUNT_NAME in the environment"
        ),
        why => why,
    })?))
}

fn key_of<K: FromStr>(key: &str) -> Result<K, String> {
    key.to_ascii_lowercase().parse().map_err(|_| format!("`{key}` is not an option of this kind of store"))
}

/// The URL up to its query, which may hold a signature.
fn bare(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    url.set_fragment(None);
    url.to_string()
}

fn without_secrets(url: &str) -> String {
    match Url::parse(url) {
        Ok(mut parsed) => {
            // Fails only for URLs that cannot hold them.
            let _ = parsed.set_password(None);
            bare(&parsed)
        }
        Err(_) => url.to_owned(),
    }
}
