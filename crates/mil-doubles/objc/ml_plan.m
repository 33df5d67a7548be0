#import "coreml.h"
#include <pthread.h>
#include <stdlib.h>

/* Ops of a program, in order (src/abi_ops.rs). */
long double_op_count(void *program, long function);
/* What: 0 the operator, 1 the first output. Freed with double_free_text. */
char *double_op_text(void *program, long function, long op, int what);
/* Bytes of the first output if it is fp16, else 0; -1 for a constant. */
long double_op_half_bytes(void *program, long function, long op);

/* From here on an op is worth the engine: a 3x3 convolution moved between 128 and 256 channels of 32x32. */
static const long WORTH_THE_ENGINE = 256 * 32 * 32 * 2;

@interface MLCPUComputeDevice : DoubleObject
@end
@implementation MLCPUComputeDevice
@end
@interface MLGPUComputeDevice : DoubleObject
@end
@implementation MLGPUComputeDevice
@end
@interface MLNeuralEngineComputeDevice : DoubleObject
@end
@implementation MLNeuralEngineComputeDevice
@end

@interface MLComputePlanDeviceUsage : DoubleObject {
    NSArray *_supported;
    id _preferred;
}
@end
@implementation MLComputePlanDeviceUsage
- (id) initWithSupported: (NSArray *)supported preferred: (id)preferred {
    self = [super init];
    _supported = [supported copy];
    _preferred = [preferred retain];
    return self;
}
- (void) dealloc {
    [_supported release];
    [_preferred release];
    [super dealloc];
}
- (NSArray *) supportedComputeDevices { return _supported; }
- (id) preferredComputeDevice { return _preferred; }
@end

@interface MLModelStructureProgramNamedValueType : DoubleObject {
    NSString *_name;
}
@end
@implementation MLModelStructureProgramNamedValueType
- (id) initWithName: (NSString *)name {
    self = [super init];
    _name = [name copy];
    return self;
}
- (void) dealloc {
    [_name release];
    [super dealloc];
}
- (NSString *) name { return _name; }
@end

@interface MLModelStructureProgramOperation : DoubleObject {
    NSString *_operatorName;
    NSArray *_outputs;
  @public
    long halfBytes;
}
@end
@implementation MLModelStructureProgramOperation
- (id) initWithProgram: (void *)program function: (long)function op: (long)op {
    self = [super init];
    char *name = double_op_text(program, function, op, 0), *output = double_op_text(program, function, op, 1);
    _operatorName = [[NSString alloc] initWithUTF8String: name];
    id value = [[[MLModelStructureProgramNamedValueType alloc]
        initWithName: [NSString stringWithUTF8String: output]] autorelease];
    _outputs = [[NSArray alloc] initWithObjects: value, nil];
    halfBytes = double_op_half_bytes(program, function, op);
    double_free_text(name);
    double_free_text(output);
    return self;
}
- (void) dealloc {
    [_operatorName release];
    [_outputs release];
    [super dealloc];
}
- (NSString *) operatorName { return _operatorName; }
- (NSArray *) outputs { return _outputs; }
- (NSArray *) blocks { return [NSArray array]; }
@end

@interface MLModelStructureProgramBlock : DoubleObject {
    NSArray *_operations;
}
@end
@implementation MLModelStructureProgramBlock
- (id) initWithProgram: (void *)program function: (long)function {
    self = [super init];
    NSMutableArray *operations = [NSMutableArray array];
    for (long op = 0; op < double_op_count(program, function); op++)
        [operations addObject: [[[MLModelStructureProgramOperation alloc] initWithProgram: program function: function
                                                                                       op: op] autorelease]];
    _operations = [operations copy];
    return self;
}
- (void) dealloc {
    [_operations release];
    [super dealloc];
}
- (NSArray *) operations { return _operations; }
@end

@interface MLModelStructureProgramFunction : DoubleObject {
    MLModelStructureProgramBlock *_block;
}
@end
@implementation MLModelStructureProgramFunction
- (id) initWithProgram: (void *)program function: (long)function {
    self = [super init];
    _block = [[MLModelStructureProgramBlock alloc] initWithProgram: program function: function];
    return self;
}
- (void) dealloc {
    [_block release];
    [super dealloc];
}
- (MLModelStructureProgramBlock *) block { return _block; }
@end

