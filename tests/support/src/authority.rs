//! A certificate authority of a test's own.

#![allow(clippy::expect_used, reason = "a test fails by panicking")]

use std::path::Path;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

/// Signs certificates, which a client trusts if it trusts this authority.
pub struct Authority {
    certificate: CertificateDer<'static>,
    issuer: Issuer<'static, KeyPair>,
}

impl Default for Authority {
    fn default() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("a certificate").der().clone();
        Self { certificate, issuer: Issuer::new(params, key) }
    }
}

impl Authority {
    /// Writes its own certificate, for those who are to trust it.
    pub fn write_pem(&self, path: &Path) {
        let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
        let text = format!("{begin}\n{}\n{end}\n", STANDARD.encode(&self.certificate));
        std::fs::write(path, text).expect("a file");
    }

    /// What a server needs whose certificate is for that name.
    pub fn server(&self, name: &str) -> Arc<ServerConfig> {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new([name.to_owned()]).expect("a name");
        let chain = vec![params.signed_by(&key, &self.issuer).expect("a certificate").der().clone()];
        let key = PrivateKeyDer::try_from(key.serialize_der()).expect("a key");
        let provider = rustls::crypto::ring::default_provider();
        let versions =
            ServerConfig::builder_with_provider(provider.into()).with_safe_default_protocol_versions();
        let config = versions.expect("TLS").with_no_client_auth().with_single_cert(chain, key);
        Arc::new(config.expect("a certificate with its key"))
    }
}
