#include "ane.h"

@implementation _ANERequest
- (id)initWithInputs:(id)inputs inputIndices:(id)inputIndices outputs:(id)outputs outputIndices:(id)outputIndices
       weightsBuffer:(id)weights perfStats:(id)stats procedureIndex:(id)procedure sharedEvents:(id)events
   transactionHandle:(id)transaction {
    if ((self = [super init])) {
        _inputs = [inputs copy];
        _inputIndices = [inputIndices copy];
        _outputs = [outputs copy];
        _outputIndices = [outputIndices copy];
        _weights = [weights retain];
        _statsArray = [stats retain];
        _procedure = [procedure retain];
        _events = [events retain];
        _transaction = [transaction retain];
    }
    return self;
}
+ (id)requestWithInputs:(id)inputs inputIndices:(id)inputIndices outputs:(id)outputs outputIndices:(id)outputIndices
          weightsBuffer:(id)weights perfStats:(id)stats procedureIndex:(id)procedure sharedEvents:(id)events
      transactionHandle:(id)transaction {
    return [[[self alloc] initWithInputs: inputs inputIndices: inputIndices outputs: outputs outputIndices: outputIndices
                           weightsBuffer: weights perfStats: stats procedureIndex: procedure sharedEvents: events
                       transactionHandle: transaction] autorelease];
}
+ (id)requestWithInputs:(id)inputs inputIndices:(id)inputIndices outputs:(id)outputs outputIndices:(id)outputIndices
          weightsBuffer:(id)weights perfStats:(id)stats procedureIndex:(id)procedure sharedEvents:(id)events {
    return [self requestWithInputs: inputs inputIndices: inputIndices outputs: outputs outputIndices: outputIndices
                     weightsBuffer: weights perfStats: stats procedureIndex: procedure sharedEvents: events
                 transactionHandle: nil];
}
+ (id)requestWithInputs:(id)inputs inputIndices:(id)inputIndices outputs:(id)outputs outputIndices:(id)outputIndices
          weightsBuffer:(id)weights perfStats:(id)stats procedureIndex:(id)procedure {
    return [self requestWithInputs: inputs inputIndices: inputIndices outputs: outputs outputIndices: outputIndices
                     weightsBuffer: weights perfStats: stats procedureIndex: procedure sharedEvents: nil
                 transactionHandle: nil];
}
- (BOOL)validate {
    return _inputs && _outputs && [_inputs count] == [_inputIndices count] && [_outputs count] == [_outputIndices count]
        && _procedure;
}
- (uint64_t)ioSurfacesCount { return [_inputs count] + [_outputs count]; }
- (NSArray *)inputArray { return _inputs; }
- (NSArray *)inputIndexArray { return _inputIndices; }
- (NSArray *)outputArray { return _outputs; }
- (NSArray *)outputIndexArray { return _outputIndices; }
- (NSNumber *)procedureIndex { return _procedure; }
- (id)weightsBuffer { return _weights; }
- (NSArray *)perfStatsArray { return _statsArray; }
/* Nothing ever fills it: the daemon clears the mask for programs like ours. */
- (id)perfStats { return double_behaves("ane/no-performance-stats") ? nil : _stats; }
- (void)setPerfStats:(id)stats {
    [stats retain];
    [_stats release];
    _stats = stats;
}
- (id)sharedEvents { return _events; }
- (void)setSharedEvents:(id)events {
    [events retain];
    [_events release];
    _events = events;
}
- (NSNumber *)transactionHandle { return _transaction; }
- (void)setTransactionHandle:(NSNumber *)transaction {
    [transaction retain];
    [_transaction release];
    _transaction = transaction;
}
- (void)dealloc {
    [_inputs release];
    [_inputIndices release];
    [_outputs release];
    [_outputIndices release];
    [_weights release];
    [_statsArray release];
    [_stats release];
    [_procedure release];
    [_events release];
    [_transaction release];
    [super dealloc];
}
@end
