//! `cargo xtask ci`: runs all checks that a change must pass before it is merged. The steps that fail fastest come first. This
//! module knows which commands to run, and must not know what they check.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo;

/// The crate whose features are each checked separately.
const SDK: &str = "coralogix-incidents";
/// All features except the one that needs a system library.
const EVERYTHING: [&str; 4] = [
    "--workspace",
    "--all-targets",
    "--features",
    "coralogix-incidents/http2,coralogix-incidents/schemars,coralogix-incidents-cli/keyring",
];
/// The feature that needs the OpenSSL headers on Linux. It is checked only if they are installed.
const NATIVE_TLS: &str = "native-tls";
/// The folder in which packages are packed and built. Each run starts with an empty one.
const PACKED: &str = "target/package";
/// The test command that the README gives.
const TESTS: [&str; 2] = ["test", "--workspace"];
/// The wire rules once more, as an application has them whose other crates turn on this feature of `serde_json`.
const PRECISION: [&str; 8] = [
    "test",
    "--package",
    "coralogix-incidents-tests",
    "--features",
    "arbitrary-precision",
    "--",
    "wire::",
    "contract::",
];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Start with this step instead of the first one.
    #[arg(long, value_name = "STEP")]
    from: Option<String>,
    /// Print the steps and their commands instead of running them.
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    crate::enter_workspace()?;
    let metadata = cargo::metadata(&["--no-deps"])?;
    let steps = from(steps(&metadata, &toolchains(), has_openssl())?, arguments.from.as_deref())?;
    if arguments.list {
        for step in &steps {
            println!("{}", step.name);
            step.lines().iter().for_each(|line| println!("    {line}"));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| Some(std::env::home_dir()?.join(".cargo"))).context("there is no home directory")?;
    cargo::forget_packed(&home, Path::new(PACKED), &cargo::publishable(&metadata))?;
    let start = Instant::now();
    let mut times = Vec::new();
    let mut skipped = Vec::new();
    for step in &steps {
        match step.run()? {
            Some(time) => times.push(format!("{:<9} {}", step.name, seconds(time))),
            None => skipped.push(step.name),
        }
    }
    println!("\n{}", times.join("\n"));
    let skipped = if skipped.is_empty() { String::new() } else { format!("; skipped: {}", skipped.join(", ")) };
    println!("ci passed: {} steps in {}{skipped}", times.len(), seconds(start.elapsed()));
    Ok(ExitCode::SUCCESS)
}

/// A named step.
struct Step {
    name: &'static str,
    /// The commands that it runs, or the reason why it cannot run on this machine.
    work: Result<Vec<Invocation>, String>,
}

/// A command line and the environment variable that it needs.
struct Invocation {
    environment: Option<(&'static str, &'static str)>,
    program: &'static str,
    arguments: Vec<String>,
}

impl fmt::Display for Invocation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some((name, value)) = self.environment {
            write!(f, "{name}='{value}' ")?;
        }
        write!(f, "{} {}", self.program, self.arguments.join(" "))
    }
}

impl Step {
    fn lines(&self) -> Vec<String> {
        match &self.work {
            Ok(commands) => commands.iter().map(Invocation::to_string).collect(),
            Err(reason) => vec![format!("skipped: {reason}")],
        }
    }

    /// Runs the commands one after another and stops at the first failure. Returns the time taken, or `None` if the step was
    /// skipped.
    fn run(&self) -> Result<Option<Duration>> {
        let name = self.name;
        let commands = match &self.work {
            Ok(commands) => commands,
            Err(reason) => {
                println!("\n[{name}] skipped: {reason}");
                return Ok(None);
            }
        };
        let start = Instant::now();
        for command in commands {
            println!("\n[{name}] {command}");
            let started = Instant::now();
            let mut process = Command::new(command.program);
            process.args(&command.arguments).envs(target_directory()).envs(command.environment);
            if std::env::var_os("CI").is_some() {
                // Nothing is compiled a second time there.
                process.env("CARGO_INCREMENTAL", "0");
            }
            let status = process.status().with_context(|| format!("cannot run `{command}`"))?;
            if !status.success() {
                let advice = format!("to continue here, run `cargo xtask ci --from {name}`");
                bail!("step `{name}` failed: `{command}` ended with {status}; {advice}");
            }
            println!("[{name}] {}", seconds(started.elapsed()));
        }
        Ok(Some(start.elapsed()))
    }
}

