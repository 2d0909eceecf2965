//! Remembers the ids of the last list on this machine, so that the shell can complete them. They are kept in the cache folder
//! of the user; what can't be written or read is no error, because nothing but completion depends on it.

use std::{
    fs,
    io::{self, Write},
    path::PathBuf,
};

use coralogix_incidents::types::Incident;
use etcetera::{BaseStrategy, choose_base_strategy};

use crate::terminal::sanitize_line;

/// The most ids that are remembered.
const MAX_IDS: usize = 1000;

/// The ids of a list while it is read, each on a line with the name of its incident.
#[derive(Debug, Default)]
pub(crate) struct LastList(Vec<String>);

impl LastList {
    pub(crate) fn add(&mut self, incident: &Incident) {
        if self.0.len() < MAX_IDS {
            let name = sanitize_line(incident.name.as_deref().unwrap_or_default());
            self.0.push(format!("{}\t{name}\n", sanitize_line(&incident.id)));
        }
    }

    /// Replaces what was remembered.
    pub(crate) fn save(&self) {
        let _ = self.try_save();
    }

    fn try_save(&self) -> io::Result<()> {
        let Some(path) = path() else { return Ok(()) };
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        // Renamed when it is complete: a shell may read it at any time.
        let temporary = path.with_extension(std::process::id().to_string());
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        options.open(&temporary)?.write_all(self.0.concat().as_bytes())?;
        fs::rename(temporary, path)
    }
}

/// The remembered ids, each with the name of its incident.
pub(crate) fn load() -> Vec<(String, String)> {
    let text = path().and_then(|path| fs::read_to_string(path).ok()).unwrap_or_default();
    let lines = text.lines().filter_map(|line| line.split_once('\t'));
    lines.map(|(id, name)| (id.to_owned(), name.to_owned())).collect()
}

fn path() -> Option<PathBuf> {
    Some(choose_base_strategy().ok()?.cache_dir().join("cx-incidents").join("last-list"))
}
