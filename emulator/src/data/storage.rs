//! Reads and writes files of incidents. It knows nothing of HTTP.

use std::{
    collections::{BTreeMap, HashSet},
    fs::{self, File},
    io::{self, BufWriter, Write as _},
    path::Path,
};

use chrono::{DateTime, Utc};
use coralogix_incidents::types;
use serde::{Deserialize, Serialize, de::Error as _};

use crate::{
    domain::state::{State, Stored},
    error::StartError,
};

/// The contents of a file.
pub(crate) struct Saved {
    pub(crate) incidents: Vec<Stored>,
    pub(crate) ids_issued: u64,
}

/// The saved state of an emulator. A saved response is a special case of it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct StateFile {
    incidents: Vec<types::Incident>,
    /// When each event of an incident happened, by the incident's id.
    #[serde(default)]
    event_times: BTreeMap<String, Vec<DateTime<Utc>>>,
    /// How many ids were issued, so that new events get new ids after a restart.
    #[serde(default)]
    ids_issued: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct StateRef<'a> {
    incidents: Vec<&'a types::Incident>,
    event_times: BTreeMap<&'a str, &'a [DateTime<Utc>]>,
    ids_issued: u64,
}

pub(crate) fn load(path: &Path) -> Result<Saved, StartError> {
    let unreadable = |source: Box<dyn std::error::Error + Send + Sync>| {
        StartError::with_source(format!("cannot read incidents from {}", path.display()), source)
    };
    let bytes = fs::read(path).map_err(|source| unreadable(source.into()))?;
    parse(&bytes).map_err(|source| unreadable(source.into()))
}

/// Reads a list of incidents, or a message with a member `incidents`. Each incident must have an id of its own.
pub(crate) fn parse(bytes: &[u8]) -> serde_json::Result<Saved> {
    // Editors on Windows put a byte order mark before UTF-8.
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let mut file: StateFile = if bytes.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        StateFile { incidents: serde_json::from_slice(bytes)?, event_times: BTreeMap::new(), ids_issued: 0 }
    } else {
        serde_json::from_slice(bytes)?
    };
    let mut ids = HashSet::new();
    for (index, incident) in file.incidents.iter().enumerate() {
        if incident.id.is_empty() {
            return Err(serde_json::Error::custom(format!("the incident at index {index} has no `id`")));
        }
        if !ids.insert(&incident.id) {
            return Err(serde_json::Error::custom(format!("two incidents have the id {:?}", incident.id)));
        }
    }
    let incidents = file.incidents.into_iter().map(|incident| match file.event_times.remove(&incident.id) {
        Some(event_times) if event_times.len() == incident.events.len() => Stored { incident, event_times },
        _ => Stored::new(incident),
    });
    Ok(Saved { incidents: incidents.collect(), ids_issued: file.ids_issued })
}

pub(crate) fn write(state: &State, path: &Path) -> io::Result<()> {
    let file = StateRef {
        incidents: state.all().iter().map(|stored| &stored.incident).collect(),
        event_times: state.all().iter().map(|stored| (stored.incident.id.as_str(), &*stored.event_times)).collect(),
        ids_issued: state.ids().issued(),
    };
    // In the same directory: a rename is atomic only within a file system.
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(name);
    let written = (|| {
        let mut writer = BufWriter::new(File::create(&temporary)?);
        serde_json::to_writer(&mut writer, &file)?;
        writer.write_all(b"\n")?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
        fs::rename(&temporary, path)
    })();
    if written.is_err() {
        // The first error is the one to report. The old file is unchanged.
        let _ = fs::remove_file(&temporary);
    }
    written
}
