//! The SDK's table of the members of responses, by which it finds members that the document does not state. It must not know
//! how messages are decoded.

use std::collections::BTreeSet;

use proc_macro2::TokenStream;
use quote::{format_ident, quote};
use serde_json::Value;

use super::messages::constant;
use crate::{
    model::{Model, reference_name},
    openapi,
};

pub(super) fn emit(model: &Model<'_>) -> TokenStream {
    let responses: BTreeSet<String> = model.operations.iter().map(|operation| operation.response.clone()).collect();
    let mut reached = BTreeSet::new();
    let mut open: Vec<String> = responses.iter().cloned().collect();
    while let Some(name) = open.pop() {
        if reached.insert(name.clone()) {
            open.extend(members(model, &name).filter_map(|(_, content)| Some(content?.0)));
        }
    }
    let messages = reached.iter().map(|name| {
        let table = constant(name);
        let members = members(model, name).map(|(member, content)| {
            let content = match content {
                None => quote!(Value),
                Some((message, is_map)) => {
                    let table = constant(&message);
                    if is_map { quote!(Map(&#table)) } else { quote!(Message(&#table)) }
                }
            };
            quote!((#member, Member::#content))
        });
        quote!(static #table: Message = Message(&[#(#members),*]);)
    });
    let described = responses.iter().map(|name| {
        let (ty, table) = (format_ident!("{name}"), constant(name));
        quote! {
            impl Response for types::#ty {
                const MESSAGE: &'static Message = &#table;
            }
        }
    });
    quote!(#(#messages)* #(#described)*)
}

/// The members of a message; of a member that contains messages, their name, and whether it is a map of them.
fn members<'m>(
    model: &'m Model<'_>,
    message: &str,
) -> impl Iterator<Item = (&'m String, Option<(String, bool)>)> + use<'m> {
    let properties = model.schema(message).into_iter().flat_map(|schema| openapi::members(&schema["properties"]));
    properties.map(|(name, property)| (name, content(model, property)))
}

fn content(model: &Model<'_>, property: &Value) -> Option<(String, bool)> {
    let map = property.get("additionalProperties");
    let name = reference_name(property.get("items").or(map).unwrap_or(property))?;
    let schema = model.schema(&name)?;
    // The members of a message that takes any are all known.
    let is_message = schema.get("enum").is_none() && schema.get("additionalProperties").is_none();
    is_message.then_some((name, map.is_some()))
}
