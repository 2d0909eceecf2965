//! What every command that calls the service works with.

use coralogix_incidents::{Client, bulk::Bulk};
use coralogix_incidents_emulator::Emulator;

use crate::{
    config::{self, GlobalOptions},
    report::Failure,
    terminal::{Output, write_stderr_line},
};

pub(crate) struct Context<'a> {
    pub(crate) options: &'a GlobalOptions,
    pub(crate) output: &'a Output,
    pub(crate) client: Client,
    /// Stops when it is dropped.
    _emulator: Option<Emulator>,
}

/// What a command does with incidents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    Read,
    Change,
}

impl<'a> Context<'a> {
    /// Connects, unless the command changes incidents and changes are forbidden.
    pub(crate) async fn new(options: &'a GlobalOptions, output: &'a Output, access: Access) -> Result<Self, Failure> {
        let connection = config::connect(options).await?;
        if let Some(source) = &connection.read_only
            && access == Access::Change
            && !options.dry_run
        {
            let failure = Failure::usage(format!("{source} forbids commands that change incidents"));
            return Err(failure.next("turn it off, or add --dry-run to see the requests; nothing was sent"));
        }
        if options.emulator {
            write_stderr_line(
                "emulator: a new one in this process, with 50 made-up incidents; nothing reaches Coralogix",
            );
        }
        Ok(Self { options, output, client: connection.client, _emulator: connection.emulator })
    }

    pub(crate) fn bulk(&self) -> Bulk {
        self.client.bulk().concurrency(self.options.concurrency())
    }
}
