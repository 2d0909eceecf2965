//! The client's methods: progenitor's code as far as the finished request, one request for each API generation, and from
//! there on the SDK's own `exec`, which answers with the SDK's own error.

use std::collections::HashMap;

use anyhow::{Context, Result, bail};
use proc_macro2::{Ident, TokenStream};
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{
    Expr, ExprLit, ExprMacro, ExprMethodCall, File, FnArg, ImplItem, ImplItemFn, Item, Lit, Local, Macro, Pat, Stmt,
    Token, Type, parse_quote,
    punctuated::Punctuated,
    visit_mut::{VisitMut, visit_expr_mut, visit_type_mut},
};

use super::{
    prose::{code, fence, prose},
    rust::{docs, field_ident, ident},
};
use crate::{
    json_pointer::join,
    model::{
        Generation, Method, Model, Operation, Parameter, limits as binding_limits,
        query::{self, Kind},
        reference_name, snake, text,
    },
    openapi::{members, texts},
};

/// The `Client` struct, its methods in the document's order, and what the streams of items need.
pub(super) fn emit(model: &Model<'_>, code: &File) -> Result<TokenStream> {
    let client = code.items.iter().find_map(|item| match item {
        Item::Struct(structure) if structure.ident == "Client" => Some(structure.clone()),
        _ => None,
    });
    let mut client = client.context("progenitor wrote no `struct Client`")?;
    client.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    client.attrs.splice(0..0, docs(CLIENT_DOCS));

    let items = code.items.iter().flat_map(|item| match item {
        Item::Impl(block) if block.trait_.is_none() => block.items.as_slice(),
        _ => &[],
    });
    let functions: HashMap<String, &ImplItemFn> = items
        .filter_map(|item| match item {
            ImplItem::Fn(function) => Some((function.sig.ident.to_string(), function)),
            _ => None,
        })
        .collect();
    let find = |operation: &Operation| {
        let name = snake(&operation.id);
        let missing = || format!("progenitor wrote no method `{name}` for operation `{}`", operation.id);
        functions.get(&name).copied().with_context(missing)
    };
    let (mut methods, mut paged) = (TokenStream::new(), TokenStream::new());
    for method in model.methods() {
        let operation = method.operation;
        let location = model.document.location(&operation.pointer);
        let context = || format!("{location}: operation `{}`", operation.id);
        let functions = method.bindings.iter().map(|binding| Ok((*binding, find(binding)?)));
        let functions = functions.collect::<Result<Vec<_>>>()?;
        methods.extend(self::method(model, &method, &functions).with_context(context)?);
        let (stream, implementation) = paging(model, operation).with_context(context)?;
        methods.extend(stream);
        paged.extend(implementation);
    }
    Ok(quote! {
        #client

        impl Client {
            #methods
        }

        #paged
    })
}

const CLIENT_DOCS: &str = "\
A client of the Coralogix Incidents API.

Created by [`Client::builder`](crate::Client::builder) or [`Client::from_env`](crate::Client::from_env). Cloning is cheap:
clones share one connection pool and one retry budget. Futures are `Send`, and dropping one at any await leaves the client
usable.";

