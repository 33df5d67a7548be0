#include "ane.h"

/* The route that swaps weights without compiling; loading an instance needs an entitlement. */
@interface _ANEWeight : DoubleObject {
    id _symbol;
    NSURL *_url;
}
@end

@implementation _ANEWeight
- (id)initWithWeightSymbolAndURL:(NSURL *)symbol weightURL:(NSURL *)url {
    if ((self = [super init])) {
        _symbol = [symbol retain];
        _url = [url retain];
    }
    return self;
}
+ (id)weightWithSymbolAndURL:(NSURL *)symbol weightURL:(NSURL *)url {
    return [[[self alloc] initWithWeightSymbolAndURL: symbol weightURL: url] autorelease];
}
- (NSString *)weightSymbol { return _symbol; }
- (NSURL *)weightURL { return _url; }
- (void)dealloc {
    [_symbol release];
    [_url release];
    [super dealloc];
}
@end

@interface _ANEProcedureData : DoubleObject {
    NSString *_symbol;
    NSArray *_weights;
}
@end

@implementation _ANEProcedureData
- (id)initWithProcedure:(id)symbol weightArray:(id)weights {
    if ((self = [super init])) {
        _symbol = [symbol copy];
        _weights = [weights copy];
    }
    return self;
}
+ (id)procedureDataWithSymbol:(id)symbol weightArray:(id)weights {
    return [[[self alloc] initWithProcedure: symbol weightArray: weights] autorelease];
}
- (NSString *)procedureSymbol { return _symbol; }
- (NSArray *)weightArray { return _weights; }
- (void)dealloc {
    [_symbol release];
    [_weights release];
    [super dealloc];
}
@end

@interface _ANEModelInstanceParameters : DoubleObject {
    NSString *_name;
    NSArray *_procedures;
}
@end

@implementation _ANEModelInstanceParameters
- (id)initWithProcedureData:(id)name procedureArray:(id)procedures {
    if ((self = [super init])) {
        _name = [name copy];
        _procedures = [procedures copy];
    }
    return self;
}
+ (id)withProcedureData:(id)name procedureArray:(id)procedures {
    return [[[self alloc] initWithProcedureData: name procedureArray: procedures] autorelease];
}
- (NSString *)instanceName { return _name; }
- (NSArray *)procedureArray { return _procedures; }
- (void)dealloc {
    [_name release];
    [_procedures release];
    [super dealloc];
}
@end
