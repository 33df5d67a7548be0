//! The syntax tree to the IR.

use super::codes;
use super::scope::{Entry, Scope};
use ahash::AHashMap;
use mil_base::{Diagnostic, Interner, Label, Name, Place, Severity, Span, Type};
use mil_ir::{
    Arg, Binding, Blob, BlobId, Builder, Constant, Function, NamedConstant, Origins, Payload, Program,
    SpanTable, ValueId,
};
use mil_syntax::tree;
use std::collections::HashMap;

/// After this many diagnostics the rest is counted, not listed.
const MAX_DIAGNOSTICS: usize = 500;

/// So many undefined names get a suggestion, each of which looks at every visible name.
const MAX_SUGGESTIONS: usize = 50;

/// What lowering gives.
#[derive(Clone, Debug, Default)]
pub struct Lowered {
    /// The program. Constants in weight files are [`Blob`]s without data.
    pub program: Program,
    /// Where its parts stand in the text.
    pub origins: Origins,
    /// What was wrong; with an error among it the program is incomplete.
    pub diagnostics: Vec<Diagnostic>,
}

/// Lowers a tree. Parts that the parser marked as unreadable are left out and cause no further diagnostics.
pub fn lower(tree: &tree::Program<'_>) -> Lowered {
    let mut lowering = Lowering::default();
    let version = tree.version.map_or((1, 3), |v| (v.major, v.minor));
    lowering.out.program.version = version;
    lowering.out.program.attributes = lowering.attributes(&tree.attributes, &Place::default());
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for function in &tree.functions {
        if let Some(&earlier) = seen.get(function.name.text) {
            lowering.duplicate(
                codes::DUPLICATE_FUNCTION,
                &format!("the function `{}` is defined twice", function.name.text),
                (function.name.span, earlier),
                "give one of them another name",
                Place::default(),
            );
            continue;
        }
        seen.insert(function.name.text, function.name.span);
        lowering.function(function);
    }
    if lowering.unlisted > 0 {
        let message = format!("{} more mistakes are not listed", lowering.unlisted);
        lowering.out.diagnostics.push(
            Diagnostic::new(Severity::Note, mil_syntax::codes::TOO_MANY_ERRORS, message)
                .help("mend the first ones and look again"),
        );
    }
    lowering.out
}

#[derive(Default)]
struct Lowering {
    out: Lowered,
    names: Interner,
    blobs: AHashMap<(Name, u64), BlobId>,
    unlisted: usize,
}

/// A function that is being lowered.
struct Body<'t> {
    builder: Builder,
    scope: Scope<'t>,
    spans: SpanTable,
    name: Name,
}

impl Body<'_> {
    fn place(&self) -> Place {
        Place { function: Some(self.name.clone()), ..Place::default() }
    }
}

impl Lowering {
    fn function(&mut self, tree: &tree::Function<'_>) {
        let name = self.names.intern(tree.name.text);
        let opset = self.names.intern(tree.opset.map_or("", |o| o.text));
        let mut body = Body {
            builder: Builder::new(name.clone(), opset),
            scope: Scope::default(),
            spans: SpanTable { name: tree.name.span, ..SpanTable::default() },
            name,
        };
        body.spans.args.reserve(arguments(&tree.body));
        let place = body.place();
        for (name, constant) in self.attributes(&tree.attributes, &place) {
            body.builder.attribute(name, constant);
        }
        let results = self.block(&mut body, &tree.params, &tree.body);
        let function: Function = body.builder.finish(results);
        self.out.program.functions.push(function);
        self.out.origins.functions.push(body.spans);
    }

