/* What qemu's user mode before 10.1 lacks: the ioctls that set a serial line to any baud rate. The
   program asks for them through serialport; here they become the older ones, which know the usual
   rates by number. Loaded into the emulated program (LD_PRELOAD), never part of it. */
#include <asm/ioctls.h>
#include <asm/termbits.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
    unsigned rate, code;
} RATES[] = {
    {300, B300},     {600, B600},     {1200, B1200},   {2400, B2400},     {4800, B4800},
    {9600, B9600},   {19200, B19200}, {38400, B38400}, {57600, B57600},   {115200, B115200},
    {230400, B230400},
};
#define KNOWN (sizeof RATES / sizeof RATES[0])

/* Programs that the emulated one starts are this machine's own. */
__attribute__((constructor)) static void keep_from_children(void)
{
    unsetenv("LD_PRELOAD");
}

static long get(int file, struct termios2 *into)
{
    struct termios old;
    long result = syscall(SYS_ioctl, file, TCGETS, &old);
    if (result < 0)
        return result;
    memset(into, 0, sizeof *into);
    into->c_iflag = old.c_iflag;
    into->c_oflag = old.c_oflag;
    into->c_cflag = old.c_cflag;
    into->c_lflag = old.c_lflag;
    into->c_line = old.c_line;
    memcpy(into->c_cc, old.c_cc, sizeof old.c_cc);
    for (unsigned i = 0; i < KNOWN; i++)
        if ((old.c_cflag & CBAUD) == RATES[i].code)
            into->c_ispeed = into->c_ospeed = RATES[i].rate;
    return result;
}

static long set(int file, unsigned long request, const struct termios2 *from)
{
    struct termios old;
    memset(&old, 0, sizeof old);
    old.c_iflag = from->c_iflag;
    old.c_oflag = from->c_oflag;
    old.c_cflag = from->c_cflag;
    old.c_lflag = from->c_lflag;
    old.c_line = from->c_line;
    memcpy(old.c_cc, from->c_cc, sizeof old.c_cc);
    if ((from->c_cflag & CBAUD) == BOTHER) {
        unsigned i = 0;
        while (i < KNOWN && RATES[i].rate != from->c_ospeed)
            i++;
        if (i == KNOWN) {
            errno = EINVAL;
            return -1;
        }
        old.c_cflag = (old.c_cflag & ~CBAUD) | RATES[i].code;
    }
    return syscall(SYS_ioctl, file, request, &old);
}

int ioctl(int file, unsigned long request, ...)
{
    va_list rest;
    va_start(rest, request);
    void *argument = va_arg(rest, void *);
    va_end(rest);
    switch (request) {
    case TCGETS2:
        return get(file, argument);
    case TCSETS2:
        return set(file, TCSETS, argument);
    case TCSETSW2:
        return set(file, TCSETSW, argument);
    case TCSETSF2:
        return set(file, TCSETSF, argument);
    default:
        return syscall(SYS_ioctl, file, request, argument);
    }
}
