//! What it costs to depend on the SDK: a program that makes one call with it, against one that makes the call with bare reqwest
//! and the same TLS. Both are built from nothing, outside of this workspace.
//! `cargo bench -p coralogix-incidents --bench cost`
#![allow(clippy::print_stdout, clippy::expect_used, reason = "a benchmark prints, and has nothing to recover to")]

#[path = "support/cpu.rs"]
mod cpu;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

const SDK_DEPENDENCIES: &str = concat!("coralogix-incidents = { path = \"", env!("CARGO_MANIFEST_DIR"), "\" }\n");
const REQWEST_DEPENDENCIES: &str = r#"
reqwest = { version = "0.13", default-features = false, features = ["json", "rustls-no-provider", "system-proxy"] }
rustls = { version = "0.23", default-features = false, features = ["ring", "std", "tls12"] }
rustls-platform-verifier = "0.7"
serde = { version = "1.0", features = ["derive"] }
serde_json = "1.0"
"#;

struct Cost {
    crates: BTreeSet<String>,
    cpu: Option<Duration>,
    /// The size of the stripped program, in bytes.
    size: u64,
}

fn main() {
    let sdk = cost("sdk", SDK_DEPENDENCIES, include_str!("cost/with_sdk.rs"));
    let reqwest = cost("reqwest", REQWEST_DEPENDENCIES, include_str!("cost/with_reqwest.rs"));

    println!("{:>3} crates, reqwest {}   goal at most 102", sdk.crates.len(), reqwest.crates.len());
    let more: Vec<&str> = sdk.crates.difference(&reqwest.crates).map(String::as_str).collect();
    println!("    only with the SDK: {}", more.join(", "));
    match (sdk.cpu, reqwest.cpu) {
        (Some(sdk), Some(reqwest)) => println!(
            "{:.0} CPU seconds of a release build, reqwest {:.0}: ratio {:.2}   goal at most 1.15",
            sdk.as_secs_f64(),
            reqwest.as_secs_f64(),
            sdk.as_secs_f64() / reqwest.as_secs_f64()
        ),
        _ => println!("this system does not report the processor time of processes"),
    }
    println!("{:.2} MiB stripped, reqwest {:.2}   goal at most 4.1", mebibytes(sdk.size), mebibytes(reqwest.size));
}

/// Builds a program with these dependencies.
fn cost(name: &str, dependencies: &str, program: &str) -> Cost {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cost").join(name);
    let target = folder.join("target");
    fs::create_dir_all(folder.join("src")).expect("a folder");
    let _ = fs::remove_dir_all(&target);
    let manifest = format!(
        "[package]\nname = \"minimal\"\nedition = \"2024\"\n\n[profile.release]\nstrip = true\n\n[workspace]\n\n[dependencies]\n\
         tokio = {{ version = \"1\", features = [\"macros\", \"rt\"] }}\n{dependencies}"
    );
    fs::write(folder.join("Cargo.toml"), manifest).expect("writes the manifest");
    fs::write(folder.join("src/main.rs"), program).expect("writes the program");
    // The same versions as in the workspace.
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock");
    fs::copy(lock, folder.join("Cargo.lock")).expect("copies the lock file");

    let cargo = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO")).args(arguments).current_dir(&folder).output().expect("runs cargo");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let tree = cargo(&["tree", "--edges", "no-dev", "--prefix", "none", "--format", "{p}"]);
    let crates = tree.lines().filter_map(|line| line.split(" (").next()).filter(|name| !name.is_empty());
    let before = cpu::time_of_children();
    cargo(&["build", "--release", "--target-dir", target.to_str().expect("a path in UTF-8")]);
    let cpu = cpu::time_of_children().zip(before).and_then(|(after, before)| after.checked_sub(before));
    let size = fs::metadata(target.join("release/minimal")).expect("the program").len();
    Cost { crates: crates.map(str::to_owned).collect(), cpu, size }
}

#[expect(clippy::cast_precision_loss, reason = "printed with two digits")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / (1024.0 * 1024.0)
}
