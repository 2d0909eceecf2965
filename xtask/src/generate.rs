//! `cargo xtask generate`: runs progenitor over the document, adapts what it wrote to the service's wire rules and to the
//! SDK's own error, and writes `sdk/src/generated/` and the emulator's table of messages. It also keeps the copies that packages need of files elsewhere.

mod copies;
mod enums;
mod members;
mod messages;
mod methods;
mod prose;
mod rust;
mod structs;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    fs,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    process::ExitCode,
    time::Instant,
};

use anyhow::{Context, Result, anyhow, bail};
use proc_macro2::TokenStream;
use progenitor::{GenerationSettings, Generator, HooksMode, InterfaceStyle, TagStyle, TypeImpl};
use quote::quote;
use serde_json::Value;
use similar::TextDiff;
use xtask::DOCUMENT;

use crate::{
    document::Document,
    model::{Model, reference_name},
};

const TARGET: &str = "sdk/src/generated";

#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Write nothing: print what would change, and exit with 1 where something would.
    #[arg(long)]
    check: bool,
    /// The document to read.
    #[arg(long, default_value = DOCUMENT)]
    document: PathBuf,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    crate::enter_workspace()?;
    let start = Instant::now();
    let document = Document::read(&arguments.document)?;
    let (generated, target) = (generate(&document)?, Path::new(TARGET));
    let count = generated.len();
    let mut files: BTreeMap<PathBuf, String> =
        generated.into_iter().map(|(name, text)| (target.join(name), text)).collect();
    files.insert(messages::TARGET.into(), messages(&document)?);
    files.extend(copies::files()?);
    let changes = changes(target, &files)?;
    if arguments.check {
        return Ok(report(&changes));
    }
    for (path, _, new) in &changes {
        match new {
            Some(new) => write(path, new)?,
            None => fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?,
        }
        println!("{} {}", if new.is_some() { "wrote" } else { "removed" }, path.display());
    }
    println!("{count} files, {} changed, {:.0?}", changes.len(), start.elapsed());
    Ok(ExitCode::SUCCESS)
}

fn write(path: &Path, text: &str) -> Result<()> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    // Written as a file of its own, and not through a link.
    if fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_symlink()) {
        fs::remove_file(path).with_context(|| format!("cannot remove {}", path.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Path, old text and new text of a file that differs. One that is not generated has no new text.
type Change = (PathBuf, String, Option<String>);

/// The files that differ, and what else is in the folder.
fn changes(folder: &Path, files: &BTreeMap<PathBuf, String>) -> Result<Vec<Change>> {
    let read = |path: &Path| fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()));
    let mut changes = Vec::new();
    for (path, new) in files {
        // A link is replaced, whatever it leads to.
        let is_file = fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_symlink());
        let old = if is_file { read(path)? } else { String::new() };
        if old != *new {
            changes.push((path.clone(), old, Some(new.clone())));
        }
    }
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.with_context(|| format!("cannot list {}", folder.display()))?.path();
        if !files.contains_key(&path) {
            let old = read(&path)?;
            changes.push((path, old, None));
        }
    }
    Ok(changes)
}

fn report(changes: &[Change]) -> ExitCode {
    if changes.is_empty() {
        println!("{TARGET} is what {DOCUMENT} says, and the copies are what they are copied from");
        return ExitCode::SUCCESS;
    }
    for change in changes {
        print!("{}", diff(change));
    }
    let paths: Vec<String> = changes.iter().map(|(path, ..)| path.display().to_string()).collect();
    eprintln!("error: out of date: {}; run `cargo xtask generate` and commit the result", paths.join(", "));
    ExitCode::FAILURE
}

fn diff((path, old, new): &Change) -> String {
    let path = path.display().to_string();
    let diff = TextDiff::from_lines(old.as_str(), new.as_deref().unwrap_or_default());
    diff.unified_diff().header(&format!("a/{path}"), &format!("b/{path}")).to_string()
}

