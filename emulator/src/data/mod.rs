//! Where incidents come from: generated samples and files.

pub(crate) mod samples;
pub(crate) mod seed;
pub(crate) mod storage;
