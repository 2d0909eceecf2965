//! The examples in the documentation of the published crates. That they are right is tested by running them.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// rustdoc gives an example about this much room before a reader has to scroll.
const EXAMPLE_WIDTH: usize = 88;

#[test]
fn examples_in_the_documentation_are_read_without_scrolling() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut files = Vec::new();
    for folder in ["sdk/src", "emulator/src"] {
        rust_files(&root.join(folder), &mut files);
    }
    let (mut wide, mut examples) = (Vec::new(), 0);
    for file in files {
        // Whether the lines are of a block, and whether it is Rust.
        let mut block: Option<bool> = None;
        for (index, line) in fs::read_to_string(&file).unwrap().lines().enumerate() {
            let line = line.trim_start();
            let Some(text) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else { continue };
            let text = text.strip_prefix(' ').unwrap_or(text);
            if text.starts_with("```") {
                block = if block.is_none() { Some(text != "```text") } else { None };
                examples += usize::from(block == Some(true));
            } else if block == Some(true) && !text.starts_with("# ") && text.chars().count() > EXAMPLE_WIDTH {
                wide.push(format!("{}:{}: {text}", file.display(), index + 1));
            }
        }
    }
    assert!(examples > 30, "the examples are found");
    assert_eq!(wide, [""; 0]);
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}
