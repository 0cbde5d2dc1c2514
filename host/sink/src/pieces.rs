//! The digest of rows that come piece by piece and are too many to be sorted at once.
//!
//! Rows are taken [`PIECE_ROWS`] at a time, in their order, and each such piece has its [`rows_digest`]. Where there is
//! one piece, its digest is that of the rows. Where there are more, that is the sha256 of `"tallow row pieces 1\n"` and
//! the 32 bytes of each of their digests. How the rows came does not matter; their order does, from one piece to the
//! next: it is for files that are sorted.

use arrow_array::RecordBatch;
use arrow_schema::{ArrowError, SchemaRef};
use arrow_select::concat::concat_batches;
use tallow_store::{Digest, Hasher};

use crate::rows_digest;

/// Rows that are held and digested at once.
pub const PIECE_ROWS: usize = 16_384;

const HEAD: &[u8] = b"tallow row pieces 1\n";

/// Takes rows as they come.
pub struct PiecesDigest {
    schema: SchemaRef,
    /// Rows of the piece that is not full.
    open: Vec<RecordBatch>,
    open_rows: usize,
    /// Of the full ones.
    pieces: Vec<Digest>,
}

impl PiecesDigest {
    pub fn new(schema: SchemaRef) -> Self {
        Self { schema, open: Vec::new(), open_rows: 0, pieces: Vec::new() }
    }

    /// Rows after those before them. Gives the pieces that they complete.
    pub fn add(&mut self, rows: &RecordBatch) -> Result<Vec<RecordBatch>, ArrowError> {
        let mut from = 0;
        let mut complete = Vec::new();
        while from < rows.num_rows() {
            if self.open_rows == PIECE_ROWS {
                complete.push(self.close()?);
            }
            let count = (rows.num_rows() - from).min(PIECE_ROWS - self.open_rows);
            self.open.push(rows.slice(from, count));
            self.open_rows += count;
            from += count;
        }
        Ok(complete)
    }

    fn close(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = concat_batches(&self.schema, &self.open)?;
        self.open.clear();
        self.open_rows = 0;
        self.pieces.push(rows_digest(&rows)?);
        Ok(rows)
    }

    pub fn schema(&self) -> SchemaRef {
        self.schema.clone()
    }

    /// The digest, and the last piece, which may be empty.
    pub fn finish(mut self) -> Result<(Digest, RecordBatch), ArrowError> {
        let last = match self.open_rows > 0 || self.pieces.is_empty() {
            true => self.close()?,
            false => RecordBatch::new_empty(self.schema.clone()),
        };
        if let [only] = &self.pieces[..] {
            return Ok((*only, last));
        }
        let mut hasher = Hasher::default();
        hasher.update(HEAD);
        self.pieces.iter().for_each(|piece| hasher.update(piece.as_bytes()));
        Ok((hasher.finish(), last))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Int64Array};

    use super::*;

    fn rows(numbers: std::ops::Range<i64>) -> RecordBatch {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(numbers));
        RecordBatch::try_from_iter([("n", column)]).unwrap()
    }

    /// Of the rows as they come in parts of that many.
    fn digest(rows: &RecordBatch, part: usize) -> Digest {
        let mut digest = PiecesDigest::new(rows.schema());
        let mut from = 0;
        while from < rows.num_rows() {
            let count = part.min(rows.num_rows() - from);
            digest.add(&rows.slice(from, count)).unwrap();
            from += count;
        }
        digest.finish().unwrap().0
    }

    #[test]
    fn rows_of_one_piece_have_the_digest_that_they_have_at_once() {
        for count in [0, 1, PIECE_ROWS as i64] {
            let rows = rows(0..count);
            assert_eq!(digest(&rows, 1_000), rows_digest(&rows).unwrap(), "{count}");
        }
    }

    #[test]
    fn the_pieces_together_are_the_rows() {
        let all = rows(0..50_000);
        let mut digest = PiecesDigest::new(all.schema());
        let mut pieces: Vec<RecordBatch> =
            (0..50).flat_map(|part| digest.add(&all.slice(part * 1_000, 1_000)).unwrap()).collect();
        assert!(pieces.iter().all(|piece| piece.num_rows() == PIECE_ROWS));
        pieces.push(digest.finish().unwrap().1);
        assert_eq!(concat_batches(&all.schema(), &pieces).unwrap(), all);
    }

    #[test]
    fn how_many_rows_come_at_once_does_not_matter_and_every_row_does() {
        let all = rows(0..100_000);
        assert_eq!(digest(&all, 100_000), digest(&all, 7_001));
        assert_ne!(digest(&all, 100_000), rows_digest(&all).unwrap());
        assert_ne!(digest(&all, 100_000), digest(&rows(0..99_999), 100_000));
        assert_ne!(digest(&all, 100_000), digest(&rows(1..100_001), 100_000));
    }
}
