//! The configuration of the vendor's command line, in `~/.cx`: profiles, and whether changes are allowed. It is only read.
//!
//! The files hold API keys. Errors name the file, the line and what is wrong, and never quote what the file says.

use std::{
    env, fs, io,
    path::{Path, PathBuf},
};

use toml::de::{DeTable, DeValue};

use crate::{
    config::key::{KEYRING_SERVICE, Key},
    report::Failure,
};

/// `config.toml` of the vendor's command line, and where its profiles are.
#[derive(Debug, Default)]
pub(crate) struct VendorConfig {
    /// The folder `.cx`; `None` if there is no home directory.
    folder: Option<PathBuf>,
    /// The profile that is used if none is chosen.
    default_profile: Option<String>,
    /// Whether `read_only` is on.
    pub(crate) read_only: bool,
}

/// A profile of the vendor's command line.
#[derive(Debug)]
pub(crate) struct Profile {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    /// A region, or the URL of a host.
    pub(crate) region: Option<Located<String>>,
    pub(crate) credential: Credential,
}

/// A value, and where it stands.
#[derive(Debug)]
pub(crate) struct Located<T> {
    pub(crate) value: T,
    /// The file and line, such as `/home/me/.cx/profiles/work.toml, line 2`.
    pub(crate) at: String,
}

/// How a profile authenticates.
#[derive(Debug)]
pub(crate) enum Credential {
    /// With a key that stands in the file.
    Key(Box<Key>),
    /// With a secret in the keyring of the system.
    Keyring,
    /// With a sign-in that only the vendor's command line can renew.
    OAuth,
    /// Not at all: the file has no key.
    None,
}

impl VendorConfig {
    /// Reads `$CX_HOME/.cx/config.toml`, or `~/.cx/config.toml`. A file that does not exist is no error.
    pub(crate) fn load() -> Result<Self, Failure> {
        let Some(folder) = folder() else { return Ok(Self::default()) };
        let mut config = Self { folder: Some(folder.clone()), ..Self::default() };
        if let Some(file) = File::read(folder.join("config.toml"))? {
            let table = file.parse()?;
            config.default_profile = file.text(&table, "default_profile")?.map(|name| name.value);
            let boolean = |value: &DeValue<'_>| value.as_bool();
            let read_only = file.value(&table, "read_only", boolean, "is neither `true` nor `false`")?;
            config.read_only = read_only.is_some_and(|read_only| read_only.value);
        }
        Ok(config)
    }

    /// The name of the default profile, and where it comes from.
    pub(crate) fn default_profile(&self) -> Option<(String, String)> {
        Some((self.default_profile.clone()?, format!("default_profile of {}", self.path().display())))
    }

    /// Where `config.toml` is, or would be.
    pub(crate) fn path(&self) -> PathBuf {
        self.folder.clone().unwrap_or_default().join("config.toml")
    }

    /// Reads a profile. `source` says where its name comes from.
    pub(crate) fn profile(&self, name: &str, source: &str) -> Result<Profile, Failure> {
        let is_file_name = Path::new(name).file_name().is_some_and(|file| file == name) && !name.contains(['/', '\\']);
        let shown = name.escape_debug();
        if !is_file_name {
            return Err(Failure::usage(format!("the profile `{shown}` of {source} is not the name of a file"))
                .next("give the name of a profile, such as `default`; nothing was sent"));
        }
        let Some(folder) = &self.folder else {
            return Err(Failure::usage(format!(
                "there is no profile `{shown}` of {source}: there is no home directory"
            ))
            .next("set HOME or CX_HOME; nothing was sent"));
        };
        let path = folder.join("profiles").join(format!("{name}.toml"));
        let Some(file) = File::read(path.clone())? else {
            let names = names();
            let next = if names.is_empty() {
                "there are no profiles: set CORALOGIX_API_KEY and CORALOGIX_REGION instead".to_owned()
            } else {
                format!("the profiles are: {}", names.join(", "))
            };
            let path = path.display();
            let summary = format!("there is no profile `{shown}` of {source}: {path} does not exist");
            return Err(Failure::usage(summary).next(next + "; nothing was sent"));
        };
        let table = file.parse()?;
        let auth = file.choice(&table, "auth", ["api_key", "oauth"])?;
        let storage = file.choice(&table, "credential_storage", ["file", "os_store"])?;
        let key = file.text(&table, "api_key")?.filter(|key| !key.value.is_empty());
        let credential = match (key, storage, auth) {
            (Some(key), _, _) => match Key::new(key.value) {
                Ok(key) => Credential::Key(Box::new(key)),
                Err(error) => return Err(File::failure(&key.at, &format!("`api_key`: {}", error.summary()))),
            },
            (None, Some("os_store"), _) => Credential::Keyring,
            (None, _, Some("oauth")) => Credential::OAuth,
            (None, _, _) => Credential::None,
        };
        let region = file.text(&table, "region")?.filter(|region| !region.value.trim().is_empty());
        Ok(Profile { name: name.to_owned(), region, credential, path: file.path })
    }
}

