"""WASI as far as Envoy serves it: output goes to the log, there are clocks, chance and an environment.

There are no files, no sockets and no arguments; what asks for them gets the answer Envoy gives, which
differs from function to function. Errors are WASI's errno.
https://github.com/WebAssembly/WASI/blob/wasi-0.1/preview1/docs.md
"""

import struct
from collections.abc import Callable
from contextlib import suppress

from weft.testhost.abi import decode, encode
from weft.testhost.engine import BadAddress
from weft.testhost.vm import Vm

__all__ = ["FAULT", "TABLE"]

_OK, _BADF, _NOTDIR, _INVAL, _NOENT, _NOSYS, _NOTSUP = 0, 8, 20, 28, 44, 52, 58
FAULT = 21
_IOVEC = struct.Struct("<II")
_OUTPUT_LEVELS = {1: 2, 2: 4}
"""Standard output is logged as info, standard error as error."""
_RIGHT_TO_WRITE = 64
_MOST_RANDOM = 65536
_REALTIME, _MONOTONIC = 0, 1


def _written(vm: Vm, fd: int, iovs: int, iovs_len: int, return_nwritten: int) -> int:
    level = _OUTPUT_LEVELS.get(fd)
    if level is None:
        return _BADF
    data = bytearray()
    for address, length in _IOVEC.iter_unpack(vm.read(iovs, _IOVEC.size * iovs_len)):
        if length:
            data += vm.read(address, length)
    if data:
        vm.world.log(level, decode(bytes(data).removesuffix(b"\n")), vm.context.prefix)
    vm.memory.write_u32(return_nwritten, len(data))
    return _OK


def fd_write(vm: Vm, fd: int, iovs: int, iovs_len: int, return_nwritten: int) -> int:
    """One line of the log from all parts, without its last line end."""
    return _written(vm, fd, iovs, iovs_len, return_nwritten)


def fd_pwrite(vm: Vm, fd: int, iovs: int, iovs_len: int, _offset: int, return_nwritten: int) -> int:
    """As ``fd_write``; the place does not matter."""
    return _written(vm, fd, iovs, iovs_len, return_nwritten)


def fd_fdstat_get(vm: Vm, fd: int, return_stat: int) -> int:
    """Standard output and error can be written to. Nowhere to say so is no error, in Envoy."""
    if fd not in _OUTPUT_LEVELS:
        return _BADF
    with suppress(BadAddress):
        vm.memory.write(return_stat, struct.pack("<QQQ", 0, _RIGHT_TO_WRITE, 0))
    return _OK


def environ_get(vm: Vm, environ: int, environ_buf: int) -> int:
    """The variables, each ``NAME=value`` and a NUL."""
    for name, value in vm.plugin.environment.items():
        entry = encode(f"{name}={value}") + b"\0"
        vm.memory.write_u32(environ, environ_buf)
        vm.memory.write(environ_buf, entry)
        environ, environ_buf = environ + 4, environ_buf + len(entry)
    return _OK


def environ_sizes_get(vm: Vm, return_count: int, return_buf_size: int) -> int:
    """How many variables, and how many bytes they need."""
    variables = vm.plugin.environment.items()
    vm.memory.write_u32(return_count, len(variables))
    vm.memory.write_u32(
        return_buf_size, sum(len(encode(name)) + len(encode(value)) + 2 for name, value in variables)
    )
    return _OK


def args_sizes_get(vm: Vm, return_argc: int, return_argv_buf_size: int) -> int:
    """No arguments."""
    vm.memory.write_u32(return_argc, 0)
    vm.memory.write_u32(return_argv_buf_size, 0)
    return _OK


def clock_time_get(vm: Vm, id_: int, _precision: int, return_time: int) -> int:
    """The world's clock."""
    if id_ not in {_REALTIME, _MONOTONIC}:
        return _NOTSUP
    clock = vm.world.clock
    vm.memory.write_u64(return_time, clock.now if id_ == _REALTIME else clock.monotonic)
    return _OK


def clock_res_get(vm: Vm, id_: int, return_resolution: int) -> int:
    """One nanosecond."""
    if id_ not in {_REALTIME, _MONOTONIC}:
        return _NOTSUP
    vm.memory.write_u64(return_resolution, 1)
    return _OK


def random_get(vm: Vm, buf: int, buf_len: int) -> int:
    """Chance that is the same in every run."""
    if buf_len > _MOST_RANDOM:
        return _INVAL
    if buf_len:
        vm.memory.write(buf, vm.world.chance.randbytes(buf_len))
    return _OK


