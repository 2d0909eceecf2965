//! The emulator's table of messages: the members of each message, their types and their oneofs. It must not know how
//! messages are read or written.

use anyhow::{Result, bail};
use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::resolved;
use crate::{
    json_pointer::join,
    model::{Model, oneofs::oneofs, reference_name, text},
    openapi::{members, texts},
};

/// Where the table is.
pub(super) const TARGET: &str = "emulator/src/proto_json/messages.rs";

pub(super) fn emit(model: &Model<'_>) -> Result<TokenStream> {
    let mut out = quote! {
        //! The messages and enums of the document, as far as their JSON depends on them.
        use coralogix_incidents::types;

        use super::schema::{Described, Field, Kind, Message};
    };
    for (name, schema) in model.schemas() {
        let constant = constant(name);
        if schema.get("enum").is_some() {
            let values = texts(&schema["enum"]);
            out.extend(quote!(static #constant: &[&str] = &[#(#values),*];));
            continue;
        }
        let oneofs: Vec<Vec<&str>> = oneofs(schema).collect();
        let mut fields = Vec::new();
        for (member, property) in members(&schema["properties"]) {
            let pointer = join(&join(&join("/components/schemas", name), "properties"), member);
            let Some(field) = field(model, member, property) else {
                bail!("{}: the emulator has no way to read or write this type", model.document.location(&pointer));
            };
            let oneof = oneofs.iter().position(|members| members.contains(&member.as_str()));
            let oneof = oneof.map(|group| quote!(.in_oneof(#group)));
            fields.push(quote!(#field #oneof));
        }
        let ty = format_ident!("{name}");
        out.extend(quote! {
            static #constant: Message = Message { name: #name, fields: &[#(#fields),*] };
            impl Described for types::#ty {
                const MESSAGE: &'static Message = &#constant;
            }
        });
    }
    Ok(out)
}

fn field(model: &Model<'_>, name: &str, property: &Value) -> Option<TokenStream> {
    let proto_name = snake(name);
    let (constructor, inner) = if let Some(items) = property.get("items") {
        (quote!(list), items)
    } else if let Some(values) = property.get("additionalProperties").filter(|values| values.is_object()) {
        (quote!(map), values)
    } else {
        (quote!(single), property)
    };
    let kind = kind(model, inner)?;
    Some(quote!(Field::#constructor(#name, #proto_name, Kind::#kind)))
}

fn kind(model: &Model<'_>, schema: &Value) -> Option<TokenStream> {
    if let Some(name) = reference_name(schema) {
        let target = resolved(model, schema);
        let constant = constant(&name);
        return Some(if target.get("enum").is_some() {
            quote!(Enum(#constant))
        } else if target.get("additionalProperties").is_some() {
            quote!(Any)
        } else {
            quote!(Message(&#constant))
        });
    }
    Some(match (text(schema, "type"), text(schema, "format")) {
        ("string", "date-time") => quote!(Timestamp),
        ("string", "google-duration") => quote!(Duration),
        ("string", "int64" | "uint64") | ("integer", _) => quote!(Integer),
        ("string", _) => quote!(String),
        ("boolean", _) => quote!(Bool),
        _ => return None,
    })
}

/// `IncidentEvent` as `INCIDENT_EVENT`.
pub(super) fn constant(name: &str) -> proc_macro2::Ident {
    format_ident!("{}", snake(name).to_uppercase())
}

/// The name of a member in protobuf: `incidentIds` as `incident_ids`.
fn snake(name: &str) -> String {
    let mut out = String::new();
    for character in name.chars() {
        if character.is_uppercase() && !out.is_empty() {
            out.push('_');
        }
        out.extend(character.to_lowercase());
    }
    out
}
