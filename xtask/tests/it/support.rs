//! Running this program and looking at what it did.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Output,
};

/// This program.
pub(crate) const XTASK: &str = env!("CARGO_BIN_EXE_xtask");

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

pub(crate) fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

pub(crate) fn write(path: &Path, content: impl AsRef<[u8]>) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

#[track_caller]
pub(crate) fn fails(output: &Output, message: &str) {
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains(message), "{}", text(&output.stderr));
}
