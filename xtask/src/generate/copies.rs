//! Files of a package that stand elsewhere in the repository. Cargo packs nothing from outside a crate's folder, and a
//! symbolic link becomes a text file where Windows checks it out, so `cargo xtask generate` keeps copies. It must not know
//! what is in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};

use super::DOCUMENT;

/// The original, and the folders that have a copy of it under the name that follows.
const COPIES: [(&str, &[&str], &str); 3] = [
    (DOCUMENT, &["emulator"], "openapi.yaml"),
    ("LICENSE-APACHE", &["sdk", "emulator", "cli"], "LICENSE-APACHE"),
    ("LICENSE-MIT", &["sdk", "emulator", "cli"], "LICENSE-MIT"),
];

/// The copies, with the text that they should have.
pub(super) fn files() -> Result<Vec<(PathBuf, String)>> {
    let mut files = Vec::new();
    for (original, folders, name) in COPIES {
        let text = fs::read_to_string(original).with_context(|| format!("cannot read {original}"))?;
        files.extend(folders.iter().map(|folder| (Path::new(folder).join(name), text.clone())));
    }
    Ok(files)
}
