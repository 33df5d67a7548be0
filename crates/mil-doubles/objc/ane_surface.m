#include "ane.h"

@implementation _ANEIOSurfaceObject
- (id)initWithIOSurface:(IOSurfaceRef)surface startOffset:(id)offset shouldRetain:(BOOL)retain {
    if ((self = [super init])) {
        _surface = surface;
        _offset = [offset retain];
        _owned = retain;
        if (retain) double_surface_retain(surface);
    }
    return self;
}
+ (id)objectWithIOSurface:(IOSurfaceRef)surface {
    return [self objectWithIOSurface: surface startOffset: [NSNumber numberWithInt: 0]];
}
+ (id)objectWithIOSurface:(IOSurfaceRef)surface startOffset:(id)offset {
    if (!surface) return nil;
    return [[[self alloc] initWithIOSurface: surface startOffset: offset shouldRetain: YES] autorelease];
}
+ (id)objectWithIOSurfaceNoRetain:(IOSurfaceRef)surface startOffset:(id)offset {
    if (!surface) return nil;
    return [[[self alloc] initWithIOSurface: surface startOffset: offset shouldRetain: NO] autorelease];
}
+ (IOSurfaceRef)createIOSurfaceWithWidth:(int)width pixel_size:(int)pixel height:(int)height {
    return double_surface_create((long)width * pixel * height);
}
+ (IOSurfaceRef)createIOSurfaceWithWidth:(int)width pixel_size:(int)pixel height:(int)height bytesPerElement:(int)element {
    return double_surface_create((long)width * pixel * height);
}
- (IOSurfaceRef)ioSurface { return _surface; }
- (NSNumber *)startOffset { return _offset; }
- (void)dealloc {
    if (_owned) double_surface_release(_surface);
    [_offset release];
    [super dealloc];
}
@end

@implementation _ANEBuffer
- (id)initWithIOSurfaceObject:(id)object symbolIndex:(id)symbol source:(int64_t)source {
    if ((self = [super init])) {
        _object = [object retain];
        _symbol = [symbol retain];
        /* The daemon knows sources 0 to 4 and takes any other as 0. */
        _source = source < 0 || source > 4 ? 0 : source;
    }
    return self;
}
+ (id)bufferWithIOSurfaceObject:(id)object symbolIndex:(id)symbol source:(int64_t)source {
    return [[[self alloc] initWithIOSurfaceObject: object symbolIndex: symbol source: source] autorelease];
}
- (id)ioSurfaceObject { return _object; }
- (NSNumber *)symbolIndex { return _symbol; }
- (int64_t)source { return _source; }
- (void)dealloc {
    [_object release];
    [_symbol release];
    [super dealloc];
}
@end

@implementation _ANEIOSurfaceOutputSets
- (id)initWithstatsSurRef:(IOSurfaceRef)stats outputBuffer:(id)buffers {
    if (!stats && double_behaves("ane/output-set-needs-stats")) {
        [self release];
        return nil;
    }
    if ((self = [super init])) {
        _stats = double_surface_retain(stats);
        _buffers = [buffers copy];
    }
    return self;
}
+ (id)objectWithstatsSurRef:(IOSurfaceRef)stats outputBuffer:(id)buffers {
    return [[[self alloc] initWithstatsSurRef: stats outputBuffer: buffers] autorelease];
}
- (NSArray *)outputBuffer { return _buffers; }
- (IOSurfaceRef)statsSurRef { return _stats; }
- (void)dealloc {
    double_surface_release(_stats);
    [_buffers release];
    [super dealloc];
}
@end
