//! Messages: typify's structs, made to read protobuf JSON. Which rule a member follows is decided by its schema alone.

use anyhow::{Context, Result, bail};
use proc_macro2::TokenStream;
use quote::{ToTokens, quote};
use serde_json::Value;
use syn::{
    Attribute, Field, Fields, GenericArgument, Ident, Item, ItemStruct, PathArguments, Type, parse_quote,
    visit_mut::{VisitMut, visit_type_path_mut},
};

use super::{
    prose::prose,
    resolved,
    rust::{docs, ident},
};
use crate::{
    json_pointer::join,
    model::{Model, oneofs::oneofs, text},
    openapi::{is_true, items, members, texts},
};

pub(super) fn emit(model: &Model<'_>, types: &[Item]) -> Result<TokenStream> {
    let mut out = TokenStream::new();
    // What a request requires is known; in a response, `required` only says that a member has no presence.
    let sent = model.reachable(model.operations.iter().filter_map(|operation| operation.message.clone()));
    for (name, schema) in model.schemas().filter(|(_, schema)| schema.get("enum").is_none()) {
        let location = model.document.location(&join("/components/schemas", name));
        let structure = types.iter().find_map(|item| match item {
            Item::Struct(structure) if structure.ident == name => Some(structure),
            _ => None,
        });
        let Some(structure) = structure else {
            bail!("{location}: progenitor made no struct `{name}`: a schema's name must be a Rust type name");
        };
        out.extend(
            message(model, structure.clone(), schema, sent.contains(name))
                .with_context(|| format!("{location}: schema `{name}`"))?,
        );
    }
    Ok(out)
}

