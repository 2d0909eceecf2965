//! The public API of each published crate as a reviewed snapshot: every name that a caller can use, with its signature.
//!
//! After an intended change, run `INSTA_UPDATE=always cargo test -p coralogix-incidents-tests surface` and add an entry to
//! CHANGELOG.md with the fingerprint that the failing test prints.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{
    Attribute, Fields, Generics, ImplItem, Item, ItemImpl, ItemMacro, ItemMod as Module, TraitItem, UseTree, Variant,
    Visibility,
};

use crate::document::snapshots;

#[test]
fn the_public_surface_of_the_sdk_is_as_reviewed() {
    let _settings = snapshots();
    insta::assert_snapshot!("surface__sdk", surface("sdk"));
}

#[test]
fn the_public_surface_of_the_emulator_is_as_reviewed() {
    let _settings = snapshots();
    insta::assert_snapshot!("surface__emulator", surface("emulator"));
}

#[test]
fn a_changed_surface_has_a_changelog_entry() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let changelog = fs::read_to_string(root.join("CHANGELOG.md")).unwrap();
    let expected = format!("Public API: `{:016x}`", fingerprint(&(surface("sdk") + &surface("emulator"))));
    assert!(
        changelog.contains(&expected),
        "the public API has changed: say how under `## [Unreleased]` in CHANGELOG.md, and set its last line to\n{expected}"
    );
}

#[test]
fn only_breaking_changes_change_the_surface() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let surface = |text: &str| fingerprint(&surface_of(&[file("lib.rs", text)]));
    let code = "#[derive(Clone)] pub struct Page { pub size: u32, at: u32 }
                impl Page { pub fn next(&self) -> Option<u32> { None } fn own(&self) {} }
                pub trait Paged { fn page(&self) -> Page; fn last(&self) -> bool { false } }
                impl Iterator for Page { type Item = u8; }
                impl From<Page> for String {}
                pub struct Number(pub u32, u32);
                pub struct Of<T>(T) where T: Send;
                impl<T: Send> Of<T> { pub fn get(&self) {} }
                pub use page::Page as P;
                pub mod inner { pub fn deep() {} }
                pub enum Order { Up, Down }";
    for (old, new) in [
        ("size: u32", "size: u64"),
        ("pub size", "size"),
        ("#[derive(Clone)]", ""),
        ("#[derive(Clone)]", "#[derive(Clone)] #[cfg(unix)]"),
        ("next(&self)", "next(&mut self)"),
        ("pub fn next", "#[cfg(feature = \"x\")] pub fn next"),
        ("Option<u32>", "u32"),
        ("page(&self) -> Page", "page(&self)"),
        ("bool { false }", "bool;"),
        ("type Item = u8", "type Item = u16"),
        ("impl From<Page> for String {}", ""),
        ("(pub u32", "(pub u64"),
        ("where T: Send", ""),
        ("impl<T: Send>", "impl<T: Send + Sync>"),
        ("pub use", "#[cfg(unix)] pub use"),
        ("fn deep()", "fn deeper()"),
        ("Up, Down", "Up"),
        ("Up, Down", "Up = 3, Down"),
        ("Up, Down", "Up, #[non_exhaustive] Down"),
    ] {
        assert_ne!(surface(&code.replace(old, new)), surface(code), "{old} became {new}");
    }
    for (old, new) in [
        ("at: u32", "at: u64"),
        ("own(&self)", "own(&mut self)"),
        ("{ None }", "{ Some(1) }"),
        ("{ false }", "{ true }"),
        (", u32)", ", u64)"),
    ] {
        assert_eq!(surface(&code.replace(old, new)), surface(code), "{old} became {new}");
    }
    let (page, order) = code.split_at(code.find("pub enum").unwrap());
    let moved = surface_of(&[file("order.rs", order), file("page.rs", page)]);
    assert_eq!(fingerprint(&moved), surface(code), "items moved to files of their own");
}

