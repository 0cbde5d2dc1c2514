//! The first question to the source: waits for a broker, and stops at once when asked to.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use tallow_source::{PartitionInfo, Source};

use crate::error::PipelineError;

/// How late a stop is seen.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The partitions of the topics. Asked in a separate thread, since nothing interrupts the question.
pub fn partitions(source: Arc<dyn Source>, stop: &AtomicBool) -> Result<Vec<PartitionInfo>, PipelineError> {
    let (answer, answers) = bounded(1);
    // The receiver may be gone.
    let ask = move || drop(answer.send(source.partitions()));
    std::thread::Builder::new().name("contact".to_owned()).spawn(ask)?;
    loop {
        match answers.recv_timeout(LOOK_EVERY) {
            Ok(partitions) => return Ok(partitions?),
            Err(RecvTimeoutError::Timeout) if stop.load(Ordering::Relaxed) => {
                return Err(PipelineError::Stopped);
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Err(PipelineError::Broken),
        }
    }
}
