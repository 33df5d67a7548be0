/* What the Objective-C doubles ask of the Rust side: behaviours, programs, surfaces. See src/abi.rs for the contracts. */
#ifndef MIL_DOUBLES_H
#define MIL_DOUBLES_H

#import <Foundation/Foundation.h>
#include <stdint.h>

/* 1 while the double behaves as documented in this respect, 0 while a test has it broken. */
int double_behaves(const char *slug);
/* Notes a call, for tests that ask what was called in which order. */
void double_note(const char *what);

/* A program of ours, compiled by the cpu runtime. NULL and a text (freed with double_free_text) on failure. */
void *double_program_compile(const char *path, char **why);
void double_program_release(void *program);
long double_function_count(void *program);
const char *double_function_name(void *program, long function);
/* Ports of a function, in the order of declaration. kind: 0 input, 1 output, 2 state. dtype: bits, with 0x100 for
   floats and 0x200 for signed integers (fp16 = 0x110, int32 = 0x220, bool = 8 bits without either). */
long double_port_count(void *program, long function, int kind);
const char *double_port_name(void *program, long function, int kind, long port);
long double_port_dtype(void *program, long function, int kind, long port);
long double_port_bytes(void *program, long function, int kind, long port);
long double_port_rank(void *program, long function, int kind, long port);
long double_port_size(void *program, long function, int kind, long port, long axis);
/* A session, with its states zero. Inputs and outputs are packed, in the order of declaration. */
void *double_session_new(void *program, long function);
void double_session_release(void *session);
int double_session_run(void *session, const void *const *inputs, void *const *outputs, char **why);
int double_session_read_state(void *session, long state, void *bytes);
int double_session_write_state(void *session, long state, const void *bytes);
void double_free_text(char *text);

/* IOSurface, as far as it matters: bytes with a reference count and a lock count. */
typedef struct __IOSurface *IOSurfaceRef;
IOSurfaceRef double_surface_create(long bytes);
IOSurfaceRef double_surface_retain(IOSurfaceRef surface);
void double_surface_release(IOSurfaceRef surface);
void *double_surface_base(IOSurfaceRef surface);
long double_surface_bytes(IOSurfaceRef surface);
void double_surface_lock(IOSurfaceRef surface);
/* 0 if it was locked. */
int double_surface_unlock(IOSurfaceRef surface);

/* An NSError with a description, autoreleased. */
NSError *double_error(NSString *domain, NSInteger code, NSString *description);

/* Counts an object made, and one gone. */
void double_object_made(void);
void double_object_gone(void);

#endif
