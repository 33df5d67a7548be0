/* The superclass of the doubles: a test of leaks can ask how many are alive. */
#ifndef MIL_DOUBLES_OBJECT_H
#define MIL_DOUBLES_OBJECT_H

#import "double.h"

@interface DoubleObject : NSObject
@end

#endif
