//! What must happen in the end, whatever happens before it.

/// Runs when it is dropped, also while a panic unwinds: other threads may wait for it.
pub struct Finally<F: FnMut()>(pub F);

impl<F: FnMut()> Drop for Finally<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
