//! What the maintainers' program shares with the fuzz targets: OpenAPI files and how two of them differ. The program itself,
//! `src/main.rs`, has the rest.

pub mod document;
pub mod drift;
pub mod json_pointer;
pub mod openapi;

use std::path::PathBuf;

use anyhow::{Context, Result};

/// The document that everything is generated from.
pub const DOCUMENT: &str = "openapi/incidents.yaml";

/// The folder of the workspace's `Cargo.toml`; paths in messages are relative to it. `cargo xtask` says which: where clones
/// share a target directory, this program may have been compiled in another. Run without cargo, it is where it was compiled.
pub fn enter_workspace() -> Result<()> {
    let xtask = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let root = PathBuf::from(xtask).join("..");
    std::env::set_current_dir(&root).with_context(|| format!("cannot enter {}", root.display()))
}
