//! An upload in parts whose requests break on demand.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use futures::FutureExt;
use object_store::path::Path;
use object_store::{MultipartUpload, PutPayload, PutResult, Result, UploadPart};

use super::{Faults, Op};

pub(super) struct Upload {
    inner: Box<dyn MultipartUpload>,
    path: String,
    faults: Arc<Faults>,
}

impl Upload {
    pub(super) fn new(inner: Box<dyn MultipartUpload>, path: &Path, faults: Arc<Faults>) -> Self {
        Self { inner, path: path.to_string(), faults }
    }
}

impl fmt::Debug for Upload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "faulty {:?}", self.inner)
    }
}

#[async_trait]
impl MultipartUpload for Upload {
    fn put_part(&mut self, data: PutPayload) -> UploadPart {
        let (sent, path, faults) = (self.inner.put_part(data), self.path.clone(), self.faults.clone());
        async move { faults.answer(Op::Part, &path, sent).await }.boxed()
    }

    async fn complete(&mut self) -> Result<PutResult> {
        self.faults.answer(Op::Complete, &self.path, self.inner.complete()).await
    }

    async fn abort(&mut self) -> Result<()> {
        self.faults.answer(Op::Abort, &self.path, self.inner.abort()).await
    }
}
