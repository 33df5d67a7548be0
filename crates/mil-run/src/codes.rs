//! The codes of what can go wrong when a program is loaded or run, each with its explanation.

mil_base::codes! {
    FUNCTION_UNKNOWN "run/function-unknown" "The program has no function of that name, or has several and none is the default. `milwright inspect` lists them."
    INPUT_MISSING "run/input-missing" "An input without a default value was not given."
    INPUT_UNKNOWN "run/input-unknown" "A tensor was given under a name that is no input of the function."
    INPUT_DTYPE "run/input-dtype" "The input has another element type than the function declares, and not one that converts without loss of meaning."
    INPUT_SHAPE "run/input-shape" "The input's shape is not one that the function declares. Open sizes that the program needs to be equal must be given equal."
    INPUT_KIND "run/input-kind" "The input is a list, tuple or dictionary, which only other ops can make."
    STATE_UNKNOWN "run/state-unknown" "The function has no state of that name."
    STATE_TYPE "run/state-type" "A state keeps its dtype and shape; it can only be set to a tensor of exactly those."
    MEMORY "run/memory" "The program needs more memory than is allowed; nothing was allocated. Use smaller inputs, or raise the limit (`--memory-limit`) if the machine has that much."
    WEIGHTS_MISSING "run/weights-missing" "The program refers to a weight file that is not at hand, so it can be looked at but not run."
    NO_CARD "run/no-card" "An op without a card reached a runtime. The checker refuses such programs; it is a fault of Milwright."
    NO_RULE "run/no-rule" "An op that no runtime executes reached one. It is a fault of Milwright."
    DECLARED_TYPE "run/declared-type" "The program declares a shape that only a run can confirm, since ranks or sizes before it depend on data; in this run the value has another one. Declare unknown sizes `?`, or the whole rank: `tensor<fp32, ?>`."
    TENSOR "run/tensor" "A tensor came out larger than memory can hold."
    INTERNAL "run/internal" "A fault of Milwright itself. Please report it with the program."
    LIST_INDEX "list/index-in-range" "A list was read or written at an index it does not have."
    LIST_ITEMS_DIFFER "list/items-differ" "The items of a list must have one shape to be gathered into a tensor."
    LIST_LENGTH "list/length" "The length of a list is negative or larger than memory can hold."
    LIST_SCATTER "list/scatter-sizes" "As many items as indices are scattered into a list."
}
