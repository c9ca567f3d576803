"""The script that gives Rust a target, where there is nothing to fetch; fetching is for `make parts`."""

import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from worlds.programs import SYSTEM_PATH, program

SCRIPT = Path(__file__).parents[3] / "scripts" / "rust-wasm-target"


@dataclass
class Machine:
    """A PATH and a WEFT_HOME of their own."""

    root: Path

    def install(self, folder: str, target: str) -> None:
        """A Rust with the standard library of ``target``."""
        sysroot = self.root / f"sysroot-{target}"
        library = sysroot / "lib/rustlib" / target / "lib"
        library.mkdir(parents=True)
        (library / "libstd-0123.rlib").touch()
        program(self.root / folder, "cargo", "exit 0")
        program(self.root / folder, "rustc", f'[ "$*" = "--print sysroot" ] && echo {sysroot}')

    def run(self) -> tuple[int, str]:
        """Exit code, and what the script said."""
        env = {"PATH": f"{self.root}/bin:{SYSTEM_PATH}", "WEFT_HOME": str(self.root)}
        done = subprocess.run([SCRIPT], env=env, capture_output=True, text=True, timeout=60, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.mark.parametrize("target", ["wasm32-wasip1", "wasm32-unknown-unknown"])
def test_a_rust_on_path_that_has_a_target_is_enough(machine: Machine, target: str) -> None:
    machine.install("bin", target)
    assert machine.run() == (0, f"rust: {machine.root}/bin/rustc has a WebAssembly target\n")
    assert not (machine.root / "tools").exists()


def test_what_was_fetched_before_is_enough(machine: Machine) -> None:
    machine.install("bin", "x86_64-unknown-linux-gnu")
    machine.install("tools/rust/debian/bin", "wasm32-wasip1")
    assert machine.run() == (0, f"rust: {machine.root}/tools/rust/debian has a WebAssembly target\n")


def test_without_debians_packages_it_says_what_to_do(machine: Machine) -> None:
    program(machine.root / "bin", "apt-cache", "exit 100")
    program(machine.root / "bin", "apt-get", "exit 100")
    code, said = machine.run()
    assert code == 1
    assert "rust: with rustup this does it: rustup target add wasm32-wasip1\n" in said
    assert [path.name for path in (machine.root / "tools" / "rust").iterdir()] == []


def test_a_rust_that_is_too_old_is_not_fetched(machine: Machine) -> None:
    program(machine.root / "bin", "apt-cache", "echo 'rust-web-src | 1.84.1+dfsg1-1 | http://d bookworm'")
    program(machine.root / "bin", "apt-get", "exit 0")
    code, said = machine.run()
    assert code == 1
    assert said.splitlines() == [
        "rust: Debian's rust-web-src is 1.84.1; filters need 1.85",
        "rust: with rustup this does it: rustup target add wasm32-wasip1",
    ]
