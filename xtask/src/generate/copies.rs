//! Files of a package that stand elsewhere in the repository. Cargo packs nothing from outside a crate's folder, and a
//! symbolic link becomes a text file where Windows checks it out, so `cargo xtask generate` keeps copies. It must not know
//! what is in them.

use std::{fs, path::PathBuf};

use anyhow::{Context, Result};

use super::{Change, DOCUMENT, read_or_empty};

/// The original, and the folders that have a copy of it under the name that follows.
const COPIES: [(&str, &[&str], &str); 3] = [
    (DOCUMENT, &["emulator"], "openapi.yaml"),
    ("LICENSE-APACHE", &["sdk", "emulator", "cli"], "LICENSE-APACHE"),
    ("LICENSE-MIT", &["sdk", "emulator", "cli"], "LICENSE-MIT"),
];

/// The copies that differ from their originals, and those that are links to them.
pub(super) fn changes() -> Result<Vec<Change>> {
    let mut changes = Vec::new();
    for (original, folders, name) in COPIES {
        let new = fs::read_to_string(original).with_context(|| format!("cannot read {original}"))?;
        for folder in folders {
            let path = PathBuf::from(format!("{folder}/{name}"));
            let is_link = fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_symlink());
            let old = if is_link { String::new() } else { read_or_empty(&path)? };
            if old != new {
                changes.push((path, old, Some(new.clone())));
            }
        }
    }
    Ok(changes)
}
