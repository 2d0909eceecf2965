//! The files of this repository, for the tests that read them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The text of a file, by its path from the root.
#[track_caller]
pub(crate) fn read(path: &str) -> String {
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// The files of Rust in a folder and in the folders below it, in the order of their names.
pub(crate) fn rust_files(folder: &str) -> Vec<PathBuf> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(&root().join(folder), &mut files);
    files.sort();
    files
}

/// The part of `docs/NAME` between its markers. With `UPDATE_DOCS=1`, `observed` takes its place first.
#[track_caller]
pub(crate) fn documented(name: &str, observed: &str) -> String {
    let (begin, end) = ("<!-- observed -->\n", "<!-- end -->");
    let path = format!("docs/{name}");
    let text = read(&path);
    let (before, rest) = text.split_once(begin).expect("the marker `<!-- observed -->`");
    let (part, after) = rest.split_once(end).expect("the marker `<!-- end -->`");
    if env::var_os("UPDATE_DOCS").is_none() {
        return part.to_owned();
    }
    fs::write(root().join(path), [before, begin, observed, end, after].concat()).unwrap();
    observed.to_owned()
}
