//! The codes of what can go wrong on the way to Apple's frameworks, each with its explanation.

mil_base::codes! {
    NOT_HERE "apple/not-here" "This runtime needs a Mac. Off a Mac it can only run against the doubles, which show that our code does what we believe the frameworks expect and nothing about hardware: build with `--features doubles` (Debian: gobjc, libgnustep-base-dev, libblocksruntime-dev)."
    MISSING_CLASS "apple/missing-class" "This version of macOS has no class of that name. Private classes come and go; `milwright lab run probe-classes` lists what is there."
    MISSING_SELECTOR "apple/missing-selector" "The class is there, the method is not: it has another name in this version of macOS, or came later."
    ENCODING "apple/changed-encoding" "The method is there but takes or returns other types than it did. Calling it as before could corrupt memory, so it is not called."
    MISSING_SYMBOL "apple/missing-symbol" "The library does not export that C function in this version of macOS."
    FRAMEWORK "apple/missing-framework" "The framework could not be loaded."
    COCOA "apple/error" "A call answered with an error of the system. The message has its domain and code; known ones are explained."
    EXCEPTION "apple/exception" "A call threw an Objective-C exception. It was caught; the process is sound, but the object that threw is not used again."
    NULL "apple/nothing-returned" "A call returned nothing and said no reason."
    STATUS "apple/e5rt-status" "A call of the e5rt interface answered with a status other than 0."
    UNTOUCHED "apple/nothing-written" "The call reported success, but the output still holds the pattern that was put there before: nothing was written. This is the trap behind the retracted 4.87x speed-up, where operations without a handle did nothing."
    OPEN_SIZE "apple/open-size" "This path compiles programs for fixed shapes, and the function has an open size."
    PORT_TYPE "apple/port-type" "The path cannot take or give tensors of this type at its boundary; cast inside the program."
    STAGE "apple/staging" "The program could not be written to where the framework reads it."
    UNSUPPORTED "apple/unsupported" "This path cannot do that. Another may: the message says which."
    WORKER "apple/worker-died" "The call was made in a process of its own, and that process died. Nothing else was harmed; the message says in which call."
    BUDGET "apple/compile-budget" "A process can compile only a certain number of programs for the Neural Engine (about 119) before every further one fails. The worker is restarted before that."
}
