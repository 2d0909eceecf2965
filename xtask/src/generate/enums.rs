//! Open enums: clean variant names, and one variant that keeps what this version does not know.

use anyhow::{Result, bail};
use heck::{ToPascalCase, ToShoutySnakeCase};
use proc_macro2::TokenStream;
use quote::quote;
use serde_json::Value;

use super::rust::{docs, ident};
use crate::{
    document::join,
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
    let name_text = name;
    let name = ident(name);
    let idents: Vec<_> = variants.iter().map(|(variant, _)| ident(variant)).collect();
    let wire: Vec<_> = variants.iter().map(|(_, wire)| *wire).collect();
    let variant_docs = wire
        .iter()
        .enumerate()
        .map(|(index, wire)| if index == 0 { format!(" `{wire}`, the default.") } else { format!(" `{wire}`") });
    quote! {
        #(#docs)*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
        #[non_exhaustive]
        pub enum #name {
            #[default]
            #(#[doc = #variant_docs] #idents,)*
            /// A value that this version of the SDK does not know, as it was received.
            Unrecognized(wire::UnrecognizedValue),
        }

        impl #name {
            /// The values this version of the SDK knows, in the document's order; the first is the default.
            pub const KNOWN: &[Self] = &[#(Self::#idents),*];

            /// The value's name on the wire; for an unknown value, what was received.
            pub fn as_str(&self) -> &str {
                match self {
                    #(Self::#idents => #wire,)*
                    Self::Unrecognized(value) => value.as_str(),
                }
            }

            /// Whether this version of the SDK does not know the value.
            pub fn is_unrecognized(&self) -> bool {
                matches!(self, Self::Unrecognized(_))
            }
        }

        impl wire::OpenEnum for #name {
            const NAME: &'static str = #name_text;
            const WIRE_NAMES: &'static [&'static str] = &[#(#wire),*];

            fn from_wire_name(name: &str) -> Option<Self> {
                match name {
                    #(#wire => Some(Self::#idents),)*
                    _ => None,
                }
            }

            fn from_unrecognized(value: wire::UnrecognizedValue) -> Self {
                Self::Unrecognized(value)
            }

            fn unrecognized(&self) -> Option<&wire::UnrecognizedValue> {
                match self {
                    Self::Unrecognized(value) => Some(value),
                    _ => None,
                }
            }
        }

        impl std::fmt::Display for #name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl std::str::FromStr for #name {
            type Err = std::convert::Infallible;

            /// Never fails: a name that this version of the SDK does not know becomes [`Self::Unrecognized`].
            fn from_str(name: &str) -> Result<Self, Self::Err> {
                Ok(wire::open_enum::from_str(name))
            }
        }

        impl Serialize for #name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                wire::open_enum::serialize(self.as_str(), wire::OpenEnum::unrecognized(self), serializer)
            }
        }

        impl<'de> Deserialize<'de> for #name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                wire::open_enum::deserialize(deserializer)
            }
        }

        #[cfg(feature = "schemars")]
        impl schemars::JsonSchema for #name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                <Self as wire::OpenEnum>::NAME.into()
            }

            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                wire::open_enum::json_schema::<Self>()
            }
        }
    }
}
