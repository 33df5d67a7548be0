//! One op against the signature of its card.

use crate::check::Card;
use crate::codes;
use crate::nearest::{choices, nearest};
use crate::walk::Walk;
use mil_base::{DType, Diagnostic, Label, Name, Opset, Place, Type};
use mil_ir::{Binding, OpId};
use mil_ops::contract::{BoundArg, Default, Issue, Need, Outputs, Param, ParamKind, Version};

/// An op that can be inferred, perhaps with faults that its card may be able to name better.
pub(crate) struct Fit {
    /// Faults of single arguments: element type, group, constness.
    pub(crate) pending: Vec<Issue>,
}

impl Fit {
    /// All issues of the op. Where the card has a constraint of its own about an argument, it stands for what the
    /// signature found; that something cannot be read is a consequence, and other arguments may be too.
    pub(crate) fn reconcile(self, found: Vec<Issue>) -> Vec<Issue> {
        if self.pending.is_empty() {
            return found;
        }
        let wrong_type = self.pending.iter().any(|i| i.code == codes::DTYPE);
        let about = |i: &Issue| self.pending.iter().any(|p| p.argument == i.argument);
        let found: Vec<Issue> = found
            .into_iter()
            .filter(|i| i.code != codes::ARGUMENT_UNREADABLE && (!wrong_type || about(i)))
            .collect();
        let named: Vec<Option<Name>> = found.iter().map(|i| i.argument.clone()).collect();
        let rest = self.pending.into_iter().filter(|p| !named.contains(&p.argument));
        rest.chain(found).collect()
    }
}

