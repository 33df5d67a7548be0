//! Names that look like a misspelt one.

/// Longest name that is compared; anything longer is no slip of the finger.
const LONGEST: usize = 64;

/// At most three of `names` that are near to `wanted` by edits (insert, delete, replace, swap), the nearest first.
pub fn nearest<'n>(wanted: &str, names: impl IntoIterator<Item = &'n str>) -> Vec<&'n str> {
    if wanted.is_empty() || wanted.len() > LONGEST {
        return Vec::new();
    }
    let limit = (wanted.len() / 3).max(1);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter(|n| n.len() <= LONGEST && n.len().abs_diff(wanted.len()) <= limit)
        .map(|n| (distance(wanted.as_bytes(), n.as_bytes()), n))
        .filter(|&(d, n)| d <= limit && n != wanted)
        .collect();
    found.sort();
    found.truncate(3);
    found.into_iter().map(|(_, n)| n).collect()
}

/// `relu` or `relu6`: the names in backquotes, joined for a sentence.
pub(crate) fn choices(names: &[&str]) -> Option<String> {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.as_slice() {
        [] => None,
        [one] => Some(one.clone()),
        [head @ .., last] => Some(format!("{} or {last}", head.join(", "))),
    }
}

/// Edits between two names, a swap of neighbours counting one.
fn distance(a: &[u8], b: &[u8]) -> usize {
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let replaced = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = replaced.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_of_the_finger_are_found_and_strangers_are_not() {
        let names = ["layer_norm", "relu", "relu6", "matmul", "linear"];
        assert_eq!(nearest("layernorm", names), ["layer_norm"]);
        assert_eq!(nearest("rleu", names), ["relu"]);
        assert_eq!(nearest("matmull", names), ["matmul"]);
        assert!(nearest("frobnicate", names).is_empty());
        assert!(nearest("", names).is_empty());
        assert!(nearest(&"x".repeat(1 << 20), names).is_empty());
    }
}
