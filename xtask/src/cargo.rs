//! Reads `cargo metadata` and cleans up after `cargo package`.

use std::{fs, io::ErrorKind, path::Path, process::Command};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::model::text;

/// Runs `cargo metadata` in the current folder and parses its output.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .output()
        .context("cannot run `cargo metadata`")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("`cargo metadata` did not print JSON")
}

/// The features of a package, without `default`, sorted by name.
pub(crate) fn features(metadata: &Value, package: &str) -> Result<Vec<String>> {
    let found = packages(metadata).find(|found| text(found, "name") == package);
    let features = found.and_then(|found| found["features"].as_object());
    let features = features.with_context(|| format!("there is no package `{package}` in the workspace"))?;
    let mut names: Vec<String> = features.keys().filter(|name| *name != "default").cloned().collect();
    names.sort();
    Ok(names)
}

/// The packages that may be published, which are those without `publish = false`.
pub(crate) fn publishable(metadata: &Value) -> Vec<&str> {
    let publishable = |package: &&Value| package["publish"].as_array().is_none_or(|registries| !registries.is_empty());
    packages(metadata).filter(publishable).map(|package| text(package, "name")).collect()
}

/// The `rust-version` of a package.
pub(crate) fn rust_version<'m>(metadata: &'m Value, package: &str) -> Option<&'m str> {
    packages(metadata).find(|found| text(found, "name") == package)?["rust_version"].as_str()
}

/// Deletes the files that earlier runs of `cargo package` left in the target folder and in Cargo's home. Cargo reuses an
/// unpacked or compiled package of the same version (<https://github.com/rust-lang/cargo/pull/2857>), and would build the
/// command line against an old copy of the SDK.
pub(crate) fn forget_packed(home: &Path, target: &Path, packages: &[&str]) -> Result<()> {
    delete(target)?;
    for registry in entries(&home.join("registry/src"))? {
        // The registry that `cargo package` creates has no host, so that the name of its folder starts with the hash.
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for unpacked in entries(&registry.path())? {
            let name = unpacked.file_name();
            let name = name.to_string_lossy();
            let ours = |package: &&str| {
                let version = name.strip_prefix(*package).and_then(|rest| rest.strip_prefix('-'));
                version.is_some_and(|version| version.starts_with(|first: char| first.is_ascii_digit()))
            };
            if packages.iter().any(ours) {
                delete(&unpacked.path())?;
            }
        }
    }
    Ok(())
}

/// The entries of a folder. Empty if it does not exist.
fn entries(folder: &Path) -> Result<Vec<fs::DirEntry>> {
    match fs::read_dir(folder).and_then(Iterator::collect) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        found => found.with_context(|| format!("cannot read {}", folder.display())),
    }
}

fn delete(folder: &Path) -> Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done.with_context(|| format!("cannot delete {}", folder.display())),
    }
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_packages_of_a_local_registry_are_deleted() {
        let home = tempfile::TempDir::new().unwrap();
        let home = home.path();
        let kept = ["src/-0a1b/ours-too-0.1.0", "src/-0a1b/theirs-0.1.0", "src/index.crates.io-0a1b/ours-0.1.0"];
        let gone = ["src/-0a1b/ours-0.1.0", "src/-2c3d/ours-0.2.0-rc-1", "packed/tmp-registry"];
        let registry = home.join("registry");
        for folder in kept.iter().chain(&gone) {
            fs::create_dir_all(registry.join(folder).join("src")).unwrap();
        }
        forget_packed(home, &registry.join("packed"), &["ours"]).unwrap();
        assert!(kept.into_iter().all(|folder| registry.join(folder).exists()));
        assert!(!gone.into_iter().any(|folder| registry.join(folder).exists()));
        let nowhere = home.join("nowhere");
        forget_packed(&nowhere, &nowhere, &["ours"]).unwrap();
    }
}
