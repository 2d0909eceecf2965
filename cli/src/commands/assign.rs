//! `assign`: incidents to a user.

use clap::Args;

use crate::{
    action::Action,
    commands::change,
    context::Context,
    input::{ids::IdArgs, names},
    report::errors::{Exit, Stop},
};

#[derive(Debug, Args)]
pub(crate) struct AssignArgs {
    /// Id of the user (usually an e-mail address)
    #[arg(long, value_name = "USER", value_parser = names::user)]
    to: String,
    #[command(flatten)]
    ids: IdArgs,
}

pub(crate) async fn run(context: &Context<'_>, args: AssignArgs) -> Result<Exit, Stop> {
    change::run(context, Action::Assign { to: args.to }, args.ids).await
}
