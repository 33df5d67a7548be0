#import "object.h"

@implementation DoubleObject
+ (id) allocWithZone: (NSZone *)zone {
    double_object_made();
    return [super allocWithZone: zone];
}
- (void) dealloc {
    double_object_gone();
    [super dealloc];
}
@end
