#include "ane.h"

static id coded(int64_t code, id method, NSString *text) {
    return [_ANEErrors createErrorWithCode: code
                               description: [NSString stringWithFormat: @"%@: %@ (double)", method, text]];
}

/* Codes of facts/ane-facts.md section 1.2. */
@implementation _ANEErrors
+ (id)createErrorWithCode:(int64_t)code description:(id)description {
    return double_error(@"com.apple.appleneuralengine", code, description);
}
+ (id)entitlementErrorForMethod:(id)method { return coded(1, method, @"missing entitlement"); }
+ (id)priorityErrorForMethod:(id)method { return coded(2, method, @"real-time priority needs restricted access"); }
+ (id)timeoutErrorForMethod:(id)method { return coded(3, method, @"timeout"); }
+ (id)programCreationErrorForMethod:(id)method { return coded(4, method, @"program creation failed"); }
+ (id)programInferenceOverflowErrorForMethod:(id)method { return coded(5, method, @"inference overflow"); }
+ (id)programLoadErrorForMethod:(id)method { return coded(6, method, @"program load failed"); }
+ (id)missingCodeSigningErrorForMethod:(id)method { return coded(7, method, @"missing code signing"); }
+ (id)programInferenceOtherErrorForMethod:(id)method { return coded(8, method, @"inference error"); }
+ (id)fileAccessErrorForMethod:(id)method { return coded(9, method, @"file access"); }
+ (id)invalidModelErrorForMethod:(id)method { return coded(10, method, @"invalid model"); }
+ (id)invalidModelKeyErrorForMethod:(id)method { return coded(11, method, @"invalid model key"); }
+ (id)systemModelPurgeNotAllowedForMethod:(id)method { return coded(12, method, @"system model purge not allowed"); }
+ (id)programIOSurfacesMapErrorForMethod:(id)method code:(int64_t)code { return coded(13, method, @"surfaces not mapped"); }
+ (id)programIOSurfacesUnmapErrorForMethod:(id)method code:(int64_t)code { return coded(14, method, @"surfaces not unmapped"); }
+ (id)programChainingPrepareErrorForMethod:(id)method { return coded(15, method, @"ANEProgramChainingPrepare() Failed"); }
+ (id)fileNotFoundErrorForMethod:(id)method { return coded(16, method, @"file not found"); }
+ (id)modelIdentifierNotFoundForMethod:(id)method { return coded(17, method, @"model identifier not found"); }
+ (id)invalidModelInstanceErrorForMethod:(id)method { return coded(20, method, @"invalid model instance"); }
+ (id)programLoadNewInstanceErrorForMethod:(id)method { return coded(21, method, @"load of a new instance failed"); }
+ (id)programInferenceProgramNotFoundForMethod:(id)method { return coded(23, method, @"program not found"); }
+ (id)dataNotFoundForMethod:(id)method { return coded(24, method, @"data not found"); }
+ (id)notSupportedErrorForMethod:(id)method { return coded(25, method, @"not supported"); }
+ (id)badArgumentForMethod:(id)method { return coded(26, method, @"bad argument"); }
@end
