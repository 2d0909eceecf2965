//! `cargo xtask licenses`: checks that every crate in the workspace's dependency tree has an accepted license. `fuzz/` is not
//! part of the workspace, is never distributed, and is not checked. This module must not know what the crates are for.
//!
//! `cargo-deny` does this and more, but it has to be installed first, which takes longer than building this workspace.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::{cargo, model::text};

/// Licenses that require no more than a notice. An exception (`WITH ...`) only grants more, so that its license decides.
const ACCEPTED: [&str; 11] = [
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "BSL-1.0",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Licenses that are accepted for a single crate.
const EXCEPTIONS: [(&str, &str); 4] = [
    // The MPL requires the sources of files that were changed. We use the crates as published, and the code that progenitor
    // generates is not covered by its license.
    ("progenitor", "MPL-2.0"),
    ("progenitor-client", "MPL-2.0"),
    ("progenitor-impl", "MPL-2.0"),
    // Data: Mozilla's root certificates.
    ("webpki-root-certs", "CDLA-Permissive-2.0"),
];

pub(crate) fn run() -> Result<ExitCode> {
    crate::enter_workspace()?;
    let metadata = cargo::metadata(&["--all-features"])?;
    let packages = metadata["packages"].as_array().context("`cargo metadata` names no packages")?;
    let refused: Vec<String> =
        packages.iter().filter_map(|package| complaint(package).err()).map(|error| error.to_string()).collect();
    if !refused.is_empty() {
        bail!("{}", refused.join("\n"));
    }
    println!("{} crates, all with accepted licenses", packages.len());
    Ok(ExitCode::SUCCESS)
}

/// Fails if the license of a package in `cargo metadata` is not accepted.
fn complaint(package: &Value) -> Result<()> {
    let name = text(package, "name");
    let crate_name = format!("{name} {}", text(package, "version"));
    let license = text(package, "license");
    if license.is_empty() {
        let file = text(package, "license_file");
        let file = if file.is_empty() { String::new() } else { format!(" (its license file is `{file}`)") };
        bail!(
            "{crate_name} does not state a license{file}: read it, and add the crate to EXCEPTIONS in xtask/src/licenses.rs"
        );
    }
    // Older crates write `MIT/Apache-2.0` and mean OR.
    let expression = Expression::parse_mode(license, ParseMode::LAX)
        .map_err(|error| anyhow!("{crate_name}: `{license}` is not an SPDX expression: {}", error.reason))?;
    let accepted = expression.evaluate(|requirement| {
        let id = requirement.license.id().map(|id| id.name).unwrap_or_default();
        ACCEPTED.contains(&id) || EXCEPTIONS.contains(&(name, id))
    });
    if !accepted {
        bail!("{crate_name}: `{license}` is not accepted: see ACCEPTED in xtask/src/licenses.rs");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(license: &str) -> Result<(), String> {
        let package =
            serde_json::json!({ "name": "dep", "version": "1.2.3", "license": license, "license_file": "COPYING" });
        complaint(&package).map_err(|error| error.to_string())
    }

    #[test]
    fn expressions_are_evaluated() {
        for accepted in [
            "MIT",
            "MIT OR GPL-3.0-only",
            "(Apache-2.0 OR MIT) AND Unicode-3.0",
            "Apache-2.0 WITH LLVM-exception OR Apache-2.0",
            "MIT/Apache-2.0",
        ] {
            assert_eq!(judge(accepted), Ok(()), "{accepted}");
        }
    }

    #[test]
    fn an_error_names_the_crate_and_the_license_that_is_not_accepted() {
        for refused in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND AGPL-3.0-or-later"] {
            let error = judge(refused).unwrap_err();
            assert!(error.starts_with(&format!("dep 1.2.3: `{refused}` is not accepted")), "{error}");
        }
        // An exception is for the crate that it names.
        assert!(judge("MPL-2.0").is_err());
        let package = serde_json::json!({ "name": "progenitor", "version": "1.0.0", "license": "MPL-2.0" });
        assert!(complaint(&package).is_ok());
        assert!(judge("Bespoke").unwrap_err().contains("is not an SPDX expression"));
        assert!(judge("").unwrap_err().contains("does not state a license (its license file is `COPYING`)"));
    }
}
