/* What the doubles of AppleNeuralEngine share. The state behind them (compiled and loaded programs) is in src/ane.rs. */
#ifndef MIL_DOUBLES_ANE_H
#define MIL_DOUBLES_ANE_H

#import "object.h"

/* A surface bound to a symbol for a run. */
struct double_binding {
    unsigned long symbol;
    void *base;
    unsigned long bytes;
};

/* Compiles the program staged at path and keeps it under a name, as the system's cache does. 1, or 0 and a text. */
int double_ane_compile(const char *name, const char *path, char **why);
int double_ane_exists(const char *name);
void double_ane_purge(const char *name);
/* A handle, or 0 and a text. */
uint64_t double_ane_load(const char *name, char **why);
int double_ane_unload(uint64_t handle);
/* 0, or the status that the engine answers with, and a text. */
unsigned int double_ane_run(uint64_t handle, unsigned long procedure, const struct double_binding *inputs,
                            unsigned long input_count, const struct double_binding *outputs,
                            unsigned long output_count, char **why);
/* What a loaded program says about itself. output: 0 for inputs, 1 for outputs. */
unsigned long double_ane_procedures(uint64_t handle);
const char *double_ane_procedure_name(uint64_t handle, unsigned long procedure);
unsigned long double_ane_symbols(uint64_t handle, unsigned long procedure, int output);
unsigned long double_ane_symbol(uint64_t handle, unsigned long procedure, int output, unsigned long position);
const char *double_ane_symbol_name(uint64_t handle, unsigned long procedure, int output, unsigned long position);
/* A digest of bytes in hexadecimal; only equality matters. Freed with double_free_text. */
char *double_ane_digest(const void *bytes, unsigned long count);
/* As long as MILWRIGHT_DOUBLE_STALL_MS says, not at all by default: stands for a call that never returns. */
void double_ane_stall(void);

@interface _ANEErrors : DoubleObject
+ (id)createErrorWithCode:(int64_t)code description:(id)description;
@end

@interface _ANEIOSurfaceObject : DoubleObject {
    IOSurfaceRef _surface;
    NSNumber *_offset;
    BOOL _owned;
}
+ (id)objectWithIOSurface:(IOSurfaceRef)surface startOffset:(id)offset;
- (IOSurfaceRef)ioSurface;
- (NSNumber *)startOffset;
@end

@interface _ANEBuffer : DoubleObject {
    id _object;
    NSNumber *_symbol;
    int64_t _source;
}
- (NSNumber *)symbolIndex;
- (id)ioSurfaceObject;
@end

@interface _ANEIOSurfaceOutputSets : DoubleObject {
    IOSurfaceRef _stats;
    NSArray *_buffers;
}
- (NSArray *)outputBuffer;
@end

@interface _ANERequest : DoubleObject {
    NSArray *_inputs, *_inputIndices, *_outputs, *_outputIndices, *_statsArray;
    id _weights, _stats, _events;
    NSNumber *_procedure, *_transaction;
}
- (NSArray *)inputArray;
- (NSArray *)inputIndexArray;
- (NSArray *)outputArray;
- (NSArray *)outputIndexArray;
- (NSNumber *)procedureIndex;
- (id)sharedEvents;
- (BOOL)validate;
@end

@interface _ANEProgramForEvaluation : DoubleObject {
    uint64_t _handle, _intermediate;
    int8_t _depth;
    int64_t _flying;
}
+ (id)programWithHandle:(uint64_t)handle intermediateBufferHandle:(uint64_t)intermediate queueDepth:(int8_t)depth;
- (uint64_t)programHandle;
@end

@interface _ANEModel : DoubleObject {
    NSURL *_url, *_source;
    NSString *_key, *_cache;
    id _uuid, _program, _mapper, _constants;
    NSDictionary *_attributes;
    uint64_t _handle, _intermediate, _state, _stringId;
    int64_t _identifierSource;
    int8_t _depth;
    uint32_t _mask;
}
- (id)getUUID;
- (uint64_t)programHandle;
- (id)program;
- (void)setProgram:(id)program;
- (uint64_t)state;
- (void)setState:(uint64_t)state;
- (id)procedureInfoForProcedureIndex:(uint32_t)index;
- (void)updateModelAttributes:(id)attributes state:(uint64_t)state programHandle:(uint64_t)handle
     intermediateBufferHandle:(uint64_t)intermediate queueDepth:(int8_t)depth;
- (void)resetOnUnload;
+ (id)modelAtURL:(NSURL *)url key:(id)key;
+ (id)modelAtURL:(NSURL *)url key:(id)key modelAttributes:(id)attributes;
+ (id)modelAtURLWithCacheURLIdentifier:(id)url key:(id)key cacheURLIdentifier:(id)cache;
- (NSString *)key;
- (NSURL *)modelURL;
@end

@interface _ANEClient : DoubleObject {
    BOOL _restricted;
}
+ (id)sharedConnection;
@end

/* The error of a failed evaluation. */
NSError *double_ane_inference_error(unsigned int status, NSString *why);
/* Runs a request on a loaded program; NO and an error as the framework's own. */
BOOL double_ane_evaluate(uint64_t handle, _ANERequest *request, NSError **error);
/* Prepares a chain, as far as that goes. */
BOOL double_ane_prepare(_ANEClient *client, id model, id request, NSError **error);
/* The dictionary under modelAttributes. */
NSDictionary *double_ane_attributes(uint64_t handle);
/* A text of the Rust side as an object, autoreleased; the text is freed. */
NSString *double_text(char *text);

#endif
