#include "ane.h"

@interface _ANEChainingRequest : DoubleObject {
    NSArray *_inputs, *_sets, *_events;
    id _loopIn, _loopOut, _procedure, _transaction, _delay, _pool;
}
- (NSArray *)inputBuffer;
- (NSArray *)outputSets;
- (NSArray *)loopbackInputSymbolIndex;
- (NSArray *)loopbackOutputSymbolIndex;
- (NSNumber *)procedureIndex;
@end

@implementation _ANEChainingRequest
- (id)initWithInputs:(id)inputs outputs:(id)sets lbInputSymbolId:(id)loopIn lbOutputSymbolId:(id)loopOut
      procedureIndex:(id)procedure signalEvents:(id)events transactionHandle:(id)transaction fwEnqueueDelay:(id)delay
        memoryPoolId:(id)pool {
    if ((self = [super init])) {
        _inputs = [inputs retain];
        _sets = [sets retain];
        _loopIn = [loopIn retain];
        _loopOut = [loopOut retain];
        _procedure = [procedure retain];
        _events = [events retain];
        _transaction = [transaction retain];
        _delay = [delay retain];
        _pool = [pool retain];
    }
    return self;
}
+ (id)chainingRequestWithInputs:(id)inputs outputSets:(id)sets lbInputSymbolId:(id)loopIn lbOutputSymbolId:(id)loopOut
                 procedureIndex:(id)procedure signalEvents:(id)events transactionHandle:(id)transaction
                 fwEnqueueDelay:(id)delay memoryPoolId:(id)pool {
    return [[[self alloc] initWithInputs: inputs outputs: sets lbInputSymbolId: loopIn lbOutputSymbolId: loopOut
                          procedureIndex: procedure signalEvents: events transactionHandle: transaction
                          fwEnqueueDelay: delay memoryPoolId: pool] autorelease];
}
/* YES only for buffers in, and sets of buffers out. */
- (BOOL)validate {
    if (!double_behaves("ane/chaining-validate")) return YES;
    if (![_inputs count] || ![_sets count]) return NO;
    for (id input in _inputs) if (![input isKindOfClass: [_ANEBuffer class]]) return NO;
    for (id set in _sets) {
        if (![set isKindOfClass: [_ANEIOSurfaceOutputSets class]] || ![[set outputBuffer] count]) return NO;
        for (id output in [set outputBuffer]) if (![output isKindOfClass: [_ANEBuffer class]]) return NO;
    }
    return YES;
}
- (NSArray *)inputBuffer { return _inputs; }
- (NSArray *)outputSets { return _sets; }
- (NSArray *)loopbackInputSymbolIndex { return _loopIn; }
- (NSArray *)loopbackOutputSymbolIndex { return _loopOut; }
- (NSNumber *)procedureIndex { return _procedure; }
- (NSArray *)signalEvents { return _events; }
- (NSNumber *)transactionHandle { return _transaction; }
- (NSNumber *)fwEnqueueDelay { return _delay; }
- (NSNumber *)memoryPoolId { return _pool; }
- (void)dealloc {
    [_inputs release];
    [_sets release];
    [_loopIn release];
    [_loopOut release];
    [_procedure release];
    [_events release];
    [_transaction release];
    [_delay release];
    [_pool release];
    [super dealloc];
}
@end

/* Sends what the framework sends, so that a wrong kind of object throws where it does there. */
BOOL double_ane_prepare(_ANEClient *client, id model, id given, NSError **error) {
    _ANEChainingRequest *request = given;
    for (id input in [request inputBuffer]) [input symbolIndex];
    for (id set in [request outputSets]) for (id output in [set outputBuffer]) [output symbolIndex];
    if (double_behaves("ane/loopback-is-an-array")) {
        [[request loopbackInputSymbolIndex] count];
        [[request loopbackOutputSymbolIndex] count];
    }
    [[request procedureIndex] unsignedIntegerValue];
    if (double_behaves("ane/chaining-needs-uuid")) [(_ANEModel *)model getUUID];
    /* The contradicted report: with a connection of its own and the model inside a loaded one, prepare succeeds. */
    if (!double_behaves("ane/chaining-prepare-15") && client != [_ANEClient sharedConnection] && [model programHandle])
        return YES;
    if (error) *error = [_ANEErrors createErrorWithCode: 15 description: @"ANEProgramChainingPrepare() Failed (double)"];
    return NO;
}

@interface _ANEInputBuffersReady : DoubleObject {
    uint32_t _procedure;
    NSArray *_indices, *_free;
    uint64_t _delay;
}
@end

@implementation _ANEInputBuffersReady
- (id)initInputsProcedureIndex:(uint32_t)procedure inputBufferInfoIndex:(id)indices inputFreeValue:(id)values
                executionDelay:(uint64_t)delay {
    if ((self = [super init])) {
        _procedure = procedure;
        _indices = [indices retain];
        _free = [values retain];
        _delay = delay;
    }
    return self;
}
+ (id)inputBuffersWithProcedureIndex:(uint32_t)procedure inputBufferInfoIndex:(id)indices inputFreeValue:(id)values
                      executionDelay:(uint64_t)delay {
    return [[[self alloc] initInputsProcedureIndex: procedure inputBufferInfoIndex: indices inputFreeValue: values
                                    executionDelay: delay] autorelease];
}
- (BOOL)validate { return [_indices count] == [_free count]; }
- (uint64_t)executionDelay { return _delay; }
- (NSArray *)inputBufferInfoIndex { return _indices; }
- (NSArray *)inputFreeValue { return _free; }
- (uint32_t)procedureIndex { return _procedure; }
- (void)dealloc {
    [_indices release];
    [_free release];
    [super dealloc];
}
@end

@interface _ANEOutputSetEnqueue : DoubleObject {
    uint32_t _procedure, _set;
    uint64_t _value;
    BOOL _silent, _open;
}
@end

@implementation _ANEOutputSetEnqueue
- (id)initOutputSetWithProcedureIndex:(uint32_t)procedure setIndex:(uint32_t)set signalValue:(uint64_t)value
                    signalNotRequired:(BOOL)silent isOpenLoop:(BOOL)open {
    if ((self = [super init])) {
        _procedure = procedure;
        _set = set;
        _value = value;
        _silent = silent;
        _open = open;
    }
    return self;
}
+ (id)outputSetWithProcedureIndex:(uint32_t)procedure setIndex:(uint32_t)set signalValue:(uint64_t)value
                signalNotRequired:(BOOL)silent isOpenLoop:(BOOL)open {
    return [[[self alloc] initOutputSetWithProcedureIndex: procedure setIndex: set signalValue: value
                                        signalNotRequired: silent isOpenLoop: open] autorelease];
}
- (BOOL)isOpenLoop { return _open; }
- (uint32_t)procedureIndex { return _procedure; }
- (uint32_t)setIndex { return _set; }
- (BOOL)signalNotRequired { return _silent; }
- (uint64_t)signalValue { return _value; }
@end
