//! The public API of each published crate as a reviewed snapshot: its source without what callers cannot see.
//!
//! After an intended change, run `INSTA_UPDATE=always cargo test -p coralogix-incidents-tests surface` and add an entry to
//! CHANGELOG.md with the fingerprint that the failing test prints.

use std::{collections::BTreeSet, mem};

use quote::ToTokens;
use syn::{
    Attribute, Block, Fields, File, ImplItem, ImplItemConst, Item, ItemConst, ItemImpl, ItemMod, ItemStatic,
    ItemStruct, Receiver, Visibility, parse_quote,
    visit_mut::{self, VisitMut},
};

use crate::{document::snapshots, repository};

/// Files by their names.
type Files = Vec<(String, File)>;

#[test]
fn the_public_surface_is_as_reviewed() {
    let _settings = snapshots();
    for package in ["sdk", "emulator"] {
        let files = surface(package).into_iter().filter(|(_, file)| !file.items.is_empty());
        let shown: Vec<String> =
            files.map(|(name, file)| format!("// {name}\n{}", prettyplease::unparse(&file))).collect();
        insta::assert_snapshot!(format!("surface__{package}"), shown.join("\n"));
    }
}

#[test]
fn a_changed_surface_has_a_changelog_entry() {
    let files = ["sdk", "emulator"].into_iter().flat_map(surface).collect();
    let expected = format!("Public API: `{:016x}`", fingerprint(files));
    assert!(
        repository::read("CHANGELOG.md").contains(&expected),
        "the public API has changed: say how under `## [Unreleased]` in CHANGELOG.md, and set its last line to\n{expected}"
    );
}

#[test]
fn only_breaking_changes_change_the_surface() {
    let file = |name: &str, text: &str| (name.to_owned(), syn::parse_file(text).unwrap());
    let surface = |text: &str| fingerprint(public(vec![file("lib.rs", text)]));
    let code = "#[derive(Clone)] pub struct Page { pub size: u32, at: u32 }
                impl Page { pub fn next(&self) -> Option<u32> { None } pub fn end(self) {} fn own(&self) {} }
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
        ("end(self)", "end(mut self)"),
        ("{ None }", "{ Some(1) }"),
        ("{ false }", "{ true }"),
        (", u32)", ", u64)"),
    ] {
        assert_eq!(surface(&code.replace(old, new)), surface(code), "{old} became {new}");
    }
    let (page, order) = code.split_at(code.find("pub enum").unwrap());
    let moved = public(vec![file("order.rs", order), file("page.rs", page)]);
    assert_eq!(fingerprint(moved), surface(code), "items moved to files of their own");
}