@interface MLModelStructureProgram : DoubleObject {
    NSDictionary *_functions;
}
@end
@implementation MLModelStructureProgram
- (id) initWithProgram: (void *)program {
    self = [super init];
    NSMutableDictionary *functions = [NSMutableDictionary dictionary];
    for (long f = 0; f < double_function_count(program); f++) {
        id function = [[[MLModelStructureProgramFunction alloc] initWithProgram: program function: f] autorelease];
        [functions setObject: function forKey: [NSString stringWithUTF8String: double_function_name(program, f)]];
    }
    _functions = [functions copy];
    return self;
}
- (void) dealloc {
    [_functions release];
    [super dealloc];
}
- (NSDictionary *) functions { return _functions; }
@end

@interface MLModelStructure : DoubleObject {
    MLModelStructureProgram *_program;
}
@end
@implementation MLModelStructure
- (id) initWithProgram: (void *)program {
    self = [super init];
    _program = [[MLModelStructureProgram alloc] initWithProgram: program];
    return self;
}
- (void) dealloc {
    [_program release];
    [super dealloc];
}
- (MLModelStructureProgram *) program { return _program; }
@end

@interface MLComputePlan : DoubleObject {
    MLModelStructure *_modelStructure;
    NSInteger _computeUnits;
}
- (id) initWithProgram: (void *)program computeUnits: (NSInteger)units;
@end
/* A plan that is being loaded, on a thread of its own, as the framework does. Not an NSThread: GNUstep takes the end of
   one for the end of the program when the main thread is not one too. */
struct loading {
    NSURL *url;
    NSInteger units;
    id handler;
};

static void *load_plan(void *context) {
    NSAutoreleasePool *pool = [[NSAutoreleasePool alloc] init];
    struct loading *loading = context;
    NSError *error = nil;
    MLComputePlan *plan = nil;
    DoubleProgram *program = [DoubleProgram programAtPath: [loading->url path] error: &error];
    if (program != nil)
        plan = [[[MLComputePlan alloc] initWithProgram: program->handle computeUnits: loading->units] autorelease];
    double_block_call2(loading->handler, plan, error);
    double_block_release(loading->handler);
    [loading->url release];
    free(loading);
    [pool release];
    return NULL;
}

@implementation MLComputePlan
- (id) initWithProgram: (void *)program computeUnits: (NSInteger)units {
    self = [super init];
    _modelStructure = [[MLModelStructure alloc] initWithProgram: program];
    _computeUnits = units;
    return self;
}
- (void) dealloc {
    [_modelStructure release];
    [super dealloc];
}
- (MLModelStructure *) modelStructure { return _modelStructure; }
- (MLComputePlanDeviceUsage *) computeDeviceUsageForMLProgramOperation: (MLModelStructureProgramOperation *)operation {
    if (operation->halfBytes < 0)
        return nil;
    id cpu = [[[MLCPUComputeDevice alloc] init] autorelease];
    id engine = [[[MLNeuralEngineComputeDevice alloc] init] autorelease];
    NSMutableArray *supported = [NSMutableArray arrayWithObject: cpu];
    BOOL allowed = _computeUnits == 2 || _computeUnits == 3;
    if (allowed && operation->halfBytes > 0)
        [supported addObject: engine];
    BOOL worth = operation->halfBytes >= WORTH_THE_ENGINE || !double_behaves("coreml/small-ops-stay-on-the-cpu");
    id preferred = [supported count] > 1 && worth ? engine : cpu;
    return [[[MLComputePlanDeviceUsage alloc] initWithSupported: supported preferred: preferred] autorelease];
}
+ (void) loadContentsOfURL: (NSURL *)url configuration: (MLModelConfiguration *)configuration completionHandler: (id)handler {
    struct loading *loading = calloc(1, sizeof *loading);
    loading->url = [url retain];
    loading->units = [configuration computeUnits];
    loading->handler = double_block_copy(handler);
    pthread_t thread;
    pthread_create(&thread, NULL, load_plan, loading);
    pthread_detach(thread);
}
@end
