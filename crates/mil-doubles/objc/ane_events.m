#include "ane.h"

@interface _ANESharedWaitEvent : DoubleObject {
    uint64_t _value, _type;
    id _event;
}
+ (id)waitEventWithValue:(uint64_t)value sharedEvent:(id)event eventType:(uint64_t)type;
@end

@implementation _ANESharedWaitEvent
- (id)initWithValue:(uint64_t)value sharedEvent:(id)event eventType:(uint64_t)type {
    if ((self = [super init])) {
        _value = value;
        _type = type;
        _event = [event retain];
    }
    return self;
}
+ (id)waitEventWithValue:(uint64_t)value sharedEvent:(id)event {
    return [self waitEventWithValue: value sharedEvent: event eventType: 0];
}
+ (id)waitEventWithValue:(uint64_t)value sharedEvent:(id)event eventType:(uint64_t)type {
    return event ? [[[self alloc] initWithValue: value sharedEvent: event eventType: type] autorelease] : nil;
}
- (uint64_t)eventType { return _type; }
- (id)sharedEvent { return _event; }
- (uint64_t)value { return _value; }
- (void)setValue:(uint64_t)value { _value = value; }
- (void)dealloc {
    [_event release];
    [super dealloc];
}
@end

@interface _ANESharedSignalEvent : DoubleObject {
    uint64_t _value, _mask;
    uint32_t _symbol;
    int64_t _type;
    id _event;
}
@end

@implementation _ANESharedSignalEvent
- (id)initWithValue:(uint64_t)value symbolIndex:(uint32_t)symbol eventType:(int64_t)type sharedEvent:(id)event
          agentMask:(uint64_t)mask {
    if ((self = [super init])) {
        _value = value;
        _symbol = symbol;
        _type = type;
        _event = [event retain];
        _mask = mask;
    }
    return self;
}
/* Types 0 to 5 and an event; anything else is nothing. */
+ (id)signalEventWithValue:(uint64_t)value symbolIndex:(uint32_t)symbol eventType:(int64_t)type sharedEvent:(id)event {
    if (!event || type < 0 || type > 5) return nil;
    return [[[self alloc] initWithValue: value symbolIndex: symbol eventType: type sharedEvent: event
                              agentMask: 0] autorelease];
}
- (id)waitEvent { return [_ANESharedWaitEvent waitEventWithValue: _value sharedEvent: _event]; }
- (uint64_t)agentMask { return _mask; }
- (void)setAgentMask:(uint64_t)mask { _mask = mask; }
- (int64_t)eventType { return _type; }
- (id)sharedEvent { return _event; }
- (uint32_t)symbolIndex { return _symbol; }
- (uint64_t)value { return _value; }
- (void)setValue:(uint64_t)value { _value = value; }
- (void)dealloc {
    [_event release];
    [super dealloc];
}
@end

@interface _ANESharedEvents : DoubleObject {
    NSArray *_signals, *_waits;
}
@end

@implementation _ANESharedEvents
- (id)initWithSignalEvents:(id)signals waitEvents:(id)waits {
    if ((self = [super init])) {
        _signals = [signals copy];
        _waits = [waits copy];
    }
    return self;
}
+ (id)sharedEventsWithSignalEvents:(id)signals waitEvents:(id)waits {
    return [[[self alloc] initWithSignalEvents: signals waitEvents: waits] autorelease];
}
- (NSArray *)signalEvents { return _signals; }
- (NSArray *)waitEvents { return _waits; }
- (void)setSignalEvents:(NSArray *)events {
    events = [events copy];
    [_signals release];
    _signals = events;
}
- (void)setWaitEvents:(NSArray *)events {
    events = [events copy];
    [_waits release];
    _waits = events;
}
- (void)dealloc {
    [_signals release];
    [_waits release];
    [super dealloc];
}
@end
