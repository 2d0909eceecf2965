//! `cargo xtask ci`: everything that has to hold before a change is merged, in the order in which it fails fastest. It
//! knows commands; what they check is theirs.

use std::{
    fmt,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail};
use serde_json::Value;

use crate::cargo;

/// The crate whose features are checked one by one.
const SDK: &str = "coralogix-incidents";
/// Every feature but the one that needs a library of the system.
const EVERYTHING: [&str; 4] =
    ["--workspace", "--all-targets", "--features", "coralogix-incidents/http2,coralogix-incidents/schemars"];
/// The feature that needs OpenSSL's headers on Linux; it is checked where they are.
const NATIVE_TLS: &str = "native-tls";
/// Where packages are packed and built, begun anew in each run.
const PACKED: &str = "target/package";
/// The command of the README.
const TESTS: [&str; 2] = ["test", "--workspace"];

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Begin with this step.
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
            step.work.lines().iter().for_each(|line| println!("    {line}"));
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

/// A named part of the whole, and what it runs.
struct Step {
    name: &'static str,
    work: Work,
}

enum Work {
    Commands(Vec<Invocation>),
    /// Not possible on this machine, for this reason.
    Skipped(String),
}

/// One command line, with the environment that it needs.
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

impl Work {
    fn lines(&self) -> Vec<String> {
        match self {
            Self::Commands(commands) => commands.iter().map(Invocation::to_string).collect(),
            Self::Skipped(reason) => vec![format!("skipped: {reason}")],
        }
    }
}

impl Step {
    /// Runs the commands in turn, up to the first that fails. Answers how long it took; nothing where it was skipped.
    fn run(&self) -> Result<Option<Duration>> {
        let name = self.name;
        let commands = match &self.work {
            Work::Commands(commands) => commands,
            Work::Skipped(reason) => {
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
                bail!(
                    "step `{name}` failed: `{command}` ended with {status}; go on with `cargo xtask ci --from {name}`"
                );
            }
            println!("[{name}] {}", seconds(started.elapsed()));
        }
        Ok(Some(start.elapsed()))
    }
}

