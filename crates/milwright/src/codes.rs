//! The slugs of what can be wrong with files and arrays, each with the explanation that `milwright explain` prints.

mil_base::codes! {
    FILE_NOT_FOUND "file/not-found" "There is no file or folder of that name. Relative paths start at the current folder."
    FILE_UNREADABLE "file/unreadable" "The operating system does not let the file be read."
    FILE_UNWRITABLE "file/unwritable" "The operating system does not let the file be written: the folder is missing or protected, or the disk is full."
    FILE_EXISTS "file/exists" "Something that is not ours to replace is in the place to be written: a folder that is no package, or a weight file with other content."
    FILE_UNKNOWN_FOLDER "file/unknown-folder" "A folder is opened as a package if it has Manifest.json, as a compiled bundle if it has model.mil."
    FILE_UNKNOWN_KIND "file/unknown-kind" "What is written depends on the end of the name: .mlpackage, .mlmodel, .mlmodelc or .mil."
    FILE_NOT_UTF8 "file/not-utf8" "MIL text is UTF-8, and the file is not. A model in protobuf form is named `.mlmodel`."
    TEXT_LEAVES_OUT "text/leaves-out" "MIL text is the program alone. That an input is an image or may be left out, and which of several functions runs, is said by a model's description, which packages and compiled bundles have. From text, give images as tensors, give every input, and choose the function with `--function`."
    IMAGE_UNREADABLE "image/unreadable" "Images are read from PNG and JPEG files. This file is of another kind, damaged, or larger than 2^27 pixels."
    IMAGE_SIZE "image/size" "An image input has a size, a few sizes or a range of them, and this image has another. Give one that fits, or `--resize` to have it stretched to the default size."
    IMAGE_NOT_AN_IMAGE "image/not-an-image" "Which inputs and outputs are images, and in what colours, is said by the model's description. A program in MIL text has none: give tensors."
    NPZ_NOT_ZIP "npz/not-zip" "An .npz file is a zip archive of .npy arrays, and this is not one."
    NPZ_MEMBER "npz/member" "A member of the archive cannot be unpacked."
    NPZ_TOO_LARGE "npz/too-large" "A member of the archive unpacks to more than 1 GiB. Pass it as an .npy file, which is read in place."
    NPZ_UNWRITABLE "npz/unwritable" "The arrays do not fit an archive as other programs read it: each is below 4 GiB, and so is the whole."
    NPY_NOT_NPY "npy/not-npy" "An .npy file begins with a magic word and a header, and this one does not."
    NPY_HEADER "npy/header" "The header of an .npy file is a Python dictionary with `descr`, `fortran_order` and `shape`; this one cannot be understood."
    NPY_DTYPE "npy/dtype" "NumPy has element types that MIL has not: complex numbers, dates, objects, structures. Convert the array before saving it."
    NPY_LENGTH "npy/length" "The file holds more or fewer elements than its header says."
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
