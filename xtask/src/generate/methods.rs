//! The client's methods: progenitor's code as far as the finished request, one request for each API generation, and from
//! there on the SDK's own `exec`, which answers with the SDK's own error.

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

use super::rust::{docs, ident};
use crate::{
    json_pointer::join,
    model::{Generation, Model, Operation, Parameter, reference_name, snake, text},
};

/// The `Client` struct, its methods in the document's order, and what the streams of items need.
pub(super) fn emit(model: &Model<'_>, code: &File) -> Result<TokenStream> {
    let mut client = None;
    let mut functions = Vec::new();
    for item in &code.items {
        match item {
            Item::Struct(structure) if structure.ident == "Client" => client = Some(structure.clone()),
            Item::Impl(block) if block.trait_.is_none() => {
                functions.extend(block.items.iter().filter_map(|item| match item {
                    ImplItem::Fn(function) => Some(function),
                    _ => None,
                }));
            }
            _ => {}
        }
    }
    let mut client = client.context("progenitor wrote no `struct Client`")?;
    client.attrs.retain(|attribute| !attribute.path().is_ident("doc"));
    client.attrs.splice(0..0, docs(CLIENT_DOCS));

    let find = |operation: &Operation| {
        let name = snake(&operation.id);
        functions
            .iter()
            .find(|function| function.sig.ident == name)
            .copied()
            .with_context(|| format!("progenitor wrote no method `{name}` for operation `{}`", operation.id))
    };
    let (mut methods, mut paged) = (TokenStream::new(), TokenStream::new());
    for (operation, other) in model.methods() {
        let other = other.map(|other| Ok::<_, anyhow::Error>((other, find(other)?))).transpose()?;
        let location = model.document.location(&operation.pointer);
        let context = || format!("{location}: operation `{}`", operation.id);
        methods.extend(method(model, operation, find(operation)?, other).with_context(context)?);
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

Made by [`Client::builder`](crate::Client::builder) or [`Client::from_env`](crate::Client::from_env). Cloning is cheap: the
clones share one connection pool and one retry budget. Futures are `Send`, and dropping one at any await leaves the client
usable.";

fn method(
    model: &Model<'_>,
    operation: &Operation,
    function: &ImplItemFn,
    other: Option<(&Operation, &ImplItemFn)>,
) -> Result<TokenStream> {
    let name = &function.sig.ident;
    let mut arguments: Vec<FnArg> = function.sig.inputs.iter().skip(1).cloned().collect();
    for argument in &mut arguments {
        Signature.visit_fn_arg_mut(argument);
    }
    let response = ident(&operation.response);
    let constant = constant(operation);

    let checks = checks(model, operation)?;
    let v1 = request(function)?;
    let v5 = if let Some((other, function)) = other {
        let members = other.parameters.iter().filter_map(|parameter| {
            let member = member(parameter.body_member.as_ref()?);
            let name = ident(&snake(&parameter.name));
            Some(quote!(let #name = &body.#member;))
        });
        // Limits that both bindings state were checked before.
        let new = other.parameters.iter().filter(|parameter| {
            let twin = operation.parameters.iter().find(|twin| snake(&twin.name) == snake(&parameter.name));
            parameter.body_member.is_none() && twin.is_none_or(|twin| twin.schema != parameter.schema)
        });
        let limits = new.map(parameter_limits);
        let checks = limits.collect::<Result<TokenStream>>()?;
        let request = request(function)?;
        quote!({ #(#members)* #checks #request })
    } else {
        quote!(return Err(Error::not_in_generation(&operations::#constant, ApiGeneration::V5)))
    };
    let docs = docs(&documentation(model, operation, other.map(|(other, _)| other)));
    Ok(quote! {
        #(#docs)*
        pub async fn #name(&self, #(#arguments),*) -> Result<ResponseValue<types::#response>, Error> {
            #checks
            let request = match self.api_generation() {
                ApiGeneration::V1 => { #v1 }
                ApiGeneration::V5 => #v5,
            };
            self.exec(&operations::#constant, request).await
        }
    })
}

/// For an operation that the document says is paged: a stream of its items, and what the stream needs to know of its messages.
fn paging(model: &Model<'_>, operation: &Operation) -> Result<(TokenStream, TokenStream)> {
    let Some(items) = &operation.paging else { return Ok(Default::default()) };
    let Some(body) = &operation.body else { bail!("`x-paging` needs a request body that holds `pagination`") };
    let list =
        model.schema(&operation.response).and_then(|schema| schema.pointer(&format!("/properties/{items}/items")));
    let Some(item) = list.and_then(reference_name) else {
        bail!("`x-paging.items: {items}` is no list of messages in `{}`", operation.response);
    };
    for schema in [body, &operation.response] {
        if model.document.get(&join(&format!("/components/schemas/{schema}/properties"), "pagination")).is_none() {
            bail!("`x-paging`: `{schema}` has no member `pagination`");
        }
    }
    let name = ident(&snake(&operation.id));
    let constant = constant(operation);
    let stream = ident(&format!("{}_stream", snake(&operation.id)));
    let (body, response, item, items) = (ident(body), ident(&operation.response), ident(&item), ident(&snake(items)));
    let member = if items == "items" { quote!(items,) } else { quote!(items: #items,) };
    let docs = docs(&format!(
        "{}, page by page, as a stream of items.\n\nThe next page is asked for when the items of the one before are used up. \
         `pagination` of the request sets the size of the pages and the page to begin with. See [`Items`].\n\nNeeds the \
         permission `{}`, as [`{name}`](Self::{name}) does.",
        operation.summary, operation.permission
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
                Ok(response.map(|types::#response { #items, pagination, .. }| {
                    Page { #member next: pagination.and_then(|pagination| pagination.next_page_token) }
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

/// progenitor's statements as far as the finished request; what follows them is the hook and the decoding.
fn request(function: &ImplItemFn) -> Result<TokenStream> {
    let mut statements = Vec::new();
    for statement in &function.block.stmts {
        let local = match statement {
            Stmt::Local(Local { pat, .. }) => pattern_name(pat),
            _ => None,
        };
        match local.map(Ident::to_string).as_deref() {
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
    let build = init.expr;
    Ok(quote!(#(#statements)* #build))
}

fn pattern_name(pattern: &Pat) -> Option<&Ident> {
    match pattern {
        Pat::Ident(pattern) => Some(&pattern.ident),
        _ => None,
    }
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
    for parameter in &operation.parameters {
        out.extend(parameter_limits(parameter)?);
    }
    let Some(body) = &operation.body else { return Ok(out) };
    let properties = model.schema(body).and_then(|schema| schema.get("properties")).and_then(Value::as_object);
    for (name, schema) in properties.into_iter().flatten() {
        let member = member(name);
        out.extend(limits(name, &quote!(body.#member), &quote!(&body.#member), schema)?);
        // A message that a request requires is required with its own id: `assignedTo` names nobody without it.
        let Some(message) = reference_name(schema).and_then(|schema| model.schema(&schema)) else { continue };
        for inner in message.get("required").and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            if text(&message["properties"][inner], "type") == "string" {
                let (what, inner) = (format!("{name}.{inner}"), self::member(inner));
                out.extend(quote!(request::text(#what, &body.#member.#inner, request::Text::NotBlank)?;));
            }
        }
    }
    Ok(out)
}

/// A member of a generated type, as typify names it: a keyword with an underscore.
fn member(name: &str) -> Ident {
    let name = snake(name);
    if syn::parse_str::<Ident>(&name).is_ok() { ident(&name) } else { ident(&(name + "_")) }
}

fn parameter_limits(parameter: &Parameter) -> Result<TokenStream> {
    let name = ident(&snake(&parameter.name)).into_token_stream();
    limits(&parameter.name, &name, &name, &parameter.schema)
}

/// `value` is the thing itself, `borrowed` a reference to it.
fn limits(name: &str, value: &TokenStream, borrowed: &TokenStream, schema: &Value) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    let number =
        |key: &str| schema.get(key).and_then(Value::as_u64).map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if text(schema, "type") == "array" {
        let least = number("minItems").unwrap_or(0);
        let most = number("maxItems").map_or_else(|| quote!(None), |most| quote!(Some(#most)));
        if least > 0 || number("maxItems").is_some() {
            out.extend(quote!(request::count(#name, #value.len(), #least, #most)?;));
        }
        if let Some(rule) = text_rule(name, &schema["items"])? {
            out.extend(quote!(request::each(#name, #borrowed, #rule)?;));
        }
    } else if let Some(rule) = text_rule(name, schema)? {
        out.extend(quote!(request::text(#name, #borrowed, #rule)?;));
    }
    Ok(out)
}

/// The two patterns that the document may state: regular expressions at run time would cost more than the rest of the call.
fn text_rule(name: &str, schema: &Value) -> Result<Option<TokenStream>> {
    match text(schema, "pattern") {
        "" if schema.get("minLength").is_some() => bail!("`{name}`: state `pattern: '\\S'` beside `minLength`"),
        "" => Ok(None),
        r"\S" => Ok(Some(quote!(request::Text::NotBlank))),
        r"^[^/:\s]+$" => Ok(Some(quote!(request::Text::PathSegment))),
        other => bail!("`{name}`: the pattern `{other}` is not one the generator knows: `\\S` and `^[^/:\\s]+$`"),
    }
}

fn documentation(model: &Model<'_>, operation: &Operation, other: Option<&Operation>) -> String {
    let node = model.document.get(&operation.pointer).unwrap_or(&Value::Null);
    let parameters: Vec<String> = operation.parameters.iter().map(parameter_line).collect();
    let parameters =
        if parameters.is_empty() { String::new() } else { format!("\n\n# Arguments\n\n{}", parameters.join("\n")) };
    let bindings = match other {
        Some(other) => format!("{}; in generation 5 {}", route(operation), route(other)),
        None => format!("{}; not in generation 5", route(operation)),
    };
    let repeat = match operation.idempotency.as_str() {
        "safe" => "It changes nothing, so it is retried after any failure that may pass.",
        "idempotent" => "Repeating it leaves the same state, so it is retried after any failure that may pass.",
        _ => "Repeating it may apply it twice, so it is retried only where the request can't have been processed.",
    };
    let example = text(&node["x-codeSamples"][0], "source").trim_end();
    let example = if example.is_empty() {
        String::new()
    } else {
        format!("\n\n# Example\n\n```\n{}\n```", wrap_example(example))
    };
    format!(
        "{}.\n\n{}{parameters}\n\nNeeds the permission `{}`. Speaks {bindings}. {repeat}\n\n# Errors\n\nSee [`Error`]: its \
         predicates tell the failures apart.{example}",
        operation.summary,
        text(node, "description").trim_end(),
        operation.permission,
    )
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
        parameter.description.split_whitespace().collect::<Vec<_>>().join(" ")
    )
}

fn route(operation: &Operation) -> String {
    format!("`{} {}`", operation.method.to_uppercase(), operation.path)
}

fn constant(operation: &Operation) -> Ident {
    ident(&snake(&operation.id).to_uppercase())
}

/// What the document states of each operation, as constants.
pub(super) fn operations(model: &Model<'_>) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    let mut all = Vec::new();
    for (operation, other) in model.methods() {
        let constant = constant(operation);
        let doc = format!(" {}.", operation.summary);
        let id = &operation.id;
        let permission = &operation.permission;
        let idempotency = match operation.idempotency.as_str() {
            "safe" => quote!(Idempotency::Safe),
            "idempotent" => quote!(Idempotency::Idempotent),
            _ => quote!(Idempotency::NonIdempotent),
        };
        let v1 = binding(operation);
        let v5 = other.map_or_else(
            || quote!(None),
            |other| {
                let binding = binding(other);
                quote!(Some(#binding))
            },
        );
        if operation.generation != Generation::V1 {
            bail!("{}: operation `{id}` has no v1 binding", model.document.location(&operation.pointer));
        }
        out.extend(quote! {
            #[doc = #doc]
            pub(crate) static #constant: Operation = Operation {
                id: #id,
                permission: #permission,
                idempotency: #idempotency,
                v1: #v1,
                v5: #v5,
            };
        });
        all.push(constant);
    }
    Ok(quote! {
        #out

        /// Every operation, in the document's order.
        pub(crate) static ALL: &[&Operation] = &[#(&#all),*];
    })
}

fn binding(operation: &Operation) -> TokenStream {
    let method = operation.method.to_uppercase();
    let path = &operation.path;
    let list =
        operation.parameters.iter().find(|parameter| !parameter.in_path && text(&parameter.schema, "type") == "array");
    let query_list = list.map_or_else(
        || quote!(None),
        |parameter| {
            let name = &parameter.name;
            quote!(Some(#name))
        },
    );
    quote!(Binding { method: #method, path: #path, query_list: #query_list })
}