/// Where the commands build on Windows, which does not let this program be replaced while it runs: the steps build it again,
/// with the features of the whole workspace. Elsewhere they build where it was built.
fn target_directory() -> Option<(&'static str, PathBuf)> {
    let name = "CARGO_TARGET_DIR";
    let target = || std::env::var_os(name).map_or_else(|| PathBuf::from("target"), PathBuf::from);
    cfg!(windows).then(|| (name, target().join("ci")))
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

fn invocation(program: &'static str, arguments: &[&str]) -> Invocation {
    Invocation {
        environment: None,
        program,
        arguments: arguments.iter().map(|argument| (*argument).to_owned()).collect(),
    }
}

/// The steps for a workspace, as `cargo metadata` describes it, on a machine with these toolchains, and with or without what
/// `native-tls` needs.
fn steps(metadata: &Value, toolchains: &[String], native_tls: bool) -> Result<Vec<Step>> {
    let one = |name, arguments: &[&str]| Step { name, work: Work::Commands(vec![invocation("cargo", arguments)]) };
    let mut clippy = vec!["clippy"];
    clippy.extend(EVERYTHING);
    clippy.extend(["--", "-D", "warnings"]);
    let mut documentation = invocation("cargo", &["doc", "--workspace", "--no-deps"]);
    documentation.environment = Some(("RUSTDOCFLAGS", "-D warnings"));
    Ok(vec![
        one("fmt", &["fmt", "--all", "--check"]),
        one("clippy", &clippy),
        one("generate", &["xtask", "generate", "--check"]),
        one("lint", &["xtask", "lint"]),
        one("test", &TESTS),
        seeds(),
        Step { name: "doc", work: Work::Commands(vec![documentation]) },
        Step { name: "features", work: Work::Commands(feature_checks(&cargo::features(metadata, SDK)?, native_tls)) },
        package(&cargo::publishable(metadata)),
        one("licences", &["xtask", "licences"]),
        minimum_rust(cargo::rust_version(metadata, SDK), toolchains),
    ])
}

/// The fuzz targets over their seeds, on the toolchain at hand: what fuzzing once found stays mended.
fn seeds() -> Step {
    let mut seeds = invocation("cargo", &["test", "--manifest-path", "fuzz/Cargo.toml", "--no-default-features"]);
    seeds.environment = Some(("RUSTFLAGS", "--cfg fuzzing"));
    Step { name: "seeds", work: Work::Commands(vec![seeds]) }
}

/// The SDK with none of its features, then with each of them alone.
fn feature_checks(features: &[String], native_tls: bool) -> Vec<Invocation> {
    let bare = ["check", "--package", SDK, "--no-default-features"];
    let alone = features.iter().filter(|feature| native_tls || *feature != NATIVE_TLS).map(|feature| {
        let mut arguments = bare.to_vec();
        arguments.extend(["--features", feature]);
        invocation("cargo", &arguments)
    });
    std::iter::once(invocation("cargo", &bare)).chain(alone).collect()
}

/// What would be published can be packed, and is built from the archives: a file that the `include` lists forget is missed
/// here. Its dependencies are at hand.
fn package(packages: &[&str]) -> Step {
    let name = "package";
    if packages.is_empty() {
        return Step { name, work: Work::Skipped("no package is publishable".to_owned()) };
    }
    let mut arguments = vec!["package", "--offline", "--allow-dirty", "--target-dir", PACKED];
    arguments.extend(packages.iter().flat_map(|package| ["--package", *package]));
    Step { name, work: Work::Commands(vec![invocation("cargo", &arguments)]) }
}

/// The whole of it compiles with the Rust that `rust-version` promises.
fn minimum_rust(version: Option<&str>, toolchains: &[String]) -> Step {
    let name = "msrv";
    let Some(version) = version else {
        return Step { name, work: Work::Skipped(format!("`{SDK}` states no `rust-version`")) };
    };
    let installed = toolchains.iter().find(|toolchain| {
        toolchain.strip_prefix(version).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-']))
    });
    let work = match installed {
        // Another target directory keeps the artefacts of two compilers from replacing each other.
        Some(toolchain) => Work::Commands(vec![invocation(
            "rustup",
            &["run", toolchain, "cargo", "check", "--workspace", "--all-targets", "--target-dir", "target/msrv"],
        )]),
        None => Work::Skipped(format!("Rust {version} is not installed: `rustup toolchain install {version}`")),
    };
    Step { name, work }
}

/// Whether `native-tls` can be built: everywhere but on a Linux without OpenSSL's headers.
fn has_openssl() -> bool {
    let found =
        || Command::new("pkg-config").args(["--exists", "openssl"]).status().is_ok_and(|status| status.success());
    let possible = cfg!(not(target_os = "linux")) || found();
    if !possible {
        println!("`{NATIVE_TLS}` is not checked: OpenSSL's headers are not installed (libssl-dev, openssl-devel)");
    }
    possible
}

/// The installed toolchains; none on a machine without rustup.
fn toolchains() -> Vec<String> {
    let Ok(output) = Command::new("rustup").args(["toolchain", "list"]).output() else { return Vec::new() };
    let names = String::from_utf8_lossy(&output.stdout);
    names.lines().filter_map(|line| line.split_whitespace().next()).map(str::to_owned).collect()
}

/// The steps from the named one on.
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
        steps.iter().flat_map(|step| step.work.lines()).collect()
    }

    #[test]
    fn the_steps_are_what_a_maintainer_would_type() {
        let steps = steps(&metadata(), &["stable-x".to_owned(), "1.88.0-x".to_owned()], true).unwrap();
        assert_eq!(
            lines(&steps),
            [
                "cargo fmt --all --check",
                "cargo clippy --workspace --all-targets --features coralogix-incidents/http2,coralogix-incidents/schemars -- -D warnings",
                "cargo xtask generate --check",
                "cargo xtask lint",
                "cargo test --workspace",
                "RUSTFLAGS='--cfg fuzzing' cargo test --manifest-path fuzz/Cargo.toml --no-default-features",
                "RUSTDOCFLAGS='-D warnings' cargo doc --workspace --no-deps",
                "cargo check --package coralogix-incidents --no-default-features",
                "cargo check --package coralogix-incidents --no-default-features --features schemars",
                "cargo check --package coralogix-incidents --no-default-features --features tls",
                "cargo package --offline --allow-dirty --target-dir target/package --package coralogix-incidents",
                "cargo xtask licences",
                "rustup run 1.88.0-x cargo check --workspace --all-targets --target-dir target/msrv",
            ]
        );
    }

    #[test]
    fn a_missing_toolchain_is_said_and_not_taken_for_another() {
        let steps = steps(&metadata(), &["stable-x".to_owned(), "1.880.0".to_owned()], true).unwrap();
        let last = lines(&steps).pop().unwrap();
        assert_eq!(last, "skipped: Rust 1.88 is not installed: `rustup toolchain install 1.88`");
    }

    #[test]
    fn a_run_can_begin_at_any_step() {
        let steps = || steps(&metadata(), &[], true).unwrap();
        let names: Vec<&str> = from(steps(), Some("package")).unwrap().iter().map(|step| step.name).collect();
        assert_eq!(names, ["package", "licences", "msrv"]);
        let error = from(steps(), Some("nonsense")).err().map(|error| error.to_string()).unwrap();
        assert!(error.contains("`nonsense`; the steps are fmt, clippy"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_step_stops_at_its_first_failing_command_and_names_it() {
        let commands =
            vec![invocation("true", &[]), invocation("false", &["--now"]), invocation("no-such-program", &[])];
        let error = Step { name: "demo", work: Work::Commands(commands) }.run().unwrap_err().to_string();
        assert!(error.starts_with("step `demo` failed: `false --now` ended with exit status: 1"), "{error}");
        let missing = Step { name: "demo", work: Work::Commands(vec![invocation("no-such-program", &[])]) };
        assert_eq!(missing.run().unwrap_err().to_string(), "cannot run `no-such-program `");
    }

    #[test]
    fn a_feature_that_needs_a_missing_library_is_left_out() {
        let features = ["http2".to_owned(), NATIVE_TLS.to_owned()];
        let lines =
            |native_tls| feature_checks(&features, native_tls).iter().map(Invocation::to_string).collect::<Vec<_>>();
        assert_eq!((lines(true).len(), lines(false).len()), (3, 2));
        assert!(lines(false).iter().all(|line| !line.contains(NATIVE_TLS)));
    }
}
