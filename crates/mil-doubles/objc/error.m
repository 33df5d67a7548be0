#include "double.h"

NSError *double_error(NSString *domain, NSInteger code, NSString *description) {
    NSDictionary *info = [NSDictionary dictionaryWithObject: description forKey: NSLocalizedDescriptionKey];
    return [NSError errorWithDomain: domain code: code userInfo: info];
}
