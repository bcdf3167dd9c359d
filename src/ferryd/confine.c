/* SPDX-License-Identifier: Apache-2.0
 *
 * Rights are dropped by the means of the kernel: rlimit, prctl, seccomp, namespaces. Landlock has a file of
 * its own (landlock.c). */
#include "confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "landlock.h"

enum err confine_basics(void)
{
    const struct rlimit none = {0, 0};
    if (setrlimit(RLIMIT_CORE, &none) != 0)
        return ERR_IO;
    /* proc(5): /proc/PID then belongs to root, and ptrace(2) needs its capability. */
    if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
        return ERR_IO;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
        return ERR_IO;
    return OK;
}

void confine_close_from(unsigned first)
{
    /* It fails only on kernels before 5.9, where exec has closed what is marked, and all of ours is. */
    (void)close_range(first, ~0U, 0);
}

enum err confine_become(const char *user)
{
    if (user[0] == 0 || geteuid() != 0)
        return OK;
    const struct passwd *p = getpwnam(user);
    if (p == NULL)
        return ERR_NOT_FOUND;
    if (initgroups(p->pw_name, p->pw_gid) != 0 || setresgid(p->pw_gid, p->pw_gid, p->pw_gid) != 0 ||
        setresuid(p->pw_uid, p->pw_uid, p->pw_uid) != 0)
        return ERR_IO;
    /* Changing the user makes a process dumpable as the system's settings say: once more. */
    return confine_basics();
}

/* Everything that serving a vault asks for, once libraries are loaded and algorithms fetched. */
static const int keeper_calls[] = {
    SCMP_SYS(read),          SCMP_SYS(write),        SCMP_SYS(writev),          SCMP_SYS(poll),
    SCMP_SYS(ppoll),         SCMP_SYS(close),        SCMP_SYS(futex),           SCMP_SYS(munmap),
    SCMP_SYS(mremap),        SCMP_SYS(brk),          SCMP_SYS(madvise),         SCMP_SYS(getrandom),
    SCMP_SYS(clock_gettime), SCMP_SYS(gettimeofday), SCMP_SYS(getpid),          SCMP_SYS(gettid),
    SCMP_SYS(sched_yield),   SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(sigaltstack), /* sanitizers, when they end */
    SCMP_SYS(exit),          SCMP_SYS(exit_group),
};

enum err confine_keeper(void)
{
    /* Needs a capability that only root has; without it the list below is what keeps sockets away. */
    (void)unshare(CLONE_NEWNET);

    enum err e = ERR_IO;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
    if (filter == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < sizeof(keeper_calls) / sizeof(keeper_calls[0]); i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, keeper_calls[i], 0) != 0)
            goto out;
    }
    /* Memory yes, code no. */
    const struct scmp_arg_cmp not_executable = SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
    if (seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, not_executable) != 0 ||
        seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, not_executable) != 0)
        goto out;
    if (seccomp_load(filter) == 0)
        e = OK;
out:
    seccomp_release(filter);
    return e;
}

/* To start programs, to look into other processes, to change what the system is. */
static const int front_refused[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(process_madvise),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(bpf),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(keyctl),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(move_mount),
    SCMP_SYS(open_tree),
    SCMP_SYS(fsopen),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(sethostname),
    SCMP_SYS(personality),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
};

static enum err refuse_calls(void)
{
    enum err e = ERR_IO;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    if (filter == NULL)
        return ERR_MEMORY;
    for (size_t i = 0; i < sizeof(front_refused) / sizeof(front_refused[0]); i++) {
        if (seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, front_refused[i], 0) != 0)
            goto out;
    }
    /* Threads yes, processes no. clone3 hides its flags from the filter; libc falls back to clone. */
    if (seccomp_rule_add(filter, SCMP_ACT_KILL_PROCESS, SCMP_SYS(clone), 1,
                         SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0)) != 0 ||
        seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0) != 0)
        goto out;
    if (seccomp_load(filter) == 0)
        e = OK;
out:
    seccomp_release(filter);
    return e;
}

enum err confine_front(const struct config *config, bool *landlock)
{
    enum err e = landlock_front(config, landlock);
    return e == OK ? refuse_calls() : e;
}
