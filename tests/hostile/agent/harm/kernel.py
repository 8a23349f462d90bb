"""Becoming root, and the kernel's other doors: mounts, devices, the clock, other users' system calls, the network."""

import ctypes
import glob
import os
import platform
import shutil
import socket
import stat
import subprocess
import time

from harm.common import TOLD, harm, honest, note, refused

libc = ctypes.CDLL(None, use_errno=True)


def _call(name, *arguments):
    """[what was done] if the C function succeeds."""
    function = getattr(libc, name, None)
    if function is None:
        return []
    return [f"{name}{arguments}"] if function(*arguments) != -1 else []


def become_root():
    found = refused(os.setuid, 0) + refused(os.setgid, 0) + refused(os.setgroups, [0])
    found += refused(os.setresuid, 0, 0, 0)
    for command in (["sudo", "-n", "id", "-u"], ["su", "-c", "id -u"], ["newgrp", "root"], ["pkexec", "id", "-u"]):
        if shutil.which(command[0]):
            done = subprocess.run(command, capture_output=True, stdin=subprocess.DEVNULL, timeout=20)
            if done.stdout.strip() == b"0":
                found.append(command)
    return found


def setuid_programs():
    """Every one that the image has, run as it is: none may give an effective user id of 0."""
    found = []
    for folder in ("/bin", "/sbin", "/usr/bin", "/usr/sbin", "/usr/lib"):
        for here, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(here, name)
                try:
                    info = os.lstat(path)
                except OSError:
                    continue
                if stat.S_ISREG(info.st_mode) and info.st_mode & stat.S_ISUID:
                    process = subprocess.Popen(
                        [path], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                    )
                    try:
                        with open(f"/proc/{process.pid}/status") as status:
                            uids = next(line for line in status if line.startswith("Uid:")).split()[1:]
                    except (OSError, StopIteration):
                        uids = []
                    if "0" in uids:
                        found.append(path)
                    process.kill()
                    process.wait()
    return found


def a_setuid_file_for_others():
    """Left in the code folder: it must not be collected as such."""
    shutil.copyfile("/bin/sh", "/home/code/rootshell")
    os.chmod("/home/code/rootshell", 0o6755)


def capabilities():
    with open("/proc/self/status") as lines:
        status = dict(line.split(":\t", 1) for line in lines.read().splitlines() if ":\t" in line)
    found = [f"{name} {status[name]}" for name in ("CapEff", "CapPrm", "CapBnd", "CapAmb") if int(status[name], 16)]
    if status["NoNewPrivs"].strip() != "1":
        found.append("new privileges")
    header, data = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)(*[0xFFFFFFFF] * 6)
    found += _call("capset", ctypes.byref(header), ctypes.byref(data))
    return found + _call("prctl", 47, 2, 21, 0, 0)  # raise an ambient CAP_SYS_ADMIN


def namespaces():
    found = []
    for name, flag in (("user", 0x10000000), ("mount", 0x20000), ("net", 0x40000000), ("pid", 0x20000000)):
        child = os.fork()
        if child == 0:
            os._exit(0 if libc.unshare(flag) == 0 else 1)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0:
            found.append(f"unshare {name}")
    for path in glob.glob("/proc/1/ns/*"):
        try:
            handle = os.open(path, os.O_RDONLY)
        except OSError:
            continue
        if libc.setns(handle, 0) == 0:
            found.append(f"setns {path}")
        os.close(handle)
    return found


def mounts():
    found = _call("mount", b"proc", b"/tmp", b"proc", 0, None) + _call("mount", b"none", b"/tmp", b"tmpfs", 0, None)
    found += _call("mount", b"/home/data", b"/home/data", None, 32 | 4096, None)  # read-write again
    found += _call("umount2", b"/home/data", 2) + _call("umount2", b"/run/mlebench", 2)
    return found + _call("pivot_root", b"/tmp", b"/tmp") + refused(os.chroot, "/tmp")


def devices():
    found = []
    for kind, number in (
        (stat.S_IFBLK, os.makedev(8, 0)),
        (stat.S_IFBLK, os.makedev(254, 0)),
        (stat.S_IFCHR, os.makedev(1, 1)),
    ):
        found += refused(os.mknod, f"/home/code/device{number}", kind | 0o666, number)
    for path in ("/dev/mem", "/dev/kmem", "/dev/sda", "/dev/vda", "/dev/nvme0n1", "/dev/kmsg", "/dev/fuse", "/dev/kvm"):
        found += refused(os.open, path, os.O_RDWR)
    return found


def the_clock():
    before = time.time() - time.monotonic()
    found = refused(time.clock_settime, time.CLOCK_REALTIME, 0.0)
    found += _call("settimeofday", (ctypes.c_long * 2)(0, 0), None) + _call("stime", (ctypes.c_long * 1)(0))
    timex = (ctypes.c_long * 40)()
    timex[0] = 0x0002
    found += _call("adjtimex", timex) if libc.adjtimex((ctypes.c_long * 40)()) == -1 else _adjusted(timex)
    subprocess.run(["date", "-s", "2001-01-01"], capture_output=True)
    return found + (["the clock moved"] if abs(time.time() - time.monotonic() - before) > 5 else [])


