#import "mle5.h"

/* Private methods of the engines that a model hands its work to. */
@interface NSObject (DoubleEngine)
- (id) initWithEngines: (NSDictionary *)engines functionName: (NSString *)name;
- (id) initWithInner: (MLE5Engine *)inner path: (NSString *)path;
@end

/* What `modelWithContentsOfURL:` really gives. */
@interface MLDelegateModel : MLModel {
    id _internalEngine;
    MLModelConfiguration *_configuration;
}
- (id) initWithEngine: (id)engine configuration: (MLModelConfiguration *)configuration;
@end

@implementation MLModel
+ (NSURL *) compileModelAtURL: (NSURL *)url error: (NSError **)error {
    NSFileManager *files = [NSFileManager defaultManager];
    if (![files fileExistsAtPath: [url path]])
        return double_ml_fail(error, 0, @"double: there is no model at `%@`", [url path]);
    if ([DoubleProgram programAtPath: [url path] error: error] == nil)
        return nil;
    NSString *name = [NSString stringWithFormat: @"%@-%@.mlmodelc", [[[url path] lastPathComponent] stringByDeletingPathExtension],
                                                 [[NSProcessInfo processInfo] globallyUniqueString]];
    NSString *target = [NSTemporaryDirectory() stringByAppendingPathComponent: name];
    if (![files copyItemAtPath: [url path] toPath: target error: error])
        return nil;
    return [NSURL fileURLWithPath: target];
}
+ (MLE5Engine *) engineAt: (NSString *)path program: (DoubleProgram *)program function: (long)function
            configuration: (MLModelConfiguration *)configuration {
    MLProgramE5Container *container = [[[MLProgramE5Container alloc] initWithModelAssetPath: path
                                                                              configuration: configuration] autorelease];
    id impl = [[[MLE5ProgramLibraryOnDeviceAOTCompilationImpl alloc] initWithMILTextAtURL: [NSURL fileURLWithPath: path]
        container: container configuration: configuration] autorelease];
    id library = [[[MLE5ProgramLibrary alloc] initWithImpl: impl container: container configuration: configuration] autorelease];
    id description = [[[MLModelDescription alloc] initWithProgram: program->handle function: function] autorelease];
    NSString *name = [NSString stringWithUTF8String: double_function_name(program->handle, function)];
    return [[[MLE5Engine alloc] initWithProgramLibrary: library modelDescription: description configuration: configuration
        functionName: name classProbabilitiesFeatureName: nil optionalInputDefaultValues: nil
        compilerVersionInfo: nil] autorelease];
}
+ (id) modelWithContentsOfURL: (NSURL *)url configuration: (MLModelConfiguration *)configuration error: (NSError **)error {
    NSString *path = [url path];
    if (![[path pathExtension] isEqualToString: @"mlmodelc"])
        return double_ml_fail(error, 3, @"double: `%@` is not compiled", path);
    DoubleProgram *program = [DoubleProgram programAtPath: path error: error];
    if (program == nil)
        return nil;
    long chosen = [program functionNamed: [configuration functionName]];
    if (chosen < 0)
        return double_ml_fail(error, 0, @"double: the model has no function `%@`", [configuration functionName]);
    id engine = [self engineAt: path program: program function: chosen configuration: configuration];
    long count = double_function_count(program->handle);
    if (!double_behaves("mle5/programs-run-on-e5")) {
        engine = [[[NSClassFromString(@"MLNeuralNetworkEngine") alloc] initWithInner: engine path: path] autorelease];
    } else if (count > 1) {
        NSMutableDictionary *engines = [NSMutableDictionary dictionary];
        for (long f = 0; f < count; f++) {
            NSString *name = [NSString stringWithUTF8String: double_function_name(program->handle, f)];
            [engines setObject: [self engineAt: path program: program function: f configuration: configuration] forKey: name];
        }
        NSString *name = [NSString stringWithUTF8String: double_function_name(program->handle, chosen)];
        engine = [[[NSClassFromString(@"MLMultiFunctionProgramEngine") alloc] initWithEngines: engines functionName: name] autorelease];
    }
    return [[[MLDelegateModel alloc] initWithEngine: engine configuration: configuration] autorelease];
}
- (MLModelDescription *) modelDescription { return nil; }
- (MLModelConfiguration *) configuration { return nil; }
- (MLState *) newState { return nil; }
- (id) predictionFromFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    return [self predictionFromFeatures: features usingState: nil options: options error: error];
}
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error {
    return double_ml_fail(error, 0, @"double: an abstract model");
}
@end

@implementation MLDelegateModel
- (id) initWithEngine: (id)engine configuration: (MLModelConfiguration *)configuration {
    self = [super init];
    _internalEngine = [engine retain];
    _configuration = [configuration retain];
    return self;
}
- (void) dealloc {
    [_internalEngine release];
    [_configuration release];
    [super dealloc];
}
- (id) _internalEngine { return _internalEngine; }
- (MLModelDescription *) modelDescription { return [_internalEngine modelDescription]; }
- (MLModelConfiguration *) configuration { return _configuration; }
- (MLState *) newState { return [_internalEngine newStateWithClientBuffers: nil]; }
- (id) predictionFromFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error {
    return [_internalEngine predictionFromFeatures: features usingState: nil options: options error: error];
}
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error {
    return [_internalEngine predictionFromFeatures: features usingState: state options: options error: error];
}
@end
