//! The slugs of what can be wrong with packages, bundles and weight files, each with the explanation that
//! `milwright explain` prints. Those of text are in [`crate::text::codes`].

mil_base::codes! {
    BLOB_GIT_LFS_POINTER "blob/git-lfs-pointer" "In place of a file of weights, or of the model, there is the small text that Git-LFS leaves when the file itself was not fetched. Run `git lfs pull` in the repository it came from."
    BLOB_TOO_SHORT "blob/too-short" "A weight file begins with a header of 64 bytes; this one is shorter. It was cut off, or never written."
    BLOB_VERSION "blob/version" "The header of a weight file of an ML Program says version 2. Version 1 is the old Espresso format of neural networks."
    BLOB_RECORD_MISALIGNED "blob/record-misaligned" "A blob's offset in the program is that of its 64-byte record, and records start at multiples of 64. An offset of the data itself is 64 too large."
    BLOB_RECORD_OUTSIDE "blob/record-outside" "The offset lies behind the end of the weight file, or where there is no room. Program and weight file do not belong together, or the file was cut off."
    BLOB_NO_RECORD "blob/no-record" "A record begins with the word 0xDEADBEEF, and at this offset there is another. Program and weight file do not belong together."
    BLOB_PAYLOAD_MISALIGNED "blob/payload-misaligned" "The data of every blob starts at a multiple of 64, and the record says another place."
    BLOB_PAYLOAD_OUTSIDE "blob/payload-outside" "The record says that its data ends behind the end of the weight file. The file was cut off."
    BLOB_TYPE_MISMATCH "blob/type-mismatch" "The program declares one element type and the record holds another. Records that say fp16 are taken at any type, because some writers say so of everything."
    BLOB_SIZE_MISMATCH "blob/size-mismatch" "The data is not as long as the declared type and shape need, packed types rounded up to a byte."
    BLOB_UNKNOWN_SIZE "blob/unknown-size" "A constant in a weight file must have a type whose dimensions are all known."
    BLOB_MISSING_FILE "blob/missing-file" "The program refers to a weight file that is not there. `@model_path` is the folder of the program's own file."
    BLOB_NO_DATA "blob/no-data" "The program cannot be written because weights it refers to were not found when it was read."
    BLOB_UNSTORABLE "blob/unstorable" "Weight files hold floats of up to 32 bits and integers of up to 32 bits, packed ones too; not bool, strings or 64-bit types."
    PACKAGE_PATH_ESCAPES "package/path-escapes" "A path in a manifest or program leads out of its package: it is absolute, or climbs with `..`. It is refused, so that a package from elsewhere cannot make other files be read."
    PACKAGE_MISSING_FILE "package/missing-file" "A file that the package names, or that every package has, is not there. A package is a folder: copy all of it."
    PACKAGE_MANIFEST_SYNTAX "package/manifest-syntax" "Manifest.json is not valid JSON."
    PACKAGE_MANIFEST_ROOT "package/manifest-root" "The model of a package is the item of `itemInfoEntries` that `rootModelIdentifier` names, with a `path` relative to `Data`."
    PACKAGE_NOT_ML_PROGRAM "package/not-ml-program" "Core ML has some forty kinds of model; Milwright reads ML Programs and pipelines of them. Convert the model again with `convert_to=\"mlprogram\"`."
    PACKAGE_PIPELINE_DEPTH "package/pipeline-depth" "A pipeline may hold pipelines, but not more than 16 within one another: no tool writes that, so the file is damaged, or was made to keep readers busy."
    PACKAGE_NO_PROGRAM "package/no-program" "The file decodes as a model that holds nothing. It was cut off, or is not a model."
    PACKAGE_NOT_PROTOBUF "package/not-protobuf" "A `.mlmodel` is a protobuf message, and these bytes are not. The file was cut off, or is something else."
    PACKAGE_MISSING_TYPE "package/missing-type" "Every value of a program has a type; one is missing."
    PACKAGE_UNKNOWN_DTYPE "package/unknown-dtype" "A tensor's element type has a number that is none of MIL's scalar types."
    PACKAGE_RANK_TOO_HIGH "package/rank-too-high" "A tensor has more dimensions than any op takes, so the file is damaged or not what it seems. A rank that is not known is fine."
    PACKAGE_MISSING_VALUE "package/missing-value" "An argument or constant has no value."
    PACKAGE_VALUE_KIND "package/value-kind" "A constant's value is of another kind than its type, or its elements are stored in the field of another type."
    PACKAGE_VALUE_COUNT "package/value-count" "A constant has more or fewer elements than its type says."
    PACKAGE_VALUE_RANGE "package/value-range" "An integer of a constant does not fit the constant's element type."
    PACKAGE_NO_BLOCK "package/no-block" "A function has one block for each op set it was written for, and none for the op set it names."
    PACKAGE_BLOCK_LEFT_OUT "package/block-left-out" "A function has blocks for several op sets. The one it names is read; the others are not kept."
    PACKAGE_ATTRIBUTE_LEFT_OUT "package/attribute-left-out" "Attributes of blocks mean nothing to Core ML and are not kept."
    PACKAGE_UNDEFINED_VALUE "package/undefined-value" "An argument or result names a value that no parameter and no earlier op of this block, or of one around it, defines."
    PACKAGE_DUPLICATE_VALUE "package/duplicate-value" "Two values of one block have the same name. A MIL value is assigned once."
    PACKAGE_MISSING_NAME "package/missing-name" "Every parameter and output of an op has a name, by which it is used; this one's is empty."
    PACKAGE_DESCRIPTION_RENEWED "package/description-renewed" "A package says what goes in and out of its model beside the program. That disagreed with the program, so it was made anew from the functions' signatures; the metadata was kept."
    PACKAGE_FEATURE_TYPE "package/feature-type" "Core ML passes tensors of fp16, fp32, fp64, int8 and int32 in and out of a model, and what `classify` yields. Anything else must be cast inside the function."
    PACKAGE_TOO_LARGE "package/too-large" "A `.mlmodel` file holds at most 2 GiB. Write an `.mlpackage`, whose weights are in a file of their own."
    BUNDLE_NOT_ML_PROGRAM "bundle/not-ml-program" "The compiled bundle holds a neural network, or another kind of model that is no ML Program."
    BUNDLE_NO_PROGRAM "bundle/no-program" "A compiled ML Program has its program in `model.mil` at the root of the bundle, and there is none."
    BUNDLE_CONTAINER "bundle/container" "`coremldata.bin` says what goes in and out of a compiled model. This one is cut off or of another kind; Milwright goes on with `metadata.json`."
    BUNDLE_METADATA_SYNTAX "bundle/metadata-syntax" "metadata.json is not what the compiler writes. The program is read without it."
}

#[cfg(test)]
mod tests {
    #[test]
    fn slugs_are_unique_and_explained() {
        for (i, (code, text)) in super::ALL.iter().enumerate() {
            assert!(code.contains('/') && text.ends_with('.'), "{code}");
            assert!(super::ALL[..i].iter().all(|(other, _)| other != code), "{code} twice");
        }
    }
}
