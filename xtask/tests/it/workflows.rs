//! The workflows of `.github/`: their syntax by a small schema, the commands in them by the programs that would run, and
//! the scripts of those that nobody sees running, `drift` and `release`, against stand-ins for the programs that reach out.
//! Those jobs run on Linux, and so do these tests.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use serde_json::Value;

use super::{
    scene::{Scene, write_program},
    support::{XTASK, root, text},
};

/// Name, text and content of each workflow.
fn workflows() -> Vec<(String, String, Value)> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(root().join(".github/workflows")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty());
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let text = fs::read_to_string(path).unwrap();
        let content = serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name, text, content)
    };
    files.into_iter().map(read).collect()
}

/// Every script of a workflow, with where it stands.
fn scripts(name: &str, workflow: &Value) -> Vec<(String, String)> {
    let mut scripts = Vec::new();
    for (id, job) in workflow["jobs"].as_object().unwrap() {
        for step in job["steps"].as_array().unwrap() {
            if let Some(run) = step["run"].as_str() {
                scripts.push((format!("{name}, job {id}, step {}", step["name"]), run.to_owned()));
            }
        }
    }
    scripts
}

#[test]
fn every_workflow_is_what_the_schema_allows() {
    let schema: Value = serde_json::from_str(include_str!("../data/workflow.schema.json")).unwrap();
    let schema = jsonschema::validator_for(&schema).unwrap();
    for (name, _, workflow) in workflows() {
        let errors: Vec<String> =
            schema.iter_errors(&workflow).map(|error| format!("{name}{}: {error}", error.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
        let jobs = workflow["jobs"].as_object().unwrap();
        for job in jobs.values() {
            let needed = job["needs"].as_str();
            assert!(needed.is_none_or(|needed| jobs.contains_key(needed)), "{name} has no job {needed:?}");
        }
    }
}

#[test]
fn an_action_is_the_same_commit_everywhere_and_names_its_version() {
    let mut known = BTreeMap::new();
    for (name, text, _) in workflows() {
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (action, pin) = line.split_once("uses: ").unwrap().1.split_once('@').unwrap();
            let version = pin.split_once(" # v").map(|(_, version)| version.split('.').count());
            assert_eq!(version, Some(3), "{name}: say the version behind the commit, as in `# v1.2.3`: {line}");
            assert_eq!(known.entry(action.to_owned()).or_insert(pin.to_owned()), pin, "{name}: another {action}");
        }
    }
}

/// A command line of cargo: its subcommand and the rest.
fn cargo_commands(script: &str) -> Vec<Vec<String>> {
    let mut commands = Vec::new();
    for line in script.replace("\\\n", " ").lines() {
        let line = line.split(" # ").next().unwrap().replace("$(", " ");
        let words: Vec<&str> = line.split_whitespace().collect();
        let mut rest = &words[..];
        while let Some(start) = rest.iter().position(|word| *word == "cargo") {
            let command = &rest[start + 1..];
            let end = command.iter().position(|word| ["|", "||", "&&", ">", "<", "2>", "&"].contains(word));
            let end = end.unwrap_or(command.len());
            commands.push(command[..end].iter().map(|word| word.trim_end_matches([')', ';']).to_owned()).collect());
            rest = &command[end..];
        }
    }
    commands
}

/// What is wrong with a command line of cargo.
fn complaint(command: &[String]) -> Option<String> {
    let help = |arguments: &[&str]| {
        let output = match arguments {
            ["xtask", rest @ ..] => Command::new(XTASK).args(rest).arg("--help").output(),
            [verb, ..] => Command::new(env!("CARGO")).args([verb, "--help"]).output(),
            [] => return None,
        };
        let output = output.unwrap();
        output.status.success().then(|| text(&output.stdout).to_owned())
    };
    let words: Vec<&str> = command.iter().map(String::as_str).collect();
    let verb = if words.first() == Some(&"xtask") { words.get(..2) } else { words.get(..1) };
    let Some(known) = verb.and_then(help) else { return Some("there is no such command".to_owned()) };
    let known: Vec<&str> = known.split(|character: char| !character.is_alphanumeric() && character != '-').collect();
    let own = words.iter().take_while(|word| **word != "--");
    if let Some(option) = own.filter(|word| word.starts_with("--")).find(|option| !known.contains(option)) {
        return Some(format!("it has no option `{option}`"));
    }
    let values = |names: [&str; 2]| -> Vec<&str> {
        words.windows(2).filter(|pair| names.contains(&pair[0])).map(|pair| pair[1]).collect()
    };
    let metadata = || Command::new(env!("CARGO")).args(["metadata", "--no-deps", "--format-version", "1"]).output();
    for package in values(["--package", "-p"]) {
        if !text(&metadata().unwrap().stdout).contains(&format!(r#""name":"{package}","#)) {
            return Some(format!("there is no package `{package}`"));
        }
    }
    let steps = || Command::new(XTASK).args(["ci", "--list"]).output();
    for step in values(["--from", "--only"]) {
        if !text(&steps().unwrap().stdout).lines().any(|line| line == step) {
            return Some(format!("there is no step `{step}`"));
        }
    }
    None
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let complaint = |line: &str| complaint(&cargo_commands(line)[0]);
    assert_eq!(complaint("cargo xtask ci --from package"), None);
    assert_eq!(complaint("version=$(cargo pkgid --package coralogix-incidents | sed s/.*@//)"), None);
    assert_eq!(complaint("cargo xtask ci --from packages").unwrap(), "there is no step `packages`");
    assert_eq!(complaint("cargo xtask ci --form package").unwrap(), "it has no option `--form`");
    assert_eq!(complaint("cargo xtask deploy || true").unwrap(), "there is no such command");
    assert_eq!(complaint("cargo publish --workspaces").unwrap(), "it has no option `--workspaces`");
    assert_eq!(complaint("cargo build --package coralogix").unwrap(), "there is no package `coralogix`");
    assert_eq!(complaint("cargo bilud").unwrap(), "there is no such command");
}

#[test]
fn every_command_of_the_workflows_exists() {
    let mut count = 0;
    for (name, _, workflow) in workflows() {
        for (place, script) in scripts(&name, &workflow) {
            let output = Command::new("bash").args(["-n", "-c", &script]).output().unwrap();
            assert!(output.status.success(), "{place}: {}", text(&output.stderr));
            for command in cargo_commands(&script) {
                assert_eq!(complaint(&command), None, "{place}: cargo {}", command.join(" "));
                count += 1;
            }
        }
    }
    assert!(count >= 7, "{count} commands found");
}

#[test]
fn every_command_of_the_guides_exists() {
    for file in ["CONTRIBUTING.md", "docs/maintaining.md"] {
        let guide = fs::read_to_string(root().join(file)).unwrap();
        let blocks: Vec<&str> = guide.split("```sh\n").skip(1).map(|rest| rest.split("```").next().unwrap()).collect();
        assert!(!blocks.is_empty(), "{file} has commands");
        for command in blocks.iter().flat_map(|block| cargo_commands(block)) {
            // What is installed for one task need not be here.
            if command[0] != "fuzz" {
                assert_eq!(complaint(&command), None, "{file}: cargo {}", command.join(" "));
            }
        }
    }
}

#[test]
fn ci_installs_the_oldest_supported_rust() {
    let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    let version = manifest.split_once("rust-version = \"").unwrap().1.split('"').next().unwrap();
    let ci = fs::read_to_string(root().join(".github/workflows/ci.yml")).unwrap();
    assert!(ci.contains(&format!("rustup toolchain install {version} ")), "ci.yml does not install Rust {version}");
}

/// Runs a script as the runner does; `${{ steps.ID.outputs.NAME }}` in a step's environment is what was written.
fn run(scene: &Scene, workflow: &str, job: &str, step: &str) -> Output {
    let all = workflows();
    let (_, _, content) = all.iter().find(|(name, ..)| name == workflow).unwrap();
    let steps = content["jobs"][job]["steps"].as_array().unwrap();
    let step = steps.iter().find(|found| found["name"] == step).unwrap_or_else(|| panic!("no step {step:?}"));
    let mut command = scene.command("bash");
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"].as_str().unwrap()]);
    let folder = scene.folder.path();
    command.env("GITHUB_OUTPUT", folder.join("output")).env("GITHUB_STEP_SUMMARY", folder.join("summary"));
    let written = scene.read("output");
    for (name, value) in step["env"].as_object().into_iter().flatten() {
        let output = value.as_str().unwrap().strip_prefix("${{ steps.compare.outputs.");
        let output = output.and_then(|rest| rest.strip_suffix(" }}"));
        let value = output.and_then(|name| written.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')));
        command.env(name, value.unwrap_or_default());
    }
    command.output().unwrap()
}

#[track_caller]
fn succeed(scene: &Scene, workflow: &str, job: &str, step: &str) {
    let output = run(scene, workflow, job, step);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

mod drift {
    use super::*;

    /// Runs the whole job: `cargo` reports and ends as told, and `issue` is the number of the open issue.
    fn job(report: &str, status: &str, issue: &str) -> Scene {
        let curl = r#"while [ "$1" != --output ]; do shift; done; echo 'openapi: 3.0.3' > "$2""#;
        let programs = [
            ("curl", curl),
            ("cargo", r#"[ -s "${@: -1}" ] || exit 9; printf %s "$REPORT"; exit "$REPORT_STATUS""#),
            ("gh", r#"[ "$2" = list ] && echo "$ISSUE"; exit 0"#),
        ];
        let scene = Scene::new(&programs, &[("REPORT", report), ("REPORT_STATUS", status), ("ISSUE", issue)]);
        succeed(&scene, "drift.yml", "drift", "Fetch the published document");
        scene
    }

    fn calls_of_gh(scene: &Scene) -> Vec<String> {
        succeed(scene, "drift.yml", "drift", "Compare");
        succeed(scene, "drift.yml", "drift", "Open, update or close the issue");
        let calls = scene.calls("gh");
        assert!(calls[0].starts_with("gh issue list --label drift --state open"), "{calls:?}");
        calls[1..].iter().map(|call| call.split_whitespace().take(4).collect::<Vec<_>>().join(" ")).collect()
    }

    #[test]
    fn a_difference_opens_one_issue_and_then_updates_it() {
        let scene = job("| breaks | Incident.id |", "1", "");
        assert_eq!(calls_of_gh(&scene), ["gh label create drift", "gh issue create --title"]);
        assert!(scene.calls("gh")[2].ends_with("--label drift --body-file drift.md"), "{:?}", scene.calls("gh"));
        assert!(scene.read("summary").contains("Incident.id"));
        let scene = job("| breaks | Incident.id |", "1", "17");
        assert_eq!(calls_of_gh(&scene), ["gh issue edit 17"]);
    }

    #[test]
    fn no_difference_closes_the_issue_if_there_is_one() {
        assert_eq!(calls_of_gh(&job("0 differences", "0", "17")), ["gh issue close 17"]);
        assert_eq!(calls_of_gh(&job("0 differences", "0", "")), [""; 0]);
    }

    #[test]
    fn the_report_of_the_real_command_is_the_text_of_the_issue() {
        let published = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/published_v5.yaml");
        let text = fs::read_to_string(published).unwrap();
        // Every text of the responses becomes an integer.
        let broken = text.replace("type: string", "type: integer");
        assert_ne!(broken, text);
        let curl = r#"while [ "$1" != --output ]; do shift; done; cp broken.yaml "$2""#;
        let programs = [("curl", curl), ("cargo", r#"shift; exec "$XTASK" "$@""#), ("gh", "exit 0")];
        let scene = Scene::new(&programs, &[("XTASK", XTASK)]);
        scene.write("broken.yaml", &broken);
        succeed(&scene, "drift.yml", "drift", "Fetch the published document");
        assert_eq!(calls_of_gh(&scene), ["gh label create drift", "gh issue create --title"]);
        let issue = scene.read("drift.md");
        assert!(issue.contains("Incident.id") && issue.contains("breaks"), "{issue}");
        assert_eq!(scene.read("summary"), issue);
    }

    #[test]
    fn a_comparison_that_failed_is_no_difference() {
        for (report, status) in [("", "1"), ("usage", "2")] {
            let scene = job(report, status, "17");
            let output = run(&scene, "drift.yml", "drift", "Compare");
            assert!(!output.status.success() && text(&output.stdout).contains("::error::"), "{output:?}");
            assert_eq!((scene.read("output"), scene.calls("gh")), (String::new(), Vec::new()));
        }
    }
}

mod release {
    use super::*;

    const TAG: (&str, &str) = ("GITHUB_REF_NAME", "v1.2.3");
    const CHECK: &str = "Compare the tag with the version and the changelog";
    const CHANGELOG: &str = "# Changelog\n\n## [Unreleased]\n\n## [1.2.3] - 2030-01-01\n\n### Added\n\n- A thing.\n\n## [1.2.2]\n\n- Old.\n";
    /// What `cargo pkgid` prints in either of its forms.
    const PKGIDS: [&str; 2] = [
        "path+file:///home/me/repository/sdk#coralogix-incidents@1.2.3",
        "path+file:///home/coralogix-incidents#1.2.3",
    ];

    #[test]
    fn the_tag_must_be_the_version_and_have_its_lines_in_the_changelog() {
        for pkgid in PKGIDS {
            let scene = Scene::new(&[("cargo", &format!("echo {pkgid}"))], &[TAG]);
            scene.write("CHANGELOG.md", CHANGELOG);
            succeed(&scene, "release.yml", "check", CHECK);
            assert_eq!(scene.read("notes.md").trim(), "### Added\n\n- A thing.");
        }
        let fails = |tag: &str, changelog: &str, message: &str| {
            let programs = [("cargo", &*format!("echo {}", PKGIDS[0]))];
            let scene = Scene::new(&programs, &[("GITHUB_REF_NAME", tag)]);
            scene.write("CHANGELOG.md", changelog);
            let output = run(&scene, "release.yml", "check", CHECK);
            assert!(!output.status.success() && text(&output.stdout).contains(message), "{output:?}");
        };
        fails("v1.2.4", CHANGELOG, "::error::the tag is v1.2.4, and the packages have version 1.2.3");
        fails("v1.2.3", "## [1.2.30]\n\n- Other.\n", "::error::CHANGELOG.md says nothing about version 1.2.3");
        fails("v1.2.3", "## [1.2.3]\n\n## [1.2.2]\n\n- Old.\n", "::error::CHANGELOG.md says nothing");
    }

    #[test]
    fn this_repositorys_version_is_found() {
        let output = Command::new(env!("CARGO")).args(["pkgid", "--package", "coralogix-incidents"]).output().unwrap();
        let version = text(&output.stdout).trim().rsplit(['#', '@']).next().unwrap();
        let manifest = fs::read_to_string(root().join("Cargo.toml")).unwrap();
        assert!(manifest.contains(&format!("version = \"{version}\"")), "{version}");
    }

    #[test]
    fn an_archive_holds_both_programs_and_the_releases_page_their_checksums() {
        let target = "x86_64-unknown-linux-gnu";
        let environment = [TAG, ("TARGET", target), ("RUNNER_OS", "Linux"), ("RUNNER_ARCH", "X64")];
        let scene = Scene::new(&[("gh", "exit 0")], &environment);
        let folder = scene.folder.path();
        for file in ["README.md", "CHANGELOG.md", "LICENSE-APACHE", "LICENSE-MIT", "dist/notes.md"] {
            scene.write(file, file);
        }
        for program in ["cx-incidents", "coralogix-incidents-emulator"] {
            let file = format!("target/{target}/release/{program}");
            write_program(&folder.join(file), "echo \"$0 $1\" >> \"$CALLS\"");
        }
        succeed(&scene, "release.yml", "binaries", "Pack");
        assert_eq!(scene.calls("target").len(), 2, "both programs were started once");
        succeed(&scene, "release.yml", "page", "Release");

        let name = format!("coralogix-incidents-v1.2.3-{target}");
        let shell = |script: &str| {
            let mut command = Command::new("bash");
            text(&command.args(["-c", script]).current_dir(folder.join("dist")).output().unwrap().stdout).to_owned()
        };
        let files = shell(&format!("tar -tzf {name}.tar.gz"));
        for file in ["cx-incidents", "coralogix-incidents-emulator", "LICENSE-MIT"] {
            assert!(files.lines().any(|line| line == format!("{name}/{file}")), "{files}");
        }
        assert_eq!(shell("sha256sum --check SHA256SUMS"), format!("{name}.tar.gz: OK\n"));
        let call = scene.calls("gh").pop().unwrap();
        assert!(call.starts_with("gh release create v1.2.3 --verify-tag"), "{call}");
        assert!(call.ends_with(&format!("-- SHA256SUMS {name}.tar.gz")), "{call}");
    }
}
