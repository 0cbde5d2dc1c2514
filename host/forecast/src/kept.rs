//! Fits that are done, so that a run that was stopped or killed does only the rest. Each lies under the digest of all
//! that it follows from; what is not readable counts as not there.

use tallow_store::{Digest, Store, StoreError};

use crate::request::Fitted;

/// The kept fits of a forecast.
#[derive(Clone, Copy)]
pub struct Kept<'a> {
    pub store: &'a Store,
    pub name: &'a str,
}

impl Kept<'_> {
    pub fn get(&self, address: Digest) -> Result<Option<Fitted>, StoreError> {
        let bytes = self.store.get(&tallow_lake::forecast::kept(self.name, address))?;
        Ok(bytes.and_then(|bytes| postcard::from_bytes(&bytes).ok()))
    }

    pub fn put(&self, address: Digest, fitted: &Fitted) -> Result<(), StoreError> {
        // A fit that cannot be written down is made again by the next run: nothing is lost.
        match postcard::to_allocvec(fitted) {
            Ok(bytes) => self.store.put_overwrite(&tallow_lake::forecast::kept(self.name, address), bytes),
            Err(_) => Ok(()),
        }
    }

    /// Removes all of them: a run that is listed has its results.
    pub fn clear(&self) -> Result<(), StoreError> {
        for (path, _) in self.store.list(&tallow_lake::forecast::all_kept(self.name))? {
            self.store.delete(&path)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fit_comes_back_as_it_was_to_the_last_bit() {
        let store = Store::memory().unwrap();
        let kept = Kept { store: &store, name: "daily" };
        let fitted = Fitted { yhat: vec![0.1 + 0.2, f64::MIN_POSITIVE, -0.0], ..Fitted::default() };
        let address = Digest::of(b"one");
        kept.put(address, &fitted).unwrap();
        let found = kept.get(address).unwrap().unwrap();
        assert_eq!(
            found.yhat.iter().map(|it| it.to_bits()).collect::<Vec<_>>(),
            fitted.yhat.iter().map(|it| it.to_bits()).collect::<Vec<_>>()
        );
        assert_eq!(kept.get(Digest::of(b"two")).unwrap(), None);
        store.put_overwrite(&tallow_lake::forecast::kept("daily", Digest::of(b"two")), vec![255]).unwrap();
        assert_eq!(kept.get(Digest::of(b"two")).unwrap(), None, "half of a file");
        kept.clear().unwrap();
        assert_eq!(store.list("").unwrap(), []);
    }
}
