//! Lists: `make_list`, `list_read`, `list_write`, `list_gather`, `list_scatter`, `list_length`.

use super::Dense;
use crate::codes;
use mil_base::{DType, Tensor, TensorError};
use mil_ops::contract::Failure;
use std::sync::Arc;

/// A list of tensors of one type. Clones share the items until one is written.
#[derive(Clone, Debug)]
pub(crate) struct List<T> {
    items: Arc<Vec<T>>,
    /// May it grow?
    dynamic: bool,
    /// What unwritten items hold, when the item's sizes are known.
    blank: Option<T>,
}

/// More items than any program means; a longer list would only exhaust memory.
const MOST: usize = 1 << 24;
/// Most elements of an item that is made before anything is written to it.
const MOST_ELEMENTS: usize = 1 << 28;

impl<T: Dense> List<T> {
    /// A list of `length` zero items. A size below 0 in `shape` is not known; then the first write decides.
    pub(crate) fn new(length: i64, dynamic: bool, shape: &[i64], dtype: DType) -> Result<List<T>, Failure> {
        let length = usize::try_from(length).unwrap_or(0);
        if length > MOST {
            return Err(Failure::new(codes::LIST_LENGTH, format!("a list of {length} items is too long")));
        }
        let sizes: Option<Vec<usize>> = shape.iter().map(|&n| usize::try_from(n).ok()).collect();
        let blank = match sizes {
            Some(sizes) => {
                let count = mil_base::tensor::count(&sizes).filter(|&n| n <= MOST_ELEMENTS);
                count.ok_or_else(|| too_large(TensorError::TooLarge))?;
                Some(T::of(&Tensor::zeros(dtype, &sizes).map_err(too_large)?))
            }
            None => None,
        };
        let items = match &blank {
            Some(blank) => vec![blank.clone(); length],
            None => Vec::new(),
        };
        Ok(List { items: Arc::new(items), dynamic, blank })
    }

    /// Number of items.
    pub(crate) fn len(&self) -> usize {
        self.items.len()
    }

    fn index(&self, index: i64) -> Result<usize, Failure> {
        let len = self.items.len();
        let at = if index < 0 { index.checked_add(len as i64) } else { Some(index) };
        at.and_then(|i| usize::try_from(i).ok()).filter(|&i| i < len).ok_or_else(|| {
            let message = format!("index {index} is outside the list, which has {len} items");
            Failure::new(codes::LIST_INDEX, message)
        })
    }

    /// The item at `index`.
    pub(crate) fn read(&self, index: i64) -> Result<T, Failure> {
        Ok(self.items[self.index(index)?].clone())
    }

    /// The list with the item at `index` replaced. Writing past the end of a dynamic list makes it longer.
    pub(crate) fn write(&self, index: i64, value: T) -> Result<List<T>, Failure> {
        let mut new = self.clone();
        let items = Arc::make_mut(&mut new.items);
        if let Ok(at) = usize::try_from(index)
            && at >= items.len()
            && (self.dynamic || self.blank.is_none())
            && at < MOST
        {
            let blank = match &self.blank {
                Some(blank) => blank.clone(),
                None => T::of(&Tensor::zeros(value.dtype(), value.shape()).map_err(too_large)?),
            };
            items.resize(at + 1, blank);
        }
        let at = self.index(index).or_else(|e| match usize::try_from(index) {
            Ok(at) if at < items.len() => Ok(at),
            _ => Err(e),
        })?;
        items[at] = value;
        Ok(new)
    }

    /// The items at `indices`, stacked along a new first axis.
    pub(crate) fn gather(&self, indices: &[i64]) -> Result<T, Failure> {
        let items = indices.iter().map(|&i| self.read(i)).collect::<Result<Vec<T>, _>>()?;
        if let Some(all) = T::stack(&items) {
            return Ok(all);
        }
        let Some(blank) = self.blank.as_ref().filter(|_| items.is_empty()) else {
            return Err(Failure::new(codes::LIST_ITEMS_DIFFER, "the items gathered differ in shape"));
        };
        let shape: Vec<usize> = std::iter::once(0).chain(blank.shape().iter().copied()).collect();
        Ok(T::of(&Tensor::zeros(blank.dtype(), &shape).map_err(too_large)?))
    }

    /// The list with the items at `indices` replaced by those along the first axis of `values`.
    pub(crate) fn scatter(&self, indices: &[i64], values: &T) -> Result<List<T>, Failure> {
        let items = values.unstack().filter(|items| items.len() >= indices.len()).ok_or_else(|| {
            let message = format!("{} indices but values of shape {:?}", indices.len(), values.shape());
            Failure::new(codes::LIST_SCATTER, message)
        })?;
        let mut new = self.clone();
        for (&index, item) in indices.iter().zip(items) {
            new = new.write(index, item)?;
        }
        Ok(new)
    }
}

fn too_large(error: TensorError) -> Failure {
    Failure::new(codes::TENSOR, format!("an item of the list {error}"))
}
