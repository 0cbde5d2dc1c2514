//! Create-if-absent with a known answer. A request that failed may have been carried out, and a store may say
//! that the object exists because of our own earlier request (412), or though it does not (409 on S3): only
//! reading back tells.

use bytes::Bytes;
use object_store::PutMode;

use super::error::Failure;
use super::{Store, StoreError};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Create {
    /// The object is there and holds our bytes.
    Created,
    /// Somebody else's object was there first.
    Exists { theirs: Bytes },
}

/// What to do after a create that was not simply answered with yes.
#[derive(Debug, PartialEq, Eq)]
enum Next {
    Done(Create),
    Again(String),
    /// It can never work, and no earlier request of ours is in doubt.
    GiveUp,
}

impl Store {
    /// Creates the object if there is none at `path`. Objects that hold equal bytes count as ours, so that any
    /// number of writers of the same thing converge.
    ///
    /// [`StoreError::Unknown`] only when the deadline has passed without a readable answer; the object may
    /// then be created or not, and calling again with the same bytes settles it.
    pub fn create(&self, path: &str, bytes: impl Into<Bytes>) -> Result<Create, StoreError> {
        let location = self.location(path)?;
        let bytes = bytes.into();
        let mut pauses = self.pauses();
        let mut in_doubt = false;
        loop {
            let Err(failure) = self.try_put(&location, &bytes, PutMode::Create) else {
                return Ok(Create::Created);
            };
            let read_back = match &failure {
                Failure::Exists(_) | Failure::Passing(_) => self.try_get(&location),
                Failure::Missing(_) | Failure::Denied(_) | Failure::Unsupported(_) | Failure::Wrong(_) => {
                    Ok(None)
                }
            };
            match next(&failure, read_back, &bytes, in_doubt) {
                Next::Done(answer) => return Ok(answer),
                Next::GiveUp => return Err(self.error("create", path, failure)),
                Next::Again(why) => {
                    in_doubt = true;
                    tracing::warn!(store = %self.url, path, why, "cannot create, trying again");
                    if !pauses.wait() {
                        let (url, path) = (self.url.to_string(), path.to_owned());
                        return Err(StoreError::Unknown { url, path, why });
                    }
                }
            }
        }
    }
}

fn next(failure: &Failure, read_back: Result<Option<Bytes>, Failure>, ours: &Bytes, in_doubt: bool) -> Next {
    match (failure, read_back) {
        (_, Ok(Some(found))) if found == *ours => Next::Done(Create::Created),
        (_, Ok(Some(theirs))) => Next::Done(Create::Exists { theirs }),
        (Failure::Exists(_) | Failure::Passing(_), _) => Next::Again(failure.text().to_owned()),
        (failure, _) if in_doubt => Next::Again(failure.text().to_owned()),
        _ => Next::GiveUp,
    }
}

impl Failure {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Missing(why)
            | Self::Exists(why)
            | Self::Passing(why)
            | Self::Denied(why)
            | Self::Unsupported(why)
            | Self::Wrong(why) => why,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passing() -> Failure {
        Failure::Passing("timed out".into())
    }

    #[test]
    fn the_bytes_that_are_there_decide_whatever_the_store_answered() {
        let (ours, other) = (Bytes::from_static(b"ours"), Bytes::from_static(b"other"));
        for failure in [passing(), Failure::Exists("412".into())] {
            assert_eq!(next(&failure, Ok(Some(ours.clone())), &ours, false), Next::Done(Create::Created));
            assert_eq!(
                next(&failure, Ok(Some(other.clone())), &ours, false),
                Next::Done(Create::Exists { theirs: other.clone() })
            );
        }
    }

    #[test]
    fn an_object_that_is_said_to_exist_and_does_not_is_created_again() {
        let ours = Bytes::from_static(b"ours");
        assert_eq!(next(&Failure::Exists("409".into()), Ok(None), &ours, false), Next::Again("409".into()));
        assert_eq!(next(&passing(), Err(passing()), &ours, false), Next::Again("timed out".into()));
    }

    #[test]
    fn a_refusal_ends_it_only_while_no_earlier_request_is_in_doubt() {
        let ours = Bytes::from_static(b"ours");
        let denied = Failure::Denied("403".into());
        assert_eq!(next(&denied, Ok(None), &ours, false), Next::GiveUp);
        assert_eq!(next(&denied, Ok(None), &ours, true), Next::Again("403".into()));
    }
}
