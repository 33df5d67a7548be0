/* Core ML's own engine for ML Programs: private classes, as the research met them (facts/ane-facts.md 1.3). */
#ifndef MIL_DOUBLES_MLE5_H
#define MIL_DOUBLES_MLE5_H

#import "coreml.h"

struct e5rt_program_library;
struct e5rt_execution_stream;
struct e5rt_execution_stream_operation;
struct e5rt_io_port;

@interface MLProgramE5Container : DoubleObject {
    NSString *_modelFilePath;
}
- (id) initWithModelAssetPath: (NSString *)path configuration: (MLModelConfiguration *)configuration;
- (id) initWithModelAssetDescription: (id)description configuration: (MLModelConfiguration *)configuration;
- (NSURL *) URLOfMILText;
@end

@interface MLE5ProgramLibraryOnDeviceAOTCompilationImpl : DoubleObject {
    NSURL *_milTextURL;
    MLProgramE5Container *_container;
    MLModelConfiguration *_configuration;
    DoubleProgram *_program;
}
- (id) initWithMILTextAtURL: (NSURL *)url container: (MLProgramE5Container *)container configuration: (MLModelConfiguration *)configuration;
/* The handle is the program, which the impl keeps. */
- (struct e5rt_program_library *) createProgramLibraryHandleWithRespecialization: (BOOL)again error: (NSError **)error;
@end

@interface MLE5ProgramLibrary : DoubleObject {
    id _impl;
    MLProgramE5Container *_container;
    MLModelConfiguration *_modelConfiguration;
}
- (id) initWithImpl: (id)impl container: (MLProgramE5Container *)container configuration: (MLModelConfiguration *)configuration;
- (NSString *) serializedMILText;
- (BOOL) prepareAndReturnError: (NSError **)error;
- (struct e5rt_program_library *) _programLibraryHandleWithForceRespecialization: (BOOL)again error: (NSError **)error;
- (struct e5rt_execution_stream_operation *) createOperationForFunctionName: (NSString *)name forceRespecialization: (BOOL)again
                                                       hasRangeShapeInputs: (BOOL)range error: (NSError **)error;
@end

/* What the binders of inputs and outputs share, and what their ports share. The superclasses are ours: the research saw none. */
@interface DoublePortBinder : DoubleObject {
    MLFeatureDescription *_featureDescription;
}
- (id) initWithPort: (struct e5rt_io_port *)port featureDescription: (MLFeatureDescription *)description;
- (MLFeatureDescription *) featureDescription;
- (void) reset;
@end

@interface DoublePort : DoubleObject {
    NSString *_name;
    id _binder;
}
/* A port's class says which class its binder is of. */
+ (Class) doubleBinderClass;
- (id) initWithPortHandle: (struct e5rt_io_port *)handle name: (NSString *)name featureDescription: (MLFeatureDescription *)description;
- (NSString *) name;
- (id) binder;
- (void) reset;
@end

@interface MLE5InputPortBinder : DoublePortBinder {
    MLFeatureValue *_directlyBoundFeatureValue;
    unsigned char _bindingMode;
}
- (unsigned char) bindingMode;
@end

@interface MLE5InputPort : DoublePort
- (BOOL) prepareForFeatureValue: (MLFeatureValue *)value error: (NSError **)error;
@end

@interface MLE5OutputPortBinder : DoublePortBinder {
    id _outputBacking;
    BOOL _boundFeatureDirectly;
}
- (BOOL) boundFeatureDirectly;
- (void) setOutputBacking: (id)backing;
@end

@interface MLE5OutputPort : DoublePort
- (BOOL) prepareWithOptions: (MLPredictionOptions *)options error: (NSError **)error;
@end

@interface MLE5ExecutionStreamOperation : DoubleObject {
    MLE5ProgramLibrary *_programLibrary;
    NSString *_functionName, *_debugLabel;
    MLModelDescription *_modelDescription;
    MLModelConfiguration *_modelConfiguration;
    unsigned long long _modelSignpostId;
    struct e5rt_execution_stream_operation *_operationHandle;
    DoubleSession *_session;
    NSArray *_inputPorts, *_outputPorts;
    NSError *_asyncSubmissionError;
    NSInteger _state;
    id _features, _outputFeatures;
    MLPredictionOptions *_options;
  @public
    MLState *boundState;
}
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library functionName: (NSString *)name
             modelDescription: (MLModelDescription *)description configuration: (MLModelConfiguration *)configuration
                   debugLabel: (NSString *)label modelSignpostId: (unsigned long long)signpost;
- (BOOL) preloadAndReturnError: (NSError **)error;
- (BOOL) prepareForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error;
- (void) reset;
- (id) outputFeatures;
- (void) setAsyncSubmissionError: (NSError *)error;
/* What the stream has the device do. */
- (BOOL) doubleExecute: (NSError **)error;
@end

@interface MLE5StaticShapeExecutionStreamOperationPool : DoubleObject {
    MLE5ProgramLibrary *_programLibrary;
    NSString *_functionName;
    MLModelDescription *_modelDescription;
    MLModelConfiguration *_modelConfiguration;
    unsigned long long _modelSignpostId;
    NSMutableSet *_pool;
    NSInteger _numberOfOperationsInUse;
}
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library functionName: (NSString *)name
             modelDescription: (MLModelDescription *)description configuration: (MLModelConfiguration *)configuration
              modelSignpostId: (unsigned long long)signpost compilerVersionInfo: (id)version;
- (BOOL) prepareWithInitialPoolSize: (NSInteger)size error: (NSError **)error;
- (MLE5ExecutionStreamOperation *) takeOutOperationForFeatures: (id)features error: (NSError **)error;
- (void) putBack: (MLE5ExecutionStreamOperation *)operation;
@end

@interface MLE5ExecutionStream : DoubleObject {
    NSArray *_operations;
    NSInteger _state;
}
- (void) setOperations: (NSArray *)operations;
- (struct e5rt_execution_stream *) streamHandle;
- (BOOL) executeForInputFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error;
- (BOOL) _executeStream: (struct e5rt_execution_stream *)handle error: (NSError **)error;
- (void) _reset;
@end

@interface MLE5ExecutionStreamPool : DoubleObject {
    MLModelConfiguration *_modelConfiguration;
    unsigned long long _modelSignpostId;
    NSMutableSet *_pool;
}
- (id) initWithModelConfiguration: (MLModelConfiguration *)configuration modelSignpostId: (unsigned long long)signpost;
- (MLE5ExecutionStream *) takeOut;
- (void) putBack: (MLE5ExecutionStream *)stream;
@end

@interface MLE5Engine : DoubleObject {
    MLE5ProgramLibrary *_programLibrary;
    MLModelDescription *_modelDescription;
    MLModelConfiguration *_configuration;
    NSString *_functionName;
    MLE5StaticShapeExecutionStreamOperationPool *_operationPool;
    MLE5ExecutionStreamPool *_streamPool;
}
- (id) initWithProgramLibrary: (MLE5ProgramLibrary *)library modelDescription: (MLModelDescription *)description
                configuration: (MLModelConfiguration *)configuration functionName: (NSString *)name
 classProbabilitiesFeatureName: (NSString *)probabilities optionalInputDefaultValues: (NSDictionary *)defaults
           compilerVersionInfo: (id)version;
- (MLModelDescription *) modelDescription;
- (BOOL) prepareWithConcurrencyHint: (NSInteger)hint error: (NSError **)error;
- (MLState *) newStateWithClientBuffers: (NSDictionary *)buffers;
- (id) predictionFromFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error;
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error;
@end

#endif
