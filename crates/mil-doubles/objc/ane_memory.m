#include "ane_memory.h"

/* Failures of the engine's compiler carry no detail; what is in brackets is the double's. */
static NSError *compile_error(NSString *why) {
    return double_error(@"com.apple.appleneuralengine.compiler", 1,
                        [NSString stringWithFormat: @"_ANECompiler : ANECCompile() FAILED (double: %@)", why]);
}

static BOOL fail(NSError **error, NSError *with) {
    if (error) *error = with;
    return NO;
}

@implementation _ANEInMemoryModel
- (id)initWithDesctiptor:(id)descriptor {
    if ((self = [super init])) {
        _descriptor = [descriptor retain];
        _hex = [[descriptor hexStringIdentifier] copy];
        _url = [[NSURL fileURLWithPath: [self localModelPath]] retain];
        _state = 1;
        _depth = 127;
        _model = [[_ANEModel modelAtURL: _url key: _hex] retain];
    }
    return self;
}
+ (id)inMemoryModelWithDescriptor:(id)descriptor {
    return descriptor ? [[[self alloc] initWithDesctiptor: descriptor] autorelease] : nil;
}
- (id)localModelPath {
    const char *temporary = getenv("TMPDIR");
    NSString *parent = [NSString stringWithUTF8String: temporary && *temporary ? temporary : "/tmp"];
    return [parent stringByAppendingPathComponent: _hex];
}
- (id)saveModelFiles { return [self localModelPath]; }
- (BOOL)compileWithQoS:(uint32_t)qos options:(id)options error:(NSError **)error {
    double_note("compile");
    NSString *folder = [self localModelPath];
    NSString *text = [folder stringByAppendingPathComponent: @"model.mil"];
    NSData *staged = [NSData dataWithContentsOfFile: text];
    if (double_behaves("ane/staged-files")) {
        if (!staged) return fail(error, compile_error(@"no model.mil in the folder of that identifier"));
        if (![staged isEqual: [_descriptor networkText]]) return fail(error, compile_error(@"model.mil is another text"));
    }
    for (NSString *key in [_descriptor weights]) {
        NSString *file = [key stringByReplacingOccurrencesOfString: @"@model_path" withString: folder];
        if (![[NSFileManager defaultManager] fileExistsAtPath: file])
            return fail(error, compile_error([@"no file " stringByAppendingString: file]));
    }
    char *why = NULL;
    if (!double_ane_compile([_hex UTF8String], [text fileSystemRepresentation], &why))
        return fail(error, compile_error(double_text(why)));
    [[NSData data] writeToFile: [folder stringByAppendingPathComponent: @"net.plist"] atomically: NO];
    [[NSData data] writeToFile: [folder stringByAppendingPathComponent: @"data"] atomically: NO];
    return YES;
}
- (BOOL)compiledModelExists { return double_ane_exists([_hex UTF8String]) != 0; }
- (void)purgeCompiledModel {
    double_note("purge");
    double_ane_purge([_hex UTF8String]);
}
- (id)compilerOptionsWithOptions:(id)options isCompiledModelCached:(BOOL)cached {
    return options ? options : [NSDictionary dictionary];
}
- (BOOL)loadWithQoS:(uint32_t)qos options:(id)options error:(NSError **)error {
    double_note("load");
    char *why = NULL;
    uint64_t handle = double_ane_load([_hex UTF8String], &why);
    if (!handle) return fail(error, [_ANEErrors createErrorWithCode: 6 description: double_text(why)]);
    @synchronized(self) {
        if (_handle) double_ane_unload(_handle);
        _handle = handle;
        [_attributes release];
        _attributes = [double_ane_attributes(handle) retain];
        [_program release];
        _program = [[_ANEProgramForEvaluation programWithHandle: handle intermediateBufferHandle: 0 queueDepth: 127] retain];
        [_model updateModelAttributes: _attributes state: 3 programHandle: handle intermediateBufferHandle: 0
                           queueDepth: 127];
        [_model setProgram: _program];
        _state = 3;
    }
    return YES;
}
- (BOOL)evaluateWithQoS:(uint32_t)qos options:(id)options request:(id)request error:(NSError **)error {
    return double_ane_evaluate(_handle, request, error);
}
- (BOOL)unloadWithQoS:(uint32_t)qos error:(NSError **)error {
    double_note("unload");
    @synchronized(self) {
        if (!_handle || !double_ane_unload(_handle))
            return fail(error, [_ANEErrors createErrorWithCode: 23 description: @"double: nothing is loaded"]);
        _handle = 0;
        _state = 1;
        [_model resetOnUnload];
        [_program release];
        _program = nil;
    }
    return YES;
}
- (BOOL)mapIOSurfacesWithRequest:(id)request cacheInference:(BOOL)cache error:(NSError **)error {
    return fail(error, [_ANEErrors createErrorWithCode: 13 description: @"Program IOSurfaces map failure: status=0x12 (double)"]);
}
- (void)unmapIOSurfacesWithRequest:(id)request {}
- (NSString *)compilerOptionsFileName { return nil; }
- (id)descriptor { return _descriptor; }
- (NSString *)hexStringIdentifier { return _hex; }
- (uint64_t)intermediateBufferHandle { return _intermediate; }
- (void)setIntermediateBufferHandle:(uint64_t)handle { _intermediate = handle; }
- (BOOL)isMILModel { return [_descriptor isMILModel]; }
- (id)model { return _model; }
- (NSDictionary *)modelAttributes { return _attributes ? _attributes : [NSDictionary dictionary]; }
- (NSURL *)modelURL { return _url; }
- (uint32_t)perfStatsMask { return _mask; }
- (void)setPerfStatsMask:(uint32_t)mask { _mask = mask; }
- (id)program { return _program; }
- (uint64_t)programHandle { return _handle; }
- (void)setProgramHandle:(uint64_t)handle { _handle = handle; }
- (int8_t)queueDepth { return _depth; }
- (void)setQueueDepth:(int8_t)depth { _depth = depth; }
- (id)sharedConnection { return [_ANEClient sharedConnection]; }
- (uint64_t)state { return _state; }
- (void)setState:(uint64_t)state { _state = state; }
- (uint64_t)string_id { return _handle; }
- (void)dealloc {
    if (_handle) double_ane_unload(_handle);
    [_descriptor release];
    [_hex release];
    [_model release];
    [_program release];
    [_attributes release];
    [_url release];
    [super dealloc];
}
@end