impl Walk<'_> {
    /// The card of an op and the signature in force, or an error.
    pub(crate) fn card(&mut self, id: OpId) -> Option<Card> {
        let name = &self.function.ops[id].name;
        let Some(def) = self.ops.get(name) else {
            let help = self.suggest(id);
            self.error(codes::UNKNOWN_OP, id, None, format!("there is no op `{name}`"), help);
            return None;
        };
        let opset = self.facts.opset;
        let Some(version) = def.version(opset) else {
            let since = def.versions.first().map_or(opset, |v| v.since);
            let message = format!("`{name}` is in MIL since {since}, but the function is {opset}");
            let help = format!("declare the function `<{since}>`");
            self.error(codes::OP_TOO_NEW, id, None, message, Some(help));
            return None;
        };
        Some(Card { def, version })
    }

    /// The names nearest to an unknown op's, worked out for at most a hundred names.
    fn suggest(&mut self, id: OpId) -> Option<String> {
        let function = self.function;
        let name: &str = &function.ops[id].name;
        if let Some(known) = self.suggestions.get(name) {
            return known.clone();
        }
        if self.suggestions.len() >= 100 {
            return None;
        }
        let near = choices(&nearest(name, self.ops.iter().map(|d| d.name)));
        let help = match near {
            Some(near) => format!("did you mean {near}?"),
            None => "`milwright explain` lists every op that is known".to_owned(),
        };
        let help = Some(help);
        self.suggestions.insert(name, help.clone());
        help
    }

    /// Compares arguments and outputs with the signature. Nothing if the op cannot be inferred.
    pub(crate) fn fit(&mut self, id: OpId, card: Card) -> Option<Fit> {
        let before = self.diagnostics.len();
        let misspelt = self.strangers(id, card);
        let mut pending = Vec::new();
        let mut groups = Vec::new();
        for param in card.version.params.iter().filter(|p| !misspelt.contains(&p.name)) {
            self.param(id, card, param, &mut pending, &mut groups);
        }
        if let Outputs::Exactly(wanted) = card.version.outputs
            && self.function.ops[id].outputs.len() != wanted
        {
            self.output_count(id, wanted);
        }
        let refused = self.diagnostics[before..].iter().any(Diagnostic::is_error);
        if refused {
            for issue in pending {
                self.error(issue.code, id, issue.argument.as_ref(), issue.message, issue.help);
            }
            return None;
        }
        Some(Fit { pending })
    }

    pub(crate) fn output_count(&mut self, id: OpId, wanted: usize) {
        let op = &self.function.ops[id];
        let outputs = |n: usize| if n == 1 { "1 output".to_owned() } else { format!("{n} outputs") };
        let message = format!(
            "`{}` has {}, but {} named",
            op.name,
            outputs(wanted),
            match op.outputs.len() {
                1 => "1 is".to_owned(),
                n => format!("{n} are"),
            }
        );
        let help = "name every output, unused ones too".to_owned();
        self.error(codes::OUTPUT_COUNT, id, None, message, Some(help));
    }

    /// Reports arguments and attributes that the signature does not have; gives the parameters they were meant for.
    fn strangers(&mut self, id: OpId, card: Card) -> Vec<&'static str> {
        let mut meant = Vec::new();
        let op = &self.function.ops[id];
        for (name, _) in &op.args {
            if card.version.param(name).is_some() {
                continue;
            }
            let later = card.def.versions.iter().find(|v| v.param(name).is_some()).map(|v| v.since);
            let opset = self.facts.opset;
            let help = match later {
                Some(since) if since > opset => {
                    format!("it takes one since {since}; the function is {opset}")
                }
                Some(_) => format!("it took one in earlier op sets; the function is {opset}"),
                None => {
                    let near = nearest(name, card.version.params.iter().map(|p| p.name));
                    meant.extend(near.iter().filter(|n| op.arg(n).is_none()));
                    match choices(&near) {
                        Some(near) => format!("did you mean {near}?"),
                        None => takes(card.version),
                    }
                }
            };
            let message = format!("`{}` takes no argument `{name}`", op.name);
            self.error(codes::UNKNOWN_ARGUMENT, id, Some(name), message, Some(help));
        }
        for (name, _) in &op.attributes {
            if name == "name" || card.version.param(name).is_some() {
                continue;
            }
            let place = Place { argument: Some(name.clone()), ..self.function.place(id) };
            let message = format!("`{}` has no attribute `{name}`", op.name);
            self.diagnostics
                .push(Diagnostic::warning(codes::UNKNOWN_ATTRIBUTE, message).label(Label::place(place, "")));
        }
        meant
    }

    /// Compares what one parameter is bound to: whether it is there, and its kind, at once; the rest as `pending`.
    fn param(
        &mut self,
        id: OpId,
        card: Card,
        param: &'static Param,
        pending: &mut Vec<Issue>,
        groups: &mut Vec<Group>,
    ) {
        let op = &self.function.ops[id].name;
        let bindings = self.view(id, card).bindings(param.name);
        let name = Name::new(param.name);
        if bindings.is_empty() {
            if param.need == Need::Required {
                let message = format!("`{op}` needs the argument `{name}`");
                self.error(codes::MISSING_ARGUMENT, id, None, message, Some(what_to_write(card, param)));
            }
            return;
        }
        if bindings.len() > 1 && param.kind != ParamKind::Variadic {
            let message = format!("`{name}` of `{op}` takes one value, but is given {}", bindings.len());
            self.error(codes::ARGUMENT_KIND, id, Some(&name), message, None);
            return;
        }
        for bound in bindings {
            let (ty, constant) = match bound {
                BoundArg::Value(v) => (self.facts.types[v.index()].as_ref(), self.facts.constant[v.index()]),
                BoundArg::Constant(c) => (Some(&c.ty), true),
            };
            let Some(ty) = ty else { continue };
            let Some(dtype) = element(param, ty) else {
                let message = format!("`{name}` of `{op}` takes {}, not {ty}", kind(param.kind));
                let help = match (param.kind, ty) {
                    (ParamKind::Tensor | ParamKind::Variadic, Type::State(_)) => {
                        Some("read the state with `read_state` and use what it gives".to_owned())
                    }
                    _ => None,
                };
                self.error(codes::ARGUMENT_KIND, id, Some(&name), message, help);
                return;
            };
            let Some(dtype) = dtype else { continue };
            let wrong = wrong_dtype(op, card, self.facts.opset, param, dtype)
                .or_else(|| wrong_group(op, groups, param, dtype))
                .or_else(|| (param.constant && !constant).then(|| not_constant(op, param)));
            if let Some(issue) = wrong {
                pending.push(issue);
                return;
            }
        }
    }

    /// The type a binding has at this point of the walk.
    pub(crate) fn binding_type(&self, binding: &Binding) -> Option<Type> {
        match binding {
            Binding::Value(v) => self.facts.types[v.index()].clone(),
            Binding::Constant(c) => Some(c.ty.clone()),
        }
    }
}

/// Parameters that must have one element type.
struct Group {
    name: &'static str,
    /// The first of them that is bound.
    first: &'static str,
    /// Its element type.
    dtype: DType,
}

/// The element type is none that the parameter takes.
fn wrong_dtype(op: &str, card: Card, opset: Opset, param: &Param, dtype: DType) -> Option<Issue> {
    if param.dtypes.contains(dtype) {
        return None;
    }
    let takes = |v: &Version| v.param(param.name).is_some_and(|p| p.dtypes.contains(dtype));
    let help = match card.def.versions.iter().find(|v| v.since > opset && takes(v)) {
        Some(v) => format!("it takes {dtype} since {}; or cast it to one of {}", v.since, param.dtypes),
        None => format!("it takes {}; insert a `cast`", param.dtypes),
    };
    Some(issue(codes::DTYPE, param, format!("`{}` of `{op}` cannot be {dtype}", param.name), help))
}

