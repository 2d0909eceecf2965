//! The committed seeds through each target's function, on stable and without libFuzzer. What fuzzing found is among them.

use std::{fs, path::Path};

/// Runs the files of a folder below this crate, in the order of their names.
fn run(folder: &str, target: fn(&[u8])) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} has no seeds", folder.display());
    for file in files {
        // Shown only if the target panics.
        println!("{}", file.display());
        target(&fs::read(&file).unwrap());
    }
}

#[test]
fn responses() {
    run("seeds/responses", fuzz::responses);
    run("../openapi/samples", fuzz::responses);
}

#[test]
fn errors() {
    run("seeds/errors", fuzz::errors);
}

#[test]
fn retry_after() {
    run("seeds/retry_after", fuzz::retry_after);
}

#[test]
fn durations() {
    run("seeds/durations", fuzz::durations);
}

#[test]
fn page_tokens() {
    run("seeds/page_tokens", fuzz::page_tokens);
}

#[test]
fn drift() {
    run("seeds/drift", fuzz::drift);
    run("../xtask/tests/data", fuzz::drift);
}

/// A planted fault: a message that reads what it does not write.
#[test]
#[should_panic(expected = "decoded again from {}")]
fn a_message_that_loses_a_member_is_found() {
    #[derive(Debug, Default, PartialEq, serde::Deserialize, serde::Serialize)]
    #[serde(default)]
    struct Lossy {
        #[serde(skip_serializing)]
        id: String,
    }
    fuzz::stable::<Lossy>(b"{}");
    fuzz::stable::<Lossy>(br#"{"id":"one"}"#);
}

#[test]
fn every_target_has_a_test_here() {
    let targets = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz_targets")).unwrap();
    for target in targets {
        let name = target.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned();
        assert!(include_str!("seeds.rs").contains(&format!("fuzz::{name})")), "{name} is not run over its seeds");
    }
}
