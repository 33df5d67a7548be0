#import "mle5.h"

@implementation MLE5ExecutionStreamOperation
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library functionName: (NSString *)name
             modelDescription: (MLModelDescription *)description configuration: (MLModelConfiguration *)configuration
                   debugLabel: (NSString *)label modelSignpostId: (unsigned long long)signpost {
    self = [super init];
    _programLibrary = [library retain];
    _functionName = [name copy];
    _modelDescription = [description retain];
    _modelConfiguration = [configuration retain];
    _debugLabel = [label copy];
    _modelSignpostId = signpost;
    return self;
}
- (void) dealloc {
    [_programLibrary release];
    [_functionName release];
    [_modelDescription release];
    [_modelConfiguration release];
    [_debugLabel release];
    [_session release];
    [_inputPorts release];
    [_outputPorts release];
    [_asyncSubmissionError release];
    [_features release];
    [_outputFeatures release];
    [_options release];
    [boundState release];
    [super dealloc];
}
- (NSString *) functionName { return _functionName; }
- (NSString *) debugLabel { return _debugLabel; }
- (MLModelDescription *) modelDescription { return _modelDescription; }
- (MLModelConfiguration *) modelConfiguration { return _modelConfiguration; }
- (MLE5ProgramLibrary *) programLibrary { return _programLibrary; }
- (unsigned long long) modelSignpostId { return _modelSignpostId; }
- (struct e5rt_execution_stream_operation *) operationHandle { return _operationHandle; }
- (void) setOperationHandle: (struct e5rt_execution_stream_operation *)handle { _operationHandle = handle; }
- (NSArray *) inputPorts { return _inputPorts; }
- (void) setInputPorts: (NSArray *)ports { ASSIGN(_inputPorts, ports); }
- (NSArray *) outputPorts { return _outputPorts; }
- (void) setOutputPorts: (NSArray *)ports { ASSIGN(_outputPorts, ports); }
- (NSError *) asyncSubmissionError { return _asyncSubmissionError; }
- (void) setAsyncSubmissionError: (NSError *)error { ASSIGN(_asyncSubmissionError, error); }
- (NSInteger) state { return _state; }
- (void) setState: (NSInteger)state { _state = state; }

/* The names and shapes of the model's description are the program's: nothing else is accepted. */
static BOOL fits(NSDictionary *said, NSDictionary *is, NSError **error) {
    if ([said count] != [is count])
        return double_ml_fail(error, 0, @"double: the model describes %lu features where the program has %lu",
                              (unsigned long)[said count], (unsigned long)[is count]) != nil;
    for (NSString *name in is) {
        MLMultiArrayConstraint *a = [[said objectForKey: name] multiArrayConstraint];
        MLMultiArrayConstraint *b = [[is objectForKey: name] multiArrayConstraint];
        if (![[a shape] isEqual: [b shape]] || [a dataType] != [b dataType])
            return double_ml_fail(error, 0, @"double: the model does not describe `%@` as the program has it", name) != nil;
    }
    return YES;
}
- (struct e5rt_execution_stream_operation *) _createOperationAndReturnError: (NSError **)error {
    return [_programLibrary createOperationForFunctionName: _functionName forceRespecialization: NO
                                       hasRangeShapeInputs: NO error: error];
}
- (BOOL) preloadAndReturnError: (NSError **)error {
    if (_operationHandle != NULL)
        return YES;
    DoubleSession *session = (DoubleSession *)[self _createOperationAndReturnError: error];
    if (session == nil)
        return NO;
    [_session release];
    _session = session;
    MLModelDescription *own = [session doubleDescription];
    if (double_behaves("mle5/features-equal-description")
        && (!fits([_modelDescription inputDescriptionsByName], [own inputDescriptionsByName], error)
            || !fits([_modelDescription outputDescriptionsByName], [own outputDescriptionsByName], error)))
        return NO;
    NSMutableArray *inputs = [NSMutableArray array], *outputs = [NSMutableArray array];
    NSDictionary *described = [own inputDescriptionsByName];
    for (NSString *name in described)
        [inputs addObject: [[[MLE5InputPort alloc] initWithPortHandle: NULL name: name
                                                   featureDescription: [described objectForKey: name]] autorelease]];
    described = [own outputDescriptionsByName];
    for (NSString *name in described)
        [outputs addObject: [[[MLE5OutputPort alloc] initWithPortHandle: NULL name: name
                                                     featureDescription: [described objectForKey: name]] autorelease]];
    [self setInputPorts: inputs];
    [self setOutputPorts: outputs];
    _operationHandle = (struct e5rt_execution_stream_operation *)session;
    _state = 1;
    return YES;
}
- (BOOL) prepareForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    if (![self preloadAndReturnError: error])
        return NO;
    ASSIGN(_features, features);
    ASSIGN(_options, options);
    DESTROY(_outputFeatures);
    for (MLE5InputPort *port in _inputPorts) {
        MLFeatureValue *value = [features featureValueForName: [port name]];
        if (value == nil)
            return double_ml_fail(error, 1, @"double: the value for `%@` is missing", [port name]) != nil;
        if (![port prepareForFeatureValue: value error: error])
            return NO;
    }
    for (MLE5OutputPort *port in _outputPorts)
        if (![port prepareWithOptions: options error: error])
            return NO;
    _state = 2;
    return YES;
}
- (void) reset {
    [_inputPorts makeObjectsPerformSelector: @selector(reset)];
    [_outputPorts makeObjectsPerformSelector: @selector(reset)];
    DESTROY(_features);
    DESTROY(_options);
    DESTROY(_outputFeatures);
    DESTROY(boundState);
    _state = _operationHandle == NULL ? 0 : 1;
}
- (BOOL) doubleExecute: (NSError **)error {
    if (_operationHandle == NULL) {
        if (double_behaves("mle5/zero-handle-does-nothing"))
            return YES;
        return double_ml_fail(error, 0, @"double: the operation has no handle") != nil;
    }
    NSDictionary *outputs = [_session runOn: _features backings: [_options outputBackings] state: boundState error: error];
    if (outputs == nil)
        return NO;
    [_outputFeatures release];
    _outputFeatures = [[MLDictionaryFeatureProvider alloc] initWithDictionary: outputs error: error];
    return YES;
}
/* Before anything was executed, arrays as they were made: zero. */
- (id) outputFeatures {
    if (_outputFeatures != nil)
        return _outputFeatures;
    NSMutableDictionary *zeros = [NSMutableDictionary dictionary];
    NSDictionary *described = [_modelDescription outputDescriptionsByName];
    for (NSString *name in described) {
        MLMultiArrayConstraint *c = [[described objectForKey: name] multiArrayConstraint];
        MLMultiArray *array = [[MLMultiArray alloc] initWithShape: [c shape] dataType: [c dataType] error: NULL];
        [zeros setObject: [MLFeatureValue featureValueWithMultiArray: [array autorelease]] forKey: name];
    }
    _outputFeatures = [[MLDictionaryFeatureProvider alloc] initWithDictionary: zeros error: NULL];
    return _outputFeatures;
}
@end