fn method(model: &Model<'_>, method: &Method<'_>, functions: &[(&Operation, &ImplItemFn)]) -> Result<TokenStream> {
    let operation = method.operation;
    let Some((_, function)) = functions.first() else { bail!("it has no binding") };
    let name = &function.sig.ident;
    let mut arguments: Vec<FnArg> = function.sig.inputs.iter().skip(1).cloned().collect();
    for argument in &mut arguments {
        Signature.visit_fn_arg_mut(argument);
    }
    if let (Some(message), None) = (&operation.message, &operation.body) {
        let message = ident(message);
        arguments.push(parse_quote!(body: &types::#message));
    }
    let response = ident(&operation.response);
    let constant = constant(operation);

    let checks = checks(model, operation)?;
    let requests = functions.iter().map(|(binding, function)| {
        let limits = own_limits(operation, binding)?;
        let request = request(function, has_query_message(binding))?;
        Ok((generation(binding.generation), quote!(#limits #request)))
    });
    let requests = requests.collect::<Result<Vec<_>>>()?;
    let binding = if functions.iter().any(|(binding, _)| has_query_message(binding)) || requests.len() > 1 {
        quote!(binding)
    } else {
        quote!(_)
    };
    let request = match requests.as_slice() {
        [(_, request)] => request.clone(),
        requests => {
            let arms = requests.iter().map(|(generation, request)| quote!(#generation => { #request }));
            quote!(match binding.generation { #(#arms)* })
        }
    };
    let send = if let Some((ids, list)) = verb(model, operation) {
        quote! {
            let answers = |reply: &types::#response| reply.#list.iter().any(|incident| #ids.contains(&incident.id));
            self.exec(&operations::#constant, &request, Some(&answers)).await
        }
    } else {
        quote!(self.exec(&operations::#constant, &request, None).await)
    };
    let docs = docs(&documentation(model, method));
    Ok(quote! {
        #(#docs)*
        pub async fn #name(&self, #(#arguments),*) -> Result<ResponseValue<types::#response>, Error> {
            #checks
            let request = |#binding: &Binding| { #request };
            #send
        }
    })
}

fn generation(generation: Generation) -> TokenStream {
    match generation {
        Generation::V1 => quote!(ApiGeneration::V1),
        Generation::V5 => quote!(ApiGeneration::V5),
    }
}

/// Whether members of the request message are sent in the query of a binding.
fn has_query_message(binding: &Operation) -> bool {
    binding.parameters.iter().any(|parameter| parameter.body_member.is_some())
}

/// The limits that a binding states of its own parameters, beyond those of the operation.
fn own_limits(operation: &Operation, binding: &Operation) -> Result<TokenStream> {
    if binding.id == operation.id {
        return Ok(TokenStream::new());
    }
    let mut out = TokenStream::new();
    if let Some((name, most)) = binding_limits::max_ids_in_body(binding, operation) {
        let (member, most) = (field_ident(name), usize::try_from(most)?);
        out.extend(quote!(request::check_count(#name, body.#member.len(), 0, Some(#most))?;));
    }
    for parameter in &binding.parameters {
        let is_twin = |other: &&Parameter| snake(&other.name) == snake(&parameter.name);
        let twin = operation.parameters.iter().find(is_twin).filter(|_| parameter.body_member.is_none());
        if twin.is_none_or(|twin| twin.schema != parameter.schema) {
            out.extend(parameter_limits(parameter)?);
        }
    }
    Ok(out)
}

/// For an operation that changes incidents which it is given the ids of, and answers with them: the ids, and the list in the
/// response.
fn verb(model: &Model<'_>, operation: &Operation) -> Option<(TokenStream, Ident)> {
    let ids = operation.incident_ids.as_ref()?;
    if operation.idempotency == "safe" || operation.parameters.iter().any(|parameter| &parameter.name == ids) {
        return None;
    }
    let ids = field_ident(ids);
    let mut members = members(&model.schema(&operation.response)?["properties"]);
    let (list, _) = members.find(|(_, schema)| {
        let item = reference_name(&schema["items"]).and_then(|item| model.schema(&item));
        item.is_some_and(|item| item.pointer("/properties/id").is_some())
    })?;
    Some((quote!(body.#ids), ident(&snake(list))))
}

/// For an operation that the document says is paged: a stream of its items, and what the stream needs to know of its messages.
fn paging(model: &Model<'_>, operation: &Operation) -> Result<(TokenStream, TokenStream)> {
    let Some(items) = &operation.paging else { return Ok(Default::default()) };
    let Some(body) = &operation.message else { bail!("`x-paging` needs a request message that holds `pagination`") };
    let list =
        model.schema(&operation.response).and_then(|schema| schema.pointer(&format!("/properties/{items}/items")));
    let Some(item) = list.and_then(reference_name) else {
        bail!("`x-paging.items: {items}` is no list of messages in `{}`", operation.response);
    };
    for (schema, member) in
        [(body, "pagination"), (&operation.response, "pagination"), (&operation.response, "nextPageToken")]
    {
        if model.document.get(&join(&format!("/components/schemas/{schema}/properties"), member)).is_none() {
            bail!("`x-paging`: `{schema}` has no member `{member}`");
        }
    }
    let name = ident(&snake(&operation.id));
    let constant = constant(operation);
    let stream = ident(&format!("{}_stream", snake(&operation.id)));
    let (body, response, item, items) = (ident(body), ident(&operation.response), ident(&item), ident(&snake(items)));
    let member = if items == "items" { quote!(items,) } else { quote!(items: #items,) };
    let docs = docs(&format!(
        "{}, page by page, as a stream of items.\n\nThe next page is requested when all items of the previous one have been yielded. \
         `pagination` of the request sets the page size and the first page. See [`Items`].\n\nRequires the \
         permission {}, as [`{name}`](Self::{name}) does.",
        prose(&operation.summary),
        code(&operation.permission)
    ));
    let method = quote! {
        #(#docs)*
        pub fn #stream(&self, request: types::#body) -> Items<types::#body> {
            Items::new(self.clone(), request)
        }
    };
    let implementation = quote! {
        impl Paged for types::#body {}

        impl sealed::Sealed for types::#body {
            type Item = types::#item;
            const OPERATION: &'static Operation = &operations::#constant;

            fn pagination(&mut self) -> &mut Option<types::PaginationRequest> {
                &mut self.pagination
            }

            async fn send(self, client: Client) -> Result<ResponseValue<Page<Self::Item>>, Error> {
                let response = client.#name(&self).await?;
                Ok(response.map(|types::#response { #items, pagination, next_page_token, .. }| {
                    Page { #member next: paging::next_token(pagination, next_page_token) }
                }))
            }
        }
    };
    Ok((method, implementation))
}

/// Lists are borrowed as slices, and lifetimes are left to the compiler.
struct Signature;

impl VisitMut for Signature {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_type_mut(self, ty);
        if let Type::Reference(reference) = ty {
            reference.lifetime = None;
        } else if ty.to_token_stream().to_string().replace(' ', "") == "::std::vec::Vec<::std::string::String>" {
            *ty = parse_quote!([String]);
        }
    }
}

/// progenitor's statements as far as the finished request; what follows them is the hook and the decoding. With
/// `query_message`, the query is encoded from the request message.
fn request(function: &ImplItemFn, query_message: bool) -> Result<TokenStream> {
    let mut statements = Vec::new();
    for statement in &function.block.stmts {
        let local = match statement {
            Stmt::Local(Local { pat: Pat::Ident(pattern), .. }) => Some(pattern.ident.to_string()),
            _ => None,
        };
        match local.as_deref() {
            Some("info") => break,
            Some("header_map") => continue,
            None if statement.to_token_stream().to_string().starts_with("header_map") => continue,
            _ => {}
        }
        let mut statement = statement.clone();
        Request.visit_stmt_mut(&mut statement);
        statements.push(statement);
    }
    let Some(Stmt::Local(Local { init: Some(init), .. })) = statements.pop() else {
        bail!("progenitor's method does not end in a request: is this a version the generator does not know?");
    };
    // `request.build()?`: the closure answers with the result as it is.
    let mut build = match *init.expr {
        Expr::Try(attempt) => *attempt.expr,
        other => other,
    };
    let mut query = TokenStream::new();
    if query_message {
        query = quote!(let query = request::query(binding, body)?;);
        add_query(&mut build).context("progenitor's method does not end in `build()`")?;
    }
    Ok(quote!(#query #(#statements)* #build))
}

/// `request.build()` as `request.query(&query).build()`.
fn add_query(expression: &mut Expr) -> Option<()> {
    let Expr::MethodCall(call) = expression else { return None };
    if call.method != "build" {
        return add_query(&mut call.receiver);
    }
    let receiver = &call.receiver;
    call.receiver = parse_quote!(#receiver.query(&query));
    Some(())
}

/// Leaves out the `api-version` header, which this service does not know, and `accept`, which every request has; appends
/// paths to the parsed base URL, turns reqwest's error into ours, and spares the SDK a dependency on progenitor's own client
/// library.
struct Request;

impl VisitMut for Request {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_expr_mut(self, expression);
        match expression {
            Expr::MethodCall(call) if call.method == "headers" || is_accept(call) => {
                *expression = *call.receiver.clone();
            }
            Expr::Macro(ExprMacro { mac, .. }) if mac.path.is_ident("format") => {
                if let Some(url) = url(mac) {
                    *expression = url;
                }
            }
            Expr::Try(attempt) => {
                let inner = &attempt.expr;
                *expression = parse_quote!(#inner.map_err(Error::unbuildable)?);
            }
            Expr::Call(call) if call.func.to_token_stream().to_string().ends_with("QueryParam :: new") => {
                let arguments = call.args.iter().map(|argument| match argument {
                    Expr::Reference(reference) => &reference.expr,
                    other => other,
                });
                *expression = parse_quote!(request::query_list(#(#arguments),*));
            }
            _ => {}
        }
    }
}

fn is_accept(call: &ExprMethodCall) -> bool {
    let first = call.args.first().map(|name| name.to_token_stream().to_string());
    call.method == "header" && first.is_some_and(|name| name.ends_with("ACCEPT"))
}

/// `format!("{}/path/{}", self.baseurl, id)` as `self.url(&format!("/path/{}", id))`.
fn url(format: &Macro) -> Option<Expr> {
    let arguments = format.parse_body_with(Punctuated::<Expr, Token![,]>::parse_terminated).ok()?;
    let mut arguments = arguments.into_iter();
    let Some(Expr::Lit(ExprLit { lit: Lit::Str(template), .. })) = arguments.next() else { return None };
    let base = arguments.next()?;
    if base.to_token_stream().to_string() != "self . baseurl" {
        return None;
    }
    let template = template.value();
    let path = template.strip_prefix("{}")?;
    let mut arguments = arguments.peekable();
    Some(if arguments.peek().is_some() {
        parse_quote!(self.url(&format!(#path, #(#arguments),*)))
    } else {
        parse_quote!(self.url(#path))
    })
}

/// The limits that the document states of a request, checked before it is built.
fn checks(model: &Model<'_>, operation: &Operation) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    for parameter in operation.parameters.iter().filter(|parameter| parameter.body_member.is_none()) {
        out.extend(parameter_limits(parameter)?);
    }
    let message = operation.message.as_ref().and_then(|message| model.schema(message));
    for (name, schema) in message.into_iter().flat_map(|message| members(&message["properties"])) {
        let member = field_ident(name);
        out.extend(limits(name, &quote!(body.#member), &quote!(&body.#member), schema)?);
        // A message that a request requires is required with its own id: `assignedTo` names nobody without it.
        let Some(message) = reference_name(schema).and_then(|schema| model.schema(&schema)) else { continue };
        for inner in texts(&message["required"]) {
            if text(&message["properties"][inner], "type") == "string" {
                let (what, inner) = (format!("{name}.{inner}"), field_ident(inner));
                out.extend(quote!(request::check_text(#what, &body.#member.#inner, request::NOT_BLANK)?;));
            }
        }
    }
    Ok(out)
}

fn parameter_limits(parameter: &Parameter) -> Result<TokenStream> {
    if let Some(name) = &parameter.body_member {
        let member = field_ident(name);
        return limits(name, &quote!(body.#member), &quote!(&body.#member), &parameter.schema);
    }
    let name = ident(&snake(&parameter.name)).into_token_stream();
    limits(&parameter.name, &name, &name, &parameter.schema)
}

/// `value` is the thing itself, `borrowed` a reference to it.
fn limits(name: &str, value: &TokenStream, borrowed: &TokenStream, schema: &Value) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    if text(schema, "type") == "array" {
        let least = schema["minItems"].as_u64().map_or(0, count);
        let most = schema["maxItems"].as_u64().map(count);
        if least > 0 || most.is_some() {
            let most = option(most);
            out.extend(quote!(request::check_count(#name, #value.len(), #least, #most)?;));
        }
        if let Some(rule) = text_rule(name, &schema["items"])? {
            out.extend(quote!(request::check_each(#name, #borrowed, #rule)?;));
        }
    } else if let Some(rule) = text_rule(name, schema)? {
        out.extend(quote!(request::check_text(#name, #borrowed, #rule)?;));
    }
    Ok(out)
}

/// The two patterns that the document may state: regular expressions at run time would cost more than the rest of the call.
fn text_rule(name: &str, schema: &Value) -> Result<Option<TokenStream>> {
    let limited = schema.get("minLength").is_some() || schema.get("maxLength").is_some();
    let rule = match text(schema, "pattern") {
        "" if limited => bail!("`{name}`: state `pattern: '\\S'` beside `minLength` and `maxLength`"),
        "" => return Ok(None),
        r"\S" => quote!(request::NOT_BLANK),
        r"^[^/:\s]+$" => quote!(request::PATH_SEGMENT),
        other => bail!("`{name}`: the pattern `{other}` is not one the generator knows: `\\S` and `^[^/:\\s]+$`"),
    };
    if schema.get("minLength").is_some_and(|least| least != 1) {
        bail!("`{name}`: the patterns require one character: write `minLength: 1`");
    }
    let most = schema.get("maxLength").and_then(Value::as_u64).map(usize::try_from).transpose()?;
    Ok(Some(most.map_or_else(|| rule.clone(), |most| quote!(#rule.at_most(#most)))))
}

fn documentation(model: &Model<'_>, method: &Method<'_>) -> String {
    let operation = method.operation;
    let node = model.document.get(&operation.pointer).unwrap_or(&Value::Null);
    let parameters: Vec<String> = operation.parameters.iter().map(parameter_line).collect();
    let parameters =
        if parameters.is_empty() { String::new() } else { format!("\n\n# Arguments\n\n{}", parameters.join("\n")) };
    let bindings = method.bindings.iter().map(|binding| {
        let query = query::of(model.document, binding, operation.message.as_deref());
        let excluded = if query.excluded.is_empty() {
            String::new()
        } else {
            format!(", which does not support `{}`", query.excluded.join("`, `"))
        };
        format!("{} in {}{excluded}", route(binding), generation_name(binding.generation))
    });
    let bindings = bindings.collect::<Vec<_>>().join("; ");
    let repeat = match operation.idempotency.as_str() {
        "safe" => "It changes nothing, so it is retried after transient failures.",
        "idempotent" => "Repeating it is a no-op, so it is retried after transient failures.",
        _ => "Repeating it may apply it twice, so it is retried only if the request cannot have been processed.",
    };
    let example = text(&node["x-codeSamples"][0], "source").trim_end();
    let example = if example.is_empty() {
        String::new()
    } else {
        let example = wrap_example(example);
        let fence = fence(&example);
        format!("\n\n# Example\n\n{fence}\n{example}\n{fence}")
    };
    format!(
        "{}.\n\n{}{parameters}\n\nRequires the permission {}{}. Sends {bindings}. {repeat}\n\n# Errors\n\n[`Error`] \
         has a predicate for each kind of failure.{example}",
        prose(&operation.summary),
        prose(text(node, "description")),
        code(&operation.permission),
        if operation.personal_key { " and a personal key" } else { "" },
    )
}

fn generation_name(generation: Generation) -> &'static str {
    match generation {
        Generation::V1 => "generation V1",
        Generation::V5 => "generation 5",
    }
}

/// The example as a program of its own, which runs against an emulator.
fn wrap_example(source: &str) -> String {
    format!(
        "# #[tokio::main(flavor = \"current_thread\")]\n\
         # async fn main() -> Result<(), Box<dyn std::error::Error>> {{\n\
         # let emulator = coralogix_incidents_emulator::Emulator::start().await?;\n\
         # Ok(example(&emulator.client()?).await?)\n\
         # }}\n\
         # async fn example(client: &coralogix_incidents::Client) -> Result<(), coralogix_incidents::Error> {{\n\
         {source}\n\
         # Ok(())\n\
         # }}"
    )
}

fn parameter_line(parameter: &Parameter) -> String {
    format!(
        "* `{}`: {}",
        snake(&parameter.name),
        prose(&parameter.description.split_whitespace().collect::<Vec<_>>().join(" "))
    )
}

fn route(operation: &Operation) -> String {
    code(&format!("{} {}", operation.method.to_uppercase(), operation.path))
}

fn constant(operation: &Operation) -> Ident {
    ident(&snake(&operation.id).to_uppercase())
}

/// What the document states of each operation, as constants.
pub(super) fn operations(model: &Model<'_>) -> TokenStream {
    let mut out = TokenStream::new();
    let mut all = Vec::new();
    for Method { operation, bindings } in model.methods() {
        let constant = constant(operation);
        let doc = format!(" {}.", prose(&operation.summary));
        let id = &operation.id;
        let permission = &operation.permission;
        let personal_key = operation.personal_key;
        let idempotency = match operation.idempotency.as_str() {
            "safe" => quote!(Idempotency::Safe),
            "idempotent" => quote!(Idempotency::Idempotent),
            _ => quote!(Idempotency::NonIdempotent),
        };
        let incident_ids = option(operation.incident_ids.as_ref());
        let bindings = bindings.iter().map(|binding| self::binding(model, operation, binding));
        out.extend(quote! {
            #[doc = #doc]
            pub(crate) static #constant: Operation = Operation {
                id: #id,
                permission: #permission,
                personal_key: #personal_key,
                idempotency: #idempotency,
                incident_ids: #incident_ids,
                bindings: &[#(#bindings),*],
            };
        });
        all.push(constant);
    }
    quote! {
        #out

        /// Every operation, in the document's order.
        pub(crate) static ALL: &[&Operation] = &[#(&#all),*];
    }
}

fn binding(model: &Model<'_>, operation: &Operation, binding: &Operation) -> TokenStream {
    let generation = generation(binding.generation);
    let method = binding.method.to_uppercase();
    let path = &binding.path;
    let query = query::of(model.document, binding, operation.message.as_deref());
    let excluded = &query.excluded;
    let max_incident_ids = option(binding_limits::max_incident_ids(binding, operation).map(count));
    let max_page_size = option(binding_limits::max_page_size(model.document, binding, operation).map(count));
    let parameters = query.parameters.iter().map(|leaf| {
        let (name, member, list) = (&leaf.name, &leaf.member, leaf.list);
        let json_type = match leaf.kind {
            Kind::String => quote!(JsonType::String),
            Kind::Integer => quote!(JsonType::Integer),
            Kind::Boolean => quote!(JsonType::Boolean),
        };
        quote!(QueryParameter { name: #name, member: #member, list: #list, json_type: #json_type })
    });
    quote! {
        Binding {
            generation: #generation,
            method: #method,
            path: #path,
            query: &[#(#parameters),*],
            excluded: &[#(#excluded),*],
            max_incident_ids: #max_incident_ids,
            max_page_size: #max_page_size,
        }
    }
}

fn count(value: u64) -> usize {
    usize::try_from(value).unwrap_or(usize::MAX)
}

fn option(value: Option<impl ToTokens>) -> TokenStream {
    value.map_or_else(|| quote!(None), |value| quote!(Some(#value)))
}
