#include "ane.h"

static BOOL fail(NSError **error, NSError *with) {
    if (error) *error = with;
    return NO;
}

static NSError *no_network(void) {
    return double_error(@"com.apple.appleneuralengine.espresso", -1,
                        @"double: cannot load network: no model.espresso.net in the model's folder");
}

@implementation _ANEClient
- (id)initWithRestrictedAccessAllowed:(BOOL)restricted {
    if ((self = [super init])) _restricted = restricted;
    return self;
}
+ (id)sharedConnection {
    static _ANEClient *shared;
    @synchronized(self) {
        if (!shared) shared = [[self alloc] initWithRestrictedAccessAllowed: NO];
    }
    return shared;
}
/* For processes with an entitlement; others get no connection. */
+ (id)sharedPrivateConnection { return nil; }

/* Only models of a package have what these two look for; a folder with MIL does not. */
- (BOOL)compileModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    [model setState: 5];
    return fail(error, no_network());
}
- (BOOL)loadModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    [model setState: 5];
    return fail(error, no_network());
}
- (BOOL)doLoadModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return [self loadModel: model options: options qos: qos error: error];
}
- (BOOL)unloadModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    if (![model programHandle] || !double_ane_unload([model programHandle]))
        return fail(error, [_ANEErrors createErrorWithCode: 23 description: @"double: nothing is loaded"]);
    return YES;
}
- (BOOL)doUnloadModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return [self unloadModel: model options: options qos: qos error: error];
}
- (BOOL)loadModelNewInstance:(id)model options:(id)options modelInstParams:(id)parameters qos:(uint32_t)qos
                       error:(NSError **)error {
    return fail(error, [_ANEErrors createErrorWithCode: 1 description: @"double: adapter weights need an entitlement"]);
}
- (BOOL)doLoadModelNewInstance:(id)model options:(id)options modelInstParams:(id)parameters qos:(uint32_t)qos
                         error:(NSError **)error {
    return [self loadModelNewInstance: model options: options modelInstParams: parameters qos: qos error: error];
}
- (BOOL)loadRealTimeModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return fail(error, [_ANEErrors createErrorWithCode: 2 description: @"double: real-time priority needs restricted access"]);
}
- (BOOL)unloadRealTimeModel:(id)model options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return fail(error, [_ANEErrors createErrorWithCode: 2 description: @"double: real-time priority needs restricted access"]);
}
- (BOOL)compiledModelExistsFor:(id)model { return double_ane_exists([[model key] UTF8String]) != 0; }
- (BOOL)compiledModelExistsMatchingHash:(id)hash { return double_ane_exists([hash UTF8String]) != 0; }
- (void)purgeCompiledModel:(id)model { double_ane_purge([[model key] UTF8String]); }
- (void)purgeCompiledModelMatchingHash:(id)hash { double_ane_purge([hash UTF8String]); }

- (BOOL)evaluateWithModel:(id)model options:(id)options request:(id)request qos:(uint32_t)qos error:(NSError **)error {
    double_note("evaluateWithModel");
    return double_ane_evaluate([model programHandle], request, error);
}
- (BOOL)doEvaluateDirectWithModel:(id)model options:(id)options request:(id)request qos:(uint32_t)qos
                            error:(NSError **)error {
    double_note("doEvaluateDirect");
    return double_ane_evaluate([model programHandle], request, error);
}
- (BOOL)evaluateRealTimeWithModel:(id)model options:(id)options request:(id)request error:(NSError **)error {
    double_note("evaluateRealTime");
    if (!double_behaves("ane/real-time-without-entitlement"))
        return fail(error, [_ANEErrors createErrorWithCode: 2 description: @"double: real-time priority needs restricted access"]);
    return double_ane_evaluate([model programHandle], request, error);
}
/* Refused without the entitlement, and evaluation goes on all the same. */
- (BOOL)beginRealTimeTask { return !double_behaves("ane/begin-real-time-refused"); }
- (BOOL)endRealTimeTask { return !double_behaves("ane/begin-real-time-refused"); }

- (BOOL)prepareChainingWithModel:(id)model options:(id)options chainingReq:(id)request qos:(uint32_t)qos
                           error:(NSError **)error {
    return double_ane_prepare(self, model, request, error);
}
- (BOOL)doPrepareChainingWithModel:(id)model options:(id)options chainingReq:(id)request qos:(uint32_t)qos
                             error:(NSError **)error {
    return double_ane_prepare(self, model, request, error);
}
/* NO, and no error either. */
- (BOOL)buffersReadyWithModel:(id)model inputBuffers:(id)buffers options:(id)options qos:(uint32_t)qos
                        error:(NSError **)error {
    return !double_behaves("ane/buffers-ready-no");
}
- (BOOL)doBuffersReadyWithModel:(id)model inputBuffers:(id)buffers options:(id)options qos:(uint32_t)qos
                          error:(NSError **)error {
    return !double_behaves("ane/buffers-ready-no");
}
- (BOOL)enqueueSetsWithModel:(id)model outputSet:(id)set options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return !double_behaves("ane/buffers-ready-no");
}
- (BOOL)doEnqueueSetsWithModel:(id)model outputSet:(id)set options:(id)options qos:(uint32_t)qos error:(NSError **)error {
    return !double_behaves("ane/buffers-ready-no");
}
- (BOOL)mapIOSurfacesWithModel:(id)model request:(id)request cacheInference:(BOOL)cache error:(NSError **)error {
    if (!double_behaves("ane/map-fails")) return YES;
    return fail(error, [_ANEErrors createErrorWithCode: 13 description: @"double: Program IOSurfaces map failure: status=0x12"]);
}
- (void)unmapIOSurfacesWithModel:(id)model request:(id)request {}
- (BOOL)sessionHintWithModel:(id)model hint:(id)hint options:(id)options report:(id)report error:(NSError **)error {
    return fail(error, [_ANEErrors createErrorWithCode: 25 description: @"double: not supported"]);
}
- (BOOL)echo:(id)what { return YES; }
- (BOOL)isVirtualClient { return NO; }
- (BOOL)isRootDaemon { return NO; }
- (BOOL)isAnetoolRootDaemonConnection { return NO; }
- (BOOL)allowRestrictedAccess { return _restricted; }
- (id)virtualClient { return nil; }
- (NSDictionary *)connections { return [NSDictionary dictionary]; }
@end
