//! The commands and the workflows as maintainers and CI run them.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a panic is how a test fails")]

mod commands;
#[cfg(unix)]
mod scene;
mod support;
#[cfg(target_os = "linux")]
mod workflows;
