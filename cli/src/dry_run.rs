//! What a command would send, shown instead of sent.

use coralogix_incidents::Client;
use serde_json::{Map, Value, json};

use crate::{
    args::Format,
    change::Change,
    failure::{Exit, Failure, Stop},
    ids::Ids,
    output::note,
    verbs::Context,
};

/// The SDK's own default: the most ids in one request.
const IDS_PER_REQUEST: usize = 100;

/// The requests of a change. Where ids travel in the URL the SDK may send fewer in each.
pub(crate) async fn change(context: &Context<'_>, change: &Change, ids: Ids) -> Result<Exit, Stop> {
    let all = ids.collect().await?;
    if context.output.format == Format::Ids {
        for id in &all {
            context.output.line(id)?;
        }
    } else {
        let mut requests = Vec::new();
        for ids in all.chunks(IDS_PER_REQUEST) {
            let mut body = json!({ "incidentIds": ids });
            if let coralogix_incidents::bulk::Verb::Assign(user) = &change.verb {
                body["assignedTo"] = json!(user);
            }
            requests.push(request(&context.client, change.operation, None, &body)?);
        }
        show(context, &requests)?;
    }
    note(format!("dry run: {} incidents would be {}; nothing was sent", all.len(), change.done));
    Ok(Exit::Done)
}

/// The requests of a command that changes nothing.
pub(crate) fn read(context: &Context<'_>, requests: &[Value]) -> Result<Exit, Stop> {
    show(context, requests)?;
    note("dry run: nothing was sent");
    Ok(Exit::Done)
}

/// A request as it would travel: method, URL, and query or body.
pub(crate) fn request(client: &Client, operation: &str, id: Option<&str>, body: &Value) -> Result<Value, Failure> {
    let generation = client.api_generation();
    let binding = Client::operations()
        .find(|known| known.id() == operation)
        .and_then(|known| known.binding(generation))
        .ok_or_else(|| Failure::usage(format!("{operation} is not part of API generation {generation}")))?;
    let mut path = binding.path().to_owned();
    if let (Some(id), Some(start), Some(end)) = (id, path.find('{'), path.find('}')) {
        path.replace_range(start..=end, id);
    }
    let mut request = Map::new();
    request.insert("method".to_owned(), json!(binding.method()));
    request.insert("url".to_owned(), json!(format!("{}{path}", client.base_url())));
    match binding.query_list() {
        Some(name) => {
            let ids = body.as_object().and_then(|body| body.values().find(|value| value.is_array()));
            request.insert("query".to_owned(), json!({ name: ids }));
        }
        None if body.is_null() => {}
        None => {
            request.insert("body".to_owned(), body.clone());
        }
    }
    Ok(Value::Object(request))
}

fn show(context: &Context<'_>, requests: &[Value]) -> Result<(), Stop> {
    match context.output.format {
        Format::Json => context.output.json(&requests),
        Format::Ndjson => requests.iter().try_for_each(|request| context.output.ndjson(request)),
        Format::Table => requests.iter().try_for_each(|request| {
            let text = |name: &str| request.get(name).and_then(Value::as_str).unwrap_or_default();
            context.output.line(format_args!("{} {}", text("method"), text("url")))?;
            let members = [("query", "query"), ("body", "body")];
            members
                .into_iter()
                .filter_map(|(name, label)| Some((label, request.get(name)?)))
                .try_for_each(|(label, value)| context.output.line(format_args!("  {label} {value}")))
        }),
        Format::Ids => Ok(()),
    }
}
