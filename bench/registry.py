"""Push and pull of 1 MB and 100 MB, against oras-py, skopeo and curl on the same real registry in one run.

Usage: python bench/registry.py [rounds]

Two views. *Commands*: whole processes, start included, with their peak memory; oras-py has no command, so a
script of six lines stands for it. *Libraries*: weft's engine and oras-py, each in an interpreter that has
imported it and done one round already, beside what curl says its requests for the one blob took. Contenders
take turns, every round has fresh content (skopeo remembers where a blob is and would mount it), and the
medians are compared. oras-py and curl check no digest and keep nothing safe from a power cut; weft does both,
skopeo checks.

skopeo and curl come from PATH and are left out when they are not there; oras-py is fetched into weft's cache.
"""

import compileall
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from parts import missing_parts
from weft.base.paths import Places
from worlds.real_registry import running

SIZES = {"1 MB": 1_000_000, "100 MB": 100_000_000}
ORAS = "oras==0.2.43"
WEFT = Path(sys.executable).with_name("weft")

# This process stays small: a child's peak memory counts what its parent had when it was made.
PREPARE = """
import os, pathlib, sys, tarfile, asyncio
from weft.archive import ArchiveWriter
from weft.image import RuntimeConfig, pack
from weft.oci import Reference
from weft.store import Store
folder, size = pathlib.Path(sys.argv[1]), int(sys.argv[2])
module = b"\\0asm\\1\\0\\0\\0" + os.urandom(size - 8)
(folder / "filter.wasm").write_bytes(module)
image = pack(module, RuntimeConfig())
Store(folder / "store").put(Reference.parse("bench.example.com/f:v1"), image)
async def bundle():
    with ArchiveWriter(folder / "f.tar") as archive:
        for blob in image.manifest.blobs:
            async def source():
                yield image.blob(blob)
            await archive.put_blob(blob, source)
        await archive.put_manifest(image.manifest, "v1")
asyncio.run(bundle())
with tarfile.open(folder / "f.tar") as tar:
    tar.extractall(folder / "layout", filter="data")
print(image.manifest.layers[-1].digest)
"""
LIBRARY_WEFT = """
import asyncio, sys, time, tempfile, pathlib
from weft.net import Http, Network
from weft.oci import Reference
from weft.registry import Registries
from weft.store import Store
from weft.workflows.images.pull import pull
from weft.workflows.images.push import push
async def main(host):
    name = Reference.parse("bench.example.com/f:v1")
    async with Http(Network()) as http:
        registries = Registries(http, plain={host})
        for line in sys.stdin:
            folder, digest = line.split()
            target = Reference.parse(f"{host}/weft/f{digest[7:]}:v1")
            start = time.perf_counter()
            await push(Store(pathlib.Path(folder, "store")), registries, name, target=target)
            middle = time.perf_counter()
            await pull(here, registries, target)
            print(middle - start, time.perf_counter() - middle, flush=True)
with tempfile.TemporaryDirectory() as home:
    here = Store(pathlib.Path(home))
    asyncio.run(main(sys.argv[1]))
"""
LIBRARY_ORAS = """
import sys, tempfile, time, logging
import oras.client
logging.disable()
host = sys.argv[1]
client = oras.client.OrasClient(hostname=host, insecure=True)
for line in sys.stdin:
    folder, digest = line.split()
    target = f"{host}/oras/f{digest[7:]}:v1"
    start = time.perf_counter()
    client.push(target=target, files=[folder + "/filter.wasm:a/b"], disable_path_validation=True, quiet=True)
    middle = time.perf_counter()
    with tempfile.TemporaryDirectory() as out:
        begin = time.perf_counter()
        client.pull(target=target, outdir=out)
        print(middle - start, time.perf_counter() - begin, flush=True)
"""
COMMAND_ORAS = """
import sys
import oras.client
verb, host, name, path = sys.argv[1:]
client = oras.client.OrasClient(hostname=host, insecure=True)
said = {"files": [path + ":a/b"], "disable_path_validation": True} if verb == "push" else {"outdir": path}
getattr(client, verb)(target=host + "/" + name + ":v1", **said)
"""
CURL = """
place=$(curl -sf -D - -o /dev/null -w '%{time_total}' -X POST "http://$1/v2/$2/blobs/uploads/")
url=$(printf '%s' "$place" | tr -d '\\r' | sed -n 's/^[Ll]ocation: //p')
kind='Content-Type: application/octet-stream'
put=$(curl -sf -o /dev/null -w '%{time_total}' -T "$3" -H "$kind" "$url&digest=$4")
get=$(curl -sf -o "$5" -w '%{time_total}' "http://$1/v2/$2/blobs/$4")
echo "$(printf '%s' "$place" | tail -n 1) $put $get"
"""


