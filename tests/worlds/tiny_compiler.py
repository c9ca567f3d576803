"""A language small enough to see through: one compiler step, by a script that plays ``zig``.

What the source begins with decides what the compiler does; see ``TINY_COMPILER``.
"""

from pathlib import Path

from weft.toolchains import Job
from worlds.programs import program

__all__ = ["TINY_COMPILER", "Tiny", "tiny_compiler", "tiny_project"]

# A module made of its source: a header and a custom section "s" with the source's checksum.
TINY_COMPILER = r"""
    test "$1" = version && { echo 0.17.0; exit; }
    folder=$(dirname "$2")
    case $(head -c 4 "$2") in
    erro) echo "filter.cc:1:1: error: what is this?" >&2; echo "  1 | <error>" >&2; exit 1;;
    junk) echo junk > "$3";;
    none) ;;
    slow) touch "$folder/../started"; while ! test -e "$folder/../go"; do sleep 0.02; done;;
    warn) echo "filter.cc:2:1: warning: hm";;
    esac
    test -e "$3" -o "$(head -c 4 "$2")" = none && exit
    printf '\0asm\1\0\0\0\0\014\001s%010d' "$(cksum < "$2" | cut -d' ' -f1)" > "$3"
"""


class Tiny:
    """The ``Language``; it answers to the name of a real one, since projects know no other."""

    name = "cpp"
    tools = ("zig",)

    async def build(self, job: Job) -> None:
        """One step."""
        zig = job.tools["zig"]
        (job.scratch / "made.o").touch()
        (job.cache / "kept.o").touch()
        await job.execute([zig, "compile", job.source / "filter.cc", job.output], cwd=job.scratch)


def tiny_compiler(folder: Path) -> Path:
    """Put the compiler into ``folder``, for PATH."""
    return program(folder, "zig", TINY_COMPILER).parent


def tiny_project(folder: Path, source: str = "fine") -> Path:
    """A project in the tiny language."""
    folder.mkdir(parents=True)
    (folder / "weft.toml").write_text(f'[filter]\nname = "{folder.name}"\nlanguage = "cpp"\n')
    (folder / "filter.cc").write_text(source)
    return folder
