//! The codes that no single card owns, each with its explanation. Those of cards are their constraints.

mil_base::codes! {
    AXIS_NOT_EMPTY "op/axis-not-empty" "An axis without elements has no largest or smallest one."
    AXIS "op/axis-out-of-range" "The tensor has no axis of that number."
    INPUT_MISSING "op/input-missing" "A kernel was called without one of its inputs. It is a fault of Milwright."
    OUTPUT_MISSING "op/output-missing" "A kernel was called without its output. It is a fault of Milwright."
    NOT_PLANNED "op/not-planned" "A kernel needs something that is known only while the program runs."
    DIVISION "op/integer-division-by-zero" "An integer was divided by zero."
    RESULT_TOO_LARGE "op/result-too-large" "The result would be larger than memory can hold."
    TOO_LARGE "op/too-large" "The result would be larger than memory can hold."
    SHAPE_NEGATIVE "op/shape-negative" "A shape computed by the program has a negative size."
    SHAPES_DIFFER "op/shapes-differ" "Two tensors that are combined element by element have shapes that do not broadcast: sizes must be equal or 1."
}
