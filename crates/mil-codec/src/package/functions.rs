//! Functions, blocks and ops of the protobuf, as IR.

use super::proto::{self, argument::binding};
use super::{types, values};
use crate::codes;
use mil_base::{Arena, Diagnostic, Interner, Label, Name, Opset, Place, Type};
use mil_ir::{Arg, Binding, Blob, Builder, Constant, Function, NamedConstant, OpId, ValueId};
use std::collections::{BTreeMap, HashMap};

/// Reads the functions of one program, collecting every mistake.
pub(super) struct Reader<'a> {
    /// Blobs found so far, for the program.
    pub(super) blobs: &'a mut Arena<Blob>,
    /// What was wrong so far.
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    names: Interner,
}

/// The names that can be seen at a point of a function, each with its value and how deep the block is that defines it.
#[derive(Default)]
struct Scope {
    values: HashMap<Name, (ValueId, usize)>,
    /// What each name meant before, to restore it when its block ends.
    shadowed: Vec<(Name, Option<(ValueId, usize)>)>,
    /// Where in `shadowed` each open nested block begins.
    blocks: Vec<usize>,
}

impl Scope {
    fn get(&self, name: &str) -> Option<ValueId> {
        self.values.get(name).map(|(value, _)| *value)
    }

    /// Gives a name its meaning; false if it had one in the same block.
    fn define(&mut self, name: Name, value: ValueId) -> bool {
        let depth = self.blocks.len();
        let before = self.values.insert(name.clone(), (value, depth));
        self.shadowed.push((name, before));
        before.is_none_or(|(_, other)| other != depth)
    }

    fn enter(&mut self) {
        self.blocks.push(self.shadowed.len());
    }

    fn leave(&mut self) {
        let mark = self.blocks.pop().unwrap_or(0);
        for (name, before) in self.shadowed.drain(mark..).rev() {
            match before {
                Some(value) => self.values.insert(name, value),
                None => self.values.remove(&name),
            };
        }
    }
}

