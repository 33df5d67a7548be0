/* The public classes of Core ML, as far as the bridges use them, and what they compute with. */
#ifndef MIL_DOUBLES_COREML_H
#define MIL_DOUBLES_COREML_H

#import "object.h"

#define ML_ERRORS @"com.apple.CoreML"

/* MLMultiArrayDataType. */
enum { MLFloat64 = 65600, MLFloat32 = 65568, MLFloat16 = 65552, MLInt32 = 131104 };

@interface MLMultiArray : DoubleObject {
    NSArray *_shape, *_strides;
    NSInteger _dataType;
    void *_data;
}
- (id) initWithShape: (NSArray *)shape dataType: (NSInteger)dataType error: (NSError **)error;
/* A double's own: rows are padded to 64 bytes, as arrays are that a device wrote. */
- (id) initPaddedWithShape: (NSArray *)shape dataType: (NSInteger)dataType;
- (NSInteger) dataType;
- (NSArray *) shape;
- (NSArray *) strides;
- (NSInteger) count;
- (void *) dataPointer;
@end
/* Copies between an array with strides and packed bytes. */
void double_array_to_packed(MLMultiArray *array, void *packed);
void double_array_from_packed(MLMultiArray *array, const void *packed);

@interface MLFeatureValue : DoubleObject {
    id _value;
}
+ (id) featureValueWithMultiArray: (id)value;
- (NSInteger) type;
- (BOOL) isUndefined;
- (id) multiArrayValue;
@end

@protocol MLFeatureProvider
- (NSSet *) featureNames;
- (MLFeatureValue *) featureValueForName: (NSString *)name;
@end

@interface MLDictionaryFeatureProvider : DoubleObject <MLFeatureProvider> {
    NSDictionary *_dictionary;
}
- (id) initWithDictionary: (NSDictionary *)dictionary error: (NSError **)error;
- (NSDictionary *) dictionary;
@end

@interface MLPredictionOptions : DoubleObject {
    BOOL _usesCPUOnly;
    NSDictionary *_outputBackings;
}
- (NSDictionary *) outputBackings;
- (void) setOutputBackings: (NSDictionary *)backings;
@end

@interface MLModelConfiguration : DoubleObject {
    NSInteger _computeUnits;
    NSString *_functionName, *_modelDisplayName;
}
- (NSInteger) computeUnits;
- (void) setComputeUnits: (NSInteger)units;
- (NSString *) functionName;
- (void) setFunctionName: (NSString *)name;
@end

@interface MLMultiArrayConstraint : DoubleObject {
    NSArray *_shape;
    NSInteger _dataType;
}
- (id) initWithShape: (NSArray *)shape dataType: (NSInteger)dataType;
- (NSArray *) shape;
- (NSInteger) dataType;
@end

@interface MLFeatureDescription : DoubleObject {
    NSString *_name;
    MLMultiArrayConstraint *_constraint;
    NSInteger _type;
}
- (id) initWithName: (NSString *)name type: (NSInteger)type constraint: (MLMultiArrayConstraint *)constraint;
- (NSString *) name;
- (NSInteger) type;
- (MLMultiArrayConstraint *) multiArrayConstraint;
@end

@interface MLModelDescription : DoubleObject {
    NSDictionary *_ports[3];
}
/* Of a function of a program of ours. */
- (id) initWithProgram: (void *)program function: (long)function;
- (NSDictionary *) inputDescriptionsByName;
- (NSDictionary *) outputDescriptionsByName;
- (NSDictionary *) stateDescriptionsByName;
@end

/* A program of ours with one reference count for everybody who uses it. */
@interface DoubleProgram : DoubleObject {
  @public
    void *handle;
}
+ (id) programAtPath: (NSString *)path error: (NSError **)error;
/* The function of that name, the only one or `main` for nil; -1 if there is none. */
- (long) functionNamed: (NSString *)name;
@end

@interface MLState : DoubleObject {
  @public
    DoubleProgram *program;
    long function;
    NSDictionary *arrays;
}
- (id) initWithProgram: (DoubleProgram *)program function: (long)function;
- (void) getMultiArrayForStateNamed: (NSString *)name handler: (id)handler;
@end

/* A session of a function of a program. */
@interface DoubleSession : DoubleObject {
    DoubleProgram *program;
    long function;
    void *handle;
}
- (id) initWithProgram: (DoubleProgram *)program function: (long)function;
- (MLModelDescription *) doubleDescription;
/* Feature values by output name, in the arrays of `backings` where it has some; nil and an error. */
- (NSDictionary *) runOn: (id)features backings: (NSDictionary *)backings state: (MLState *)state error: (NSError **)error;
@end

@interface MLModel : DoubleObject
+ (NSURL *) compileModelAtURL: (NSURL *)url error: (NSError **)error;
+ (id) modelWithContentsOfURL: (NSURL *)url configuration: (MLModelConfiguration *)configuration error: (NSError **)error;
- (MLModelDescription *) modelDescription;
- (MLModelConfiguration *) configuration;
- (MLState *) newState;
- (id) predictionFromFeatures: (id)features options: (MLPredictionOptions *)options error: (NSError **)error;
- (id) predictionFromFeatures: (id)features usingState: (MLState *)state options: (MLPredictionOptions *)options error: (NSError **)error;
@end

/* Fails with an error of Core ML's. Gives nil. */
id double_ml_fail(NSError **error, NSInteger code, NSString *format, ...);
/* Blocks, which GCC has no syntax for: the calling convention of a block with one object argument, and its reference count. */
void double_block_call(id block, id argument);
void double_block_call2(id block, id first, id second);
id double_block_copy(id block);
void double_block_release(id block);

#endif
