#import "coreml.h"
#include <stdarg.h>
#include <stdlib.h>

id double_ml_fail(NSError **error, NSInteger code, NSString *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    NSString *text = [[[NSString alloc] initWithFormat: format arguments: arguments] autorelease];
    va_end(arguments);
    if (error != NULL)
        *error = double_error(ML_ERRORS, code, text);
    return nil;
}

/* The start of every block, as the blocks' binary interface has it. */
struct block {
    void *isa;
    int flags, reserved;
    void (*invoke)();
};

void double_block_call(id block, id argument) {
    ((void (*)(id, id))((struct block *)block)->invoke)(block, argument);
}
void double_block_call2(id block, id first, id second) {
    ((void (*)(id, id, id))((struct block *)block)->invoke)(block, first, second);
}


/* Of libBlocksRuntime, which the bridge links. */
extern void *_Block_copy(const void *block);
extern void _Block_release(const void *block);

id double_block_copy(id block) { return (id)_Block_copy(block); }
void double_block_release(id block) { _Block_release(block); }

@implementation DoubleProgram
+ (id) programAtPath: (NSString *)path error: (NSError **)error {
    char *why = NULL;
    void *handle = double_program_compile([path fileSystemRepresentation], &why);
    if (handle == NULL) {
        double_ml_fail(error, 0, @"double: the program does not compile: %s", why ? why : "unknown");
        double_free_text(why);
        return nil;
    }
    DoubleProgram *program = [[[self alloc] init] autorelease];
    program->handle = handle;
    return program;
}
- (void) dealloc {
    if (handle != NULL)
        double_program_release(handle);
    [super dealloc];
}
- (long) functionNamed: (NSString *)name {
    long count = double_function_count(handle);
    if (name == nil && count == 1)
        return 0;
    for (long f = 0; f < count; f++)
        if ([[NSString stringWithUTF8String: double_function_name(handle, f)] isEqualToString: name ? name : @"main"])
            return f;
    return -1;
}
@end

@implementation MLState
- (id) initWithProgram: (DoubleProgram *)ours function: (long)index {
    self = [super init];
    program = [ours retain];
    function = index;
    NSMutableDictionary *made = [NSMutableDictionary dictionary];
    MLModelDescription *description = [[MLModelDescription alloc] initWithProgram: ours->handle function: index];
    NSDictionary *states = [description stateDescriptionsByName];
    for (NSString *name in states) {
        MLMultiArrayConstraint *c = [[states objectForKey: name] multiArrayConstraint];
        MLMultiArray *array = [[MLMultiArray alloc] initWithShape: [c shape] dataType: [c dataType] error: NULL];
        [made setObject: [array autorelease] forKey: name];
    }
    [description release];
    arrays = [made copy];
    return self;
}
- (void) dealloc {
    [arrays release];
    [program release];
    [super dealloc];
}
- (void) getMultiArrayForStateNamed: (NSString *)name handler: (id)handler {
    id array = [arrays objectForKey: name];
    if (array == nil)
        [NSException raise: NSInvalidArgumentException format: @"double: no state is called `%@`", name];
    @synchronized(self) {
        double_block_call(handler, array);
    }
}
@end

@implementation DoubleSession
- (id) initWithProgram: (DoubleProgram *)ours function: (long)index {
    self = [super init];
    program = [ours retain];
    function = index;
    handle = double_session_new(ours->handle, index);
    return self;
}
- (void) dealloc {
    if (handle != NULL)
        double_session_release(handle);
    [program release];
    [super dealloc];
}
- (MLModelDescription *) doubleDescription {
    return [[[MLModelDescription alloc] initWithProgram: program->handle function: function] autorelease];
}
- (NSString *) port: (long)p kind: (int)kind {
    return [NSString stringWithUTF8String: double_port_name(program->handle, function, kind, p)];
}
- (NSMutableData *) bufferOf: (long)p kind: (int)kind {
    return [NSMutableData dataWithLength: double_port_bytes(program->handle, function, kind, p)];
}
- (BOOL) moveState: (MLState *)state load: (BOOL)load {
    for (long p = 0; p < double_port_count(program->handle, function, 2); p++) {
        MLMultiArray *array = [state->arrays objectForKey: [self port: p kind: 2]];
        NSMutableData *packed = [self bufferOf: p kind: 2];
        if (array == nil)
            return NO;
        if (load) {
            double_array_to_packed(array, [packed mutableBytes]);
            double_session_write_state(handle, p, [packed bytes]);
        } else {
            double_session_read_state(handle, p, [packed mutableBytes]);
            double_array_from_packed(array, [packed bytes]);
        }
    }
    return YES;
}
- (id) array: (id)value like: (MLFeatureDescription *)feature error: (NSError **)error {
    MLMultiArrayConstraint *wanted = [feature multiArrayConstraint];
    if (value == nil)
        return double_ml_fail(error, 1, @"double: the value for `%@` is missing", [feature name]);
    if (![[value shape] isEqual: [wanted shape]] || [value dataType] != [wanted dataType])
        return double_ml_fail(error, 1, @"double: `%@` has another shape or type than the model's", [feature name]);
    return value;
}
- (NSDictionary *) runOn: (id)features backings: (NSDictionary *)backings state: (MLState *)state error: (NSError **)error {
    long ins = double_port_count(program->handle, function, 0), outs = double_port_count(program->handle, function, 1);
    const void *given[ins + 1];
    void *results[outs + 1];
    MLModelDescription *description = [self doubleDescription];
    for (long p = 0; p < ins; p++) {
        NSString *name = [self port: p kind: 0];
        MLMultiArray *array = [self array: [[features featureValueForName: name] multiArrayValue]
                                     like: [[description inputDescriptionsByName] objectForKey: name] error: error];
        if (array == nil)
            return nil;
        NSMutableData *packed = [self bufferOf: p kind: 0];
        double_array_to_packed(array, [packed mutableBytes]);
        given[p] = [packed bytes];
    }
    for (long p = 0; p < outs; p++)
        results[p] = [[self bufferOf: p kind: 1] mutableBytes];
    char *why = NULL;
    BOOL ran;
    @synchronized(self) {
        @synchronized(state) {
            ran = (state == nil || [self moveState: state load: YES]) && double_session_run(handle, given, results, &why);
            if (ran && state != nil && double_behaves("coreml/state-stays"))
                [self moveState: state load: NO];
        }
    }
    if (!ran) {
        double_ml_fail(error, 0, @"double: %s", why ? why : "the state is of another model");
        double_free_text(why);
        return nil;
    }
    NSMutableDictionary *outputs = [NSMutableDictionary dictionary];
    for (long p = 0; p < outs; p++) {
        NSString *name = [self port: p kind: 1];
        MLFeatureDescription *feature = [[description outputDescriptionsByName] objectForKey: name];
        MLMultiArray *array = [backings objectForKey: name];
        if (array == nil) {
            MLMultiArrayConstraint *c = [feature multiArrayConstraint];
            BOOL padded = double_behaves("coreml/rows-are-padded");
            array = padded ? [[MLMultiArray alloc] initPaddedWithShape: [c shape] dataType: [c dataType]]
                           : [[MLMultiArray alloc] initWithShape: [c shape] dataType: [c dataType] error: NULL];
            [array autorelease];
        } else if ([self array: array like: feature error: error] == nil) {
            return nil;
        }
        if (double_behaves("coreml/outputs-are-written"))
            double_array_from_packed(array, results[p]);
        [outputs setObject: [MLFeatureValue featureValueWithMultiArray: array] forKey: name];
    }
    return outputs;
}
@end
