//! The public API of the published crates as one reviewed text each: what a caller can name, with its signature.
//!
//! After a change that is meant: `INSTA_UPDATE=always cargo test -p coralogix-incidents-tests surface`, and an entry in
//! CHANGELOG.md, which must carry the fingerprint that the failing test prints.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use quote::ToTokens;
use syn::{Attribute, Fields, ImplItem, Item, ItemImpl, TraitItem, UseTree, Visibility};

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
fn what_breaks_a_caller_changes_the_surface_and_what_does_not_does_not() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let surface = |text: &str| fingerprint(&surface_of(&[file("lib.rs", text)]));
    let code = "#[derive(Clone)] pub struct Page { pub size: u32, at: u32 }
                impl Page { pub fn next(&self) -> Option<u32> { None } fn own(&self) {} }
                pub trait Paged { fn page(&self) -> Page; }
                pub enum Order { Up, Down }";
    for (old, new) in [
        ("size: u32", "size: u64"),
        ("pub size", "size"),
        ("#[derive(Clone)]", ""),
        ("next(&self)", "next(&mut self)"),
        ("Option<u32>", "u32"),
        ("page(&self) -> Page", "page(&self)"),
        ("Up, Down", "Up"),
    ] {
        assert_ne!(surface(&code.replace(old, new)), surface(code), "{old} became {new}");
    }
    for (old, new) in [("at: u32", "at: u64"), ("own(&self)", "own(&mut self)"), ("{ None }", "{ Some(1) }")] {
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
    let items = code.iter().flat_map(|(_, code)| &code.items);
    let public: BTreeSet<String> = items.filter_map(public_type).collect();
    let mut out = String::new();
    for (name, code) in &code {
        let mut lines = Vec::new();
        code.items.iter().for_each(|item| self::item(item, &public, &mut lines));
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

fn public_type(item: &Item) -> Option<String> {
    match item {
        Item::Struct(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        Item::Enum(item) if is_public(&item.vis) => Some(item.ident.to_string()),
        _ => None,
    }
}

fn item(item: &Item, public: &BTreeSet<String>, lines: &mut Vec<String>) {
    match item {
        Item::Struct(structure) if is_public(&structure.vis) => {
            let (name, generics) = (&structure.ident, tokens(&structure.generics));
            lines.push(format!("{}struct {name}{generics}", marks(&structure.attrs)));
            if let Fields::Named(fields) = &structure.fields {
                for field in fields.named.iter().filter(|field| is_public(&field.vis)) {
                    lines.push(format!("    {}: {}", tokens(&field.ident), tokens(&field.ty)));
                }
            }
        }
        Item::Enum(enumeration) if is_public(&enumeration.vis) => {
            lines.push(format!(
                "{}enum {}{}",
                marks(&enumeration.attrs),
                enumeration.ident,
                tokens(&enumeration.generics)
            ));
            for variant in &enumeration.variants {
                lines.push(format!("    {}{}", variant.ident, tokens(&variant.fields)));
            }
        }
        Item::Fn(function) if is_public(&function.vis) => lines.push(tokens(&function.sig)),
        Item::Const(constant) if is_public(&constant.vis) => {
            lines.push(format!("const {}: {}", constant.ident, tokens(&constant.ty)));
        }
        Item::Type(alias) if is_public(&alias.vis) => {
            lines.push(format!("type {} = {}", alias.ident, tokens(&alias.ty)));
        }
        // `fuzzing` exists for the fuzz targets alone.
        Item::Mod(module) if is_public(&module.vis) && module.ident != "fuzzing" => {
            lines.push(format!("mod {}", module.ident));
        }
        Item::Use(import) if is_public(&import.vis) => lines.extend(imports("", &import.tree)),
        Item::Trait(definition) if is_public(&definition.vis) => {
            lines.push(format!(
                "trait {}{}: {}",
                definition.ident,
                tokens(&definition.generics),
                tokens(&definition.supertraits)
            ));
            for item in &definition.items {
                if let TraitItem::Fn(function) = item {
                    lines.push(format!("    {}", tokens(&function.sig)));
                }
            }
        }
        Item::Impl(block) if public.contains(tokens(&block.self_ty).split(['<', ' ']).next().unwrap()) => {
            implementation(block, lines);
        }
        _ => {}
    }
}

fn implementation(block: &ItemImpl, lines: &mut Vec<String>) {
    let ty = tokens(&block.self_ty);
    if let Some((name, _)) = &block.trait_ {
        lines.push(format!("impl {} for {ty}", tokens(name)));
        return;
    }
    for item in &block.items {
        match item {
            ImplItem::Fn(function) if is_public(&function.vis) => {
                lines.push(format!("{ty}::{}", tokens(&function.sig)));
            }
            ImplItem::Const(constant) if is_public(&constant.vis) => {
                lines.push(format!("{ty}::{}: {}", constant.ident, tokens(&constant.ty)));
            }
            _ => {}
        }
    }
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
    let mut out = String::new();
    for attribute in attributes
        .iter()
        .filter(|attribute| ["derive", "non_exhaustive"].iter().any(|name| attribute.path().is_ident(name)))
    {
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
