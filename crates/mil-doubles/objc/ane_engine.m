#include "ane.h"

NSString *double_text(char *text) {
    NSString *string = text ? [NSString stringWithUTF8String: text] : @"";
    double_free_text(text);
    return string;
}

NSError *double_ane_inference_error(unsigned int status, NSString *why) {
    NSString *text = [NSString
        stringWithFormat: @"ANEProgramProcessRequestDirect() Failed with status=0x%x : statusType=0x9: "
                          @"Program Inference error (double: %@)", status, why];
    return double_error(@"com.apple.appleneuralengine", 8, text);
}

static struct double_binding *bindings(NSArray *surfaces, NSArray *indices) {
    NSUInteger count = [surfaces count];
    struct double_binding *all = calloc(count + 1, sizeof *all);
    for (NSUInteger i = 0; i < count; i++) {
        IOSurfaceRef surface = [(_ANEIOSurfaceObject *)[surfaces objectAtIndex: i] ioSurface];
        NSNumber *offset = [(_ANEIOSurfaceObject *)[surfaces objectAtIndex: i] startOffset];
        long start = offset ? [offset longValue] : 0, bytes = double_surface_bytes(surface);
        start = start < 0 || start > bytes ? bytes : start;
        all[i].symbol = [[indices objectAtIndex: i] unsignedIntegerValue];
        all[i].base = (char *)double_surface_base(surface) + start;
        all[i].bytes = bytes - start;
    }
    return all;
}

BOOL double_ane_evaluate(uint64_t handle, _ANERequest *request, NSError **error) {
    if ([request sharedEvents] && double_behaves("ane/shared-events-stall")) {
        double_ane_stall();
        if (error) *error = [_ANEErrors createErrorWithCode: 3 description: @"double: a request with shared events never returns"];
        return NO;
    }
    if (![request validate]) {
        if (error) *error = [_ANEErrors createErrorWithCode: 26 description: @"double: the request is not valid"];
        return NO;
    }
    NSArray *ins = [request inputArray], *outs = [request outputArray];
    struct double_binding *inputs = bindings(ins, [request inputIndexArray]);
    struct double_binding *outputs = bindings(outs, [request outputIndexArray]);
    char *why = NULL;
    unsigned int status = double_ane_run(handle, [[request procedureIndex] unsignedIntegerValue], inputs, [ins count],
                                         outputs, [outs count], &why);
    free(inputs);
    free(outputs);
    NSString *text = double_text(why);
    if (status == 0) return YES;
    if (error) {
        *error = status == 0x17 ? [_ANEErrors createErrorWithCode: 23 description: text]
                                : double_ane_inference_error(status, text);
    }
    return NO;
}

static NSString *symbol_name(uint64_t handle, unsigned long procedure, int output, unsigned long position) {
    NSString *name = [NSString stringWithUTF8String: double_ane_symbol_name(handle, procedure, output, position)];
    return output ? [name stringByAppendingString: @"@output"] : name;
}

NSDictionary *double_ane_attributes(uint64_t handle) {
    NSMutableArray *procedures = [NSMutableArray array], *names[2] = {[NSMutableArray array], [NSMutableArray array]};
    NSMutableDictionary *ids = [NSMutableDictionary dictionary];
    NSString *keys[2] = {@"ANEFModelInputSymbolIndexArray", @"ANEFModelOutputSymbolIndexArray"};
    for (unsigned long p = 0; p < double_ane_procedures(handle); p++) {
        NSMutableDictionary *entry = [NSMutableDictionary dictionary];
        NSNumber *number = [NSNumber numberWithUnsignedLong: p];
        [entry setObject: number forKey: @"ANEFModelProcedureID"];
        for (int output = 0; output < 2; output++) {
            NSMutableArray *indices = [NSMutableArray array];
            for (unsigned long i = 0; i < double_ane_symbols(handle, p, output); i++) {
                [indices addObject: [NSNumber numberWithUnsignedLong: double_ane_symbol(handle, p, output, i)]];
                [names[output] addObject: symbol_name(handle, p, output, i)];
            }
            [entry setObject: indices forKey: keys[output]];
        }
        [procedures addObject: entry];
        [ids setObject: number forKey: [NSString stringWithUTF8String: double_ane_procedure_name(handle, p)]];
    }
    NSDictionary *description = [NSDictionary
        dictionaryWithObjectsAndKeys: procedures, @"ANEFModelProcedures", names[0], @"kANEFModelInputSymbolsArrayKey",
                                      names[1], @"kANEFModelOutputSymbolsArrayKey", ids,
                                      @"kANEFModelProcedureNameToIDMapKey", nil];
    return [NSDictionary dictionaryWithObjectsAndKeys: description, @"ANEFModelDescription", [NSArray array],
                                                       @"NetworkStatusList", nil];
}
