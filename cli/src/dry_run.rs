//! `--dry-run`: shows the requests that a command would send.

use coralogix_incidents::{Binding, Client, Operation, bulk::Verb};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    input::Ids,
    report::{Exit, Failure, Stop, counted},
    terminal::{Format, escape_json_controls, sanitize_line, write_stderr_line},
    verb::participle,
};

/// The SDK's default for the most ids in one request. If ids are sent in the URL, it may send fewer.
const IDS_PER_REQUEST: usize = 100;

/// Shows the requests of a change.
pub(crate) async fn change(context: &Context<'_>, verb: &Verb, ids: Ids) -> Result<Exit, Stop> {
    let ids = ids.collect().await?;
    if context.output.format == Format::Ids {
        ids.iter().try_for_each(|id| context.output.line(sanitize_line(id)))?;
    } else {
        let members = match verb {
            Verb::Assign(user) | Verb::Reassign { to: user, .. } => json!({ "assignedTo": user }),
            _ => json!({}),
        };
        show(context, &batches(&context.client, verb.operation().id(), &ids, members)?)?;
    }
    let (incidents, participle) = (counted(ids.len(), "incident"), participle(verb));
    write_stderr_line(format!("dry run: {incidents} would be {participle}; nothing was sent"));
    Ok(Exit::Done)
}

/// Shows the requests of a command that changes nothing, or whose changes are not counted.
pub(crate) fn read(context: &Context<'_>, requests: &[Request]) -> Result<Exit, Stop> {
    show(context, requests)?;
    write_stderr_line("dry run: nothing was sent");
    Ok(Exit::Done)
}

/// Shows one request of each operation.
pub(crate) fn messages<const N: usize>(context: &Context<'_>, messages: [(&str, Value); N]) -> Result<Exit, Stop> {
    let request = |(operation, message)| request(&context.client, operation, Input::Message(message));
    read(context, &messages.into_iter().map(request).collect::<Result<Vec<_>, _>>()?)
}

/// The requests of an operation for any number of ids. `message` has the other members of each request.
pub(crate) fn batches(
    client: &Client,
    operation: &str,
    ids: &[String],
    mut message: Value,
) -> Result<Vec<Request>, Failure> {
    let name = find(operation)?.incident_ids().unwrap_or("incidentIds");
    let batches = ids.chunks(IDS_PER_REQUEST).map(|ids| {
        message[name] = json!(ids);
        request(client, operation, Input::Message(message.clone()))
    });
    batches.collect()
}

/// Checks that each id can be sent in the path of an operation, before any is. Shows the requests if this is a dry run.
pub(crate) fn check_ids(context: &Context<'_>, operation: &str, ids: &[String]) -> Result<Option<Exit>, Stop> {
    let requests = ids.iter().map(|id| request(&context.client, operation, Input::Id(id)));
    let requests = requests.collect::<Result<Vec<_>, _>>()?;
    context.options.dry_run.then(|| read(context, &requests)).transpose()
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
enum Input<'a> {
    /// An id, in the path.
    Id(&'a str),
    /// The request message.
    Message(Value),
}

fn find(operation: &str) -> Result<&'static Operation, Failure> {
    let mut operations = Client::operations();
    let found = operations.find(|known| known.id() == operation);
    found.ok_or_else(|| Failure::usage(format!("there is no operation {operation}")))
}

/// The request of an operation, in the generation that the client is fixed to, or the one that it tries first.
fn request(client: &Client, operation: &str, input: Input<'_>) -> Result<Request, Failure> {
    let operation = find(operation)?;
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
                |error| Failure::from(error).ids(vec![id.to_owned()], "the id").next("correct it; nothing was sent");
            path = binding.path_of(id).map_err(refused)?;
            None
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
    // There are no ids in requests that are not changes.
    if context.output.format == Format::Ids {
        return Ok(());
    }
    context.output.documents(requests, || {
        let mut lines = Vec::new();
        for Request { method, url, query, body } in requests {
            lines.push(format!("{method} {url}"));
            for (name, value) in [("query", query), ("body", body)] {
                lines.extend(
                    value.as_ref().map(|value| format!("  {name} {}", escape_json_controls(&value.to_string()))),
                );
            }
        }
        lines.join("\n")
    })?;
    Ok(())
}
