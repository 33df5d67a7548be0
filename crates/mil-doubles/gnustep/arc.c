/* The entry points of automatic reference counting that GCC's Objective-C runtime lacks, on top of GNUstep's NSObject
   and NSAutoreleasePool. Weak references are not modelled: the bridge uses none, and a use stops the process. */
#include <stdio.h>
#include <stdlib.h>

typedef struct objc_object *id;
typedef struct objc_class *Class;
typedef const struct objc_selector *SEL;
typedef id (*Method)(id, SEL, ...);

extern Method objc_msg_lookup(id, SEL);
extern SEL sel_registerName(const char *);
extern Class objc_getClass(const char *);

/* GCC emits this symbol for the class; a reference keeps the linker from dropping the library as unneeded. */
extern const char __objc_class_name_NSAutoreleasePool[];
const char *mil_doubles_anchor(void) { return __objc_class_name_NSAutoreleasePool; }

static id send(id object, const char *name) {
    SEL selector = sel_registerName(name);
    return ((id (*)(id, SEL))objc_msg_lookup(object, selector))(object, selector);
}

id objc_retain(id o) { return o ? send(o, "retain") : o; }
void objc_release(id o) { if (o) send(o, "release"); }
id objc_autorelease(id o) { return o ? send(o, "autorelease") : o; }
id objc_retainAutorelease(id o) { return objc_autorelease(objc_retain(o)); }
id objc_autoreleaseReturnValue(id o) { return objc_autorelease(o); }
id objc_retainAutoreleaseReturnValue(id o) { return objc_retainAutorelease(o); }
id objc_retainAutoreleasedReturnValue(id o) { return objc_retain(o); }
id objc_claimAutoreleasedReturnValue(id o) { return objc_retain(o); }
void objc_storeStrong(id *slot, id o) { id old = *slot; *slot = objc_retain(o); objc_release(old); }

void *objc_autoreleasePoolPush(void) { return send(send((id)objc_getClass("NSAutoreleasePool"), "alloc"), "init"); }
void objc_autoreleasePoolPop(void *pool) { send((id)pool, "release"); }

/* GCC has it as an inline function of its header, so its library does not export it. */
Class object_getClass(id o) { return o ? *(Class *)o : (Class)0; }

#define NOT_MODELLED(declaration, name) \
    declaration { fprintf(stderr, "double: %s is not modelled\n", name); abort(); }
NOT_MODELLED(id objc_initWeak(id *slot, id o), "objc_initWeak")
NOT_MODELLED(id objc_storeWeak(id *slot, id o), "objc_storeWeak")
NOT_MODELLED(id objc_loadWeak(id *slot), "objc_loadWeak")
NOT_MODELLED(id objc_loadWeakRetained(id *slot), "objc_loadWeakRetained")
NOT_MODELLED(void objc_copyWeak(id *to, id *from), "objc_copyWeak")
NOT_MODELLED(void objc_moveWeak(id *to, id *from), "objc_moveWeak")
NOT_MODELLED(void objc_destroyWeak(id *slot), "objc_destroyWeak")
