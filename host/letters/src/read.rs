//! Goes through a pipeline's dead letters.

use tallow_lake::tables;
use tallow_sink::{KeptLetter, ReadError, read_dead_letters};
use tallow_store::Store;

use crate::{Filter, LettersError};

/// How far a walk through the letters is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Read {
    pub files: u64,
    pub of_files: u64,
    /// Letters that were looked at, whether or not they are wanted.
    pub letters: u64,
}

/// The letters that a filter takes, by day, then commit, then place. One file is in memory at a time. It ends after an error.
pub struct Letters<'a> {
    store: &'a Store,
    filter: &'a Filter,
    paths: std::vec::IntoIter<String>,
    file: Option<Box<dyn Iterator<Item = Result<Vec<KeptLetter>, ReadError>>>>,
    letters: std::vec::IntoIter<KeptLetter>,
    read: Read,
}

impl<'a> Letters<'a> {
    /// # Errors
    /// The store's.
    pub fn of(store: &'a Store, pipeline: &str, filter: &'a Filter) -> Result<Self, LettersError> {
        let folder = tables::dead_letters(pipeline);
        let listed = store.list(&folder)?.into_iter().map(|(path, _)| path);
        let paths: Vec<String> = listed.filter(|path| tables::day_of(&folder, path).is_some()).collect();
        let read = Read { of_files: paths.len() as u64, ..Read::default() };
        let letters = Vec::new().into_iter();
        Ok(Self { store, filter, paths: paths.into_iter(), file: None, letters, read })
    }

    pub fn read(&self) -> Read {
        self.read
    }

    /// The next letter, wanted or not.
    fn any(&mut self) -> Result<Option<KeptLetter>, LettersError> {
        loop {
            if let Some(letter) = self.letters.next() {
                self.read.letters += 1;
                return Ok(Some(letter));
            }
            if let Some(letters) = self.file.as_mut().and_then(Iterator::next) {
                self.letters = letters?.into_iter();
                continue;
            }
            self.read.files += u64::from(self.file.take().is_some());
            let Some(path) = self.paths.next() else { return Ok(None) };
            // It may have been removed since it was listed.
            if let Some(bytes) = self.store.get(&path)? {
                self.file = Some(Box::new(read_dead_letters(&self.store.at(&path), bytes)?));
            }
        }
    }
}

impl Iterator for Letters<'_> {
    type Item = Result<KeptLetter, LettersError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.any() {
                Ok(Some(kept)) if self.filter.takes(&kept.letter) => return Some(Ok(kept)),
                Ok(Some(_)) => {}
                Ok(None) => return None,
                Err(error) => {
                    (self.paths, self.file) = (Vec::new().into_iter(), None);
                    return Some(Err(error));
                }
            }
        }
    }
}
