#include "ane.h"

@interface _ANEPerformanceStats : DoubleObject {
    uint64_t _time;
    NSData *_counters, *_raw;
}
@end

@implementation _ANEPerformanceStats
- (id)initWithHardwareExecution:(uint64_t)time perfCounterData:(id)counters ANEStatsRawData:(id)raw {
    if ((self = [super init])) {
        _time = time;
        _counters = [counters retain];
        _raw = [raw retain];
    }
    return self;
}
+ (id)statsWithHardwareExecutionNS:(uint64_t)time {
    return [[[self alloc] initWithHardwareExecution: time perfCounterData: nil ANEStatsRawData: nil] autorelease];
}
/* The low nibble, whatever is asked. */
+ (uint32_t)driverMaskForANEFMask:(uint32_t)mask { return mask & 0xF; }
- (uint64_t)hwExecutionTime { return _time; }
- (id)performanceCounters { return nil; }
- (NSData *)pStatsRawData { return _raw; }
- (NSData *)perfCounterData { return _counters; }
- (void)dealloc {
    [_counters release];
    [_raw release];
    [super dealloc];
}
@end

@interface _ANEPerformanceStatsIOSurface : DoubleObject {
    id _stats;
    int64_t _type;
}
@end

@implementation _ANEPerformanceStatsIOSurface
- (id)initWithIOSurface:(id)surface statType:(int64_t)type {
    if ((self = [super init])) {
        _stats = [surface retain];
        _type = type;
    }
    return self;
}
+ (id)objectWithIOSurface:(id)surface statType:(int64_t)type {
    return [[[self alloc] initWithIOSurface: surface statType: type] autorelease];
}
- (int64_t)statType { return _type; }
- (id)stats { return _stats; }
- (void)dealloc {
    [_stats release];
    [super dealloc];
}
@end