/// The element type is not that of the parameter's group, which begins with this parameter if nothing of it was bound.
fn wrong_group(op: &str, groups: &mut Vec<Group>, param: &Param, dtype: DType) -> Option<Issue> {
    if param.group.is_empty() {
        return None;
    }
    let Some(group) = groups.iter().find(|g| g.name == param.group) else {
        groups.push(Group { name: param.group, first: param.name, dtype });
        return None;
    };
    let (name, other, wanted) = (param.name, group.first, group.dtype);
    if wanted == dtype {
        return None;
    }
    let message = if other == name {
        format!("the values of `{name}` of `{op}` are {wanted} and {dtype}")
    } else {
        format!("`{name}` of `{op}` is {dtype}, but `{other}` is {wanted}")
    };
    let help = format!("MIL never converts on its own: make both {wanted}, or `cast` one of them");
    Some(issue(codes::DTYPE_GROUP, param, message, help))
}

fn not_constant(op: &str, param: &Param) -> Issue {
    let message = format!("`{}` of `{op}` must be known when the program is compiled", param.name);
    let help = "give it a literal, a `const`, or the result of a `constexpr_*` op".to_owned();
    issue(codes::NOT_CONSTANT, param, message, help)
}

fn issue(code: &'static str, param: &Param, message: String, help: String) -> Issue {
    Issue { code, argument: Some(Name::new(param.name)), message, help: Some(help) }
}

/// The element type of what a parameter is bound to, if that is of the parameter's kind. A variadic parameter of any
/// type (loop variables) also takes lists, which have none to compare.
fn element(param: &Param, ty: &Type) -> Option<Option<DType>> {
    match (param.kind, ty) {
        (ParamKind::Tensor | ParamKind::Variadic, Type::Tensor(_) | Type::Unranked(_)) => Some(ty.element()),
        (ParamKind::State, Type::State(inner)) => Some(inner.as_tensor().map(|t| t.dtype)),
        (ParamKind::List, Type::List(inner, _)) => Some(inner.as_tensor().map(|t| t.dtype)),
        (ParamKind::Variadic, Type::List(..)) if param.dtypes == mil_base::DTypes::any() => Some(None),
        // The value of a `const` may be the list of labels that `classify` takes.
        (ParamKind::Tensor, Type::List(..)) if param.constant && param.dtypes == mil_base::DTypes::any() => {
            Some(None)
        }
        _ => None,
    }
}

fn kind(kind: ParamKind) -> &'static str {
    match kind {
        ParamKind::Tensor => "a tensor",
        ParamKind::Variadic => "tensors",
        ParamKind::State => "a state",
        ParamKind::List => "a list",
    }
}

fn takes(version: &Version) -> String {
    let names: Vec<&str> = version.params.iter().map(|p| p.name).collect();
    if names.is_empty() {
        "it takes no arguments".to_owned()
    } else {
        format!("it takes {}", names.join(", "))
    }
}

/// What to write for a missing argument, and what another op set would take it to be.
fn what_to_write(card: Card, param: &Param) -> String {
    let dtype = param.dtypes.iter().next().map_or("fp32", DType::name);
    let name = param.name;
    let write = match param.kind {
        ParamKind::Variadic => format!("write `{name} = (a, b)`"),
        ParamKind::State => format!("write `{name} = ` and a state"),
        ParamKind::List => format!("write `{name} = ` and a list"),
        ParamKind::Tensor if param.constant => {
            format!("write `{name} = {dtype}(…)`, or a const of that type")
        }
        ParamKind::Tensor => format!("write `{name} = ` and a tensor of {}", param.dtypes),
    };
    let default = card.def.versions.iter().filter_map(|v| v.param(name)).find_map(|p| match p.need {
        Need::Optional(default) => text(default),
        Need::Required => None,
    });
    match default {
        Some(default) => format!("{write}; other op sets take it to be {default}"),
        None => write,
    }
}

/// A default as MIL text spells it.
fn text(default: Default) -> Option<String> {
    match default {
        Default::Absent => None,
        Default::Int(v) => Some(v.to_string()),
        Default::Float(v) => Some(v.to_string()),
        Default::Bool(v) => Some(v.to_string()),
        Default::Str(v) => Some(format!("{v:?}")),
        Default::Ints(v) => Some(format!("{v:?}")),
        Default::Computed(words) => Some(words.to_owned()),
    }
}
