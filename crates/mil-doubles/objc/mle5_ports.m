#import "mle5.h"

/* How a port is bound to memory (experiment W5). */
enum { COPY = 0, DIRECT = 1 };

static BOOL is_packed(MLMultiArray *array) {
    NSInteger n = 1;
    for (NSInteger i = [[array shape] count] - 1; i >= 0; i--) {
        if ([[[array strides] objectAtIndex: i] longLongValue] != n)
            return NO;
        n *= [[[array shape] objectAtIndex: i] longLongValue];
    }
    return YES;
}

@implementation DoublePortBinder
- (id) initWithPort: (struct e5rt_io_port *)port featureDescription: (MLFeatureDescription *)description {
    self = [super init];
    _featureDescription = [description retain];
    return self;
}
- (void) dealloc {
    [_featureDescription release];
    [super dealloc];
}
- (MLFeatureDescription *) featureDescription { return _featureDescription; }
- (void) reset {}
@end

@implementation DoublePort
+ (Class) doubleBinderClass { return [DoublePortBinder class]; }
- (id) initWithPortHandle: (struct e5rt_io_port *)handle name: (NSString *)name featureDescription: (MLFeatureDescription *)description {
    self = [super init];
    _name = [name copy];
    _binder = [[[[self class] doubleBinderClass] alloc] initWithPort: handle featureDescription: description];
    return self;
}
- (void) dealloc {
    [_name release];
    [_binder release];
    [super dealloc];
}
- (NSString *) name { return _name; }
- (id) binder { return _binder; }
- (void) reset { [_binder reset]; }
@end

@implementation MLE5InputPortBinder
- (void) dealloc {
    [_directlyBoundFeatureValue release];
    [super dealloc];
}
- (unsigned char) bindingMode { return _bindingMode; }
- (void) setBindingMode: (unsigned char)mode { _bindingMode = mode; }
- (MLFeatureValue *) directlyBoundFeatureValue { return _directlyBoundFeatureValue; }
- (BOOL) bindMemoryObjectForFeatureValue: (MLFeatureValue *)value error: (NSError **)error {
    BOOL direct = double_behaves("mle5/packed-inputs-bind-directly") && is_packed([value multiArrayValue]);
    _bindingMode = direct ? DIRECT : COPY;
    ASSIGN(_directlyBoundFeatureValue, direct ? value : nil);
    return YES;
}
- (void) reset {
    _bindingMode = COPY;
    DESTROY(_directlyBoundFeatureValue);
}
@end

@implementation MLE5InputPort
+ (Class) doubleBinderClass { return [MLE5InputPortBinder class]; }
- (BOOL) boundFeatureDirectly { return [_binder bindingMode] == DIRECT; }
- (BOOL) prepareForFeatureValue: (MLFeatureValue *)value error: (NSError **)error {
    return [_binder bindMemoryObjectForFeatureValue: value error: error];
}
@end

@implementation MLE5OutputPortBinder
- (void) dealloc {
    [_outputBacking release];
    [super dealloc];
}
- (id) outputBacking { return _outputBacking; }
- (void) setOutputBacking: (id)backing { ASSIGN(_outputBacking, backing); }
- (BOOL) boundFeatureDirectly { return _boundFeatureDirectly; }
- (void) setBoundFeatureDirectly: (BOOL)direct { _boundFeatureDirectly = direct; }
- (BOOL) outputBackingWasDirectlyBound { return _boundFeatureDirectly; }
- (BOOL) bindAndReturnError: (NSError **)error {
    _boundFeatureDirectly = _outputBacking != nil && is_packed(_outputBacking);
    return YES;
}
- (void) reset {
    _boundFeatureDirectly = NO;
    DESTROY(_outputBacking);
}
@end

@implementation MLE5OutputPort
+ (Class) doubleBinderClass { return [MLE5OutputPortBinder class]; }
- (BOOL) boundFeatureDirectly { return [_binder boundFeatureDirectly]; }
- (BOOL) prepareWithOptions: (MLPredictionOptions *)options error: (NSError **)error {
    [_binder setOutputBacking: [[options outputBackings] objectForKey: _name]];
    return [_binder bindAndReturnError: error];
}
@end
