//! The slugs of what can be wrong with names in a text, each with the explanation that `milwright explain` prints.

mil_base::codes! {
    UNDEFINED_NAME "text/undefined-name" "A name is used that no parameter and no earlier statement of this block, or of one around it, defines."
    DUPLICATE_NAME "text/duplicate-name" "Two values of one block have the same name. A MIL value is assigned once."
    DUPLICATE_FUNCTION "text/duplicate-function" "Two functions have the same name."
    DUPLICATE_ARGUMENT "text/duplicate-argument" "An op is given the same argument, or the same attribute, twice."
}
