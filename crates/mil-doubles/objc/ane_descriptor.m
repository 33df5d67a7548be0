#include "ane_memory.h"

static NSString *digest(NSData *data) {
    return double_text(double_ane_digest([data bytes], [data length]));
}

static NSString *digest_of_weights(NSDictionary *weights) {
    NSMutableData *all = [NSMutableData data];
    for (NSString *key in [[weights allKeys] sortedArrayUsingSelector: @selector(compare:)]) {
        [all appendData: [key dataUsingEncoding: NSUTF8StringEncoding]];
        [all appendData: [[weights objectForKey: key] objectForKey: @"data"]];
    }
    return digest(all);
}

@implementation _ANEInMemoryModelDescriptor
- (id)initWithNetworkText:(id)text weights:(id)weights optionsPlist:(id)options isMILModel:(BOOL)isMil {
    if (!weights && double_behaves("ane/nil-weights-crash")) {
        [self release];
        [NSException raise: NSInvalidArgumentException
                    format: @"-[__NSDictionaryM setObject:forKey:]: object cannot be nil (key: weights)"];
    }
    if ((self = [super init])) {
        _text = [text retain];
        _weights = [weights copy];
        _options = [options retain];
        _isMil = isMil;
        @try {
            /* Takes the bytes of what must be NSData; a string has none and throws. */
            _hashes[0] = [digest(text) retain];
            _hashes[1] = [digest_of_weights(weights) retain];
            _hashes[2] = [digest(options) retain];
        } @catch (NSException *wrong) {
            [self release];
            @throw;
        }
    }
    return self;
}
+ (id)modelWithMILText:(id)text weights:(id)weights optionsPlist:(id)options {
    return [[[self alloc] initWithNetworkText: text weights: weights optionsPlist: options isMILModel: YES] autorelease];
}
+ (id)modelWithNetworkDescription:(id)text weights:(id)weights optionsPlist:(id)options {
    return [[[self alloc] initWithNetworkText: text weights: weights optionsPlist: options isMILModel: NO] autorelease];
}
- (id)hexStringIdentifier {
    return [NSString stringWithFormat: @"%@_%@_%@", _hashes[0], _hashes[1], _hashes[2]];
}
- (BOOL)isEqualToInMemoryModelDescriptor:(id)other {
    return [[self hexStringIdentifier] isEqual: [other hexStringIdentifier]];
}
- (BOOL)isMILModel { return _isMil; }
- (NSData *)networkText { return _text; }
- (NSString *)networkTextHash { return _hashes[0]; }
- (NSData *)optionsPlist { return _options; }
- (NSString *)optionsPlistHash { return _hashes[2]; }
- (NSDictionary *)weights { return _weights; }
- (NSString *)weightsHash { return _hashes[1]; }
- (void)dealloc {
    [_text release];
    [_weights release];
    [_options release];
    for (int i = 0; i < 3; i++) [_hashes[i] release];
    [super dealloc];
}
@end