@dataclass
class Times:
    """Seconds of each round; of processes also the CPU they used, and the largest peak of memory in MB."""

    push: list[float] = field(default_factory=list)
    pull: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    memory: float = 0.0


@dataclass(frozen=True)
class Subject:
    """What is pushed: ``filter.wasm``, the same as an image in ``store`` and in ``layout``; its digest."""

    folder: Path
    digest: str
    repository: str
    pulled: Path
    """The store that weft pulls into."""


Contender = Callable[[str, Subject, Times], None]


def main(rounds: int) -> None:
    """Measure on every registry that is here; weft's own code is compiled, as an installation has it."""
    compileall.compile_dir(Path(__file__).parents[1] / "src", quiet=1)
    for kind in ("docker-registry", "distribution"):
        if why := missing_parts([kind]):
            print(f"left out {kind}: {why}")
            continue
        for name, size in SIZES.items():
            with tempfile.TemporaryDirectory() as folder, running(kind, Path(folder, "registry")) as host:
                print(f"\n{kind}, {name}: commands ({rounds} rounds, median seconds; peak memory, mean CPU)")
                show(size, commands(host, size, rounds))
                print(f"{kind}, {name}: libraries (median seconds)")
                show(size, libraries(host, size, rounds))


def commands(host: str, size: int, rounds: int) -> dict[str, Times]:
    """Whole processes, after a round that does not count; weft pulls into one store all the time."""
    here: dict[str, Contender] = {"weft": weft, "oras-py": oras}
    if shutil.which("skopeo"):
        here["skopeo"] = skopeo
    found = {name: Times() for name in here}
    with scratch() as store:
        for number in range(rounds + 1):
            with prepared(size, store) as subject:
                for name in rotated(here, number):
                    here[name](host, subject, found[name] if number else Times())
    return found


def libraries(host: str, size: int, rounds: int) -> dict[str, Times]:
    """One interpreter each, fed with rounds in turn; the first does not count."""
    found = {"weft": Times(), "oras-py": Times()} | ({"curl": Times()} if shutil.which("curl") else {})
    with (
        scratch() as store,
        talking([sys.executable, "-c", LIBRARY_WEFT, host]) as ours,
        talking([str(oras_python()), "-c", LIBRARY_ORAS, host]) as theirs,
    ):
        loops: dict[str, Callable[[str], str]] = {"weft": ours, "oras-py": theirs}
        loops["curl"] = partial(requests_of_curl, host)
        for number in range(rounds + 1):
            with prepared(size, store) as subject:
                for name in rotated(found, number):
                    push, pull = loops[name](f"{subject.folder} {subject.digest}").split()
                    if number:
                        found[name].push.append(float(push))
                        found[name].pull.append(float(pull))
    return found


def weft(host: str, subject: Subject, times: Times) -> None:
    """``weft push`` and ``weft pull``."""
    target = f"{host}/weft/{subject.repository}:v1"
    store = subject.folder / "store"
    words = ("bench.example.com/f:v1", "--as", target, "--plain-http", "--store")
    times.push.append(run([WEFT, "push", *words, store], times))
    times.pull.append(run([WEFT, "pull", target, "--store", subject.pulled, "--plain-http"], times))


