#include "double.h"
#include <objc/runtime.h>

/* In place of a method: throws, whatever it is sent. */
static id throws(id self, SEL selector) {
    [NSException raise: @"DoubleException" format: @"double: %s throws", sel_getName(selector)];
    return nil;
}

/* Replaces a method ('+' or '-'); gives what it was, or NULL if there is none. */
void *double_throw_from(char kind, const char *class_name, const char *selector) {
    Class class = objc_getClass(class_name);
    SEL sel = sel_registerName(selector);
    Method method = !class ? NULL : kind == '+' ? class_getClassMethod(class, sel) : class_getInstanceMethod(class, sel);
    return method ? (void *)method_setImplementation(method, (IMP)throws) : NULL;
}

/* Puts back what double_throw_from gave. */
void double_mend(char kind, const char *class_name, const char *selector, void *was) {
    Class class = objc_getClass(class_name);
    SEL sel = sel_registerName(selector);
    Method method = kind == '+' ? class_getClassMethod(class, sel) : class_getInstanceMethod(class, sel);
    method_setImplementation(method, (IMP)was);
}
