//! The classes of a classifier in order.

use mil_base::Tensor;

/// An output that is a dictionary of probabilities, which comes out of a run as its keys and its values.
#[derive(Clone, PartialEq, Debug)]
pub struct Ranking {
    /// The output's name.
    pub name: String,
    /// Labels and probabilities, the most probable first, equal ones as the model lists them; NaN last.
    pub classes: Vec<(String, f64)>,
}

impl Ranking {
    /// Every dictionary among the outputs of [`Session::run`](crate::Session::run).
    pub fn all(outputs: &[(String, Tensor)]) -> Vec<Ranking> {
        let keys = outputs.iter().filter_map(|(n, keys)| Some((n.strip_suffix(KEYS)?, keys)));
        keys.filter_map(|(name, keys)| {
            let values =
                outputs.iter().find(|(n, _)| n.strip_suffix(VALUES) == Some(name)).map(|(_, t)| t)?;
            Some(Ranking { name: name.to_owned(), classes: ranked(keys, values) })
        })
        .collect()
    }

    /// Is the output `name` a part of this dictionary?
    pub fn holds(&self, name: &str) -> bool {
        [KEYS, VALUES].iter().any(|end| name.strip_suffix(end) == Some(&self.name))
    }
}

/// What the name of a dictionary's keys ends in.
const KEYS: &str = "::keys";
/// What the name of a dictionary's values ends in.
const VALUES: &str = "::values";

fn ranked(keys: &Tensor, values: &Tensor) -> Vec<(String, f64)> {
    let labels: Vec<String> = match keys.strings() {
        [] => keys.to_i64().iter().map(i64::to_string).collect(),
        strings => strings.to_vec(),
    };
    let mut classes: Vec<(String, f64)> = labels.into_iter().zip(values.to_f64()).collect();
    let order = |p: f64, q: f64| p.is_nan().cmp(&q.is_nan()).then(q.total_cmp(&p));
    classes.sort_by(|(_, p), (_, q)| order(*p, *q));
    classes
}

#[cfg(test)]
mod tests {
    use super::*;
    use mil_base::DType;

    #[test]
    fn the_most_probable_class_is_first() {
        let strings = ["a", "b", "c", "d"].map(str::to_owned).to_vec();
        let keys = Tensor::from_strings(&[4], strings).unwrap();
        let values = Tensor::from_f64(DType::Fp64, &[4], &[0.25, 0.5, f64::NAN, 0.25]).unwrap();
        let outputs = vec![("p::keys".to_owned(), keys), ("p::values".to_owned(), values)];
        let [ranking] = Ranking::all(&outputs).try_into().unwrap();
        let labels: Vec<&str> = ranking.classes.iter().map(|(l, _)| l.as_str()).collect();
        assert_eq!((ranking.name.as_str(), labels.as_slice()), ("p", &["b", "a", "d", "c"][..]));
        assert!(ranking.holds("p::keys") && !ranking.holds("p"));
    }
}
