//! Enums: the variants and their names on the wire. What an open enum can do is written once, in `sdk/src/wire/`.

use anyhow::{Result, bail};
use heck::{ToPascalCase, ToShoutySnakeCase};
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::rust::{docs, ident};
use crate::{
    json_pointer::join,
    model::{Model, text},
};

/// The variant that keeps an unknown value.
const UNRECOGNIZED: &str = "Unrecognized";

pub(super) fn emit(model: &Model<'_>) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    for (name, schema) in model.schemas().filter(|(_, schema)| schema.get("enum").is_some()) {
        let pointer = join("/components/schemas", name);
        match variants(name, schema) {
            Ok(variants) => out.extend(open_enum(name, text(schema, "description"), &variants)),
            Err(error) => bail!("{}: enum `{name}`: {error}", model.document.location(&pointer)),
        }
    }
    Ok(out)
}

/// Variant name and wire name of each value, the zero value first.
fn variants<'v>(name: &str, schema: &'v Value) -> Result<Vec<(String, &'v str)>> {
    let values: Vec<&str> = schema["enum"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let Some(zero) = values.first() else { bail!("it has no values") };
    if !zero.ends_with("_UNSPECIFIED") {
        bail!("its first value is the default and must end in `_UNSPECIFIED`, but it is `{zero}`");
    }
    let prefix = prefix(name, &values)?;
    let mut variants: Vec<(String, &str)> = Vec::new();
    for value in values {
        let rest = &value[prefix.len()..];
        // `STANDARD_OR_UNSPECIFIED` says what the default means: its name is what it means.
        let rest = rest.strip_suffix("_OR_UNSPECIFIED").unwrap_or(rest);
        let variant = rest.to_pascal_case();
        if variant == UNRECOGNIZED || variants.iter().any(|(other, _)| *other == variant) {
            bail!("`{value}` would become a second variant `{variant}`");
        }
        if syn::parse_str::<syn::Ident>(&variant).is_err() {
            bail!("`{value}` without its prefix `{prefix}` is no Rust name");
        }
        variants.push((variant, value));
    }
    Ok(variants)
}

/// What all values begin with: the enum's own name, else their longest common run of whole words.
fn prefix(name: &str, values: &[&str]) -> Result<String> {
    let own = format!("{}_", name.to_shouty_snake_case());
    if values.iter().all(|value| value.len() > own.len() && value.starts_with(&own)) {
        return Ok(own);
    }
    let first = values[0];
    let common = (0..first.len()).rev().map(|end| &first[..=end]).find(|prefix| {
        prefix.ends_with('_')
            && values.len() > 1
            && values.iter().all(|value| value.len() > prefix.len() && value.starts_with(prefix))
    });
    match common {
        Some(common) => Ok(common.to_owned()),
        None => bail!("its values share no prefix: expected `{own}`"),
    }
}

fn open_enum(name: &str, description: &str, variants: &[(String, &str)]) -> TokenStream {
    let docs = docs(description);
    let name = ident(name);
    let variants = variants.iter().map(|(variant, wire)| {
        let variant = ident(variant);
        quote!(#variant = #wire)
    });
    quote! {
        wire::open_enum! {
            #(#docs)*
            pub enum #name { #(#variants,)* }
        }
    }
}
