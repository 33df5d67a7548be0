//! Every code this crate reports outside cards and lints, with what `milwright explain` says about it.

mil_base::codes! {
    DANGLING "ids/dangling"
        "An id in the program points to nothing. Programs read from text or packages never have this; it is a fault of whatever made the program.",
    STRUCTURE "ids/structure"
        "Blocks, ops and values disagree about who owns whom. It is a fault of whatever made the program.",
    UNDEFINED "ids/undefined"
        "A value is used where it is not defined: before its op, or outside the nested block it belongs to. Values of enclosing blocks may be used in nested ones, never the reverse; a nested block hands values out through its results.",
    DUPLICATE_NAME "ids/duplicate-name"
        "Two things that are visible at the same place have one name: functions of a program, values of a block and the blocks around it, or arguments of an op.",
    NESTING "ids/nesting"
        "Blocks are nested deeper than the checker follows.",
    BAD_CONSTANT "ids/constant"
        "The data of an immediate value are not of its declared type.",
    UNKNOWN_OPSET "check/unknown-opset"
        "The word in angle brackets after a function's name is no op set. Text spells them ios15 to ios18 and ios26; the protobuf CoreML5 to CoreML9.",
    OPSET_TOO_NEW "check/opset-too-new"
        "The function uses an op set that is newer than the system it is to run on.",
    UNKNOWN_OP "check/unknown-op"
        "No op of this name is known. Unknown ops can be read, printed and converted, but not checked or run.",
    OP_TOO_NEW "check/op-not-in-opset"
        "The op was introduced after the op set that the function declares. Declare a newer op set, which also raises the system it needs.",
    UNKNOWN_ARGUMENT "check/unknown-argument"
        "The op takes no argument of this name in the op set of the function.",
    UNKNOWN_ATTRIBUTE "check/unknown-attribute"
        "The op has no attribute of this name. It is kept, but nothing looks at it.",
    MISSING_ARGUMENT "check/missing-argument"
        "The op cannot do without this argument.",
    ARGUMENT_KIND "check/argument-kind"
        "The argument is bound to another kind of value than it takes: a tensor, a list, a state, or several values where one is wanted.",
    DTYPE "check/dtype"
        "The op does not take this element type in the op set of the function. Later op sets often take more.",
    DTYPE_GROUP "check/dtype-group"
        "MIL never converts on its own: arguments that work together must have one element type. Insert a `cast`.",
    NOT_CONSTANT "check/not-constant"
        "The argument must be known when the program is compiled: a literal, a `const`, or a `constexpr_*` result.",
    OUTPUT_COUNT "check/output-count"
        "The statement names more or fewer outputs than the op has. Unused outputs must be named all the same.",
    DECLARED_TYPE "check/declared-type"
        "The declared type of a value is not what the op gives. One difference is allowed: a scalar that a function returns may be declared with one element in any rank, because model descriptions have no scalars.",
    ARGUMENT_UNREADABLE "op/argument-unreadable"
        "The contents of an argument, which decide the shape of the result, cannot be read: it has another form than the op takes, or it lies in a weight file that is not at hand.",
    INPUT_UNKNOWN "input/unknown"
        "A shape or value was given for an input that the function does not have.",
    INPUT_SHAPE "input/shape"
        "The shape of an input is not one that the function declares or its model description allows.",
    INPUT_MISSING "input/shape-missing"
        "An input has dimensions that are not known, no default shape is declared, and none was given.",
    INTERFACE "interface/mismatch"
        "The function and the model's description disagree about an input or output.",
}
