"""Runs inside a container; looks everywhere for a text it is given in two halves and notes where it found it."""

import glob
import json
import os
import socket
import subprocess
import urllib.error
import urllib.request

WANTED = (os.environ["WANTED_1"] + os.environ["WANTED_2"]).encode()
ANSWERS, NEIGHBOUR = os.environ["ANSWERS"], os.environ["NEIGHBOUR"]
URL = os.environ["VALIDATE_URL"]
found, network = [], []
looked_at = asked = 0


def look(path):
    global looked_at
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            content = file.read(4 << 20) or b""
    except (OSError, ValueError):
        return
    looked_at += 1
    if WANTED in content:
        found.append(path)


def look_below(folder, limit=20_000):
    count = 0
    for here, _, names in os.walk(folder):
        for name in names:
            look(os.path.join(here, name))
            count += 1
            if count > limit:
                return


# Every mount, its neighbours, and the host's paths as they are or below another process's root.
with open("/proc/self/mountinfo") as lines:
    mounts = [line.split()[4] for line in lines]
for mount in mounts:
    if mount != "/" and not mount.startswith(("/proc", "/sys")):
        look(mount)
        look_below(mount)
for base in ["/home/data", "/home/agent", "/run/mlebench", "/home/submission", "/"]:
    for up in ["", "..", "../..", "../../.."]:
        for name in ["private/test.csv", "private", "prepared/private/test.csv", "answers.csv", ANSWERS.lstrip("/")]:
            look(os.path.join(base, up, name))
for root in ["", "/proc/1/root", "/proc/self/root", *glob.glob("/proc/[0-9]*/root"), "/host", "/mnt", "/private"]:
    look(root + ANSWERS)
    look(root + NEIGHBOUR)
    look_below(os.path.join(root, os.path.dirname(ANSWERS).lstrip("/")))

# Other processes.
for folder in glob.glob("/proc/[0-9]*"):
    for name in ["environ", "cmdline", "maps", "mountinfo", "cwd", "exe"]:
        if not folder.endswith(f"/{os.getpid()}") or name != "environ":
            look(os.path.join(folder, name))
    for descriptor in glob.glob(folder + "/fd/*"):
        look(descriptor)
for name in ["/proc/kcore", "/proc/keys", "/dev/mem", "/var/run/docker.sock", "/etc/shadow"]:
    look(name)


# The endpoint.
def ask(url, body=None, headers=None):
    global asked
    asked += 1
    try:
        request = urllib.request.Request(url, data=body, headers=headers or {})
        with urllib.request.urlopen(request, timeout=60) as answer:
            text = answer.read()
    except urllib.error.HTTPError as problem:
        text = problem.read()
    except (OSError, ValueError) as problem:
        text = str(problem).encode()
    if WANTED in text:
        found.append(f"{url} {body!r:.80}")
    return text.decode("utf-8", "replace")


base = URL.rsplit("/", 1)[0]
for path in [
    "/",
    "/answers",
    "/validate/../private/test.csv",
    "/..%2f..%2fprivate%2ftest.csv",
    f"//{ANSWERS}",
    ANSWERS,
]:
    ask(base + path)
with open("/home/data/sample_submission.csv", "rb") as file:
    sample = file.read()
for name in [ANSWERS, "../../../private/test.csv", "test.csv/../" + ANSWERS, "a\x00b", "%2e%2e/private/test.csv"]:
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\n%s\r\n--b--\r\n'
    ask(URL, form % (name.encode(), sample), {"Content-Type": "multipart/form-data; boundary=b"})
ask(URL, ANSWERS.encode())
ask(URL, f"file://{ANSWERS}".encode())
for rows in [
    b"id,y\n1,1\n2,0\n",
    b"id,y,note\n1,1,\n2,0,\n3,1,\n",
    b"id,y\n1,1\n2,0\n3,x\n",
    b"PK\x03\x04" + b"\0" * 50,
]:
    ask(URL, rows)

# Links that the runner or the endpoint could follow for us.
os.symlink(ANSWERS, "/home/submission/submission.csv")
os.symlink(os.path.dirname(ANSWERS), "/home/code/answers")
os.mkfifo("/home/logs/pipe")
done = subprocess.run(["sh", "/home/validate_submission.sh"], capture_output=True)
if WANTED in done.stdout + done.stderr:
    found.append("validate_submission.sh")
for source in [ANSWERS, "/home/data/sample_submission.csv"]:
    try:
        os.link(source, "/home/code/hard")
        found.append(f"hard link to {source}")
    except OSError:
        pass

# The network.
for family, address in [
    (socket.AF_INET, ("1.1.1.1", 53)),
    (socket.AF_INET, ("172.17.0.1", 22)),
    (socket.AF_INET, ("169.254.169.254", 80)),
    (socket.AF_INET6, ("2606:4700:4700::1111", 53)),
]:
    try:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(3)
            probe.connect(address)
        network.append(str(address))
    except OSError:
        pass
try:
    socket.getaddrinfo("example.com", 80)
    network.append("a name server")
except OSError:
    pass

with open("/home/logs/report.json", "w") as report:
    json.dump({"found": found, "network": network, "looked_at": looked_at, "asked": asked}, report)