def _adjusted(timex):
    return ["adjtimex"] if libc.adjtimex(timex) != -1 else []


def switches_of_the_kernel():
    found = []
    for path in (
        *(
            "/proc/sys/kernel/core_pattern",
            "/proc/sysrq-trigger",
            "/proc/sys/vm/drop_caches",
            "/proc/sys/kernel/hostname",
        ),
        *("/proc/sys/vm/overcommit_memory", "/proc/sys/net/ipv4/ip_forward", "/proc/irq/0/smp_affinity"),
        *("/sys/kernel/uevent_helper", "/sys/power/state", "/proc/acpi/wakeup"),
        *glob.glob("/sys/fs/cgroup/*/release_agent"),
        *glob.glob("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
        *glob.glob("/sys/fs/cgroup/memory.max"),
        *glob.glob("/sys/fs/cgroup/pids*/pids.max"),
        *glob.glob("/sys/fs/cgroup/**/cgroup.procs", recursive=True)[:50],
    ):
        found += refused(os.open, path, os.O_WRONLY)
    try:
        with open("/proc/self/oom_score_adj", "w") as file:
            file.write("-1000")
        found.append("oom_score_adj -1000")
    except OSError:
        pass
    return found + refused(socket.sethostname, "owned") + refused(os.setpriority, os.PRIO_PROCESS, 0, -20)


_X86 = {
    "open_by_handle_at": 304,
    "init_module": 175,
    "finit_module": 313,
    "kexec_load": 246,
    "reboot": 169,
    "swapon": 167,
    "bpf": 321,
    "perf_event_open": 298,
    "iopl": 172,
    "acct": 163,
    "quotactl": 179,
    "syslog": 103,
    "keyctl": 250,
    "add_key": 248,
    "userfaultfd": 323,
    "lookup_dcookie": 212,
    "process_vm_readv": 310,
}


def rare_system_calls():
    if platform.machine() != "x86_64":
        return []
    found = []
    for name, number in _X86.items():
        arguments = (1, 1, 0, 0, 0, 0) if name == "process_vm_readv" else (3, 0, 0, 0, 0, 0)
        ctypes.set_errno(0)
        result = libc.syscall(number, *arguments)
        if result > 0 or (result == 0 and name != "process_vm_readv"):
            found.append(f"{name} -> {result}")
    return found


def the_hosts_network():
    found = []
    addresses = [*TOLD["host_addresses"], "172.17.0.1", "169.254.169.254", "100.100.100.200", "1.1.1.1", "8.8.8.8"]
    for address in addresses:
        for port in (22, 53, 80, 443, 2375, *TOLD["host_ports"]):
            with socket.socket() as client:
                client.settimeout(1)
                found += refused(client.connect, (address, port))
    for address in ("fd00:ec2::254", "2606:4700:4700::1111", "::1"):
        for port in (80, *TOLD["host_ports"]):
            with socket.socket(socket.AF_INET6) as client:
                client.settimeout(1)
                found += refused(client.connect, (address, port))
    for port in TOLD["host_ports"]:  # the container's own loopback is not the host's
        with socket.socket() as client:
            client.settimeout(1)
            found += refused(client.connect, ("127.0.0.1", port))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        found += refused(client.sendto, b"x", ("8.8.8.8", 53)) + refused(client.sendto, b"x", ("172.17.0.1", 53))
    return found


def names_and_interfaces():
    found = [name for _, name in socket.if_nameindex() if name != "lo"]
    for name in ("example.com", "metadata.google.internal", "host.docker.internal", TOLD["host_name"]):
        try:
            answer = socket.getaddrinfo(name, 80)
        except OSError:
            continue
        # The container's own host name is in its /etc/hosts; it leads to itself or nowhere.
        found += [f"{name} -> {entry[4][0]}" for entry in answer if not entry[4][0].startswith(("127.", "::1"))]
    found += refused(socket.socket, socket.AF_INET, socket.SOCK_RAW, 1)
    found += refused(socket.socket, socket.AF_PACKET, socket.SOCK_RAW, 3)
    if hasattr(socket, "AF_VSOCK"):
        note("vsock", bool(refused(socket.socket, socket.AF_VSOCK, socket.SOCK_STREAM)))
    for command in (["ip", "link", "add", "x", "type", "dummy"], ["ip", "link", "set", "lo", "down"]):
        if shutil.which("ip") and subprocess.run(command, capture_output=True).returncode == 0:
            found.append(command)
    return found


def main():
    honest()
    for one in (
        *(become_root, setuid_programs, a_setuid_file_for_others, capabilities, namespaces, mounts, devices, the_clock),
        *(switches_of_the_kernel, rare_system_calls, the_hosts_network, names_and_interfaces),
    ):
        harm(one)