/// The target directory for the steps. They build this program again, with the features of the whole workspace, and Windows
/// does not allow a running program to be replaced, so that a separate directory is used there.
fn target_directory() -> Option<(&'static str, PathBuf)> {
    let name = "CARGO_TARGET_DIR";
    let target = || std::env::var_os(name).map_or_else(|| PathBuf::from("target"), PathBuf::from);
    cfg!(windows).then(|| (name, target().join("ci")))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn invocation(program: &'static str, arguments: &[&str]) -> Invocation {
    let arguments = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    Invocation { environment: None, program, arguments }
}

/// The steps for the workspace that `metadata` describes, on a machine with the given toolchains. `native_tls` says whether the
/// feature of that name can be built.
fn steps(metadata: &Value, toolchains: &[String], native_tls: bool) -> Result<Vec<Step>> {
    let with = |environment, name, arguments: &[&str]| {
        let command = Invocation { environment, ..invocation("cargo", arguments) };
        Step { name, work: Ok(vec![command]) }
    };
    let one = |name, arguments: &[&str]| with(None, name, arguments);
    let clippy = [&["clippy"], &EVERYTHING[..], &["--", "-D", "warnings"]].concat();
    // The fuzz targets over their seeds on the current toolchain, as regression tests for what fuzzing found.
    let seeds = ["test", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"];
    // Packs each publishable package and builds it from its archive, which fails if an `include` list lacks a file. Offline: the
    // dependencies were downloaded by the earlier steps.
    let mut package = vec!["package", "--offline", "--allow-dirty", "--target-dir", PACKED];
    package.extend(cargo::publishable(metadata).iter().flat_map(|name| ["--package", *name]));
    Ok(vec![
        one("fmt", &["fmt", "--all", "--check"]),
        one("clippy", &clippy),
        one("generate", &["xtask", "generate", "--check"]),
        one("lint", &["xtask", "lint"]),
        one("test", &TESTS),
        one("precision", &PRECISION),
        with(Some(("RUSTFLAGS", "--cfg fuzzing")), "seeds", &seeds),
        with(Some(("RUSTDOCFLAGS", "-D warnings")), "doc", &["doc", "--workspace", "--no-deps"]),
        Step { name: "features", work: Ok(feature_checks(&cargo::features(metadata, SDK)?, native_tls)) },
        one("package", &package),
        one("licenses", &["xtask", "licenses"]),
        Step { name: "msrv", work: minimum_rust(cargo::rust_version(metadata, SDK), toolchains) },
    ])
}

/// Checks the SDK without features, then with each feature on its own.
fn feature_checks(features: &[String], native_tls: bool) -> Vec<Invocation> {
    let bare = ["check", "--package", SDK, "--no-default-features"];
    let alone = features.iter().filter(|feature| native_tls || *feature != NATIVE_TLS).map(|feature| {
        let mut arguments = bare.to_vec();
        arguments.extend(["--features", feature]);
        invocation("cargo", &arguments)
    });
    std::iter::once(invocation("cargo", &bare)).chain(alone).collect()
}

/// Checks that the workspace compiles with the version of Rust in `rust-version`.
fn minimum_rust(version: Option<&str>, toolchains: &[String]) -> Result<Vec<Invocation>, String> {
    let version = version.ok_or_else(|| format!("`{SDK}` has no `rust-version`"))?;
    let is_version = |toolchain: &&String| {
        toolchain.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    };
    let missing = || format!("Rust {version} is not installed: `rustup toolchain install {version}`");
    let toolchain = toolchains.iter().find(is_version).ok_or_else(missing)?;
    // A separate target directory keeps the artifacts of the two compilers apart.
    let arguments = ["run", toolchain, "cargo", "check", "--workspace", "--all-targets", "--target-dir", "target/msrv"];
    Ok(vec![invocation("rustup", &arguments)])
}

/// Whether `native-tls` can be built. On Linux it needs the OpenSSL headers.
fn has_openssl() -> bool {
    let found =
        || Command::new("pkg-config").args(["--exists", "openssl"]).status().is_ok_and(|status| status.success());
    let possible = cfg!(not(target_os = "linux")) || found();
    if !possible {
        println!("`{NATIVE_TLS}` is not checked: the OpenSSL headers are not installed (libssl-dev or openssl-devel)");
    }
    possible
}

/// The installed toolchains. Empty without rustup.
fn toolchains() -> Vec<String> {
    let Ok(output) = Command::new("rustup").args(["toolchain", "list"]).output() else { return Vec::new() };
    let names = String::from_utf8_lossy(&output.stdout);
    names.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The steps, starting with the named one.
fn from(mut steps: Vec<Step>, name: Option<&str>) -> Result<Vec<Step>> {
    let Some(name) = name else { return Ok(steps) };
    let Some(first) = steps.iter().position(|step| step.name == name) else {
        let names: Vec<&str> = steps.iter().map(|step| step.name).collect();
        bail!("there is no step `{name}`; the steps are {}", names.join(", "));
    };
    Ok(steps.split_off(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn metadata() -> Value {
        serde_json::json!({ "packages": [
            { "name": SDK, "features": { "default": ["tls"], "tls": [], "schemars": [] }, "publish": null, "rust_version": "1.88" },
            { "name": "xtask", "features": {}, "publish": [], "rust_version": "1.88" },
        ]})
    }

    fn lines(steps: &[Step]) -> Vec<String> {
        steps.iter().flat_map(Step::lines).collect()
    }

    #[test]
    fn the_steps_run_the_expected_commands() {
        let steps = steps(&metadata(), &["stable-x".to_owned(), "1.88.0-x".to_owned()], true).unwrap();
        assert_eq!(
            lines(&steps),
            [
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --features coralogix-incidents/http2,coralogix-incidents/schemars,coralogix-incidents-cli/keyring -- -D warnings",
                "cargo xtask generate --check",
                "cargo xtask lint",
                "cargo test --workspace",
                "cargo test --package coralogix-incidents-tests --features arbitrary-precision -- wire:: contract::",
                "RUSTFLAGS='--cfg fuzzing' cargo test --manifest-path fuzz/Cargo.toml --no-default-features",
                "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps",
                "cargo check --package coralogix-incidents --no-default-features",
                "cargo check --package coralogix-incidents --no-default-features --features schemars",
                "cargo check --package coralogix-incidents --no-default-features --features tls",
                "cargo package --offline --allow-dirty --target-dir target/package --package coralogix-incidents",
                "cargo xtask licenses",
                "rustup run 1.88.0-x cargo check --workspace --all-targets --target-dir target/msrv",
            ]
        );
    }

    #[test]
    fn a_missing_toolchain_skips_the_step_with_a_reason() {
        let steps = steps(&metadata(), &["stable-x".to_owned(), "1.880.0".to_owned()], true).unwrap();
        let last = lines(&steps).pop().unwrap();
        assert_eq!(last, "skipped: Rust 1.88 is not installed: `rustup toolchain install 1.88`");
    }

    #[test]
    fn a_run_can_start_at_any_step() {
        let steps = || steps(&metadata(), &[], true).unwrap();
        let names: Vec<&str> = from(steps(), Some("package")).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["package", "licenses", "msrv"]);
        let error = from(steps(), Some("nonsense")).err().map(|error| error.to_string()).unwrap();
        assert!(error.contains("`nonsense`; the steps are fmt, clippy"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_step_stops_at_the_first_failing_command_and_names_it() {
        let missing = || invocation("no-such-program", &[]);
        let commands = vec![invocation("true", &[]), invocation("false", &["--now"]), missing()];
        let error = Step { name: "demo", work: Ok(commands) }.run().unwrap_err().to_string();
        assert!(error.starts_with("step `demo` failed: `false --now` ended with exit status: 1"), "{error}");
        let step = Step { name: "demo", work: Ok(vec![missing()]) };
        assert_eq!(step.run().unwrap_err().to_string(), "cannot run `no-such-program `");
    }

    #[test]
    fn a_feature_that_needs_a_missing_library_is_not_checked() {
        let features = ["http2".to_owned(), NATIVE_TLS.to_owned()];
        let lines =
            |native_tls| feature_checks(&features, native_tls).iter().map(Invocation::to_string).collect::<Vec<_>>();
        assert_eq!((lines(true).len(), lines(false).len()), (3, 2));
        assert!(lines(false).iter().all(|line| !line.contains(NATIVE_TLS)));
    }
}
