//! `make_list`, `list_length`, `list_read`, `list_write`, `list_gather`, `list_scatter`: sequences of tensors that
//! loops build.

use crate::contract::*;
use mil_base::{DType, Dim, Opset, Shape, TensorType, Type};

/// A card from what the list ops do not share.
const fn card(
    name: &'static str,
    versions: &'static [Version],
    constraints: &'static [Constraint],
    infer: fn(&mut Infer<'_>) -> Result<Vec<Type>, Refused>,
) -> OpDef {
    OpDef {
        name,
        doc: Doc::section(include_str!("lists.md"), name),
        versions,
        constraints,
        infer,
        reference: Reference::Runtime("keeps the list as a sequence of tensors"),
        cpu: Cpu::Runtime("keeps the list as a sequence of tensors"),
        gradient: Gradient::Todo("differentiation is a later issue"),
        ane: Ane::Never("lists live on the host"),
        cost: |_| Some(0),
        accuracy: Accuracy::EXACT,
    }
}

const LS: Param = Param::list("ls", sets::ANY);

/// The card of `make_list`.
pub static MAKE_LIST: OpDef = card(
    "make_list",
    &[Version::new(
        Opset::Ios15,
        &[
            Param::tensor("init_length", sets::INT32).or(Default::Int(1)),
            Param::constant("dynamic_length", sets::BOOL).or(Default::Bool(true)),
            Param::variadic("elem_shape", sets::ANY),
            Param::constant("dtype", sets::STRING).or(Default::Str("fp32")),
        ],
    )],
    &[
        Constraint { slug: "make_list/dtype-known", rule: "dtype is bool, fp16, fp32 or int32" },
        Constraint {
            slug: "make_list/sizes",
            rule: "each entry of elem_shape is one size or the name of an unknown one, and init_length is not negative",
        },
    ],
    make_list,
);

/// The card of `list_length`.
pub static LIST_LENGTH: OpDef = card("list_length", &[Version::new(Opset::Ios15, &[LS])], &[], |cx| {
    item(cx)?;
    cx.one(DType::Int32, Shape::scalar())
});

/// The card of `list_read`.
pub static LIST_READ: OpDef =
    card("list_read", &[Version::new(Opset::Ios15, &[LS, Param::tensor("index", sets::INT32)])], &[], |cx| {
        let (item, _) = item(cx)?;
        Ok(vec![Type::Tensor(item)])
    });

/// The card of `list_write`.
pub static LIST_WRITE: OpDef = card(
    "list_write",
    &[Version::new(
        Opset::Ios15,
        &[LS, Param::tensor("index", sets::INT32), Param::tensor("value", sets::PLAIN).group("T")],
    )],
    &[Constraint { slug: "list_write/item-type", rule: "value has the type of the items" }],
    |cx| {
        let ((item, length), value) = (item(cx)?, cx.need("value")?);
        fits(cx, "list_write/item-type", &item, value)?;
        Ok(vec![Type::List(Box::new(Type::Tensor(item)), length)])
    },
);

/// The card of `list_gather`.
pub static LIST_GATHER: OpDef = card(
    "list_gather",
    &[Version::new(Opset::Ios15, &[LS, Param::tensor("indices", sets::INT32)])],
    &[Constraint { slug: "list_gather/indices-vector", rule: "indices is a vector" }],
    |cx| {
        let ((item, _), count) = (item(cx)?, vector(cx, "list_gather/indices-vector")?);
        let dims = [&[count], &item.shape[..]].concat();
        cx.one(item.dtype, Shape(dims))
    },
);

/// The card of `list_scatter`.
pub static LIST_SCATTER: OpDef = card(
    "list_scatter",
    &[Version::new(
        Opset::Ios15,
        &[LS, Param::tensor("indices", sets::INT32), Param::tensor("value", sets::PLAIN).group("T")],
    )],
    &[
        Constraint { slug: "list_scatter/indices-vector", rule: "indices is a vector" },
        Constraint {
            slug: "list_scatter/item-type",
            rule: "value holds one item, of the type of the items, for each index",
        },
    ],
    |cx| {
        let ((item, length), count) = (item(cx)?, vector(cx, "list_scatter/indices-vector")?);
        let value = cx.need("value")?;
        let all = TensorType::new(item.dtype, Shape([&[count], &item.shape[..]].concat()));
        fits(cx, "list_scatter/item-type", &all, value)?;
        Ok(vec![Type::List(Box::new(Type::Tensor(item)), length)])
    },
);

/// The type of the items of `ls`, and how many there are.
fn item(cx: &mut Infer<'_>) -> Result<(TensorType, Dim), Refused> {
    match cx.any_ty("ls") {
        Some(Type::List(item, length)) => match &**item {
            Type::Tensor(item) => Ok((item.clone(), *length)),
            _ => Err(cx.unknown("ls")),
        },
        _ => Err(cx.unknown("ls")),
    }
}

fn fits(
    cx: &mut Infer<'_>,
    slug: &'static str,
    wanted: &TensorType,
    value: &TensorType,
) -> Result<(), Refused> {
    if wanted.dtype == value.dtype && wanted.shape.may_equal(&value.shape) {
        return Ok(());
    }
    Err(cx.refuse(slug, "value", format!("`value` is {value}"), format!("the list takes {wanted}")))
}

/// The length of the vector `indices`.
fn vector(cx: &mut Infer<'_>, slug: &'static str) -> Result<Dim, Refused> {
    let indices = cx.need("indices")?;
    match *indices.shape.0 {
        [count] => Ok(count),
        _ => Err(cx.refuse(slug, "indices", format!("`indices` is {indices}"), "give a vector of indices")),
    }
}

fn make_list(cx: &mut Infer<'_>) -> Result<Vec<Type>, Refused> {
    let name = cx.need_str("dtype")?;
    let dtype = DType::parse(&name).filter(|d| sets::PLAIN.contains(*d));
    let Some(dtype) = dtype else {
        let message = format!("a list cannot hold tensors of {name}");
        return Err(cx.refuse("make_list/dtype-known", "dtype", message, "use bool, fp16, fp32 or int32"));
    };
    let Some(entries) = cx.tensors("elem_shape") else { return Err(cx.unknown("elem_shape")) };
    let mut dims = Vec::new();
    for entry in entries {
        let size = match entry.item_i64() {
            _ if entry.item_str().is_some() => Some(Dim::Unknown),
            Some(size) => usize::try_from(size).ok().map(Dim::Known),
            None => None,
        };
        let Some(size) = size else {
            let message = format!("{entry:?} is no size");
            return Err(cx.refuse(
                "make_list/sizes",
                "elem_shape",
                message,
                "give one size for each dimension of an item",
            ));
        };
        dims.push(size);
    }
    let known = cx.int("init_length");
    if let Some(length) = known.filter(|&n| n < 0) {
        let message = format!("a list cannot have {length} items");
        return Err(cx.refuse("make_list/sizes", "init_length", message, "give 0 or more"));
    }
    let length = match (cx.need_bool("dynamic_length")?, known.and_then(|n| usize::try_from(n).ok())) {
        (false, Some(length)) => Dim::Known(length),
        _ => Dim::Unknown,
    };
    Ok(vec![Type::List(Box::new(Type::tensor(dtype, Shape(dims))), length)])
}
