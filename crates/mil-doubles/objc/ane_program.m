#include "ane.h"

@implementation _ANEProgramForEvaluation
+ (id)programWithHandle:(uint64_t)handle intermediateBufferHandle:(uint64_t)intermediate queueDepth:(int8_t)depth {
    _ANEProgramForEvaluation *program = [[[self alloc] init] autorelease];
    program->_handle = handle;
    program->_intermediate = intermediate;
    program->_depth = depth;
    return program;
}
- (BOOL)processRequest:(id)request model:(id)model qos:(uint32_t)qos qIndex:(uint64_t)queue
         modelStringID:(uint64_t)identifier options:(id)options returnValue:(uint32_t *)value error:(NSError **)error {
    double_note("processRequest");
    if ([request sharedEvents] && double_behaves("ane/shared-events-crash-process-request"))
        [NSException raise: NSInternalInconsistencyException format: @"double: processRequest with shared events crashes"];
    BOOL done = double_ane_evaluate(_handle, request, error);
    if (value) *value = done ? 0 : 1;
    return done;
}
- (BOOL)processInputBuffers:(id)buffers model:(id)model options:(id)options error:(NSError **)error { return NO; }
- (BOOL)processOutputSet:(id)set model:(id)model options:(id)options error:(NSError **)error { return NO; }
- (uint64_t)programHandle { return _handle; }
- (void)setProgramHandle:(uint64_t)handle { _handle = handle; }
- (uint64_t)intermediateBufferHandle { return _intermediate; }
- (void)setIntermediateBufferHandle:(uint64_t)handle { _intermediate = handle; }
- (int8_t)queueDepth { return _depth; }
- (int64_t)currentAsyncRequestsInFlight { return _flying; }
@end

@interface _ANEProgramIOSurfacesMapper : DoubleObject {
    uint64_t _handle;
}
+ (id)mapperWithProgramHandle:(uint64_t)handle;
@end

@implementation _ANEProgramIOSurfacesMapper
/* Asks the controller for its program, which any other object throws at. */
+ (id)mapperWithController:(id)controller { return [self mapperWithProgramHandle: [controller programHandle]]; }
+ (id)mapperWithProgramHandle:(uint64_t)handle {
    _ANEProgramIOSurfacesMapper *mapper = [[[self alloc] init] autorelease];
    mapper->_handle = handle;
    return mapper;
}
- (BOOL)mapIOSurfacesWithModel:(id)model request:(id)request cacheInference:(BOOL)cache error:(NSError **)error {
    if (!double_behaves("ane/map-fails")) return YES;
    if (error) *error = [_ANEErrors createErrorWithCode: 13 description: @"double: Program IOSurfaces map failure: status=0x12"];
    return NO;
}
- (BOOL)unmapIOSurfacesWithModel:(id)model request:(id)request error:(NSError **)error {
    if (error) *error = [_ANEErrors createErrorWithCode: 14 description: @"double: Program IOSurfaces unmap failure"];
    return NO;
}
- (BOOL)validateRequest:(id)request model:(id)model { return [request validate]; }
- (uint64_t)programHandle { return _handle; }
@end
