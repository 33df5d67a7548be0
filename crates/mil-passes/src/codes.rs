//! Every code this crate reports, with what `milwright explain` says about it.

mil_base::codes! {
    TOO_FEW "link/too-few"
        "Linking joins two programs or more.",
    UNKNOWN_PROGRAM "link/unknown-program"
        "The word before the colon of a port names no program. Programs are named by their file without folder and ending, or by their position from 1: `encoder:y` or `1:y`.",
    AMBIGUOUS_PROGRAM "link/ambiguous-program"
        "Several of the programs have this name. Say which one by its position from 1, as in `2:y`.",
    UNKNOWN_OUTPUT "link/unknown-output"
        "No program, or not the one named before the colon, has an output of this name.",
    UNKNOWN_INPUT "link/unknown-input"
        "No program, or not the one named before the colon, has an input of this name. States are not inputs: every program keeps its own.",
    ORDER "link/order"
        "Programs run in the order in which they are given, so an output can only feed the input of a later program.",
    BOUND_TWICE "link/bound-twice"
        "Two bindings feed one input. A binding that names the program of the input (`y=2:x`) goes before one that does not (`y=x`); two of the same kind contradict each other.",
    KIND "link/kind"
        "Only tensors go from one program to another. A list or a dictionary, such as a classifier gives, can only be an output of the whole.",
    DTYPE "link/dtype"
        "An output has another element type than the input it feeds. MIL never converts on its own; with `--cast` a `cast` is inserted between the two if both are floats or both integers.",
    SHAPE "link/shape"
        "An output can never have the shape of the input it feeds.",
    UNCONNECTED "link/unconnected"
        "Nothing goes between this program and the others: none of its inputs has the name of an earlier output, and none of its outputs that of a later input. The linked program computes it beside the others.",
    SAME_NAME "link/same-name"
        "Inputs of several programs with one name and one type become one input of the linked program. These have one name but different types, so each stays an input of its own, the later ones under a new name.",
    SHAPES_LEFT_OUT "link/shapes-left-out"
        "Several programs enumerate the shapes that their inputs may have together. The enumerations of the later ones are left out, so the linked program accepts more shapes than they did.",
}
