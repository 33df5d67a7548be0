#import "mle5.h"

/* States of a stream. */
enum { FRESH = 0, USED = 1 };

@implementation MLE5ExecutionStream
- (void) dealloc {
    [_operations release];
    [super dealloc];
}
- (NSArray *) operations { return _operations; }
- (void) setOperations: (NSArray *)operations { ASSIGNCOPY(_operations, operations); }
- (NSInteger) state { return _state; }
- (void) setState: (NSInteger)state { _state = state; }
- (struct e5rt_execution_stream *) streamHandle { return (struct e5rt_execution_stream *)self; }
- (unsigned long long) streamId { return (unsigned long long)(uintptr_t)self; }
- (void) _reset {
    [_operations makeObjectsPerformSelector: @selector(reset)];
    DESTROY(_operations);
    _state = FRESH;
}
- (BOOL) _executeStream: (struct e5rt_execution_stream *)handle error: (NSError **)error {
    _state = USED;
    for (MLE5ExecutionStreamOperation *operation in _operations)
        if (![operation doubleExecute: error])
            return NO;
    return YES;
}
- (BOOL) _prepareForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    for (MLE5ExecutionStreamOperation *operation in _operations)
        if (![operation prepareForInputFeatures: features options: options error: error])
            return NO;
    return YES;
}
- (BOOL) executeForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    return [self _prepareForInputFeatures: features options: options error: error]
        && [self _executeStream: [self streamHandle] error: error];
}
- (BOOL) prepareAsyncSubmissionForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    return [self _prepareForInputFeatures: features options: options error: error];
}
- (void) submitWithCompletionHandler: (id)handler {
    NSError *error = nil;
    if (_state == USED && double_behaves("mle5/used-stream-refuses-submission"))
        double_ml_fail(&error, 0, @"Reset stream to add more operations");
    else
        [self _executeStream: [self streamHandle] error: &error];
    for (MLE5ExecutionStreamOperation *operation in _operations)
        [operation setAsyncSubmissionError: error];
    double_block_call(handler, error);
}
@end

@implementation MLE5ExecutionStreamPool
- (id) initWithModelConfiguration: (MLModelConfiguration *)configuration modelSignpostId: (unsigned long long)signpost {
    self = [super init];
    _modelConfiguration = [configuration retain];
    _modelSignpostId = signpost;
    _pool = [[NSMutableSet alloc] init];
    return self;
}
- (void) dealloc {
    [_modelConfiguration release];
    [_pool release];
    [super dealloc];
}
- (NSSet *) pool { return _pool; }
- (MLModelConfiguration *) modelConfiguration { return _modelConfiguration; }
- (MLE5ExecutionStream *) takeOut {
    @synchronized(self) {
        MLE5ExecutionStream *stream = [[[_pool anyObject] retain] autorelease];
        if (stream == nil)
            return [[[MLE5ExecutionStream alloc] init] autorelease];
        [_pool removeObject: stream];
        return stream;
    }
}
- (void) putBack: (MLE5ExecutionStream *)stream {
    @synchronized(self) {
        [_pool addObject: stream];
    }
}
@end
