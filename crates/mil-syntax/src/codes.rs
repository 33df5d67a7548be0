//! The slugs of this crate's diagnostics, each with the explanation that `milwright explain` prints.

mil_base::codes! {
    NOT_UTF8 "syntax/not-utf8" "MIL text is UTF-8. The file holds bytes that are not; often it is a package or a weight file and not text."
    TOO_LARGE "syntax/too-large" "Places in a text are 32-bit numbers, so a text may be at most 4 GiB long. Move large constants to a weight file and refer to them with BLOBFILE."
    TOO_MANY_ERRORS "syntax/too-many-errors" "So many mistakes were found that the rest is not listed. Mend the first ones and look again."
    UNEXPECTED_CHARACTER "syntax/unexpected-character" "A character that no MIL token contains. Names are made of ASCII letters, digits, `_` and `@`, and do not start with a digit."
    UNTERMINATED_STRING "syntax/unterminated-string" "A string must end on the line it starts on. A line break in a string is written `\\n`, a quotation mark `\\\"`."
    BAD_ESCAPE "syntax/bad-escape" "The escapes of a MIL string are `\\\"`, `\\\\`, `\\n` and `\\t`."
    BAD_NUMBER "syntax/bad-number" "A number is an integer (`-12`), a decimal (`1.5e-3`), a C99 hexadecimal float with its exponent (`0x1.8p-3`), `inf`, `-inf` or `nan`."
    EXPECTED_TOKEN "syntax/expected-token" "The grammar wants something else here; the message says what."
    MISSING_HEADER "syntax/missing-header" "A MIL text is `program(1.3) [attributes] { functions }`."
    BAD_VERSION "syntax/bad-version" "The version of a program is two numbers with a point between them; compilers write 1.0 and 1.3."
    TRAILING_TEXT "syntax/trailing-text" "A file holds one program; nothing but comments may follow its closing `}`."
    UNCLOSED_BODY "syntax/unclosed-body" "A function or block was opened with `{` and its `}` is missing."
    MISSING_RESULTS "syntax/missing-results" "A body is followed by the names it gives back: `} -> (y);` in a nested block, `} -> (y);` in a function."
    MISSING_SEMICOLON "syntax/missing-semicolon" "Every statement ends with `;`, and so does every function after its results."
    MISSING_TYPE "syntax/missing-type" "Every output and parameter is written with its type: `tensor<fp32, [1, 4]> y = relu(x = x);`."
    MISSING_ARGUMENT_NAME "syntax/missing-argument-name" "MIL has no positional arguments: each is written `name = value`."
    PARENTHESISED_OUTPUTS "syntax/parenthesised-outputs" "Several outputs are written one after another, `T a, T b = split(…);`. Core ML's loader refuses them in parentheses or brackets."
    UNTYPED_VALUE "syntax/untyped-value" "A value in the text carries its type: `fp32(0.5)`, `int32(3)`, `bool(true)`, `string(\"x\")`, `tensor<int32, [2]>([1, 2])`."
    UNKNOWN_TYPE "syntax/unknown-type" "The types of MIL are its scalars (`fp16`, `int32`, `bool`, `string`, …) and `tensor`, `list`, `tuple`, `dict` and `state` of them."
    BAD_DIMENSION "syntax/bad-dimension" "A dimension is a whole number that is not negative, or `?` where it is not known."
    WRONG_LITERAL "syntax/wrong-literal" "The literal is of another kind than the type before it: a fraction for an integer type, a number for a string, and so on."
    INTEGER_OUT_OF_RANGE "syntax/integer-out-of-range" "The integer does not fit in its type."
    FLOAT_OUT_OF_RANGE "syntax/float-out-of-range" "The number is larger than the largest finite value of its type and becomes infinite (not-a-number in fp8e4m3fn)."
    RAGGED_LITERAL "syntax/ragged-literal" "The rows of a tensor literal are not of one length."
    LITERAL_SHAPE "syntax/literal-shape" "The literal has other dimensions than the type before it: as many levels of brackets as the rank, as many items as each dimension."
    BAD_BLOB "syntax/bad-blob" "A constant in a weight file is written `BLOBFILE(path = string(\"@model_path/weights/weight.bin\"), offset = uint64(64))`."
    TOO_DEEP "syntax/too-deep" "Types, literals and blocks are nested deeper than this reader follows."
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs_are_unique_and_of_this_crate() {
        for (i, (code, text)) in super::ALL.iter().enumerate() {
            assert!(code.starts_with("syntax/") && text.ends_with('.'), "{code}");
            assert!(super::ALL[..i].iter().all(|(other, _)| other != code), "{code} twice");
        }
    }
}
