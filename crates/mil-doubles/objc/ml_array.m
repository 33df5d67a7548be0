#import "coreml.h"
#include <stdlib.h>
#include <string.h>

static NSInteger width(NSInteger dataType) {
    return (dataType & 0xFFFF) / 8;
}

static BOOL known(NSInteger dataType) {
    return dataType == MLFloat64 || dataType == MLFloat32 || dataType == MLFloat16 || dataType == MLInt32;
}

@implementation MLMultiArray
- (id) initWithShape: (NSArray *)shape dataType: (NSInteger)dataType rows: (NSInteger)align {
    self = [super init];
    NSInteger rank = [shape count], i, n = 1;
    NSMutableArray *strides = [NSMutableArray arrayWithCapacity: rank];
    for (i = rank - 1; i >= 0; i--) {
        [strides insertObject: [NSNumber numberWithLongLong: n] atIndex: 0];
        n *= [[shape objectAtIndex: i] longLongValue];
        if (i == rank - 1 && rank > 1) {
            NSInteger per = align / width(dataType);
            n = (n + per - 1) / per * per;
        }
    }
    _shape = [shape copy];
    _strides = [strides copy];
    _dataType = dataType;
    _data = calloc(n > 0 ? n : 1, width(dataType));
    return self;
}
- (id) initWithShape: (NSArray *)shape dataType: (NSInteger)dataType error: (NSError **)error {
    if (!known(dataType) || [shape count] == 0) {
        [self release];
        return double_ml_fail(error, 0, @"double: no array of type %ld and rank %lu", (long)dataType,
                              (unsigned long)[shape count]);
    }
    return [self initWithShape: shape dataType: dataType rows: width(dataType)];
}
- (id) initPaddedWithShape: (NSArray *)shape dataType: (NSInteger)dataType {
    return [self initWithShape: shape dataType: dataType rows: 64];
}
- (void) dealloc {
    free(_data);
    [_shape release];
    [_strides release];
    [super dealloc];
}
- (NSInteger) dataType { return _dataType; }
- (NSArray *) shape { return _shape; }
- (NSArray *) strides { return _strides; }
- (void *) dataPointer { return _data; }
- (NSInteger) count {
    NSInteger n = 1;
    for (NSNumber *size in _shape)
        n *= [size longLongValue];
    return n;
}
@end

/* Calls `copy` for each row, with the row's place in the array and in packed bytes. */
static void rows(MLMultiArray *array, char *packed, BOOL gather) {
    NSInteger rank = [[array shape] count], w = width([array dataType]), total = [array count];
    NSInteger size[rank], stride[rank], at[rank], i;
    for (i = 0; i < rank; i++) {
        size[i] = [[[array shape] objectAtIndex: i] longLongValue];
        stride[i] = [[[array strides] objectAtIndex: i] longLongValue];
        at[i] = 0;
    }
    char *base = [array dataPointer];
    for (NSInteger n = 0; n < total; n++, packed += w) {
        NSInteger offset = 0;
        for (i = 0; i < rank; i++)
            offset += at[i] * stride[i];
        memcpy(gather ? packed : base + offset * w, gather ? base + offset * w : packed, w);
        for (i = rank - 1; i >= 0 && ++at[i] == size[i]; i--)
            at[i] = 0;
    }
}

void double_array_to_packed(MLMultiArray *array, void *packed) { rows(array, packed, YES); }
void double_array_from_packed(MLMultiArray *array, const void *packed) { rows(array, (char *)packed, NO); }

@implementation MLFeatureValue
+ (id) featureValueWithMultiArray: (id)value {
    MLFeatureValue *made = [[[self alloc] init] autorelease];
    made->_value = [value retain];
    return made;
}
- (void) dealloc {
    [_value release];
    [super dealloc];
}
- (NSInteger) type { return 5; }
- (BOOL) isUndefined { return _value == nil; }
- (id) multiArrayValue { return _value; }
@end
