//! `cargo xtask licences`: every crate that the workspace is built with has a licence that the house accepts. `fuzz/`, which
//! is outside and goes to nobody, is not looked at. It must not know what the crates are for.

use std::process::ExitCode;

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::{cargo, model::text};

/// Licences that ask for no more than a notice. An exception (`WITH ...`) only adds permissions, so its licence counts.
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

/// Licences that are accepted for one crate only.
const EXCEPTIONS: [(&str, &str); 4] = [
    // The MPL asks for the sources of its own files where they are changed. We use them as they are published, and what
    // progenitor generates is not under its licence.
    ("progenitor", "MPL-2.0"),
    ("progenitor-client", "MPL-2.0"),
    ("progenitor-impl", "MPL-2.0"),
    // Data: the root certificates of Mozilla's list.
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
    println!("{} crates, all under licences that are accepted", packages.len());
    Ok(ExitCode::SUCCESS)
}

/// An error that says what is wrong with a package of `cargo metadata`.
fn complaint(package: &Value) -> Result<()> {
    let name = text(package, "name");
    let crate_name = format!("{name} {}", text(package, "version"));
    let licence = text(package, "license");
    if licence.is_empty() {
        let file = text(package, "license_file");
        let file = if file.is_empty() { String::new() } else { format!(" (its licence file is `{file}`)") };
        bail!(
            "{crate_name} states no licence{file}: read it, and add the crate to EXCEPTIONS in xtask/src/licences.rs"
        );
    }
    // Older crates write `MIT/Apache-2.0` for OR.
    let expression = Expression::parse_mode(licence, ParseMode::LAX)
        .map_err(|error| anyhow!("{crate_name}: `{licence}` is no SPDX expression: {}", error.reason))?;
    let accepted = expression.evaluate(|requirement| {
        let id = requirement.license.id().map(|id| id.name).unwrap_or_default();
        ACCEPTED.contains(&id) || EXCEPTIONS.contains(&(name, id))
    });
    if !accepted {
        bail!("{crate_name}: `{licence}` is not accepted: see ACCEPTED in xtask/src/licences.rs");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(licence: &str) -> Result<(), String> {
        let package =
            serde_json::json!({ "name": "dep", "version": "1.2.3", "license": licence, "license_file": "COPYING" });
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
    fn a_licence_that_is_not_listed_is_refused_by_name() {
        for refused in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "(MIT OR ISC) AND AGPL-3.0-or-later"] {
            let error = judge(refused).unwrap_err();
            assert!(error.starts_with(&format!("dep 1.2.3: `{refused}` is not accepted")), "{error}");
        }
        // An exception is for the crate that it names.
        assert!(judge("MPL-2.0").is_err());
        let package = serde_json::json!({ "name": "progenitor", "version": "1.0.0", "license": "MPL-2.0" });
        assert!(complaint(&package).is_ok());
        assert!(judge("Bespoke").unwrap_err().contains("is no SPDX expression"));
        assert!(judge("").unwrap_err().contains("states no licence (its licence file is `COPYING`)"));
    }
}
