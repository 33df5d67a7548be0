/* Programs in memory. */
#ifndef MIL_DOUBLES_ANE_MEMORY_H
#define MIL_DOUBLES_ANE_MEMORY_H

#include "ane.h"

@interface _ANEInMemoryModelDescriptor : DoubleObject {
    NSData *_text, *_options;
    NSDictionary *_weights;
    NSString *_hashes[3];
    BOOL _isMil;
}
- (id)hexStringIdentifier;
- (NSData *)networkText;
- (NSDictionary *)weights;
- (BOOL)isMILModel;
@end

@interface _ANEInMemoryModel : DoubleObject {
    _ANEInMemoryModelDescriptor *_descriptor;
    NSString *_hex;
    _ANEModel *_model;
    _ANEProgramForEvaluation *_program;
    NSDictionary *_attributes;
    NSURL *_url;
    uint64_t _handle, _intermediate, _state;
    int8_t _depth;
    uint32_t _mask;
}
- (id)localModelPath;
@end

#endif