fn message(model: &Model<'_>, mut structure: ItemStruct, schema: &Value, is_sent: bool) -> Result<TokenStream> {
    if schema.get("properties").is_none() && schema.get("additionalProperties").is_none() {
        // typify makes a map of a message without members.
        structure.fields = Fields::Named(parse_quote!({}));
        structure.semi_token = None;
    }
    let required = |property: &str| texts(&schema["required"]).any(|name| name == property);
    let in_oneof = |property: &str| oneofs(schema).any(|members| members.contains(&property));
    let (mut setters, mut arguments) = (TokenStream::new(), Vec::new());
    if let Fields::Named(fields) = &mut structure.fields {
        // In the document's order, which the reader of the documentation expects.
        let mut ordered: Vec<Field> = Vec::new();
        for (property, schema) in members(&schema["properties"]) {
            let found = fields.named.iter().find(|field| json_name(field) == *property);
            let Some(field) = found else { bail!("typify made no field of `{property}`") };
            let mut field = field.clone();
            member(model, property, schema, required(property), &mut field)?;
            if in_oneof(property) && resolved(model, schema).get("properties").is_some() {
                box_message(&mut field.ty);
            }
            if let Some(setter) = Setter::new(&field) {
                let deprecated = field.attrs.iter().find(|attribute| attribute.path().is_ident("deprecated"));
                setters.extend(setter.emit(deprecated));
                if is_sent && required(property) {
                    arguments.push(setter);
                }
            }
            ordered.push(field);
        }
        if schema.get("additionalProperties").is_some() {
            // typify drops what stands beside the named members; an error's details are of no use without it.
            let docs = docs("The members that the document does not name.");
            ordered
                .push(parse_quote!(#(#docs)* #[serde(flatten)] pub other_members: BTreeMap<String, serde_json::Value>));
        }
        fields.named = ordered.into_iter().collect();
    }
    let text = text(schema, "description");
    structure.attrs = docs(&prose(text));
    structure.attrs.push(parse_quote!(#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]));
    structure.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", derive(schemars::JsonSchema))]));
    structure.attrs.push(parse_quote!(#[serde(rename_all = "camelCase")]));
    structure.attrs.push(parse_quote!(#[non_exhaustive]));
    let name = &structure.ident;
    let constructor = (!arguments.is_empty()).then(|| constructor(&arguments));
    let methods = (!setters.is_empty()).then(|| quote!(impl #name { #constructor #setters }));
    let only = structure.fields.iter().next().and_then(|field| field.ident.as_ref());
    let conversions = only.filter(|_| is_one_text(schema)).map(|member| from_text(name, member));
    Ok(quote!(#structure #methods #conversions))
}

/// Whether a message has and requires one member, a text.
fn is_one_text(schema: &Value) -> bool {
    let is_text = |schema| text(schema, "type") == "string" && schema.get("format").is_none();
    let properties: Vec<_> = members(&schema["properties"]).collect();
    !items(&schema["required"]).is_empty() && matches!(properties[..], [(_, property)] if is_text(property))
}

/// A message that is a text with a name can be given as the text.
fn from_text(message: &Ident, member: &Ident) -> TokenStream {
    quote! {
        impl From<&str> for #message {
            fn from(#member: &str) -> Self {
                Self { #member: #member.to_owned() }
            }
        }

        impl From<String> for #message {
            fn from(#member: String) -> Self {
                Self { #member }
            }
        }
    }
}

/// Gives a field the type, the documentation and the serde attributes that its schema asks for.
fn member(model: &Model<'_>, property: &str, schema: &Value, required: bool, field: &mut Field) -> Result<()> {
    let name = field.ident.as_ref().map(ToString::to_string).unwrap_or_default();
    shorten(&mut field.ty);
    field.attrs = docs(&prose(text(resolved(model, schema), "description")));

    let mut serde: Vec<TokenStream> = Vec::new();
    if camel(name.trim_start_matches("r#")) != property {
        serde.push(quote!(rename = #property));
    }
    let optional = generic(&field.ty, "Option").is_some();
    let codec = match (text(schema, "type"), text(schema, "format")) {
        ("string", "google-duration") => {
            replace_scalar(&mut field.ty, &parse_quote!(wire::Duration));
            None
        }
        ("string", format @ ("uint64" | "int64")) => {
            let integer = ident(if format == "uint64" { "u64" } else { "i64" });
            replace_scalar(&mut field.ty, &parse_quote!(#integer));
            Some("wire::integer::as_string")
        }
        ("integer", _) => Some("wire::integer"),
        _ => None,
    };
    // A map of texts has few entries, such as labels; one of messages may have as many as there are incidents.
    let of_texts = generic(&field.ty, "BTreeMap").is_some_and(|of| of.iter().all(|ty| *ty == parse_quote!(String)));
    if of_texts {
        field.ty = parse_quote!(wire::StringMap);
    }
    match codec {
        Some(codec) if optional => {
            let read = format!("{codec}::optional");
            serde.push(quote!(default, with = #read, skip_serializing_if = "Option::is_none"));
        }
        Some(_) => {
            bail!("`{property}` is a number and `required`: numbers have presence in this API, so leave it optional")
        }
        None if optional && text(schema, "format") == "date-time" => {
            serde.push(quote!(default, deserialize_with = "wire::time::optional"));
            serde.push(quote!(skip_serializing_if = "Option::is_none"));
        }
        None if optional => serde.push(quote!(skip_serializing_if = "Option::is_none")),
        // An enum reads `null` by itself.
        None if resolved(model, schema).get("enum").is_some() => serde.push(quote!(default)),
        None => {
            let is_list = generic(&field.ty, "Vec").is_some();
            let read = if is_list { "wire::list" } else { "wire::null_as_default" };
            serde.push(quote!(default, deserialize_with = #read));
            if !required {
                let empty = if is_list {
                    "Vec::is_empty"
                } else if of_texts {
                    "wire::StringMap::is_empty"
                } else {
                    "BTreeMap::is_empty"
                };
                serde.push(quote!(skip_serializing_if = #empty));
            }
        }
    }
    if is_true(schema, "deprecated") {
        field.attrs.push(parse_quote!(#[deprecated]));
    }
    field.attrs.push(parse_quote!(#[serde(#(#serde),*)]));
    if let Some(codec) = codec {
        let schema: &str = if codec.ends_with("as_string") { "Option<String>" } else { "Option<i64>" };
        field.attrs.push(parse_quote!(#[cfg_attr(feature = "schemars", schemars(with = #schema))]));
    }
    Ok(())
}

/// Of a oneof at most one member is set, so an unset one has the room of a pointer and not that of its message.
fn box_message(ty: &mut Type) {
    if let Some([message]) = generic(ty, "Option").as_deref() {
        *ty = parse_quote!(Option<Box<#message>>);
    }
}

/// How a member is set: `pub fn with_x(mut self, x: impl Into<T>) -> Self`.
struct Setter {
    /// The field's name, without what makes a keyword a name.
    plain: String,
    field: Ident,
    method: Ident,
    argument: TokenStream,
    value: TokenStream,
}

impl Setter {
    fn new(field: &Field) -> Option<Self> {
        let name = field.ident.clone()?;
        let plain = name.to_string().trim_start_matches("r#").trim_end_matches('_').to_owned();
        let (argument, value) = if let Some([item]) = generic(&field.ty, "Vec").as_deref() {
            let argument = quote!(impl IntoIterator<Item = impl Into<#item>>);
            (argument, quote!(#name.into_iter().map(Into::into).collect()))
        } else if let Some([key, value]) = generic(&field.ty, "BTreeMap").as_deref() {
            let argument = quote!(impl IntoIterator<Item = (impl Into<#key>, impl Into<#value>)>);
            (argument, quote!(#name.into_iter().map(|(key, value)| (key.into(), value.into())).collect()))
        } else if field.ty == parse_quote!(wire::StringMap) {
            let argument = quote!(impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>);
            (argument, quote!(#name.into_iter().collect()))
        } else if let Some([inner]) = generic(&field.ty, "Option").as_deref() {
            match generic(inner, "Box").as_deref() {
                Some([message]) => (quote!(impl Into<#message>), quote!(Some(Box::new(#name.into())))),
                _ => (quote!(impl Into<#inner>), quote!(Some(#name.into()))),
            }
        } else {
            let ty = &field.ty;
            (quote!(impl Into<#ty>), quote!(#name.into()))
        };
        let method = ident(&format!("with_{plain}"));
        Some(Self { plain, field: name, method, argument, value })
    }

    fn emit(&self, deprecated: Option<&Attribute>) -> TokenStream {
        let Self { plain, field, method, argument, value } = self;
        let doc = format!(" Sets [`{plain}`](Self::{}).", field.to_string().trim_start_matches("r#"));
        quote! {
            #[doc = #doc]
            #deprecated
            #[must_use]
            pub fn #method(mut self, #field: #argument) -> Self {
                self.#field = #value;
                self
            }
        }
    }
}

fn constructor(required: &[Setter]) -> TokenStream {
    let arguments = required.iter().map(|Setter { field, argument, .. }| quote!(#field: #argument));
    let setters = required.iter().map(|Setter { field, method, .. }| quote!(.#method(#field)));
    quote! {
        /// Creates the message with its required members. The others are not set.
        pub fn new(#(#arguments),*) -> Self {
            Self::default()#(#setters)*
        }
    }
}

/// The arguments of `wrapper<...>`.
fn generic(ty: &Type, wrapper: &str) -> Option<Vec<Type>> {
    let Type::Path(path) = ty else { return None };
    let last = path.path.segments.last().filter(|last| last.ident == wrapper)?;
    let PathArguments::AngleBracketed(arguments) = &last.arguments else { return None };
    let types = arguments.args.iter().filter_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty.clone()),
        _ => None,
    });
    Some(types.collect())
}

fn replace_scalar(ty: &mut Type, scalar: &Type) {
    *ty = if generic(ty, "Option").is_some() { parse_quote!(Option<#scalar>) } else { scalar.clone() };
}

/// The name that typify's field has on the wire.
fn json_name(field: &Field) -> String {
    let attributes = field.attrs.iter().filter(|attribute| attribute.path().is_ident("serde"));
    let attributes: String = attributes.map(|attribute| attribute.to_token_stream().to_string()).collect();
    match attributes.split("rename = \"").nth(1).and_then(|rest| rest.split('"').next()) {
        Some(name) => name.to_owned(),
        None => field.ident.as_ref().map(ToString::to_string).unwrap_or_default().trim_start_matches("r#").to_owned(),
    }
}

/// What serde's `rename_all = "camelCase"` makes of a field's name.
fn camel(name: &str) -> String {
    let mut words = name.split('_');
    let mut out = words.next().unwrap_or_default().to_owned();
    for word in words {
        let mut characters = word.chars();
        out.extend(characters.next().into_iter().flat_map(char::to_uppercase));
        out.push_str(characters.as_str());
    }
    out
}

/// Names that the file imports, instead of progenitor's absolute paths.
fn shorten(ty: &mut Type) {
    struct Shorten;
    impl VisitMut for Shorten {
        fn visit_type_path_mut(&mut self, ty: &mut syn::TypePath) {
            visit_type_path_mut(self, ty);
            let segments: Vec<String> = ty.path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            let skip = match segments.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                ["std" | "chrono", ..] | ["crate", "types", _] | ["types", _] => segments.len() - 1,
                ["serde_json", ..] => 0,
                _ => return,
            };
            ty.path.leading_colon = None;
            ty.path.segments = std::mem::take(&mut ty.path.segments).into_iter().skip(skip).collect();
        }
    }
    Shorten.visit_type_mut(ty);
}
