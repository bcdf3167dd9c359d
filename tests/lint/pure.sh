#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# lib/ does no I/O: no object of a library asks the linker for a function that opens, reads, writes, connects,
# waits, starts processes, tells the time, rolls dice or looks at the environment.
set -u
. "$(dirname "$0")/common.sh"

effects='open|openat|fopen|fdopen|freopen|creat|read|pread|write|pwrite|fread|fwrite|fputs|fputc|fgets|puts|putchar'
effects="$effects|printf|fprintf|vprintf|vfprintf|dprintf|perror|syslog|stdin|stdout|stderr|ioctl|mmap|unlink|rename"
effects="$effects|socket|connect|bind|listen|accept|accept4|send|sendto|recv|recvfrom|poll|select|epoll_wait"
effects="$effects|time|gettimeofday|clock_gettime|clock|nanosleep|usleep|sleep|rand|random|srand|getrandom|getentropy"
effects="$effects|getenv|secure_getenv|setenv|system|popen|fork|vfork|execve|execv|execvp|posix_spawn|kill|exit|_exit"
effects="$effects|pthread_create|dlopen|sqlite3_open.*|curl_.*|SCard.*|event_.*|evhttp_.*"

for archive in "$build"/lib/libcf_*.a; do
    found=$(nm -u "$archive" 2>/dev/null | awk '$1 == "U" { sub(/@.*/, "", $2); print $2 }' | sort -u |
        sed 's/^__isoc[0-9]*_//; s/^__\(.*\)_chk$/\1/; s/64$//' | grep -xE "$effects")
    same "$(basename "$archive" .a) does no I/O" '' "$(echo $found)"
done
tap_end