def oras(host: str, subject: Subject, times: Times) -> None:
    """A script that calls oras-py, and no more."""
    words: list[str | Path] = [oras_python(), "-c", COMMAND_ORAS]
    name = f"oras-command/{subject.repository}"
    times.push.append(run([*words, "push", host, name, f"{subject.folder}/filter.wasm"], times))
    with scratch() as folder:
        times.pull.append(run([*words, "pull", host, name, folder], times))


def skopeo(host: str, subject: Subject, times: Times) -> None:
    """``skopeo copy`` from a layout in a folder and back into one."""
    words = ["skopeo", "copy", "-q", "--insecure-policy"]
    there = f"docker://{host}/skopeo/{subject.repository}:v1"
    layout = f"oci:{subject.folder}/layout:v1"
    times.push.append(run([*words, "--dest-tls-verify=false", layout, there], times))
    with scratch() as folder:
        times.pull.append(run([*words, "--src-tls-verify=false", there, f"oci:{folder}:v1"], times))


def requests_of_curl(host: str, line: str) -> str:
    """Seconds of the requests for the one blob alone, up and down, as curl counts them."""
    folder, digest = line.split()
    with scratch() as out:
        file = f"{folder}/filter.wasm"
        words = ["sh", "-c", CURL, "-", host, f"curl/f{digest[7:]}", file, digest, str(out / "blob")]
        done = subprocess.run(words, check=True, capture_output=True, text=True)
    post, put, get = map(float, done.stdout.split())
    return f"{post + put} {get}"


@contextmanager
def prepared(size: int, store: Path) -> Iterator[Subject]:
    """A module that no registry has seen."""
    with scratch() as folder:
        made = [sys.executable, "-c", PREPARE, str(folder), str(size)]
        digest = subprocess.run(made, check=True, capture_output=True, text=True).stdout.strip()
        yield Subject(folder, digest, uuid.uuid4().hex, store)


def run(command: list[str | Path], times: Times) -> float:
    """Seconds of a process; its CPU time and peak memory go into ``times``."""
    words = [str(word) for word in command]
    start = time.perf_counter()
    with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        complaint = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command[0]} failed:\n{complaint.decode()}")
    times.memory = max(times.memory, usage.ru_maxrss / 1024)
    times.cpu.append(usage.ru_utime + usage.ru_stime)
    return seconds


@contextmanager
def talking(command: list[str]) -> Iterator[Callable[[str], str]]:
    """A process that answers each line with a line."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask(line: str) -> str:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(f"{line}\n")
            process.stdin.flush()
            return process.stdout.readline()

        yield ask


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that goes away; neither is measured."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def oras_python() -> Path:
    """An interpreter with oras-py, made once."""
    home = Places.from_env(os.environ).cache / "bench" / ORAS.replace("==", "-")
    python = home / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", home], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", ORAS], check=True)
    return python


def rotated(names: Iterable[str], by: int) -> list[str]:
    """The names, beginning somewhere else each time."""
    listed = list(names)
    by %= len(listed)
    return listed[by:] + listed[:by]


def show(size: int, found: dict[str, Times]) -> None:
    """A row per contender, and how weft compares."""
    ours = found["weft"]
    for name, times in found.items():
        push, pull = statistics.median(times.push), statistics.median(times.pull)
        rates = f"{size / push / 1e6:5.0f} {size / pull / 1e6:5.0f} MB/s"
        row = f"  {name:8} push {push:6.3f} pull {pull:6.3f}  {rates}"
        used = f" {times.memory:4.0f} MB, {statistics.mean(times.cpu):.2f} s CPU" if times.cpu else ""
        ratios = (
            f"   weft: {push / statistics.median(ours.push):.2f} times its speed up, "
            f"{pull / statistics.median(ours.pull):.2f} down"
        )
        print(row + used + (ratios if name != "weft" else ""))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 9)