    /// Lowers parameters and statements into the open block and gives its results.
    fn block<'t>(
        &mut self,
        body: &mut Body<'t>,
        params: &[tree::Variable<'t>],
        tree: &tree::Body<'t>,
    ) -> Vec<ValueId> {
        let damaged = body.scope.damaged;
        body.scope.damaged |= tree.damaged;
        body.scope.open();
        for param in params {
            let value = param.ty.ty.clone().map(|ty| {
                body.spans.values.push(param.name.span);
                body.builder.param(self.names.intern(param.name.text), ty)
            });
            self.define(body, param.name, value);
        }
        for statement in &tree.statements {
            self.statement(body, statement);
        }
        let results = tree.results.iter().filter_map(|name| self.resolve(body, *name)).collect();
        body.scope.close();
        body.scope.damaged = damaged;
        results
    }

    fn statement<'t>(&mut self, body: &mut Body<'t>, tree: &tree::Statement<'t>) {
        let place = body.place();
        let index = body.spans.ops.len() as u32;
        let mut args: Vec<(Name, Arg)> = Vec::with_capacity(tree.args.len());
        for arg in &tree.args {
            let name = self.names.intern(arg.name.text);
            let bindings = arg.bindings.as_slice().iter().filter_map(|b| self.binding(body, b)).collect();
            if let Some(&earlier) = body.spans.args.get(&(index, name.clone())) {
                self.duplicate_argument(&name, (arg.span, earlier), place.clone());
                continue;
            }
            body.spans.args.insert((index, name.clone()), arg.span);
            args.push((name, Arg(bindings)));
        }
        let attributes = self.attributes(&tree.attributes, &place);
        for attribute in &tree.attributes.items {
            let name = self.names.intern(attribute.name.text);
            body.spans.args.entry((index, name)).or_insert(attribute.name.span.to(attribute.value.span));
        }
        // An output of unknown type makes no value, but its name is known from here on.
        let typed: Vec<(&tree::Variable<'t>, Type)> =
            tree.outputs.iter().filter_map(|o| Some((o, o.ty.ty.clone()?))).collect();
        let outputs =
            typed.iter().map(|(output, ty)| (self.names.intern(output.name.text), ty.clone())).collect();
        let op = body.builder.op(self.names.intern(tree.op.text), args, attributes, outputs);
        body.spans.ops.push(tree.op.span);
        body.spans.values.extend(typed.iter().map(|(output, _)| output.name.span));
        for block in &tree.blocks {
            body.builder.open_block(op);
            let results = self.block(body, &block.params, &block.body);
            body.builder.close_block(results);
        }
        let mut ids = body.builder.function().ops[op].outputs.clone().into_iter();
        for output in &tree.outputs {
            let value = output.ty.ty.as_ref().and_then(|_| ids.next());
            self.define(body, output.name, value);
        }
    }

    fn binding(&mut self, body: &mut Body<'_>, tree: &tree::Binding<'_>) -> Option<Binding> {
        match tree {
            tree::Binding::Name(name) => self.resolve(body, *name).map(Binding::Value),
            tree::Binding::Value(value) => self.constant(value).map(Binding::Constant),
            tree::Binding::Invalid(_) => None,
        }
    }

