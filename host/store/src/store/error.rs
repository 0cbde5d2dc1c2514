//! What can go wrong with a store, by what is to be done about it.

use std::error::Error;
use std::io;
use tallow_env::exit;

use super::Store;

/// Each names the store's URL (without secrets) and the object.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Nothing was changed, or it does not matter: try again later.
    #[error("{url} cannot be reached: {doing} `{path}`: {why}")]
    Unreachable { url: String, doing: &'static str, path: String, why: String },
    /// Whether the object was created is not known: read it back first.
    #[error("{url} did not answer in time: it is not known whether `{path}` was created: {why}")]
    Unknown { url: String, path: String, why: String },
    #[error("{url} refuses to {doing} `{path}`: {why}. Check the credentials and what they may do")]
    Denied { url: String, doing: &'static str, path: String, why: String },
    #[error("{url}: `{path}`: {why}")]
    Misconfigured { url: String, path: String, why: String },
    /// An object is not what it was when it was written.
    #[error("{url}: `{path}` is damaged: {why}")]
    Corrupt { url: String, path: String, why: String },
    /// A large object cannot be put down on this machine.
    #[error("{url}: cannot read `{path}`: {why}")]
    Scratch { url: String, path: String, why: String },
}

impl StoreError {
    /// The program's exit code for it (sysexits): 1 no room on this machine, 2 wrong settings, 65
    /// damaged data, 69 unreachable or denied.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Unreachable { .. } | Self::Unknown { .. } | Self::Denied { .. } => exit::UNAVAILABLE,
            Self::Misconfigured { .. } => exit::USAGE,
            Self::Corrupt { .. } => exit::DATA,
            Self::Scratch { .. } => exit::FAILED,
        }
    }

    /// Whether the same call may work later.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Unknown { .. })
    }
}

/// Why one request failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// No such object, or no such bucket.
    Missing(String),
    /// The store says that the object exists. With S3 that may be the answer to our own earlier request, or
    /// to a race that left no object at all.
    Exists(String),
    /// May work when tried again.
    Passing(String),
    Denied(String),
    /// The store knows no such request.
    Unsupported(String),
    Wrong(String),
}

impl From<object_store::Error> for Failure {
    fn from(error: object_store::Error) -> Self {
        use object_store::Error as E;
        let text = with_remedy(describe(&error));
        match error {
            E::NotFound { .. } => Self::Missing(text),
            E::AlreadyExists { .. } | E::Precondition { .. } | E::NotModified { .. } => Self::Exists(text),
            E::PermissionDenied { .. } | E::Unauthenticated { .. } => Self::Denied(text),
            E::NotSupported { .. } | E::NotImplemented { .. } => Self::Unsupported(text),
            E::InvalidPath { .. } | E::UnknownConfigurationKey { .. } => Self::Wrong(text),
            other if io_kind(&other).is_some_and(is_denied) => Self::Denied(text),
            _ if status(&text) == Some(501) => Self::Unsupported(text),
            _ if refused_for_good(&text) => Self::Wrong(text),
            other if io_kind(&other).is_some_and(is_full) => Self::Passing(format!(
                "{text}. Make room there, then run the same again: it continues from what is committed"
            )),
            _ => Self::Passing(text),
        }
    }
}

/// The error with its causes, each said once.
fn describe(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let more = cause.to_string();
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        source = cause.source();
    }
    text
}