/// FNV-1a, which is stable, of the items of a surface. Which private file an item stands in is no caller's business.
fn fingerprint(surface: &str) -> u64 {
    let mut items: Vec<String> = Vec::new();
    for line in surface.lines().filter(|line| !line.starts_with("//") && !line.starts_with("use self::")) {
        match items.last_mut() {
            // A member belongs to its item.
            Some(item) if line.starts_with(' ') => item.push_str(line),
            _ => items.push(line.to_owned()),
        }
    }
    items.sort_unstable();
    let bytes = items.iter().flat_map(|item| item.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A line for each public item of a crate, by its file: private modules are read too, for what they re-export.
fn surface(package: &str) -> String {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(package).join("src");
    let mut files = Vec::new();
    collect(&source, &mut files);
    files.sort();
    let code = files
        .iter()
        .map(|file| (file.strip_prefix(&source).unwrap().display().to_string(), fs::read_to_string(file).unwrap()));
    surface_of(&code.collect::<Vec<_>>())
}

/// The same of source texts, each with its name.
fn surface_of(code: &[(String, String)]) -> String {
    let code: Vec<_> = code.iter().map(|(name, text)| (name, syn::parse_file(text).unwrap())).collect();
    let names = Names {
        public_types: code.iter().flat_map(|(_, code)| public_types(&code.items)).collect(),
        private_traits: code.iter().flat_map(|(_, code)| private_traits(&code.items)).collect(),
    };
    let mut out = String::new();
    for (name, code) in &code {
        let mut lines = Vec::new();
        code.items.iter().for_each(|item| self::item(item, &names, &mut lines));
        if !lines.is_empty() {
            out.push_str(&format!("// {name}\n{}\n\n", lines.join("\n")));
        }
    }
    out
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["main.rs", "fuzzing.rs"].iter().any(|name| path.ends_with(name))
        {
            files.push(path);
        }
    }
}

fn is_public(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// What decides whether an implementation is public.
struct Names {
    public_types: BTreeSet<String>,
    private_traits: BTreeSet<String>,
}

/// The traits that only the crate itself can use.
fn private_traits(items: &[Item]) -> Vec<String> {
    let private = items.iter().filter_map(|item| match item {
        Item::Trait(definition) if !is_public(&definition.vis) => Some(definition.ident.to_string()),
        _ => None,
    });
    private.collect()
}

/// The public types of items, those of inline modules included.
fn public_types(items: &[Item]) -> Vec<String> {
    let names = items.iter().map(|item| match item {
        Item::Struct(item) if is_public(&item.vis) => vec![item.ident.to_string()],
        Item::Enum(item) if is_public(&item.vis) => vec![item.ident.to_string()],
        Item::Macro(item) => public_types(&macro_item(item).into_iter().collect::<Vec<_>>()),
        Item::Union(item) if is_public(&item.vis) => vec![item.ident.to_string()],
        Item::Mod(Module { content: Some((_, items)), vis, .. }) if is_public(vis) => public_types(items),
        _ => Vec::new(),
    });
    names.flatten().collect()
}

/// What a macro is given, where that is an item: `open_enum!` makes a public enum of one.
fn macro_item(invocation: &ItemMacro) -> Option<Item> {
    invocation.mac.parse_body().ok()
}

fn item(item: &Item, names: &Names, lines: &mut Vec<String>) {
    match item {
        Item::Struct(structure) if is_public(&structure.vis) => {
            let kind = match structure.fields {
                Fields::Named(_) => "",
                Fields::Unnamed(_) => "(..)",
                Fields::Unit => ";",
            };
            let name = [tokens(&structure.ident), generics(&structure.generics)].concat();
            lines.push(format!("{}struct {name}{kind}", marks(&structure.attrs)));
            for (index, field) in structure.fields.iter().enumerate().filter(|(_, field)| is_public(&field.vis)) {
                let name = field.ident.as_ref().map_or_else(|| index.to_string(), tokens);
                lines.push(format!("    {}{name}: {}", marks(&field.attrs), tokens(&field.ty)));
            }
        }
        Item::Enum(enumeration) if is_public(&enumeration.vis) => {
            let name = [tokens(&enumeration.ident), generics(&enumeration.generics)].concat();
            lines.push(format!("{}enum {name}", marks(&enumeration.attrs)));
            for Variant { attrs, ident, fields, discriminant } in &enumeration.variants {
                let value =
                    discriminant.as_ref().map_or_else(String::new, |(_, value)| format!(" = {}", tokens(value)));
                lines.push(format!("    {}{ident}{}{value}", marks(attrs), tokens(fields)));
            }
        }
        Item::Union(union) if is_public(&union.vis) => lines.push(tokens(union)),
        Item::Fn(function) if is_public(&function.vis) => {
            lines.push(marks(&function.attrs) + &tokens(&function.sig));
        }
        Item::Const(constant) if is_public(&constant.vis) => {
            lines.push(format!("{}const {}: {}", marks(&constant.attrs), constant.ident, tokens(&constant.ty)));
        }
        Item::Static(item) if is_public(&item.vis) => {
            lines.push(format!("{}static {}: {}", marks(&item.attrs), item.ident, tokens(&item.ty)));
        }
        Item::Type(alias) if is_public(&alias.vis) => {
            let name = [tokens(&alias.ident), generics(&alias.generics)].concat();
            lines.push(format!("{}type {name} = {}", marks(&alias.attrs), tokens(&alias.ty)));
        }
        Item::Macro(item) if item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")) => {
            lines.push(tokens(item));
        }
        Item::Macro(invocation) => {
            if let Some(item) = macro_item(invocation) {
                self::item(&item, names, lines);
            }
        }
        // `fuzzing` exists for the fuzz targets alone.
        Item::Mod(module) if is_public(&module.vis) && module.ident != "fuzzing" => {
            let name = format!("{}mod {}", marks(&module.attrs), module.ident);
            let mut inner = Vec::new();
            let items = module.content.iter().flat_map(|(_, items)| items);
            items.for_each(|item| self::item(item, names, &mut inner));
            lines.extend(
                inner.iter().map(|line| if line.starts_with(' ') { line.clone() } else { format!("{name}::{line}") }),
            );
            lines.push(name);
        }
        Item::Use(import) if is_public(&import.vis) => {
            let marks = marks(&import.attrs);
            lines.extend(imports("", &import.tree).iter().map(|import| format!("{marks}{import}")));
        }
        Item::Trait(definition) if is_public(&definition.vis) => {
            lines.push(format!(
                "{}trait {}{}: {}",
                marks(&definition.attrs),
                definition.ident,
                generics(&definition.generics),
                tokens(&definition.supertraits)
            ));
            for item in &definition.items {
                lines.push(match item {
                    // That there is a default matters to those who implement it, and what it does does not.
                    TraitItem::Fn(function) => {
                        let body = if function.default.is_some() { " { .. }" } else { "" };
                        format!("    {}{}{body}", marks(&function.attrs), tokens(&function.sig))
                    }
                    other => format!("    {}", tokens(other)),
                });
            }
        }
        Item::Impl(block) => {
            let trait_ = block.trait_.as_ref().map_or_else(String::new, |(name, _)| tokens(name));
            let text = format!("{} {trait_}", tokens(&block.self_ty));
            let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
            if words.any(|word| names.public_types.contains(word)) && !names.private_traits.contains(&trait_) {
                implementation(block, lines);
            }
        }
        _ => {}
    }
}

fn implementation(block: &ItemImpl, lines: &mut Vec<String>) {
    let (ty, marks_, generics) = (tokens(&block.self_ty), marks(&block.attrs), generics(&block.generics));
    if let Some((name, _)) = &block.trait_ {
        lines.push(format!("{marks_}impl{generics} {} for {ty}", tokens(name)));
        let types = block.items.iter().filter(|item| matches!(item, ImplItem::Type(_)));
        lines.extend(types.map(|item| format!("    {}", tokens(item))));
        return;
    }
    // Where a method is and for which types.
    let place = if generics.is_empty() { format!("{marks_}{ty}") } else { format!("{marks_}impl{generics} {ty}") };
    for item in &block.items {
        match item {
            ImplItem::Fn(function) if is_public(&function.vis) => {
                lines.push(format!("{}{place}::{}", marks(&function.attrs), tokens(&function.sig)));
            }
            ImplItem::Const(constant) if is_public(&constant.vis) => {
                lines.push(format!("{}{place}::{}: {}", marks(&constant.attrs), constant.ident, tokens(&constant.ty)));
            }
            _ => {}
        }
    }
}

/// Parameters and what is demanded of them.
fn generics(generics: &Generics) -> String {
    let demands = generics.where_clause.as_ref().map_or_else(String::new, |clause| format!(" {}", tokens(clause)));
    tokens(generics) + &demands
}

fn imports(prefix: &str, tree: &UseTree) -> Vec<String> {
    match tree {
        UseTree::Path(path) => imports(&format!("{prefix}{}::", path.ident), &path.tree),
        UseTree::Group(group) => group.items.iter().flat_map(|tree| imports(prefix, tree)).collect(),
        other => vec![format!("use {prefix}{}", tokens(other))],
    }
}

/// What callers depend on beside the signature.
fn marks(attributes: &[Attribute]) -> String {
    const MARKS: [&str; 5] = ["derive", "non_exhaustive", "cfg", "cfg_attr", "repr"];
    let mut out = String::new();
    for attribute in attributes.iter().filter(|attribute| MARKS.iter().any(|name| attribute.path().is_ident(name))) {
        out.push_str(&tokens(attribute));
        out.push(' ');
    }
    out
}

fn tokens(node: &impl ToTokens) -> String {
    let text = node.to_token_stream().to_string();
    let tight = [
        (" :: ", "::"),
        (" < ", "<"),
        (" > ", "> "),
        (" >", ">"),
        ("& ", "&"),
        (" ,", ","),
        (" :", ":"),
        ("( ", "("),
        (" )", ")"),
        (" (", "("),
        ("# [", "#["),
        (" ]", "]"),
        ("[ ", "["),
    ];
    tight.iter().fold(text, |text, (from, to)| text.replace(from, to)).trim().to_owned()
}