/// FNV-1a, which is stable, of the items of a surface. Which private file or block an item stands in is no caller's business.
fn fingerprint(files: Files) -> u64 {
    let mut items: Vec<String> = Vec::new();
    for item in files.into_iter().flat_map(|(_, file)| file.items) {
        match item {
            Item::Impl(mut block) if block.trait_.is_none() => {
                for member in mem::take(&mut block.items) {
                    block.items = vec![member];
                    items.push(block.to_token_stream().to_string());
                }
            }
            item => items.push(item.to_token_stream().to_string()),
        }
    }
    items.retain(|item| !item.starts_with("pub use self ::"));
    items.sort_unstable();
    let bytes = items.iter().flat_map(|item| item.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// What callers see of a crate. Private modules are read too, for what they re-export.
fn surface(package: &str) -> Files {
    let source = repository::root().join(package).join("src");
    let files = repository::rust_files(&format!("{package}/src")).into_iter();
    let files = files.filter(|path| !path.ends_with("main.rs") && !path.ends_with("fuzzing.rs"));
    public(
        files
            .map(|path| {
                let text = std::fs::read_to_string(&path).unwrap();
                (path.strip_prefix(&source).unwrap().display().to_string(), syn::parse_file(&text).unwrap())
            })
            .collect(),
    )
}

/// What callers see of files.
fn public(mut files: Files) -> Files {
    let mut surface = Surface::default();
    for (_, file) in &mut files {
        surface.declare(&mut file.items);
    }
    for (_, file) in &mut files {
        surface.visit_file_mut(file);
    }
    files
}

/// Removes what callers cannot see: private items and members, code, values and documentation.
#[derive(Default)]
struct Surface {
    public_types: BTreeSet<String>,
    private_traits: BTreeSet<String>,
}

impl Surface {
    /// Replaces invocations of macros by the items that they are given, as `open_enum!` is, and takes down what decides
    /// whether an implementation is public.
    fn declare(&mut self, items: &mut [Item]) {
        for item in items {
            if let Item::Macro(invocation) = item
                && let Ok(inner) = invocation.mac.parse_body()
            {
                *item = inner;
            }
            let is_public = is_public(item);
            match item {
                Item::Trait(item) if !is_public => drop(self.private_traits.insert(item.ident.to_string())),
                Item::Struct(item) if is_public => drop(self.public_types.insert(item.ident.to_string())),
                Item::Enum(item) if is_public => drop(self.public_types.insert(item.ident.to_string())),
                Item::Union(item) if is_public => drop(self.public_types.insert(item.ident.to_string())),
                Item::Mod(module) if is_public => {
                    module.content.iter_mut().for_each(|(_, items)| self.declare(items));
                }
                _ => {}
            }
        }
    }

    fn strip(&mut self, items: &mut Vec<Item>) {
        items.retain_mut(|item| {
            let is_public = match &*item {
                Item::Impl(block) => self.is_public_implementation(block),
                other => is_public(other),
            };
            self.visit_item_mut(item);
            is_public && !matches!(item, Item::Impl(block) if block.trait_.is_none() && block.items.is_empty())
        });
    }

    fn is_public_implementation(&self, block: &ItemImpl) -> bool {
        let trait_ = block.trait_.as_ref().map_or_else(String::new, |(path, _)| path.to_token_stream().to_string());
        let text = format!("{} {trait_}", block.self_ty.to_token_stream());
        let mut words = text.split(|character: char| !character.is_alphanumeric() && character != '_');
        words.any(|word| self.public_types.contains(word)) && !self.private_traits.contains(&trait_)
    }
}

impl VisitMut for Surface {
    fn visit_file_mut(&mut self, file: &mut File) {
        self.visit_attributes_mut(&mut file.attrs);
        self.strip(&mut file.items);
    }

    fn visit_item_mod_mut(&mut self, module: &mut ItemMod) {
        self.visit_attributes_mut(&mut module.attrs);
        module.content.iter_mut().for_each(|(_, items)| self.strip(items));
    }

    fn visit_item_struct_mut(&mut self, structure: &mut ItemStruct) {
        match &mut structure.fields {
            Fields::Named(fields) => {
                let public = mem::take(&mut fields.named).into_iter().filter(|field| is_pub(&field.vis));
                fields.named = public.collect();
            }
            // A private member is still counted.
            Fields::Unnamed(fields) => {
                let private = fields.unnamed.iter_mut().filter(|field| !is_pub(&field.vis));
                private.for_each(|field| *field = parse_quote!(_));
            }
            Fields::Unit => {}
        }
        visit_mut::visit_item_struct_mut(self, structure);
    }

    /// Of the implementation of a trait, callers depend on the types; the trait tells the rest.
    fn visit_item_impl_mut(&mut self, block: &mut ItemImpl) {
        let is_inherent = block.trait_.is_none();
        block.items.retain(|item| match item {
            ImplItem::Fn(item) => is_inherent && is_pub(&item.vis),
            ImplItem::Const(item) => is_inherent && is_pub(&item.vis),
            ImplItem::Type(_) => true,
            _ => false,
        });
        visit_mut::visit_item_impl_mut(self, block);
    }

    fn visit_item_const_mut(&mut self, constant: &mut ItemConst) {
        constant.expr = parse_quote!(..);
        visit_mut::visit_item_const_mut(self, constant);
    }

    fn visit_impl_item_const_mut(&mut self, constant: &mut ImplItemConst) {
        constant.expr = parse_quote!(..);
        visit_mut::visit_impl_item_const_mut(self, constant);
    }

    fn visit_item_static_mut(&mut self, item: &mut ItemStatic) {
        item.expr = parse_quote!(..);
        visit_mut::visit_item_static_mut(self, item);
    }

    /// Whether a method may change its own `self` is not seen, and whether it may change its caller's is.
    fn visit_receiver_mut(&mut self, receiver: &mut Receiver) {
        receiver.mutability = None;
    }

    /// That a method of a trait has a default stays visible: it matters to those who implement the trait.
    fn visit_block_mut(&mut self, block: &mut Block) {
        block.stmts.clear();
    }

    fn visit_attributes_mut(&mut self, attributes: &mut Vec<Attribute>) {
        const MARKS: [&str; 6] = ["derive", "non_exhaustive", "cfg", "cfg_attr", "repr", "macro_export"];
        attributes.retain(|attribute| MARKS.iter().any(|name| attribute.path().is_ident(name)));
    }
}

fn is_pub(visibility: &Visibility) -> bool {
    matches!(visibility, Visibility::Public(_))
}

/// Whether an item can be named from outside. `fuzzing` exists for the fuzz targets alone.
fn is_public(item: &Item) -> bool {
    match item {
        Item::Const(item) => is_pub(&item.vis),
        Item::Enum(item) => is_pub(&item.vis),
        Item::Fn(item) => is_pub(&item.vis),
        Item::Macro(item) => item.attrs.iter().any(|attribute| attribute.path().is_ident("macro_export")),
        Item::Mod(item) => is_pub(&item.vis) && item.ident != "fuzzing",
        Item::Static(item) => is_pub(&item.vis),
        Item::Struct(item) => is_pub(&item.vis),
        Item::Trait(item) => is_pub(&item.vis),
        Item::Type(item) => is_pub(&item.vis),
        Item::Union(item) => is_pub(&item.vis),
        Item::Use(item) => is_pub(&item.vis),
        _ => false,
    }
}
