//! Stand-ins for programs that fail or reach out.

use std::{env, fs, os::unix::fs::PermissionsExt, path::Path, process::Command};

use tempfile::TempDir;

use super::support::write;

/// A folder in which programs run, with stand-ins for some of them. Each run of a stand-in is a line of the file `calls`.
pub(crate) struct Scene {
    pub(crate) folder: TempDir,
    environment: Vec<(String, String)>,
}

impl Scene {
    pub(crate) fn new(programs: &[(&str, &str)], environment: &[(&str, &str)]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, script) in programs {
            let script = format!("echo \"{name} $*\" >> \"$CALLS\"\n{script}");
            write_program(&folder.path().join("bin").join(name), &script);
        }
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Self { folder, environment: environment.collect() }
    }

    /// A command that finds the stand-ins first.
    pub(crate) fn command(&self, program: &str) -> Command {
        let folder = self.folder.path();
        let path = env::var_os("PATH").unwrap_or_default();
        let path = env::join_paths(std::iter::once(folder.join("bin")).chain(env::split_paths(&path))).unwrap();
        let mut command = Command::new(program);
        command.env("PATH", path).env("CALLS", folder.join("calls")).current_dir(folder);
        command.envs(self.environment.clone());
        command
    }

    /// The runs of a stand-in.
    pub(crate) fn calls(&self, program: &str) -> Vec<String> {
        self.read("calls").lines().filter(|line| line.starts_with(program)).map(str::to_owned).collect()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        write(&self.folder.path().join(name), content);
    }

    /// The text of a file. Empty if there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

/// Writes a program, which is a shell script.
pub(crate) fn write_program(path: &Path, script: &str) {
    write(path, format!("#!/bin/bash\n{script}\n"));
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}
