//! The direction of dependencies, read from the manifests.

use std::{collections::BTreeMap, fs, path::Path};

/// Which of our crates each of them may depend on, in its code and in its tests. `style.md` has the reasons.
const ALLOWED: &[(&str, &[&str])] = &[
    ("sdk", &[]),
    ("xtask", &[]),
    ("emulator", &["coralogix-incidents"]),
    ("cli", &["coralogix-incidents", "coralogix-incidents-emulator"]),
    ("tests", &["coralogix-incidents", "coralogix-incidents-emulator", "coralogix-incidents-cli"]),
];

/// The names that stand under the manifest's `[...dependencies]` tables.
fn dependencies(manifest: &str) -> BTreeMap<String, Vec<String>> {
    let mut tables: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut table = String::new();
    for line in manifest.lines() {
        if let Some(header) = line.strip_prefix('[') {
            header.trim_end_matches(']').clone_into(&mut table);
        } else if let Some((name, _)) = line.split_once(['=', '.']).filter(|_| table.ends_with("dependencies")) {
            tables.entry(table.clone()).or_default().push(name.trim().to_owned());
        }
    }
    tables
}

#[test]
fn dependencies_point_in_one_direction() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    for (folder, allowed) in ALLOWED {
        let path = root.join(folder).join("Cargo.toml");
        let manifest = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let tables = dependencies(&manifest);
        assert!(!tables.is_empty(), "{folder} has dependencies");
        for (table, names) in tables {
            for name in names.iter().filter(|name| name.starts_with("coralogix-incidents")) {
                // The examples of the SDK and its benchmarks run against the emulator.
                let of_examples =
                    *folder == "sdk" && table == "dev-dependencies" && name == "coralogix-incidents-emulator";
                assert!(
                    allowed.contains(&name.as_str()) || of_examples,
                    "{folder} must not depend on {name} ([{table}])"
                );
            }
        }
    }
}
