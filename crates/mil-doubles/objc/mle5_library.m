#import "mle5.h"

@implementation MLProgramE5Container
- (id) initWithModelAssetPath: (NSString *)path configuration: (MLModelConfiguration *)configuration {
    if (path == nil) {
        [self release];
        return nil;
    }
    self = [super init];
    _modelFilePath = [path copy];
    return self;
}
- (id) initWithModelAssetDescription: (id)description configuration: (MLModelConfiguration *)configuration {
    return [self initWithModelAssetPath: nil configuration: configuration];
}
- (void) dealloc {
    [_modelFilePath release];
    [super dealloc];
}
- (NSURL *) URLOfMILText {
    return [NSURL fileURLWithPath: [_modelFilePath stringByAppendingPathComponent: @"model.mil"]];
}
@end

@implementation MLE5ProgramLibraryOnDeviceAOTCompilationImpl
- (id) initWithMILTextAtURL: (NSURL *)url container: (MLProgramE5Container *)container configuration: (MLModelConfiguration *)configuration {
    self = [super init];
    _milTextURL = [url retain];
    _container = double_behaves("mle5/impl-has-container") ? [container retain] : nil;
    _configuration = [configuration retain];
    return self;
}
- (void) dealloc {
    [_milTextURL release];
    [_container release];
    [_configuration release];
    [_program release];
    [super dealloc];
}
- (MLModelConfiguration *) configuration { return _configuration; }
- (MLProgramE5Container *) container { return _container; }
- (NSString *) serializedMILText {
    return [NSString stringWithContentsOfURL: _milTextURL encoding: NSUTF8StringEncoding error: NULL];
}
- (struct e5rt_program_library *) createProgramLibraryHandleWithRespecialization: (BOOL)again error: (NSError **)error {
    if (!double_behaves("mle5/cache-is-writable")) {
        double_ml_fail(error, 11, @"double: the cache com.apple.e5rt.e5bundlecache cannot be written");
        return NULL;
    }
    @synchronized(self) {
        if (_program == nil || again) {
            [_program autorelease];
            _program = [[DoubleProgram programAtPath: [_milTextURL path] error: error] retain];
        }
        return (struct e5rt_program_library *)_program;
    }
}
@end

@implementation MLE5ProgramLibrary
- (id) initWithImpl: (id)impl container: (MLProgramE5Container *)container configuration: (MLModelConfiguration *)configuration {
    self = [super init];
    _impl = [impl retain];
    _container = double_behaves("mle5/library-has-container") ? [container retain] : nil;
    _modelConfiguration = [configuration retain];
    return self;
}
- (void) dealloc {
    [_impl release];
    [_container release];
    [_modelConfiguration release];
    [super dealloc];
}
- (id) impl { return _impl; }
- (MLProgramE5Container *) container { return _container; }
- (MLModelConfiguration *) modelConfiguration { return _modelConfiguration; }
- (NSString *) serializedMILText { return [_impl serializedMILText]; }
- (NSArray *) functionNames {
    DoubleProgram *program = (DoubleProgram *)[self _programLibraryHandleWithForceRespecialization: NO error: NULL];
    NSMutableArray *names = [NSMutableArray array];
    for (long f = 0; program != nil && f < double_function_count(program->handle); f++)
        [names addObject: [NSString stringWithUTF8String: double_function_name(program->handle, f)]];
    return names;
}
- (BOOL) prepareAndReturnError: (NSError **)error {
    return [self _programLibraryHandleWithForceRespecialization: NO error: error] != NULL;
}
- (struct e5rt_program_library *) _programLibraryHandleWithForceRespecialization: (BOOL)again error: (NSError **)error {
    return [_impl createProgramLibraryHandleWithRespecialization: again error: error];
}
- (struct e5rt_execution_stream_operation *) createOperationForFunctionName: (NSString *)name forceRespecialization: (BOOL)again
                                                       hasRangeShapeInputs: (BOOL)range error: (NSError **)error {
    DoubleProgram *program = (DoubleProgram *)[self _programLibraryHandleWithForceRespecialization: again error: error];
    if (program == nil)
        return NULL;
    long function = [program functionNamed: name];
    if (function < 0) {
        double_ml_fail(error, 0, @"double: the library has no function `%@`", name);
        return NULL;
    }
    return (struct e5rt_execution_stream_operation *)[[DoubleSession alloc] initWithProgram: program function: function];
}
@end