/// What to type where nobody gave credentials, and the machine's own, which a cloud would give, are not to be had.
fn with_remedy(text: String) -> String {
    const WAYS: [(&str, &str, &str); 4] = [
        ("169.254.169.254/latest", AWS.0, AWS.1),
        ("169.254.170.", AWS.0, AWS.1),
        ("computeMetadata", "`google_service_account` (the path of a key file)", "GOOGLE_SERVICE_ACCOUNT"),
        ("169.254.169.254/metadata", "`azure_storage_account_key`", "AZURE_STORAGE_ACCOUNT_KEY"),
    ];
    const AWS: (&str, &str) =
        ("`aws_access_key_id` and `aws_secret_access_key`", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
    match WAYS.iter().find(|(asked, ..)| text.contains(asked)) {
        None => text,
        Some((_, options, variables)) => format!(
            "no credentials were given, and this machine has none itself ({text}). Set {options} in \
             [application.trigger.kafka.lake-options], or {variables} in the environment"
        ),
    }
}

fn io_kind(error: &object_store::Error) -> Option<io::ErrorKind> {
    let mut source = error.source();
    while let Some(cause) = source {
        if let Some(io) = cause.downcast_ref::<io::Error>() {
            return Some(io.kind());
        }
        source = cause.source();
    }
    None
}

/// Whether a folder does not let this user write, or is none.
pub(super) fn is_denied(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(kind, K::PermissionDenied | K::ReadOnlyFilesystem | K::NotADirectory)
}

/// Whether the disk takes no more, or no more of this user.
fn is_full(kind: io::ErrorKind) -> bool {
    use io::ErrorKind as K;
    matches!(kind, K::StorageFull | K::QuotaExceeded | K::FileTooLarge)
}

/// The HTTP status that an error tells of. `object_store` keeps it in a private type: its text is all there is.
fn status(text: &str) -> Option<u16> {
    let (_, rest) = text.split_once("status code: ")?;
    rest.get(..3)?.parse().ok()
}

/// A 4xx status that trying again does not change.
fn refused_for_good(text: &str) -> bool {
    match status(text) {
        Some(408 | 425 | 429) | None => false,
        Some(status) => (400..500).contains(&status),
    }
}

impl Store {
    pub(super) fn unreachable(&self, doing: &'static str, path: &str, why: String) -> StoreError {
        StoreError::Unreachable { url: self.url().to_owned(), doing, path: path.to_owned(), why }
    }

    pub(super) fn error(&self, doing: &'static str, path: &str, failure: Failure) -> StoreError {
        let (url, path) = (self.url().to_owned(), path.to_owned());
        match failure {
            Failure::Passing(why) => StoreError::Unreachable { url, doing, path, why },
            Failure::Denied(why) => StoreError::Denied { url, doing, path, why },
            Failure::Missing(why) => StoreError::Misconfigured {
                url,
                path,
                why: format!("cannot {doing} it, the bucket or folder may not exist: {why}"),
            },
            Failure::Exists(why) | Failure::Unsupported(why) | Failure::Wrong(why) => {
                StoreError::Misconfigured { url, path, why: format!("cannot {doing} it: {why}") }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_passes_and_says_what_to_do() {
        let of = |kind| {
            let source = Box::new(io::Error::from(kind));
            Failure::from(object_store::Error::Generic { store: "disk", source })
        };
        for kind in [io::ErrorKind::StorageFull, io::ErrorKind::QuotaExceeded, io::ErrorKind::FileTooLarge] {
            let failure = of(kind);
            assert!(
                matches!(&failure, Failure::Passing(why) if why.contains("Make room there")),
                "{failure:?}"
            );
        }
        let failure = of(io::ErrorKind::Interrupted);
        assert!(matches!(&failure, Failure::Passing(why) if !why.contains("Make room")), "{failure:?}");
    }

    #[test]
    fn a_request_that_the_store_does_not_know_is_told_from_one_that_fails() {
        let of =
            |text: &str| Failure::from(object_store::Error::Generic { store: "S3", source: text.into() });
        let unknown = of("Server returned non-2xx status code: 501 Not Implemented: body");
        assert!(matches!(unknown, Failure::Unsupported(_)), "{unknown:?}");
        let passing = of("Server returned non-2xx status code: 500 Internal Server Error: 501");
        assert!(matches!(passing, Failure::Passing(_)), "{passing:?}");
    }

    #[test]
    fn only_client_errors_that_stay_are_refusals_for_good() {
        let says = |status: &str| format!("Server returned non-2xx status code: {status}: body");
        assert!(refused_for_good(&says("400 Bad Request")));
        for passing in ["429 Too Many Requests", "408 Request Timeout", "503 Service Unavailable", "500 x"] {
            assert!(!refused_for_good(&says(passing)), "{passing}");
        }
        assert!(!refused_for_good("connection reset by peer"));
    }
}
