//! `cargo xtask fuzz`: runs the fuzz targets for a limited time. This module knows the folders in `fuzz/` and the command line of
//! `cargo-fuzz`, and must not know what a target does.

use std::{
    fs,
    path::Path,
    process::{Command, ExitCode, Stdio},
};

use anyhow::{Context, Result, bail};

const TARGETS: &str = "fuzz/fuzz_targets";
/// The folder in which libFuzzer collects interesting inputs across runs. It is not committed.
const CORPUS: &str = "fuzz/corpus";
const SEEDS: &str = "fuzz/seeds";
/// Folders elsewhere in the workspace whose files are seeds of a target, too.
const MORE_SEEDS: [(&str, &str); 1] = [("responses", "openapi/samples")];
/// The maximum length of an input in bytes. Interesting messages are short, and short inputs run faster.
const MAX_LENGTH: usize = 8 * 1024;

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// The time that each target runs, in seconds.
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
    /// The targets to run. Without any, all targets run.
    targets: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    crate::enter_workspace()?;
    let targets = chosen(targets(Path::new(TARGETS))?, &arguments.targets)?;
    // `cargo +nightly` does not work in a program that was started by `cargo run`, so that rustup is called directly.
    if !succeeds(&["run", "nightly", "cargo", "--version"]) {
        bail!("fuzzing requires a nightly toolchain: run `rustup toolchain install nightly`");
    }
    if !succeeds(&["run", "nightly", "cargo", "fuzz", "--version"]) {
        bail!("fuzzing requires cargo-fuzz: run `cargo install cargo-fuzz --locked`");
    }
    let mut failed = Vec::new();
    for target in &targets {
        let corpus = format!("{CORPUS}/{target}");
        fs::create_dir_all(&corpus).with_context(|| format!("cannot create {corpus}"))?;
        let arguments = command(target, arguments.seconds);
        println!("\n[{target}] rustup {arguments}");
        let status = Command::new("rustup").args(arguments.split(' ')).status().context("cannot run `rustup`")?;
        if !status.success() {
            failed.push(target.as_str());
        }
    }
    if failed.is_empty() {
        println!("\nno failures in {} s each of {}", arguments.seconds, targets.join(", "));
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "\nerror: failed: {}. The failing inputs are in fuzz/artifacts/TARGET/: shrink one with \
         `rustup run nightly cargo fuzz tmin TARGET FILE`, move it to {SEEDS}/TARGET/ under a descriptive name, \
         and fix the code until \
         `RUSTFLAGS='--cfg fuzzing' cargo test --manifest-path fuzz/Cargo.toml --no-default-features` passes",
        failed.join(", ")
    );
    Ok(ExitCode::FAILURE)
}

/// The arguments with which rustup runs a target.
fn command(target: &str, seconds: u32) -> String {
    // libFuzzer writes new inputs to the first folder.
    let mut folders = format!("{CORPUS}/{target} {SEEDS}/{target}");
    for (_, more) in MORE_SEEDS.iter().filter(|(name, _)| *name == target) {
        folders.extend([" ", more]);
    }
    // The timeout is in seconds. An input that takes longer is reported as a failure.
    let options = format!("-max_total_time={seconds} -max_len={MAX_LENGTH} -timeout=10 -print_final_stats=1");
    format!("run nightly cargo fuzz run {target} {folders} -- {options}")
}

/// The names of the targets, sorted.
fn targets(folder: &Path) -> Result<Vec<String>> {
    let list = || format!("cannot list {}", folder.display());
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).with_context(list)? {
        let path = entry.with_context(list)?.path();
        if path.extension().is_some_and(|extension| extension == "rs") {
            names.extend(path.file_stem().and_then(|name| name.to_str()).map(str::to_owned));
        }
    }
    names.sort();
    Ok(names)
}

fn chosen(all: Vec<String>, wanted: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = wanted.iter().find(|name| !all.contains(name)) {
        bail!("there is no fuzz target `{unknown}`; the targets are {}", all.join(", "));
    }
    Ok(if wanted.is_empty() { all } else { wanted.to_vec() })
}

fn succeeds(arguments: &[&str]) -> bool {
    let mut command = Command::new("rustup");
    let command = command.args(arguments).stdout(Stdio::null()).stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_is_in_the_manifest_and_has_seeds() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let manifest = fs::read_to_string(root.join("fuzz/Cargo.toml")).unwrap();
        let targets = targets(&root.join(TARGETS)).unwrap();
        assert!(targets.len() >= 6, "{targets:?}");
        for target in targets {
            assert!(
                manifest.contains(&format!("path = \"fuzz_targets/{target}.rs\"")),
                "{target} is not in the manifest"
            );
            let seeds = root.join(SEEDS).join(&target);
            assert!(fs::read_dir(&seeds).unwrap().count() > 0, "{} is empty", seeds.display());
        }
        for (_, folder) in MORE_SEEDS {
            assert!(root.join(folder).is_dir(), "{folder}");
        }
    }

    #[test]
    fn a_target_runs_with_its_folders_and_its_time() {
        assert_eq!(
            command("responses", 5),
            "run nightly cargo fuzz run responses fuzz/corpus/responses fuzz/seeds/responses openapi/samples \
             -- -max_total_time=5 -max_len=8192 -timeout=10 -print_final_stats=1"
        );
        assert!(!command("errors", 5).contains("openapi/samples"));
    }

    #[test]
    fn an_error_about_an_unknown_target_lists_the_known_ones() {
        let all = || vec!["drift".to_owned(), "errors".to_owned()];
        assert_eq!(chosen(all(), &[]).unwrap(), all());
        let error = chosen(all(), &["error".to_owned()]).unwrap_err().to_string();
        assert_eq!(error, "there is no fuzz target `error`; the targets are drift, errors");
    }
}
