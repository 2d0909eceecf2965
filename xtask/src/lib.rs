//! Reads OpenAPI files and compares two of them. The maintainers' program (`src/main.rs`) and the fuzz targets use this library.

pub mod document;
pub mod drift;
pub mod json_pointer;
pub mod keywords;
pub mod openapi;
pub mod references;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The document from which the SDK is generated.
pub const DOCUMENT: &str = "openapi/incidents.yaml";

/// Changes to the folder of the workspace's `Cargo.toml`, so that paths in messages are relative to it. The variable that
/// `cargo xtask` sets takes precedence over the folder in which this program was compiled: clones may share a target directory.
pub fn enter_workspace() -> Result<()> {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = PathBuf::from(xtask).join("..");
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}
