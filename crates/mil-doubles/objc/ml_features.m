#import "coreml.h"

@implementation MLDictionaryFeatureProvider
- (id) initWithDictionary: (NSDictionary *)dictionary error: (NSError **)error {
    for (id key in dictionary) {
        if (![[dictionary objectForKey: key] isKindOfClass: [MLFeatureValue class]]) {
            [self release];
            return double_ml_fail(error, 0, @"double: the value of `%@` is no feature value", key);
        }
    }
    self = [super init];
    _dictionary = [dictionary copy];
    return self;
}
- (void) dealloc {
    [_dictionary release];
    [super dealloc];
}
- (NSDictionary *) dictionary { return _dictionary; }
- (NSSet *) featureNames { return [NSSet setWithArray: [_dictionary allKeys]]; }
- (MLFeatureValue *) featureValueForName: (NSString *)name { return [_dictionary objectForKey: name]; }
@end

@implementation MLPredictionOptions
- (void) dealloc {
    [_outputBackings release];
    [super dealloc];
}
- (BOOL) usesCPUOnly { return _usesCPUOnly; }
- (void) setUsesCPUOnly: (BOOL)only { _usesCPUOnly = only; }
- (NSDictionary *) outputBackings { return _outputBackings; }
- (void) setOutputBackings: (NSDictionary *)backings { ASSIGNCOPY(_outputBackings, backings); }
@end

@implementation MLModelConfiguration
- (id) init {
    self = [super init];
    _computeUnits = 2;
    return self;
}
- (void) dealloc {
    [_functionName release];
    [_modelDisplayName release];
    [super dealloc];
}
- (NSInteger) computeUnits { return _computeUnits; }
- (void) setComputeUnits: (NSInteger)units { _computeUnits = units; }
- (NSString *) functionName { return _functionName; }
- (void) setFunctionName: (NSString *)name { ASSIGNCOPY(_functionName, name); }
- (NSString *) modelDisplayName { return _modelDisplayName; }
- (void) setModelDisplayName: (NSString *)name { ASSIGNCOPY(_modelDisplayName, name); }
@end

@implementation MLMultiArrayConstraint
- (id) initWithShape: (NSArray *)shape dataType: (NSInteger)dataType {
    self = [super init];
    _shape = [shape copy];
    _dataType = dataType;
    return self;
}
- (void) dealloc {
    [_shape release];
    [super dealloc];
}
- (NSArray *) shape { return _shape; }
- (NSInteger) dataType { return _dataType; }
@end

@implementation MLFeatureDescription
- (id) initWithName: (NSString *)name type: (NSInteger)type constraint: (MLMultiArrayConstraint *)constraint {
    self = [super init];
    _name = [name copy];
    _type = type;
    _constraint = [constraint retain];
    return self;
}
- (void) dealloc {
    [_name release];
    [_constraint release];
    [super dealloc];
}
- (NSString *) name { return _name; }
- (NSInteger) type { return _type; }
- (BOOL) isOptional { return NO; }
- (MLMultiArrayConstraint *) multiArrayConstraint { return _constraint; }
@end

/* The element type of an array that holds such a port, 0 if there is none. */
static NSInteger array_type(long dtype) {
    switch (dtype) {
        case 0x140: return MLFloat64;
        case 0x120: return MLFloat32;
        case 0x110: return MLFloat16;
        case 0x220: return MLInt32;
        default: return 0;
    }
}

@implementation MLModelDescription
- (id) initWithProgram: (void *)program function: (long)function {
    self = [super init];
    for (int kind = 0; kind < 3; kind++) {
        NSMutableDictionary *ports = [NSMutableDictionary dictionary];
        for (long p = 0; p < double_port_count(program, function, kind); p++) {
            NSMutableArray *shape = [NSMutableArray array];
            for (long axis = 0; axis < double_port_rank(program, function, kind, p); axis++)
                [shape addObject: [NSNumber numberWithLong: double_port_size(program, function, kind, p, axis)]];
            /* An array has at least one axis. */
            if ([shape count] == 0)
                [shape addObject: [NSNumber numberWithLong: 1]];
            NSInteger type = array_type(double_port_dtype(program, function, kind, p));
            NSString *name = [NSString stringWithUTF8String: double_port_name(program, function, kind, p)];
            id constraint = [[[MLMultiArrayConstraint alloc] initWithShape: shape dataType: type] autorelease];
            id feature = [[MLFeatureDescription alloc] initWithName: name type: 5 constraint: constraint];
            [ports setObject: [feature autorelease] forKey: name];
        }
        _ports[kind] = [ports copy];
    }
    return self;
}
- (void) dealloc {
    for (int kind = 0; kind < 3; kind++)
        [_ports[kind] release];
    [super dealloc];
}
- (NSDictionary *) inputDescriptionsByName { return _ports[0]; }
- (NSDictionary *) outputDescriptionsByName { return _ports[1]; }
- (NSDictionary *) stateDescriptionsByName { return _ports[2]; }
@end
