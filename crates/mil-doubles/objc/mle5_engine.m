#import "mle5.h"

@implementation MLE5Engine
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library modelDescription: (MLModelDescription *)description
                configuration: (MLModelConfiguration *)configuration functionName: (NSString *)name
 classProbabilitiesFeatureName: (NSString *)probabilities optionalInputDefaultValues: (NSDictionary *)defaults
           compilerVersionInfo: (id)version {
    if (library == nil || description == nil) {
        [self release];
        return nil;
    }
    self = [super init];
    _programLibrary = [library retain];
    _modelDescription = [description retain];
    _configuration = [configuration retain];
    _functionName = [name copy];
    _operationPool = [[MLE5StaticShapeExecutionStreamOperationPool alloc] initWithProgramLibrary: library
        functionName: name modelDescription: description configuration: configuration modelSignpostId: 1
        compilerVersionInfo: version];
    _streamPool = [[MLE5ExecutionStreamPool alloc] initWithModelConfiguration: configuration modelSignpostId: 1];
    return self;
}
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library modelDescription: (MLModelDescription *)description
                configuration: (MLModelConfiguration *)configuration functionName: (NSString *)name
 classProbabilitiesFeatureName: (NSString *)probabilities optionalInputDefaultValues: (NSDictionary *)defaults {
    return [self initWithProgramLibrary: library modelDescription: description configuration: configuration
                           functionName: name classProbabilitiesFeatureName: probabilities
             optionalInputDefaultValues: defaults compilerVersionInfo: nil];
}
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library modelDescription: (MLModelDescription *)description
                configuration: (MLModelConfiguration *)configuration functionName: (NSString *)name
 classProbabilitiesFeatureName: (NSString *)probabilities {
    return [self initWithProgramLibrary: library modelDescription: description configuration: configuration
                           functionName: name classProbabilitiesFeatureName: probabilities
             optionalInputDefaultValues: nil compilerVersionInfo: nil];
}
- (void) dealloc {
    [_programLibrary release];
    [_modelDescription release];
    [_configuration release];
    [_functionName release];
    [_operationPool release];
    [_streamPool release];
    [super dealloc];
}
- (MLE5ProgramLibrary *) programLibrary { return _programLibrary; }
- (NSString *) functionName { return _functionName; }
- (MLModelDescription *) modelDescription { return _modelDescription; }
- (id) operationPool { return _operationPool; }
- (MLE5ExecutionStreamPool *) streamPool { return _streamPool; }
- (NSString *) serializedMILText { return [_programLibrary serializedMILText]; }
- (BOOL) prepareWithConcurrencyHint: (NSInteger)hint error: (NSError **)error {
    return [_programLibrary prepareAndReturnError: error] && [_operationPool prepareWithInitialPoolSize: hint error: error];
}
- (MLState *) newStateWithClientBuffers: (NSDictionary *)buffers {
    DoubleProgram *program = (DoubleProgram *)[_programLibrary _programLibraryHandleWithForceRespecialization: NO error: NULL];
    return [[MLState alloc] initWithProgram: program function: [program functionNamed: _functionName]];
}
- (id) predictionFromFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    return [self predictionFromFeatures: features usingState: nil options: options error: error];
}
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error {
    MLE5ExecutionStreamOperation *operation = [_operationPool takeOutOperationForFeatures: features error: error];
    if (operation == nil)
        return nil;
    MLE5ExecutionStream *stream = [_streamPool takeOut];
    operation->boundState = [state retain];
    [stream setOperations: [NSArray arrayWithObject: operation]];
    BOOL ran = [stream executeForInputFeatures: features options: options error: error];
    id outputs = ran ? [[[operation outputFeatures] retain] autorelease] : nil;
    [stream setOperations: nil];
    [_streamPool putBack: stream];
    [_operationPool putBack: operation];
    return outputs;
}
@end

@interface MLMultiFunctionProgramEngine : DoubleObject {
    NSDictionary *_functionNameToEngineMap;
    NSString *_functionName;
}
@end

@implementation MLMultiFunctionProgramEngine
- (id) initWithEngines: (NSDictionary *)engines functionName: (NSString *)name {
    self = [super init];
    _functionNameToEngineMap = [engines copy];
    _functionName = [name copy];
    return self;
}
- (void) dealloc {
    [_functionNameToEngineMap release];
    [_functionName release];
    [super dealloc];
}
- (id) engine { return [_functionNameToEngineMap objectForKey: _functionName]; }
- (MLModelDescription *) modelDescription { return [[self engine] modelDescription]; }
- (MLState *) newStateWithClientBuffers: (NSDictionary *)buffers { return [[self engine] newStateWithClientBuffers: buffers]; }
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error {
    return [[self engine] predictionFromFeatures: features usingState: state options: options error: error];
}
@end

/* What runs models that are no ML Programs; its container is of an older kind. */
@interface MLNeuralNetworkContainer : DoubleObject {
    NSString *_modelFilePath;
}
@end
@implementation MLNeuralNetworkContainer
- (id) initWithPath: (NSString *)path {
    self = [super init];
    _modelFilePath = [path copy];
    return self;
}
- (void) dealloc {
    [_modelFilePath release];
    [super dealloc];
}
@end

@interface MLNeuralNetworkEngine : DoubleObject {
    MLNeuralNetworkContainer *_container;
    MLE5Engine *_inner;
}
@end
@implementation MLNeuralNetworkEngine
- (id) initWithInner: (MLE5Engine *)inner path: (NSString *)path {
    self = [super init];
    _inner = [inner retain];
    if (double_behaves("mle5/old-container-has-path"))
        _container = [[MLNeuralNetworkContainer alloc] initWithPath: path];
    return self;
}
- (void) dealloc {
    [_container release];
    [_inner release];
    [super dealloc];
}
- (MLModelDescription *) modelDescription { return [_inner modelDescription]; }
- (MLState *) newStateWithClientBuffers: (NSDictionary *)buffers { return [_inner newStateWithClientBuffers: buffers]; }
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error {
    return [_inner predictionFromFeatures: features usingState: state options: options error: error];
}
@end
