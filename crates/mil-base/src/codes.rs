//! Tables of diagnostic codes, as every crate that reports some keeps one.

/// Makes a constant for each code, `NAME "slug/path" "Explanation."`, and `ALL`, the table that `milwright explain` reads.
///
/// ```
/// mod codes {
///     mil_base::codes! {
///         TOO_BIG "door/too-big" "The thing does not fit through the door."
///     }
/// }
/// assert_eq!(codes::ALL, [(codes::TOO_BIG, "The thing does not fit through the door.")]);
/// ```
#[macro_export]
macro_rules! codes {
    ($($name:ident $slug:literal $text:literal $(,)?)*) => {
        $(#[doc = $text] pub const $name: &str = $slug;)*

        /// Every code of this module with its explanation.
        pub const ALL: &[(&str, &str)] = &[$(($slug, $text)),*];
    };
}
