//! The control of `.ci/valgrind`: it leaks an object when it is told to, and valgrind must see it.

use mil_apple::objc::{autoreleasepool, ns};

#[test]
fn an_object_is_leaked_when_the_environment_says_so() {
    autoreleasepool(|_| {
        let array = ns::array([&*ns::int(1)]);
        if std::env::var_os("MIL_APPLE_LEAK").is_some() {
            std::mem::forget(array);
        }
    });
}
