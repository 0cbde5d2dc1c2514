//! Components out of OCI registries, as `wkg oci push` and `oras` put them there: one layer of WebAssembly.
//!
//! What is pulled is pinned: a place names the digest of its manifest, which names the digest of the layer, and both are
//! checked. A tag may be another thing tomorrow, so it is answered with the digest that it has today.

use std::time::Duration;

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference};

/// `oci://<registry>/<repository>@sha256:<64 hexadecimal digits>`
pub const SCHEME: &str = "oci://";

/// What the layer may call itself: the WebAssembly working group's type, and the one before it.
const LAYERS: [&str; 2] = ["application/wasm", "application/vnd.wasm.content.layer.v1+wasm"];
const CONNECT_WAIT: Duration = Duration::from_secs(10);
const READ_WAIT: Duration = Duration::from_secs(30);

#[derive(Debug, thiserror::Error)]
pub enum OciError {
    #[error("`{place}` names no component: {why}; write {SCHEME}registry/repository@sha256:…")]
    Place { place: String, why: String },
    #[error("`{place}` is not pinned: a tag may be another thing tomorrow. Today it is {SCHEME}{pinned}")]
    NotPinned { place: String, pinned: String },
    #[error("`{place}` holds {layers} layers, and a component is one")]
    Layers { place: String, layers: usize },
    #[error("`{place}` was answered with digest {found}")]
    OtherDigest { place: String, found: String },
    #[error("`{place}` cannot be pulled: {why}")]
    Registry { place: String, why: String },
}

/// User and password of a registry; none: anybody.
#[derive(Clone, Default)]
pub struct Credentials(pub Option<(String, String)>);

/// The bytes of the component at `place`.
pub fn pull(place: &str, credentials: &Credentials) -> Result<Vec<u8>, OciError> {
    let reference = parse(place)?;
    let failed = |why: String| OciError::Registry { place: place.to_owned(), why };
    // Two installs at once leave the first one's.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| failed(error.to_string()))?;
    runtime.block_on(pull_pinned(place, &reference, credentials))
}

fn parse(place: &str) -> Result<Reference, OciError> {
    let wrong = |why: String| OciError::Place { place: place.to_owned(), why };
    let text = place.strip_prefix(SCHEME).ok_or_else(|| wrong(format!("it does not begin with {SCHEME}")))?;
    text.parse::<Reference>().map_err(|error| wrong(error.to_string()))
}

async fn pull_pinned(
    place: &str,
    reference: &Reference,
    credentials: &Credentials,
) -> Result<Vec<u8>, OciError> {
    let failed =
        |error: OciDistributionError| OciError::Registry { place: place.to_owned(), why: reason(&error) };
    let client = Client::try_from(config(reference)).map_err(failed)?;
    let auth = match &credentials.0 {
        Some((user, password)) => RegistryAuth::Basic(user.clone(), password.clone()),
        None => RegistryAuth::Anonymous,
    };
    let Some(pinned) = reference.digest() else {
        let digest = client.fetch_manifest_digest(reference, &auth).await.map_err(failed)?;
        let pinned = format!("{}/{}@{digest}", reference.registry(), reference.repository());
        return Err(OciError::NotPinned { place: place.to_owned(), pinned });
    };
    let image = client.pull(reference, &auth, LAYERS.to_vec()).await.map_err(failed)?;
    match image.digest {
        Some(found) if found != pinned => {
            return Err(OciError::OtherDigest { place: place.to_owned(), found });
        }
        _ => {}
    }
    let layers = image.layers.len();
    let mut layers_left = image.layers.into_iter();
    match (layers_left.next(), layers) {
        (Some(layer), 1) => Ok(layer.data.to_vec()),
        _ => Err(OciError::Layers { place: place.to_owned(), layers }),
    }
}

/// TLS, but for a registry on this very machine.
fn config(reference: &Reference) -> ClientConfig {
    let host = reference.resolve_registry().rsplit_once(':').map_or(reference.registry(), |(host, _)| host);
    let here = ["localhost", "127.0.0.1", "[::1]"].contains(&host);
    ClientConfig {
        protocol: if here { ClientProtocol::Http } else { ClientProtocol::Https },
        connect_timeout: Some(CONNECT_WAIT),
        read_timeout: Some(READ_WAIT),
        ..ClientConfig::default()
    }
}

/// The error with what caused it: the client's own says little of a refused connection.
fn reason(error: &OciDistributionError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_a_registry_a_repository_and_a_digest() {
        let digest = "0".repeat(64);
        let pinned = parse(&format!("oci://example.org/trading/window@sha256:{digest}")).unwrap();
        assert_eq!((pinned.registry(), pinned.repository()), ("example.org", "trading/window"));
        for wrong in
            ["example.org/window@sha256:0", "oci://", "oci://Example.org/UPPER", "oci://a/b@sha256:12"]
        {
            let said = parse(wrong).unwrap_err().to_string();
            assert!(said.contains("write oci://registry/repository@sha256:"), "{said}");
        }
    }

    #[test]
    fn only_a_registry_on_this_machine_goes_without_tls() {
        for (place, here) in [
            ("oci://localhost:5000/window:1", true),
            ("oci://127.0.0.1:5000/window:1", true),
            ("oci://localhost.example.org/window:1", false),
            ("oci://example.org:5000/window:1", false),
        ] {
            let config = config(&parse(place).unwrap());
            assert_eq!(matches!(config.protocol, ClientProtocol::Http), here, "{place}");
        }
    }
}
