//! `--dry-run`: shows the requests that a command would send.

use coralogix_incidents::{Binding, Client};
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

/// The SDK's default for the most ids in one request. If ids are sent in the URL, it may send fewer.
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

/// The requests of an operation that takes one id, in the path.
pub(crate) fn requests_by_id(client: &Client, operation: &str, ids: &[String]) -> Result<Vec<Request>, Failure> {
    ids.iter().map(|id| request(client, operation, Input::Id(id))).collect()
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
    /// Ids, and other members of the request.
    Ids(&'a [String], Map<String, Value>),
    /// A request.
    Message(Value),
}

/// The request of an operation, in the generation that the client is fixed to, or the one that it tries first.
pub(crate) fn request(client: &Client, operation: &str, input: Input<'_>) -> Result<Request, Failure> {
    let operation = Client::operations()
        .find(|known| known.id() == operation)
        .ok_or_else(|| Failure::usage(format!("there is no operation {operation}")))?;
    let binding = match client.api_generation() {
        Some(generation) => operation.binding(generation).ok_or_else(|| {
            Failure::usage(format!("{} is not part of API generation {generation}", operation.id()))
                .next("leave --api-generation off; nothing was sent")
        })?,
        None => &operation.bindings()[0],
    };
    let mut path = binding.path().to_owned();
    let message = match input {
        Input::Id(id) => {
            let refused =
                |error| Failure::sdk(&error).ids(&[id.to_owned()], "the id").next("correct it; nothing was sent");
            path = binding.path_of(id).map_err(refused)?;
            None
        }
        Input::Ids(ids, mut members) => {
            let name = operation.incident_ids().unwrap_or("incidentIds");
            members.insert(name.to_owned(), json!(ids));
            Some(Value::Object(members))
        }
        Input::Message(message) => Some(message),
    };
    let (query, body) = match message {
        Some(message) if !binding.query().is_empty() => (query(binding, &message)?, None),
        message => (None, message),
    };
    let base = client.base_url();
    // A base URL may end in the generation that the path begins with.
    let ends_in_generation = ["/5", "/4", "/latest"].iter().any(|end| base.ends_with(end));
    let path = path.strip_prefix("/5").filter(|_| ends_in_generation).unwrap_or(&path);
    Ok(Request { method: binding.method(), url: format!("{base}{path}"), query, body })
}

/// The members of a request that are sent in the query, with their names there.
fn query(binding: &Binding, message: &Value) -> Result<Option<Value>, Failure> {
    let member = |path: &str| path.split('.').try_fold(message, |value, name| value.get(name));
    if let Some(path) = binding.excluded_members().iter().find(|path| member(path).is_some()) {
        let summary = format!("`{path}` cannot be sent in a query, which API generation {} uses", binding.generation());
        return Err(Failure::usage(summary).next("add --api-generation v1; nothing was sent"));
    }
    let parameters = binding.query().iter();
    let set =
        parameters.filter_map(|parameter| Some((parameter.name().to_owned(), member(parameter.member())?.clone())));
    let query: Map<String, Value> = set.collect();
    Ok((!query.is_empty()).then_some(Value::Object(query)))
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
