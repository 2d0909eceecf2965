//! Where incidents come from: generated samples and files.

pub(crate) mod samples;
pub(crate) mod storage;