    fn define<'t>(&mut self, body: &mut Body<'t>, name: tree::Ident<'t>, value: Option<ValueId>) {
        let Some(earlier) = body.scope.define(name.text, Entry { value, span: name.span }) else { return };
        self.duplicate(
            codes::DUPLICATE_NAME,
            &format!("`{}` is defined twice", name.text),
            (name.span, earlier.span),
            "give one of them another name; a value is assigned once",
            body.place(),
        );
    }

    fn resolve(&mut self, body: &Body<'_>, name: tree::Ident<'_>) -> Option<ValueId> {
        if let Some(entry) = body.scope.find(name.text) {
            return entry.value;
        }
        if body.scope.damaged {
            return None;
        }
        if self.out.diagnostics.len() >= MAX_DIAGNOSTICS {
            self.unlisted += 1;
            return None;
        }
        let suggest = self.out.diagnostics.len() < MAX_SUGGESTIONS;
        let nearest = if suggest { body.scope.nearest(name.text) } else { None };
        let help = match nearest {
            Some(nearest) => format!("did you mean `{nearest}`?"),
            None => "define it in a statement before this one, or as a parameter".to_owned(),
        };
        let label =
            Label { place: body.place(), span: Some(name.span), message: "not defined before this".into() };
        self.out.diagnostics.push(
            Diagnostic::error(codes::UNDEFINED_NAME, format!("nothing is named `{}` here", name.text))
                .label(label)
                .help(help),
        );
        None
    }

    fn attributes(&mut self, tree: &tree::Attributes<'_>, place: &Place) -> Vec<NamedConstant> {
        let mut all: Vec<NamedConstant> = Vec::with_capacity(tree.items.len());
        let mut seen: AHashMap<&str, Span> = AHashMap::new();
        // Most ops have one or two attributes, for which a table would cost more than it saves.
        let few = tree.items.len() <= 4;
        for (at, attribute) in tree.items.iter().enumerate() {
            let written = attribute.name;
            let earlier = if few {
                tree.items[..at].iter().find(|a| a.name.text == written.text).map(|a| a.name.span)
            } else {
                seen.insert(written.text, written.span)
            };
            let name = self.names.intern(written.text);
            if let Some(earlier) = earlier {
                self.duplicate_argument(&name, (written.span, earlier), place.clone());
                continue;
            }
            if let Some(constant) = self.constant(&attribute.value) {
                all.push((name, constant));
            }
        }
        all
    }

    fn constant(&mut self, value: &tree::Value) -> Option<Constant> {
        let ty = value.ty.ty.clone()?;
        let payload = self.payload(&value.literal)?;
        Some(Constant { ty, payload })
    }

    /// The parser bounds how deep literals nest.
    fn payload(&mut self, literal: &tree::Literal) -> Option<Payload> {
        Some(match literal {
            tree::Literal::Tensor(tensor) => Payload::Tensor(tensor.clone()),
            tree::Literal::List(items) => Payload::List(self.payloads(items)?),
            tree::Literal::Tuple(items) => Payload::Tuple(self.payloads(items)?),
            tree::Literal::Dict(pairs) => {
                let pair = |(key, value): &(_, _)| Some((self.payload(key)?, self.payload(value)?));
                Payload::Dict(pairs.iter().map(pair).collect::<Option<_>>()?)
            }
            tree::Literal::Blob(blob) => Payload::Blob(self.blob(blob)),
            tree::Literal::Invalid => return None,
        })
    }

    fn payloads(&mut self, items: &[tree::Literal]) -> Option<Vec<Payload>> {
        items.iter().map(|item| self.payload(item)).collect()
    }

    /// The blob at a place; constants that name the same place share it.
    fn blob(&mut self, tree: &tree::Blob) -> BlobId {
        let path = self.names.intern(&tree.path);
        let blobs = &mut self.out.program.blobs;
        *self
            .blobs
            .entry((path.clone(), tree.offset))
            .or_insert_with(|| blobs.push(Blob { path, offset: tree.offset, data: None }))
    }

    fn duplicate_argument(&mut self, name: &str, spans: (Span, Span), place: Place) {
        let message = format!("`{name}` is given twice");
        self.duplicate(codes::DUPLICATE_ARGUMENT, &message, spans, "remove one of them", place);
    }

    /// `spans` are the second definition and the first.
    fn duplicate(
        &mut self,
        code: &'static str,
        message: &str,
        spans: (Span, Span),
        help: &str,
        place: Place,
    ) {
        if self.out.diagnostics.len() >= MAX_DIAGNOSTICS {
            self.unlisted += 1;
            return;
        }
        let second = Label { place, span: Some(spans.0), message: "the second time".into() };
        self.out.diagnostics.push(
            Diagnostic::error(code, message)
                .label(second)
                .label(Label::span(spans.1, "the first time"))
                .help(help),
        );
    }
}

/// About how many arguments and attributes the statements of a body have, nested ones not counted.
fn arguments(body: &tree::Body<'_>) -> usize {
    body.statements.iter().map(|s| s.args.len() + s.attributes.items.len()).sum()
}
