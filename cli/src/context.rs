//! What every command that calls the service works with.

use coralogix_incidents::Client;

use crate::{config::options::GlobalOptions, terminal::output::Output};

pub(crate) struct Context<'a> {
    pub(crate) options: &'a GlobalOptions,
    pub(crate) output: &'a Output,
    pub(crate) client: Client,
}