impl<'a> Reader<'a> {
    /// A reader that adds to these.
    pub(super) fn new(blobs: &'a mut Arena<Blob>, diagnostics: &'a mut Vec<Diagnostic>) -> Reader<'a> {
        Reader { blobs, diagnostics, names: Interner::new() }
    }

    /// The attributes of a program or function.
    pub(super) fn attributes(
        &mut self,
        attributes: &BTreeMap<String, proto::Value>,
        place: &Place,
    ) -> Vec<NamedConstant> {
        let mut read = Vec::with_capacity(attributes.len());
        for (name, value) in attributes {
            if let Some(constant) = self.constant(value, place, name) {
                read.push((self.names.intern(name), constant));
            }
        }
        read
    }

    /// One function, from the block for its op set. Nothing if it has none; what is wrong inside is collected.
    pub(super) fn function(&mut self, name: &str, function: &proto::Function) -> Option<Function> {
        let name = self.names.intern(name);
        let place = Place { function: Some(name.clone()), ..Place::default() };
        let block = self.specialization(function, &place)?;
        let opset = Opset::parse(&function.opset);
        let mut builder = Builder::new(name, opset.map_or(&*function.opset, |o| o.text()));
        for (name, constant) in self.attributes(&function.attributes, &place) {
            builder.attribute(name, constant);
        }
        let mut scope = Scope::default();
        self.params(&function.inputs, &mut builder, &mut scope, &place);
        let results = self.block(block, &mut builder, &mut scope, &place);
        Some(builder.finish(results))
    }

    /// The block to run, `block_specializations[opset]`; the others are named and left out.
    fn specialization<'f>(
        &mut self,
        function: &'f proto::Function,
        place: &Place,
    ) -> Option<&'f proto::Block> {
        let blocks = &function.block_specializations;
        let found = blocks.get_key_value(&function.opset);
        // A function with a single block means that one, whatever it calls its op set.
        let only = || blocks.first_key_value().filter(|_| blocks.len() == 1);
        let Some((chosen, block)) = found.or_else(only) else {
            let keys = blocks.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let message =
                format!("the function has no block for its op set `{}`, only [{keys}]", function.opset);
            self.report(Diagnostic::error(codes::PACKAGE_NO_BLOCK, message), place, None);
            return None;
        };
        for key in blocks.keys().filter(|k| *k != chosen) {
            let message = format!("the function's block for the op set `{key}` was left out");
            self.report(Diagnostic::warning(codes::PACKAGE_BLOCK_LEFT_OUT, message), place, None);
        }
        Some(block)
    }

    fn params(
        &mut self,
        inputs: &[proto::NamedValueType],
        builder: &mut Builder,
        scope: &mut Scope,
        place: &Place,
    ) {
        for input in inputs {
            if let Some((name, ty)) = self.named_type(input, place) {
                let value = builder.param(name.clone(), ty);
                self.define(scope, name, value, place);
            }
        }
    }

    /// Reads the ops into the builder's open block; gives what the block yields. The depth of nesting is bounded by
    /// the protobuf decoder's own limit.
    fn block(
        &mut self,
        block: &proto::Block,
        builder: &mut Builder,
        scope: &mut Scope,
        place: &Place,
    ) -> Vec<ValueId> {
        if !block.attributes.is_empty() {
            let warning =
                Diagnostic::warning(codes::PACKAGE_ATTRIBUTE_LEFT_OUT, "attributes of a block were left out");
            self.report(warning, place, None);
        }
        for op in &block.operations {
            self.op(op, builder, scope, place);
        }
        let mut results = Vec::with_capacity(block.outputs.len());
        for output in &block.outputs {
            match scope.get(output) {
                Some(value) => results.push(value),
                None => self.undefined(output, place, None),
            }
        }
        results
    }

    fn op(&mut self, op: &proto::Operation, builder: &mut Builder, scope: &mut Scope, function: &Place) {
        let op_name = op.outputs.first().map_or(&op.r#type, |o| &o.name);
        let place = Place {
            op: Some(builder.function().ops.len() as u32),
            op_name: Some(self.names.intern(op_name)),
            ..function.clone()
        };
        let mut args = Vec::with_capacity(op.inputs.len());
        for (name, argument) in &op.inputs {
            let arg = self.argument(argument, scope, &place, name);
            args.push((self.names.intern(name), arg));
        }
        let attributes = self.attributes(&op.attributes, &place);
        let outputs: Vec<(Name, Type)> =
            op.outputs.iter().filter_map(|o| self.named_type(o, &place)).collect();
        let id = builder.op(self.names.intern(&op.r#type), args, attributes, outputs);
        for nested in &op.blocks {
            self.nested(nested, id, builder, scope, &place);
        }
        for &output in &builder.function().ops[id].outputs {
            self.define(scope, builder.function().values[output].name.clone(), output, &place);
        }
    }

    fn nested(
        &mut self,
        block: &proto::Block,
        op: OpId,
        builder: &mut Builder,
        scope: &mut Scope,
        place: &Place,
    ) {
        scope.enter();
        builder.open_block(op);
        self.params(&block.inputs, builder, scope, place);
        let results = self.block(block, builder, scope, place);
        builder.close_block(results);
        scope.leave();
    }

    fn argument(&mut self, argument: &proto::Argument, scope: &Scope, place: &Place, name: &str) -> Arg {
        let mut bindings = Vec::with_capacity(argument.arguments.len());
        for binding in &argument.arguments {
            match &binding.binding {
                Some(binding::Binding::Name(value)) => match scope.get(value) {
                    Some(id) => bindings.push(Binding::Value(id)),
                    None => self.undefined(value, place, Some(name)),
                },
                Some(binding::Binding::Value(value)) => {
                    bindings.extend(self.constant(value, place, name).map(Binding::Constant));
                }
                None => {
                    let error =
                        Diagnostic::error(codes::PACKAGE_MISSING_VALUE, "an argument is bound to nothing");
                    self.report(error, place, Some(name));
                }
            }
        }
        Arg(bindings)
    }

    fn constant(&mut self, value: &proto::Value, place: &Place, name: &str) -> Option<Constant> {
        values::read(value, self.blobs).map_err(|d| self.report(d, place, Some(name))).ok()
    }

    fn named_type(&mut self, named: &proto::NamedValueType, place: &Place) -> Option<(Name, Type)> {
        let name = self.names.intern(&named.name);
        let ty = types::read(named.r#type.as_ref()).map_err(|d| self.report(d, place, Some(&named.name)));
        Some((name, ty.ok()?))
    }

    fn define(&mut self, scope: &mut Scope, name: Name, value: ValueId, place: &Place) {
        if name.is_empty() {
            let error = Diagnostic::error(codes::PACKAGE_MISSING_NAME, "a value has no name");
            self.report(error, place, None);
        } else if !scope.define(name.clone(), value) {
            let message = format!("`{name}` is defined twice in one block");
            self.report(Diagnostic::error(codes::PACKAGE_DUPLICATE_VALUE, message), place, Some(&name));
        }
    }

    fn undefined(&mut self, value: &str, place: &Place, argument: Option<&str>) {
        let message = format!("`{value}` is used but not defined before");
        self.report(Diagnostic::error(codes::PACKAGE_UNDEFINED_VALUE, message), place, argument);
    }

    fn report(&mut self, diagnostic: Diagnostic, place: &Place, argument: Option<&str>) {
        let place = Place { argument: argument.map(Name::new), ..place.clone() };
        self.diagnostics.push(diagnostic.label(Label::place(place, "")));
    }
}
