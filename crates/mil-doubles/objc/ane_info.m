#include "ane.h"

/* Names no chip that exists, so that nothing can be taken for one. */
@interface _ANEDeviceInfo : DoubleObject
@end

@implementation _ANEDeviceInfo
+ (BOOL)hasANE { return NO; }
+ (uint32_t)numANEs { return 0; }
+ (uint32_t)numANECores { return 0; }
+ (id)aneArchitectureType { return @"double"; }
+ (id)aneSubType { return @"double"; }
+ (int64_t)aneBoardType { return 0; }
+ (id)buildVersion { return @"double"; }
+ (id)productName { return @"double"; }
+ (BOOL)isVirtualMachine { return NO; }
+ (BOOL)isInternalBuild { return NO; }
@end

/* The standard classes of service; any from 0 to 63 is accepted. */
@interface _ANEQoSMapper : DoubleObject
@end

@implementation _ANEQoSMapper
+ (uint32_t)aneBackgroundTaskQoS { return 9; }
+ (uint32_t)aneUtilityTaskQoS { return 17; }
+ (uint32_t)aneDefaultTaskQoS { return 21; }
+ (uint32_t)aneUserInitiatedTaskQoS { return 25; }
+ (uint32_t)aneUserInteractiveTaskQoS { return 33; }
+ (uint32_t)aneRealTimeTaskQoS { return 63; }
@end

/* Always nothing for programs like ours. */
@interface _ANEVirtualClient : DoubleObject
@end

@implementation _ANEVirtualClient
- (id)initWithSingletonAccess {
    [self release];
    return nil;
}
+ (id)sharedConnection { return nil; }
@end
