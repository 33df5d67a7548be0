/* No headers, so that it compiles without an SDK. */
id objc_retain(id);

/* Calls f(context). 0 when it returned; 1 when an Objective-C object was thrown, which the caller then owns. */
unsigned char mil_apple_try_catch(void (*f)(void *), void *context, id *thrown) {
    @try {
        f(context);
        return 0;
    } @catch (id object) {
        *thrown = objc_retain(object);
        return 1;
    }
}
