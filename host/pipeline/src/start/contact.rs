//! The first question to the source. A broker that is not there is waited for; a stop that is asked for meanwhile is
//! heard at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{RecvTimeoutError, bounded};
use tallow_source::{PartitionInfo, Source};

use crate::error::PipelineError;

/// How late a stop is seen.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// The partitions that are there. The question is put in a thread of its own, since nothing ends it before its time.
pub fn partitions(source: Arc<dyn Source>, stop: &AtomicBool) -> Result<Vec<PartitionInfo>, PipelineError> {
    let (answer, answers) = bounded(1);
    // Nobody may be there any more to hear the answer.
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
