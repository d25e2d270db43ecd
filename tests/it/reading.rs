//! Reads Rust source for the architecture test: what does it import, and what does it make?

use proc_macro2::{TokenStream, TokenTree};
use std::collections::BTreeSet;
use syn::{
    ExprPath, ExprStruct, File, ItemImpl, ItemMod, ItemUse, LitStr, Macro, Type, UseRename, UseTree,
    visit::{self, Visit},
};

/// The top-level modules of this crate that the source of `module` names.
pub(crate) fn imports(module: &[String], source: &str) -> BTreeSet<String> {
    let mut imports = Imports { module: module.to_vec(), found: BTreeSet::new() };
    imports.visit_file(&parse(source));
    imports.found
}

/// The types of which the source has a literal or names an associated function or variant.
pub(crate) fn makes(source: &str) -> BTreeSet<String> {
    let mut makes = Makes { own: None, found: BTreeSet::new() };
    makes.visit_file(&parse(source));
    makes.found
}

fn parse(source: &str) -> File {
    syn::parse_file(source).expect("the compiler reads it, and so must we")
}

struct Imports {
    module: Vec<String>,
    found: BTreeSet<String>,
}

impl Imports {
    /// Follows `crate`, `self` and `super` to the module they mean. Any other path starts from a
    /// foreign crate, or from a name that a `use` has brought in.
    fn follow(&mut self, path: &[String]) {
        let mut at = match path.first().map(String::as_str) {
            Some("crate") => Vec::new(),
            Some("self" | "super") => self.module.clone(),
            Some(_) | None => return,
        };
        for step in path {
            match step.as_str() {
                "crate" | "self" => {}
                "super" => drop(at.pop()),
                name => at.push(name.to_owned()),
            }
        }
        self.found.extend(at.into_iter().next());
    }

    fn follow_tree(&mut self, tree: &UseTree, mut path: Vec<String>) {
        match tree {
            UseTree::Path(step) => {
                path.push(step.ident.to_string());
                self.follow_tree(&step.tree, path);
            }
            UseTree::Group(group) => {
                for branch in &group.items {
                    self.follow_tree(branch, path.clone());
                }
            }
            UseTree::Name(name) => {
                path.push(name.ident.to_string());
                self.follow(&path);
            }
            UseTree::Rename(rename) => {
                path.push(rename.ident.to_string());
                self.follow(&path);
            }
            UseTree::Glob(_) => self.follow(&path),
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast ItemUse) {
        self.follow_tree(&item.tree, Vec::new());
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let steps: Vec<_> = path.segments.iter().map(|step| step.ident.to_string()).collect();
        self.follow(&steps);
        visit::visit_path(self, path);
    }

    /// Tests may ask the whole house.
    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if is_for_tests(item) {
            return;
        }
        self.module.push(item.ident.to_string());
        visit::visit_item_mod(self, item);
        self.module.pop();
    }

    /// What a macro will make of its tokens is unknown; a path in them looks like one anyway.
    fn visit_macro(&mut self, called: &'ast Macro) {
        let mut words = Vec::new();
        flatten(called.tokens.clone(), &mut words);
        let mut rest = words.as_slice();
        while let [first, tail @ ..] = rest {
            let mut path = vec![first.clone()];
            rest = tail;
            while let [colon, _colon, step, tail @ ..] = rest
                && colon == ":"
            {
                path.push(step.clone());
                rest = tail;
            }
            self.follow(&path);
        }
    }
}

fn is_for_tests(item: &ItemMod) -> bool {
    item.attrs.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && quoted(&attribute.meta).split(|c: char| !c.is_alphanumeric()).any(|word| word == "test")
    })
}

fn quoted(meta: &syn::Meta) -> String {
    if let syn::Meta::List(list) = meta { list.tokens.to_string() } else { String::new() }
}

fn flatten(tokens: TokenStream, words: &mut Vec<String>) {
    for token in tokens {
        if let TokenTree::Group(group) = token {
            flatten(group.stream(), words);
        } else {
            words.push(token.to_string());
        }
    }
}

struct Makes {
    /// What `Self` means here.
    own: Option<String>,
    found: BTreeSet<String>,
}

impl Makes {
    fn add(&mut self, name: String) {
        self.found.extend(if name == "Self" { self.own.clone() } else { Some(name) });
    }
}

impl<'ast> Visit<'ast> for Makes {
    fn visit_item_impl(&mut self, item: &'ast ItemImpl) {
        if let Type::Path(own) = &*item.self_ty {
            self.own = own.path.segments.last().map(|step| step.ident.to_string());
        }
        visit::visit_item_impl(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast ItemMod) {
        if !is_for_tests(item) {
            visit::visit_item_mod(self, item);
        }
    }

    /// Under another name a proof could be made unseen.
    fn visit_use_rename(&mut self, rename: &'ast UseRename) {
        self.add(rename.ident.to_string());
    }

    fn visit_expr_struct(&mut self, literal: &'ast ExprStruct) {
        let mut names = literal.path.segments.iter().rev().map(|segment| segment.ident.to_string());
        let (last, owner) = (names.next(), names.next());
        // `Entry::Event { .. }` is an `Entry`: types start with a capital letter, and modules do not.
        let variant = owner.filter(|owner| owner.starts_with(char::is_uppercase));
        if let Some(name) = variant.or(last) {
            self.add(name);
        }
        visit::visit_expr_struct(self, literal);
    }

    fn visit_expr_path(&mut self, path: &'ast ExprPath) {
        if let Some(owner) = path.path.segments.iter().rev().nth(1) {
            self.add(owner.ident.to_string());
        }
        visit::visit_expr_path(self, path);
    }
}

/// The texts that the source has in it, without its documentation, its attributes and its tests.
pub(crate) fn texts(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect_texts(source.parse().expect("the compiler reads it, and so must we"), &mut found);
    found
}

fn collect_texts(tokens: TokenStream, found: &mut Vec<String>) {
    let mut tokens = tokens.into_iter().peekable();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Punct(mark) if mark.as_char() == '#' => {
                tokens.next_if(|next| matches!(next, TokenTree::Punct(_)));
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Ident(name) if name == "tests" => {
                tokens.next_if(|next| matches!(next, TokenTree::Group(_)));
            }
            TokenTree::Group(group) => collect_texts(group.stream(), found),
            TokenTree::Literal(literal) => {
                found.extend(syn::parse2::<LitStr>(TokenTree::from(literal).into()).map(|text| text.value()).ok());
            }
            TokenTree::Punct(_) | TokenTree::Ident(_) => {}
        }
    }
}