/// The generated files by name.
pub(crate) fn generate(document: &Document) -> Result<BTreeMap<&'static str, String>> {
    let model = Model::new(document)?;
    let code = syn::parse2::<syn::File>(progenitor(&model)?).context("progenitor wrote what is not Rust")?;
    let structs = structs::emit(&model, rust::module(&code, "types")?)?;
    let enums = enums::emit(&model)?;
    let client = methods::emit(&model, &code)?;
    let operations = methods::operations(&model);
    let members = members::emit(&model);

    let types = quote! {
        //! The messages and enums of the Coralogix Incidents API.
        //!
        //! They read protobuf JSON as the service's gateway writes it: a member that is absent or `null` is its default, an
        //! unknown member is passed over, and an unknown enum value is kept as it was received. Structs are
        //! `#[non_exhaustive]`, for the service adds members: begin with `default()` and set members with the `with_`
        //! methods.
        use std::collections::BTreeMap;

        use chrono::{DateTime, Utc};
        use serde::{Deserialize, Serialize};

        use crate::wire;

        #structs
        #enums
    };
    let client = quote! {
        //! The client and a method for each operation.
        use super::{operations, types};
        use crate::{
            ApiGeneration, Binding, Error, Operation, ResponseValue,
            paging::{self, Items, Page, Paged, sealed},
            request::{self, encode_path},
        };

        #client
    };
    let operations = quote! {
        //! What the document states of each operation.
        use crate::{
            ApiGeneration,
            operation::{Binding, Idempotency, JsonType, Operation, QueryParameter},
        };

        #operations
    };
    let members = quote! {
        //! The members of the messages that responses consist of.
        use super::types;
        use crate::wire::unknown::{Member, Message, Response};

        #members
    };
    let module = quote! {
        //! Generated code: the client's methods, the types they speak, and what the document states of each operation.
        pub(crate) mod client;
        mod members;
        pub(crate) mod operations;
        pub mod types;
    };
    [
        ("client.rs", client),
        ("members.rs", members),
        ("mod.rs", module),
        ("operations.rs", operations),
        ("types.rs", types),
    ]
    .into_iter()
    .map(|(name, tokens)| Ok((name, rust::format(name, &tokens)?)))
    .collect()
}

/// The emulator's table of messages.
fn messages(document: &Document) -> Result<String> {
    rust::format("messages.rs", &messages::emit(&Model::new(document)?)?)
}

/// What progenitor makes of the document.
fn progenitor(model: &Model<'_>) -> Result<TokenStream> {
    let mut root = model.document.root().clone();
    strip(&mut root);
    let error = match run_progenitor(model, &root) {
        Ok(tokens) => return Ok(tokens),
        Err(error) => error,
    };
    // Generation takes milliseconds: each operation alone tells which of them is the cause.
    for operation in &model.operations {
        let mut alone = root.clone();
        let item = &root["paths"][&operation.path][&operation.method];
        alone["paths"] = serde_json::json!({ operation.path.as_str(): { operation.method.as_str(): item } });
        if let Err(error) = run_progenitor(model, &alone) {
            let location = model.document.location(&operation.pointer);
            bail!("{location}: progenitor can't take operation `{}`: {error}", operation.id);
        }
    }
    Err(anyhow!("{}: progenitor can't take the document: {error}", model.document.path().display()))
}

fn run_progenitor(model: &Model<'_>, root: &Value) -> Result<TokenStream> {
    let spec = serde_json::from_value(root.clone()).context("not an OpenAPI 3.0 document")?;
    let mut settings = GenerationSettings::new();
    settings
        .with_interface(InterfaceStyle::Positional)
        .with_tag(TagStyle::Merged)
        .with_hooks(HooksMode::Expected)
        .with_inner_type(quote!(crate::client::Inner))
        .with_map_type("::std::collections::BTreeMap");
    for (name, _) in model.schemas().filter(|(_, schema)| schema.get("enum").is_some()) {
        settings.with_replacement(
            name,
            format!("crate::types::{name}"),
            [TypeImpl::Default, TypeImpl::Display].into_iter(),
        );
    }
    // progenitor panics at some constructs; the caller names the operation. The hook keeps its backtrace off the terminal.
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = catch_unwind(AssertUnwindSafe(|| Generator::new(&settings).generate_tokens(&spec)));
    std::panic::set_hook(hook);
    match outcome {
        Ok(tokens) => Ok(tokens?),
        Err(panic) => {
            let message = panic.downcast_ref::<String>().map(String::as_str);
            let message = message.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("it panicked");
            // Some of its messages are whole schemas over many lines.
            bail!("{}", message.split_whitespace().collect::<Vec<_>>().join(" "))
        }
    }
}

/// Removes from the document what typify would turn into types that refuse to decode: limits are checked before a request is
/// sent, by code that `methods` emits, and never on a response. Query parameters that the request message fills are left
/// out, too: progenitor can't send messages there.
fn strip(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if members.get("type").is_some_and(Value::is_string) {
                for limit in ["minLength", "maxLength", "pattern", "minItems", "maxItems", "minimum", "maximum"] {
                    members.remove(limit);
                }
            }
            if let Some(Value::Array(parameters)) = members.get_mut("parameters") {
                parameters.retain(|parameter| parameter.get("x-body-member").is_none());
            }
            members.values_mut().for_each(strip);
        }
        Value::Array(items) => items.iter_mut().for_each(strip),
        _ => {}
    }
}

/// What a node refers to, or the node itself.
fn resolved<'v>(model: &Model<'v>, node: &'v Value) -> &'v Value {
    reference_name(node).and_then(|name| model.schema(&name)).unwrap_or(node)
}