def poll_oneoff(vm: Vm, _in: int, _out: int, _nsubscriptions: int, return_nevents: int) -> int:
    """Nothing ever happens, at once."""
    vm.memory.write_u32(return_nevents, 0)
    return _OK


def fd_tell(vm: Vm, fd: int, return_offset: int) -> int:
    """Always the start."""
    if fd not in _OUTPUT_LEVELS:
        return _BADF
    vm.memory.write_u64(return_offset, 0)
    return _OK


def fd_readdir(vm: Vm, _fd: int, _buf: int, _buf_len: int, _cookie: int, return_bufused: int) -> int:
    """No folder."""
    vm.memory.write_u32(return_bufused, 0)
    return _NOTDIR


def fd_renumber(_vm: Vm, fd: int, to: int) -> int:
    """Not for standard output and error, and there is nothing else."""
    return _NOTSUP if fd in _OUTPUT_LEVELS and to in _OUTPUT_LEVELS else _BADF


def path_readlink(
    vm: Vm, _fd: int, _path: int, _path_len: int, _buf: int, _buf_len: int, return_bufused: int
) -> int:
    """No links."""
    vm.memory.write_u32(return_bufused, 0)
    return _NOTSUP


def sock_accept(vm: Vm, _fd: int, _flags: int, return_fd: int) -> int:
    """No sockets."""
    vm.memory.write_u64(return_fd, 0)
    return _NOTSUP


def sock_recv(
    vm: Vm, _fd: int, _data: int, _data_len: int, _flags: int, return_datalen: int, return_flags: int
) -> int:
    """No sockets."""
    vm.memory.write_u32(return_datalen, 0)
    vm.memory.write(return_flags, b"\0\0")
    return _NOTSUP


def sock_send(vm: Vm, _fd: int, _data: int, _data_len: int, _flags: int, return_datalen: int) -> int:
    """No sockets."""
    vm.memory.write_u32(return_datalen, 0)
    return _NOTSUP


def proc_exit(_vm: Vm, _code: int) -> None:
    """Envoy lets the module run on, which mostly ends in a trap."""


def _always(answer: int) -> Callable[..., int]:
    def body(_vm: Vm, *_arguments: int) -> int:
        return answer

    return body


def _for_output(_vm: Vm, fd: int, *_arguments: int) -> int:
    """Nothing to do for standard output and error; nothing else is open."""
    return _OK if fd in _OUTPUT_LEVELS else _BADF


TABLE: dict[str, Callable[..., int | None]] = {
    "fd_write": fd_write,
    "fd_pwrite": fd_pwrite,
    "fd_fdstat_get": fd_fdstat_get,
    "environ_get": environ_get,
    "environ_sizes_get": environ_sizes_get,
    "args_get": _always(_OK),
    "args_sizes_get": args_sizes_get,
    "clock_time_get": clock_time_get,
    "clock_res_get": clock_res_get,
    "random_get": random_get,
    "poll_oneoff": poll_oneoff,
    "sched_yield": _always(_OK),
    "proc_exit": proc_exit,
    "fd_tell": fd_tell,
    "fd_readdir": fd_readdir,
    "fd_renumber": fd_renumber,
    "path_readlink": path_readlink,
    "sock_accept": sock_accept,
    "sock_recv": sock_recv,
    "sock_send": sock_send,
    "fd_advise": _always(_OK),
    "fd_close": _always(_OK),
    "fd_seek": _always(_OK),
    "fd_allocate": _for_output,
    "fd_datasync": _for_output,
    "fd_fdstat_set_rights": _for_output,
    "fd_filestat_set_size": _for_output,
    "fd_filestat_set_times": _for_output,
    "fd_sync": _for_output,
    "fd_fdstat_set_flags": _always(_NOSYS),
    "fd_pread": _always(_NOSYS),
    "fd_prestat_dir_name": _always(_NOSYS),
    "fd_read": _always(_NOSYS),
    "fd_filestat_get": _always(_BADF),
    "fd_prestat_get": _always(_BADF),
    "path_open": _always(_NOENT),
    "path_create_directory": _always(_NOTSUP),
    "path_filestat_get": _always(_NOTSUP),
    "path_filestat_set_times": _always(_NOTSUP),
    "path_link": _always(_NOTSUP),
    "path_remove_directory": _always(_NOTSUP),
    "path_rename": _always(_NOTSUP),
    "path_symlink": _always(_NOTSUP),
    "path_unlink_file": _always(_NOTSUP),
    "sock_shutdown": _always(_NOTSUP),
}