@implementation MLE5StaticShapeExecutionStreamOperationPool
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library functionName: (NSString *)name
             modelDescription: (MLModelDescription *)description configuration: (MLModelConfiguration *)configuration
              modelSignpostId: (unsigned long long)signpost compilerVersionInfo: (id)version {
    self = [super init];
    _programLibrary = [library retain];
    _functionName = [name copy];
    _modelDescription = [description retain];
    _modelConfiguration = [configuration retain];
    _modelSignpostId = signpost;
    _pool = [[NSMutableSet alloc] init];
    return self;
}
- (void) dealloc {
    [_programLibrary release];
    [_functionName release];
    [_modelDescription release];
    [_modelConfiguration release];
    [_pool release];
    [super dealloc];
}
- (NSString *) functionName { return _functionName; }
- (MLModelDescription *) modelDescription { return _modelDescription; }
- (MLModelConfiguration *) modelConfiguration { return _modelConfiguration; }
- (MLE5ProgramLibrary *) programLibrary { return _programLibrary; }
- (NSSet *) pool { return _pool; }
- (NSInteger) numberOfOperationsInUse { return _numberOfOperationsInUse; }
- (MLE5ExecutionStreamOperation *) doubleMade {
    return [[[MLE5ExecutionStreamOperation alloc] initWithProgramLibrary: _programLibrary functionName: _functionName
        modelDescription: _modelDescription configuration: _modelConfiguration debugLabel: @"double"
        modelSignpostId: _modelSignpostId] autorelease];
}
- (BOOL) prepareWithInitialPoolSize: (NSInteger)size error: (NSError **)error {
    for (NSInteger i = 0; i < size; i++) {
        MLE5ExecutionStreamOperation *operation = [self doubleMade];
        if (![operation preloadAndReturnError: error])
            return NO;
        @synchronized(self) {
            [_pool addObject: operation];
        }
    }
    return YES;
}
- (MLE5ExecutionStreamOperation *) takeOutOperationForFeatures: (id)features error: (NSError **)error {
    @synchronized(self) {
        MLE5ExecutionStreamOperation *operation = [[[_pool anyObject] retain] autorelease];
        if (operation == nil) {
            operation = [self doubleMade];
            if (![operation preloadAndReturnError: error])
                return nil;
        }
        [_pool removeObject: operation];
        _numberOfOperationsInUse++;
        return operation;
    }
}
- (void) putBack: (MLE5ExecutionStreamOperation *)operation {
    [operation reset];
    @synchronized(self) {
        [_pool addObject: operation];
        _numberOfOperationsInUse--;
    }
}
@end
