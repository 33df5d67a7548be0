//! What `gather_along_axis` and `scatter_along_axis` share: `indices` has the rank of the data and its sizes except along an
//! axis, and each index takes the place of its own position on that axis.

use super::indices::Outside;
use crate::contract::*;
use crate::support::index::*;

/// The rules about the shapes, as an op states them, and the name of its data.
pub(super) struct Along {
    /// The argument that is indexed.
    pub(super) data: &'static str,
    /// The axis is one of the data.
    pub(super) axis: &'static str,
    /// The sizes agree.
    pub(super) sizes: &'static str,
    /// Known indices are in range.
    pub(super) index: &'static str,
}

impl Along {
    /// The axis, once the sizes agree.
    pub(super) fn infer(&self, cx: &mut Infer<'_>) -> Result<usize, Refused> {
        let (data, indices) = (cx.need(self.data)?, cx.need("indices")?);
        let rank = data.shape.rank();
        let axis = cx.need_int("axis")?;
        let axis = cx.axis(self.axis, "axis", axis, rank)?;
        let fits = indices.shape.rank() == rank
            && (0..rank).all(|d| d == axis || indices.shape[d].may_equal(data.shape[d]));
        if !fits {
            let message = format!("`indices` is {} but {} is {}", indices.shape, self.data, data.shape);
            let help = format!("both have one rank, and the same sizes except along axis {axis}");
            return Err(cx.refuse(self.sizes, "indices", message, help));
        }
        Ok(axis)
    }

    /// The axis of an execution, once the sizes agree.
    pub(super) fn resolve(&self, call: &RefCall<'_>) -> Result<usize, Failure> {
        let (data, indices) = (&call.arg(self.data)?.shape, &call.arg("indices")?.shape);
        let rank = data.len();
        let axis = axis_of(call.int("axis")?, rank)?;
        if indices.len() != rank || (0..rank).any(|d| d != axis && indices[d] != data[d]) {
            let message = format!("`indices` is {indices:?} but {} is {data:?}", self.data);
            return Err(Failure::new(self.sizes, message));
        }
        Ok(axis)
    }

    /// The element of the data that each index means, in the order of the indices; nothing for one that is ignored.
    pub(super) fn places(
        &self,
        call: &RefCall<'_>,
        axis: usize,
        outside: Outside,
    ) -> Result<Vec<Option<usize>>, Failure> {
        let (data, indices) = (call.arg(self.data)?, call.arg("indices")?);
        let (strides, mut values) = (row_major(&data.shape), indices.i64s().into_iter());
        try_each(&indices.shape, |at| {
            let place = outside.place(values.next().unwrap_or(0), data.shape[axis]);
            let place = place.map_err(|e| e.failure(self.index))?;
            Ok(place.map(|i| position(&strides, at) - at[axis] * strides[axis] + i * strides[axis]))
        })
    }
}
