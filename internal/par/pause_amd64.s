//go:build !purego

#include "textflag.h"

// func pause()
// Short, since assembly cannot be preempted.
TEXT ·pause(SB), NOSPLIT, $0-0
	MOVQ $30, CX

again:
	PAUSE
	DECQ CX
	JNE  again
	RET
