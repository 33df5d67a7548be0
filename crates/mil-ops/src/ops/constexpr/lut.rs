//! Look-up tables: which table an index looks into, and what it finds.

use crate::contract::{CpuCx, CpuKernel, Failure, Infer, RefTensor, Refused};
use crate::support::axes;
use crate::support::index::*;
use crate::support::moves::{by_size, element_size, output};
use mil_base::{DType, Dim, Shape, TensorType};
use mil_kernels::expand::LookUp;
use mil_kernels::{bytes_as, bytes_as_mut};

/// The slugs under which an op reports the rules of look-up tables.
pub struct Slugs {
    /// Rank of the table, number of entries.
    pub table: &'static str,
    /// The tables divide the tensor.
    pub blocks: &'static str,
    /// Axis of vectors.
    pub vector: &'static str,
}

/// The shape that indices of the shape `indices` expand to, with the axis and length of vectors; everything checked.
pub fn expanded(
    cx: &mut Infer<'_>,
    slugs: &Slugs,
    indices: &Shape,
    index_dtype: DType,
    lut: &TensorType,
) -> Result<(Shape, usize), Refused> {
    let rank = indices.rank();
    if rank == 0 || lut.shape.rank() != rank + 2 {
        let message = format!("`lut` is {} for indices of shape {indices}", lut.shape);
        let help =
            "`lut` has the dimensions of the indices, then the number of entries and the length of an entry";
        return Err(cx.refuse(slugs.table, "lut", message, help));
    }
    let (tables, entries) = lut.shape.split_at(rank);
    let wanted = 1usize << index_dtype.bits().min(16);
    if !entries[0].may_equal(wanted.into()) {
        let message = format!("`lut` has {} entries but {index_dtype} indices reach {wanted}", entries[0]);
        return Err(cx.refuse(slugs.table, "lut", message, "give 2 to the power of the bits of an index"));
    }
    for (d, (&n, &tables)) in indices.iter().zip(tables).enumerate() {
        if let (Some(n), Some(tables)) = (n.known(), tables.known())
            && (tables == 0 || !n.is_multiple_of(tables))
        {
            let message = format!("{tables} tables do not divide dimension {d} of size {n}");
            return Err(cx.refuse(
                slugs.blocks,
                "lut",
                message,
                "the number of tables is a factor of the size",
            ));
        }
    }
    let mut shape = indices.clone();
    let length = entries[1].known().unwrap_or(1);
    if !cx.has("vector_axis") {
        if length == 1 {
            return Ok((shape, 1));
        }
        let message = format!("entries have {length} elements but `vector_axis` is missing");
        return Err(cx.refuse(
            slugs.vector,
            "vector_axis",
            message,
            "name the axis along which the elements go",
        ));
    }
    let axis = cx.need_int("vector_axis")?;
    let axis = cx.axis(slugs.vector, "vector_axis", axis, rank)?;
    shape.0[axis] = shape[axis].map(|n| n.checked_mul(length));
    Ok((shape, length))
}

/// What the indices stand for. `indices` has the shape before vectors are expanded; `axis` is that of vectors.
pub fn looked_up(
    indices: &[i64],
    shape: &[usize],
    lut: &RefTensor,
    axis: Option<i64>,
    slug: &'static str,
) -> Result<RefTensor, Failure> {
    let wrong = || Failure::new(slug, "the look-up table does not fit the indices");
    let (tables, &[entries, length]) = lut.shape.split_at_checked(shape.len()).ok_or_else(wrong)? else {
        return Err(wrong());
    };
    let fits = |(&n, &t): (&usize, &usize)| t > 0 && n.is_multiple_of(t);
    if tables.len() != shape.len() || !shape.iter().zip(tables).all(fits) || lut.count() == 0 {
        return Err(wrong());
    }
    let axis = axis.map_or(Ok(0), |a| axes::resolve(a, shape.len()))?;
    let mut out = shape.to_vec();
    if let Some(n) = out.get_mut(axis) {
        *n = n.checked_mul(length).ok_or_else(wrong)?;
    }
    let (strides, table_strides) = (row_major(shape), row_major(&lut.shape));
    let from = try_each(&out, |at| {
        let mut place = at.to_vec();
        let within = place[axis] % length;
        place[axis] /= length;
        let entry = usize::try_from(indices[position(&strides, &place)]).ok().filter(|&e| e < entries);
        let entry = entry.ok_or_else(wrong)?;
        let table: usize =
            (0..shape.len()).map(|d| place[d] / (shape[d] / tables[d]) * table_strides[d]).sum();
        Ok(table + entry * length + within)
    })?;
    Ok(lut.select(&out, &from))
}

/// The kernel that looks packed indices of that type and shape up in tables of the shape `lut`.
pub fn look_up(
    cx: &CpuCx<'_>,
    index: DType,
    shape: &[usize],
    lut: &[usize],
    axis: Option<i64>,
) -> Result<CpuKernel, Failure> {
    let (slot, table, bytes) = (cx.need("indices")?, cx.need("lut")?, element_size(cx, 0)?);
    let axis = axes::resolve(axis.unwrap_or(-1), shape.len())?;
    let plan = LookUp::new(index.bits(), shape, lut, axis).ok_or_else(|| cx.unplanned("lut"))?;
    Ok(CpuKernel::new(move |call| {
        let (packed, lut, pool) = (call.read(slot)?, call.read(table)?, call.pool);
        let out = output(call, 0)?;
        by_size!(bytes, T => plan.run::<T>(packed, bytes_as(lut), bytes_as_mut(out), pool));
        Ok(())
    }))
}

/// A shape given as known integers.
pub fn stated(sizes: &[i64]) -> Option<Shape> {
    sizes.iter().map(|&n| usize::try_from(n).ok().map(Dim::Known)).collect::<Option<Vec<_>>>().map(Shape)
}
