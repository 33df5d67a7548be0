#include "ane.h"

@implementation _ANEModel
- (id)initWithModelAtURL:(NSURL *)url key:(id)key identifierSource:(int64_t)source cacheURLIdentifier:(id)cache
         modelAttributes:(id)attributes standardizeURL:(BOOL)standard {
    if ((self = [super init])) {
        _url = [url retain];
        _key = [key copy];
        _cache = [cache copy];
        _identifierSource = source;
        _attributes = [(attributes ? attributes : [NSDictionary dictionary]) retain];
        _uuid = [[NSUUID UUID] retain];
        _state = 1;
    }
    return self;
}
+ (id)modelAtURL:(NSURL *)url key:(id)key { return [self modelAtURL: url key: key modelAttributes: nil]; }
+ (id)modelAtURL:(NSURL *)url key:(id)key modelAttributes:(id)attributes {
    return [[[self alloc] initWithModelAtURL: url key: key identifierSource: 1 cacheURLIdentifier: nil
                             modelAttributes: attributes standardizeURL: YES] autorelease];
}
+ (id)modelAtURLWithCacheURLIdentifier:(id)url key:(id)key cacheURLIdentifier:(id)cache {
    return [[[self alloc] initWithModelAtURL: url key: key identifierSource: 2 cacheURLIdentifier: cache
                             modelAttributes: nil standardizeURL: YES] autorelease];
}
+ (id)modelWithCacheURLIdentifier:(id)cache {
    return [self modelAtURLWithCacheURLIdentifier: nil key: nil cacheURLIdentifier: cache];
}
+ (id)correctFileURLFormat:(id)url { return url; }
- (id)getUUID { return _uuid; }
- (NSUUID *)UUID { return _uuid; }
- (id)getCacheURLIdentifier { return _cache; }
- (NSString *)cacheURLIdentifier { return _cache; }
- (void)setCacheURLIdentifier:(NSString *)cache {
    cache = [cache copy];
    [_cache release];
    _cache = cache;
}
- (BOOL)isEqualToModel:(id)other { return [_uuid isEqual: [other getUUID]]; }
- (id)procedureInfoForProcedureIndex:(uint32_t)index {
    NSArray *all = [[_attributes objectForKey: @"ANEFModelDescription"] objectForKey: @"ANEFModelProcedures"];
    return index < [all count] ? [all objectAtIndex: index] : nil;
}
- (id)symbolIndicesForProcedureIndex:(uint32_t)index indexArrayKey:(id)key {
    NSArray *found = [[self procedureInfoForProcedureIndex: index] objectForKey: key];
    return found ? found : [NSArray array];
}
- (id)inputSymbolIndicesForProcedureIndex:(uint32_t)index {
    return [self symbolIndicesForProcedureIndex: index indexArrayKey: @"ANEFModelInputSymbolIndexArray"];
}
- (id)outputSymbolIndicesForProcedureIndex:(uint32_t)index {
    return [self symbolIndicesForProcedureIndex: index indexArrayKey: @"ANEFModelOutputSymbolIndexArray"];
}
- (void)updateModelAttributes:(id)attributes state:(uint64_t)state {
    [attributes retain];
    [_attributes release];
    _attributes = attributes;
    _state = state;
}
- (void)updateModelAttributes:(id)attributes state:(uint64_t)state programHandle:(uint64_t)handle
     intermediateBufferHandle:(uint64_t)intermediate queueDepth:(int8_t)depth {
    [self updateModelAttributes: attributes state: state];
    _handle = handle;
    _intermediate = intermediate;
    _depth = depth;
}
- (void)resetOnUnload {
    _handle = 0;
    _state = 1;
    [self setProgram: nil];
}
- (NSString *)key { return _key; }
- (int64_t)identifierSource { return _identifierSource; }
- (uint64_t)intermediateBufferHandle { return _intermediate; }
- (void)setIntermediateBufferHandle:(uint64_t)handle { _intermediate = handle; }
- (id)mapper { return _mapper; }
- (void)setMapper:(id)mapper {
    [mapper retain];
    [_mapper release];
    _mapper = mapper;
}
- (NSDictionary *)modelAttributes { return _attributes; }
- (void)setModelAttributes:(NSDictionary *)attributes { [self updateModelAttributes: attributes state: _state]; }
- (NSURL *)modelURL { return _url; }
- (NSURL *)sourceURL { return _source; }
- (NSDictionary *)mpsConstants { return _constants; }
- (uint32_t)perfStatsMask { return _mask; }
- (void)setPerfStatsMask:(uint32_t)mask { _mask = mask; }
- (id)program { return _program; }
- (void)setProgram:(id)program {
    [program retain];
    [_program release];
    _program = program;
}
- (uint64_t)programHandle { return _handle; }
- (void)setProgramHandle:(uint64_t)handle { _handle = handle; }
- (int8_t)queueDepth { return _depth; }
- (void)setQueueDepth:(int8_t)depth { _depth = depth; }
- (uint64_t)state { return _state; }
- (void)setState:(uint64_t)state { _state = state; }
- (uint64_t)string_id { return _stringId; }
- (void)setString_id:(uint64_t)id { _stringId = id; }
- (void)dealloc {
    [_url release];
    [_source release];
    [_key release];
    [_cache release];
    [_uuid release];
    [_program release];
    [_mapper release];
    [_constants release];
    [_attributes release];
    [super dealloc];
}
@end
