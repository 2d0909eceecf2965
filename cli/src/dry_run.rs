//! What a command would send, shown instead of sent.

use coralogix_incidents::{Client, bulk::Verb};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    commands::Context,
    commands::args::Format,
    commands::change::Change,
    input::ids::Ids,
    report::errors::{Exit, Failure, Stop, counted, plain},
    terminal::output::{inert, note},
};

/// The SDK's own default: the most ids in one request.
const IDS_PER_REQUEST: usize = 100;

/// The requests of a change. Where ids travel in the URL the SDK may send fewer in each.
pub(crate) async fn change(context: &Context<'_>, change: &Change, ids: Ids) -> Result<Exit, Stop> {
    let all = ids.collect().await?;
    if context.output.format == Format::Ids {
        for id in &all {
            context.output.line(plain(id))?;
        }
    } else {
        let mut requests = Vec::new();
        for ids in all.chunks(IDS_PER_REQUEST) {
            let mut members = Map::new();
            if let Verb::Assign(user) = &change.verb {
                members.insert("assignedTo".to_owned(), json!(user));
            }
            requests.push(request(&context.client, change.operation, Input::Ids(ids, members))?);
        }
        show(context, &requests)?;
    }
    note(format!("dry run: {} would be {}; nothing was sent", counted(all.len()), change.done));
    Ok(Exit::Done)
}

/// The requests of a command that changes nothing.
pub(crate) fn read(context: &Context<'_>, requests: &[Request]) -> Result<Exit, Stop> {
    show(context, requests)?;
    note("dry run: nothing was sent");
    Ok(Exit::Done)
}

/// A request as it would travel.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    method: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// What an operation carries.
pub(crate) enum Input<'a> {
    /// An id, in the path.
    Id(&'a str),
    /// Ids, in a body or, where the generation has it so, in the query; and what else is in the body.
    Ids(&'a [String], Map<String, Value>),
    /// A body.
    Body(Value),
}

pub(crate) fn request(client: &Client, operation: &str, input: Input<'_>) -> Result<Request, Failure> {
    let generation = client.api_generation();
    let binding = Client::operations()
        .find(|known| known.id() == operation)
        .and_then(|known| known.binding(generation))
        .ok_or_else(|| Failure::usage(format!("{operation} is not part of API generation {generation}")))?;
    let mut path = binding.path().to_owned();
    let (mut query, mut body) = (None, None);
    match (input, binding.query_list()) {
        (Input::Id(id), _) => {
            path = binding.path_of(id).map_err(|error| Failure::sdk(&error))?;
        }
        (Input::Ids(ids, _), Some(name)) => query = Some(json!({ name: ids })),
        (Input::Ids(ids, mut members), None) => {
            members.insert("incidentIds".to_owned(), json!(ids));
            body = Some(Value::Object(members));
        }
        (Input::Body(value), _) => body = Some(value),
    }
    Ok(Request { method: binding.method(), url: format!("{}{path}", client.base_url()), query, body })
}

pub(crate) fn show(context: &Context<'_>, requests: &[Request]) -> Result<(), Stop> {
    match context.output.format {
        Format::Json => context.output.json(&requests),
        Format::Ndjson => requests.iter().try_for_each(|request| context.output.ndjson(request)),
        Format::Table => requests.iter().try_for_each(|Request { method, url, query, body }| {
            context.output.line(format_args!("{method} {url}"))?;
            let parts = [("query", query), ("body", body)];
            let mut parts = parts.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?)));
            parts.try_for_each(|(name, value)| {
                context.output.line(format_args!("  {name} {}", inert(&value.to_string())))
            })
        }),
        Format::Ids => Ok(()),
    }
}
