//! Enums: the variants and their names on the wire. What an open enum can do is written once, in `sdk/src/wire/`.

use anyhow::{Result, bail};
use proc_macro2::TokenStream;
use quote::quote;

use super::{
    prose::prose,
    rust::{docs, ident},
};
use crate::{
    json_pointer::join,
    model::{Model, enums::variants, text},
};

pub(super) fn emit(model: &Model<'_>) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    for (name, schema) in model.schemas().filter(|(_, schema)| schema.get("enum").is_some()) {
        let pointer = join("/components/schemas", name);
        match variants(name, schema) {
            Ok(variants) => out.extend(open_enum(name, text(schema, "description"), &variants)),
            Err((_, wrong)) => bail!("{}: enum `{name}`: {wrong}", model.document.location(&pointer)),
        }
    }
    Ok(out)
}

fn open_enum(name: &str, description: &str, variants: &[(String, &str)]) -> TokenStream {
    let docs = docs(&prose(description));
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
