//! What `cargo metadata` says of the workspace.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::model::text;

/// The output of `cargo metadata` in the current folder.
pub(crate) fn metadata(arguments: &[&str]) -> Result<Value> {
    let output = Command::new("cargo")
        .args(["metadata", "--format-version", "1"])
        .args(arguments)
        .output()
        .context("cannot run `cargo metadata`")?;
    if !output.status.success() {
        bail!("`cargo metadata` failed: {}", String::from_utf8_lossy(&output.stderr).trim());
    }
    serde_json::from_slice(&output.stdout).context("`cargo metadata` wrote what is not JSON")
}

/// The features of a package, without `default`, in the order of their names.
pub(crate) fn features(metadata: &Value, package: &str) -> Result<Vec<String>> {
    let found = packages(metadata).find(|found| text(found, "name") == package);
    let features = found.and_then(|found| found["features"].as_object());
    let features = features.with_context(|| format!("there is no package `{package}` in the workspace"))?;
    let mut names: Vec<String> = features.keys().filter(|name| *name != "default").cloned().collect();
    names.sort();
    Ok(names)
}

/// The packages that may be published: all but those with `publish = false`.
pub(crate) fn publishable(metadata: &Value) -> Vec<&str> {
    let publishable = |package: &&Value| package["publish"].as_array().is_none_or(|registries| !registries.is_empty());
    packages(metadata).filter(publishable).map(|package| text(package, "name")).collect()
}

/// The minimum supported Rust that a package states.
pub(crate) fn rust_version<'m>(metadata: &'m Value, package: &str) -> Option<&'m str> {
    packages(metadata).find(|found| text(found, "name") == package)?["rust_version"].as_str()
}

fn packages(metadata: &Value) -> impl Iterator<Item = &Value> {
    metadata["packages"].as_array().into_iter().flatten()
}
