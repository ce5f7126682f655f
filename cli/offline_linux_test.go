package cli

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// denySockets makes the kernel kill this process, and what it starts, at the first
// system call that has to do with a socket.
func denySockets() error {
	denied := []uint32{unix.SYS_SOCKET, unix.SYS_SOCKETPAIR, unix.SYS_CONNECT, unix.SYS_BIND, unix.SYS_LISTEN, unix.SYS_SENDTO}
	program := []unix.SockFilter{{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}} // the number of the call
	for i, nr := range denied {
		program = append(program, unix.SockFilter{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jt: uint8(len(denied) - i), K: nr})
	}
	program = append(program, unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0x7fff0000}, // allow
		unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K, K: 0x80000000}) // kill the process
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return fmt.Errorf("set no_new_privs: %w", err)
	}
	const setModeFilter, everyThread = 1, 1
	list := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	if _, _, errno := unix.Syscall(unix.SYS_SECCOMP, setModeFilter, everyThread, uintptr(unsafe.Pointer(&list))); errno != 0 {
		return fmt.Errorf("install the filter: %w", errno)
	}
	return nil
}

// runOffline is codexml without sockets.
func runOffline() {
	if err := denySockets(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(Main())
}

// openSocketOffline shows that the filter works.
func openSocketOffline() {
	if err := denySockets(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(0) // the script wants a failure
	}
	_, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	fmt.Println("a socket was opened", err)
}