/// The names of all profiles, sorted.
pub(crate) fn names() -> Vec<String> {
    let Some(folder) = folder() else { return Vec::new() };
    let names = fs::read_dir(folder.join("profiles")).into_iter().flatten().flatten().filter_map(|entry| {
        let path = PathBuf::from(entry.file_name());
        let name = path.file_stem()?.to_string_lossy().into_owned();
        (path.extension()? == "toml").then_some(name)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

/// The folder `.cx`; `None` if there is no home directory.
fn folder() -> Option<PathBuf> {
    let home = env::var_os("CX_HOME").filter(|home| !home.is_empty()).map(PathBuf::from).or_else(env::home_dir);
    Some(home.filter(|home| !home.as_os_str().is_empty())?.join(".cx"))
}

impl Profile {
    /// Where the API key is, or would be.
    pub(crate) fn key_source(&self) -> String {
        match self.credential {
            Credential::Keyring => format!("the keyring: service {KEYRING_SERVICE}, account {}", self.name),
            _ => self.path.display().to_string(),
        }
    }

    /// A warning if other users of this machine may read the file, and there is a key in it.
    #[cfg(unix)]
    pub(crate) fn permission_warning(&self) -> Option<String> {
        use std::os::unix::fs::PermissionsExt;

        let mode = fs::metadata(&self.path).ok()?.permissions().mode();
        let is_exposed = matches!(self.credential, Credential::Key(_)) && mode & 0o044 != 0;
        let path = self.path.display();
        is_exposed.then(|| {
            format!("warning: other users of this machine may read the API key in {path}: run `chmod 600 '{path}'`")
        })
    }

    #[cfg(not(unix))]
    pub(crate) fn permission_warning(&self) -> Option<String> {
        None
    }
}

/// A TOML file of the vendor's command line.
struct File {
    path: PathBuf,
    content: String,
}

impl File {
    fn read(path: PathBuf) -> Result<Option<Self>, Failure> {
        match fs::read_to_string(&path) {
            Ok(content) => Ok(Some(Self { path, content })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Self::failure(&path.display().to_string(), &format!("it can't be read: {error}"))),
        }
    }

    fn failure(at: &str, problem: &str) -> Failure {
        Failure::usage(format!("{at}: {problem}")).next("correct the file; nothing was sent")
    }

    fn parse(&self) -> Result<DeTable<'_>, Failure> {
        match DeTable::parse(&self.content) {
            Ok(table) => Ok(table.into_inner()),
            // Without the line itself, which may have a key in it.
            Err(error) => {
                let at = self.at(error.span().map_or(0, |span| span.start));
                Err(Self::failure(&at, &format!("it is not TOML: {}", error.message())))
            }
        }
    }

    /// Where a byte of the file is.
    fn at(&self, offset: usize) -> String {
        let line = self.content.bytes().take(offset).filter(|byte| *byte == b'\n').count() + 1;
        format!("{}, line {line}", self.path.display())
    }

    /// The value of a name, as `read` understands it.
    fn value<T>(
        &self,
        table: &DeTable<'_>,
        name: &str,
        read: impl FnOnce(&DeValue<'_>) -> Option<T>,
        problem: &str,
    ) -> Result<Option<Located<T>>, Failure> {
        let Some(value) = table.get(name) else { return Ok(None) };
        let at = self.at(value.span().start);
        match read(value.get_ref()) {
            Some(value) => Ok(Some(Located { value, at })),
            None => Err(Self::failure(&at, &format!("`{name}` {problem}"))),
        }
    }

    fn text(&self, table: &DeTable<'_>, name: &str) -> Result<Option<Located<String>>, Failure> {
        let text = |value: &DeValue<'_>| value.as_str().map(str::to_owned);
        self.value(table, name, text, "is not a text: write it in double quotes")
    }

    fn choice<'a>(&self, table: &DeTable<'_>, name: &str, choices: [&'a str; 2]) -> Result<Option<&'a str>, Failure> {
        let known = |value: &DeValue<'_>| choices.into_iter().find(|choice| value.as_str() == Some(choice));
        let choice = self.value(table, name, known, &format!("is not \"{}\"", choices.join("\" or \"")))?;
        Ok(choice.map(|choice| choice.value))
    }
}

/// The value of an environment variable; an empty one counts as not set. What is not UTF-8 is replaced, which no valid value
/// has in it.
pub(crate) fn variable(name: &str) -> Option<String> {
    env::var_os(name).filter(|value| !value.is_empty()).map(|value| value.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_a_home_directory_no_file_of_the_current_folder_is_a_profile() {
        let failure = VendorConfig::default().profile("work", "--profile").unwrap_err();
        assert_eq!(failure.summary, "there is no profile `work` of --profile: there is no home directory");
    }
}
