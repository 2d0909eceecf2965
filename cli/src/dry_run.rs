//! `--dry-run`: shows the requests that a command would send.

use coralogix_incidents::{Client, QueryParameter};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    action::Action,
    context::Context,
    input::ids::Ids,
    report::errors::{Exit, Failure, Stop, counted},
    terminal::{
        output::Format,
        sanitize::{escape_json_controls, sanitize_line},
        streams::write_stderr_line,
    },
};

/// The SDK's default for the most ids in one request. Where ids travel in the URL, it may send fewer.
const IDS_PER_REQUEST: usize = 100;

/// Shows the requests of a change.
pub(crate) async fn change(context: &Context<'_>, action: &Action, ids: Ids) -> Result<Exit, Stop> {
    let ids = ids.collect().await?;
    if context.output.format == Format::Ids {
        for id in &ids {
            context.output.line(sanitize_line(id))?;
        }
    } else {
        let mut members = Map::new();
        if let Action::Assign { to } | Action::HandOver { to, .. } = action {
            members.insert("assignedTo".to_owned(), json!({ "userId": to }));
        }
        let requests = ids
            .chunks(IDS_PER_REQUEST)
            .map(|ids| request(&context.client, action.operation(), Input::Ids(ids, members.clone())))
            .collect::<Result<Vec<_>, _>>()?;
        show(context, &requests)?;
    }
    write_stderr_line(format!("dry run: {} would be {}; nothing was sent", counted(ids.len()), action.participle()));
    Ok(Exit::Done)
}

/// Shows the requests of a command that changes nothing.
pub(crate) fn read(context: &Context<'_>, requests: &[Request]) -> Result<Exit, Stop> {
    show(context, requests)?;
    write_stderr_line("dry run: nothing was sent");
    Ok(Exit::Done)
}

/// The requests of an operation for any number of ids.
pub(crate) fn requests(client: &Client, operation: &str, ids: &[String]) -> Result<Vec<Request>, Failure> {
    ids.chunks(IDS_PER_REQUEST).map(|ids| request(client, operation, Input::Ids(ids, Map::new()))).collect()
}

/// A request as it would be sent.
#[derive(Debug, Serialize)]
pub(crate) struct Request {
    method: &'static str,
    url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    query: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
}

/// The input of an operation.
pub(crate) enum Input<'a> {
    /// An id, in the path.
    Id(&'a str),
    /// Ids, in the body or, where the API generation has them there, in the query; and other members of the body.
    Ids(&'a [String], Map<String, Value>),
    /// A body.
    Body(Value),
}

pub(crate) fn request(client: &Client, operation: &str, input: Input<'_>) -> Result<Request, Failure> {
    let generation = client.api_generation();
    let binding = Client::operations()
        .find(|known| known.id() == operation)
        .and_then(|known| generation.map_or_else(|| known.bindings().first(), |generation| known.binding(generation)))
        .ok_or_else(|| Failure::usage(format!("{operation} is not part of this API generation")))?;
    let mut path = binding.path().to_owned();
    let (mut query, mut body) = (None, None);
    let list = binding.query().iter().find(|parameter| parameter.is_list()).map(QueryParameter::name);
    match (input, list) {
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
    let output = context.output;
    match output.format {
        Format::Json => output.json(&requests)?,
        Format::Ndjson => requests.iter().try_for_each(|request| output.ndjson(request))?,
        Format::Table => {
            for Request { method, url, query, body } in requests {
                output.line(format_args!("{method} {url}"))?;
                for (name, value) in [("query", query), ("body", body)] {
                    if let Some(value) = value {
                        output.line(format_args!("  {name} {}", escape_json_controls(&value.to_string())))?;
                    }
                }
            }
        }
        Format::Ids => {}
    }
    Ok(())
}
