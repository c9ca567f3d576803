"""Calls of every host function there is, first as it should be, then with every number of it a lie.

The list is made from the host's own table: a new function must get a row in ``RIGHT``, and has its lies at
once. What the numbers mean is said by the names of the parameters, as the specifications write them.
"""

from collections.abc import Collection, Iterator, Sequence

from modules.guests import HEAP, TEXT
from weft.testhost.abi import encode_pairs
from weft.wasm import HOST_FUNCTIONS

__all__ = ["DATA", "LIES", "RIGHT", "Call", "all_calls", "lying", "names"]

Call = tuple[str, Sequence[int]]

REQUEST = encode_pairs([(":method", "GET"), (":path", "/"), (":authority", "t")])
_IOVS, _PAIRS = 2048, 2560
_A, _B, _C = 64, 72, 80
DATA = (
    (TEXT, b"abc"),
    (_IOVS, TEXT.to_bytes(4, "little") + (3).to_bytes(4, "little")),
    (_PAIRS, REQUEST),
)
"""What lies in the memory of a guest that makes these calls."""

LIES = (0xFFFFFFFF, 0xFFFFFFF0, 0x80000000, 0x7FFFFFFF, 65537, 65536, 65535)
"""Around the end of a memory of one page, and around the ends of all numbers."""

_ABC, _REQUEST = (TEXT, 3), (_PAIRS, len(REQUEST))
RIGHT: dict[str, Sequence[int]] = {
    "proxy_log": (2, *_ABC),
    "proxy_get_status": (_A, _B, _C),
    "proxy_set_tick_period_milliseconds": (0,),
    "proxy_get_current_time_nanoseconds": (_A,),
    "proxy_get_property": (*_ABC, _A, _B),
    "proxy_set_property": (*_ABC, *_ABC),
    "proxy_send_local_response": (403, *_ABC, *_ABC, 0, 0, 0xFFFFFFFF),
    "proxy_get_shared_data": (*_ABC, _A, _B, _C),
    "proxy_set_shared_data": (*_ABC, *_ABC, 0),
    "proxy_register_shared_queue": (*_ABC, _A),
    "proxy_resolve_shared_queue": (0, 0, *_ABC, _A),
    "proxy_dequeue_shared_queue": (1, _A, _B),
    "proxy_enqueue_shared_queue": (1, *_ABC),
    "proxy_get_header_map_value": (0, *_ABC, _A, _B),
    "proxy_add_header_map_value": (0, *_ABC, *_ABC),
    "proxy_replace_header_map_value": (0, *_ABC, *_ABC),
    "proxy_remove_header_map_value": (0, TEXT, 2),
    "proxy_get_header_map_pairs": (0, _A, _B),
    "proxy_set_header_map_pairs": (0, *_REQUEST),
    "proxy_get_header_map_size": (0, _A),
    "proxy_get_buffer_status": (0, _A, _B),
    "proxy_get_buffer_bytes": (0, 0, 9, _A, _B),
    "proxy_set_buffer_bytes": (0, 0, 0, *_ABC),
    "proxy_http_call": (*_ABC, *_REQUEST, *_ABC, 0, 0, 1000, _A),
    "proxy_grpc_call": (*_ABC, *_ABC, *_ABC, 0, 0, *_ABC, 1000, _A),
    "proxy_grpc_stream": (*_ABC, *_ABC, *_ABC, 0, 0, _A),
    "proxy_grpc_cancel": (6,),
    "proxy_grpc_close": (6,),
    "proxy_grpc_send": (6, *_ABC, 0),
    "proxy_define_metric": (0, *_ABC, _A),
    "proxy_increment_metric": (4, 1),
    "proxy_record_metric": (4, 1),
    "proxy_get_metric": (4, _A),
    "proxy_set_effective_context": (2,),
    "proxy_done": (),
    "proxy_call_foreign_function": (*_ABC, *_ABC, _A, _B),
    "proxy_get_configuration": (_A, _B),
    "proxy_continue_request": (),
    "proxy_continue_response": (),
    "proxy_clear_route_cache": (),
    "proxy_continue_stream": (0,),
    "proxy_close_stream": (0,),
    "proxy_get_log_level": (_A,),
    "pthread_equal": (1, 1),
    "emscripten_notify_memory_growth": (0,),
    "args_get": (_A, _B),
    "args_sizes_get": (_A, _B),
    "environ_get": (_A, HEAP),
    "environ_sizes_get": (_A, _B),
    "clock_res_get": (0, _A),
    "clock_time_get": (0, 0, _A),
    "fd_advise": (1, 0, 0, 0),
    "fd_allocate": (1, 0, 0),
    "fd_close": (1,),
    "fd_datasync": (1,),
    "fd_fdstat_get": (1, _A),
    "fd_fdstat_set_flags": (1, 0),
    "fd_fdstat_set_rights": (1, 0, 0),
    "fd_filestat_get": (1, _A),
    "fd_filestat_set_size": (1, 0),
    "fd_filestat_set_times": (1, 0, 0, 0),
    "fd_pread": (1, _IOVS, 1, 0, _A),
    "fd_prestat_get": (1, _A),
    "fd_prestat_dir_name": (1, *_ABC),
    "fd_pwrite": (1, _IOVS, 1, 0, _A),
    "fd_read": (1, _IOVS, 1, _A),
    "fd_readdir": (1, HEAP, 9, 0, _A),
    "fd_renumber": (1, 2),
    "fd_seek": (1, 0, 0, _A),
    "fd_sync": (1,),
    "fd_tell": (1, _A),
    "fd_write": (1, _IOVS, 1, _A),
    "path_create_directory": (3, *_ABC),
    "path_filestat_get": (3, 0, *_ABC, HEAP),
    "path_filestat_set_times": (3, 0, *_ABC, 0, 0, 0),
    "path_link": (3, 0, *_ABC, 3, TEXT),
    "path_open": (3, 0, *_ABC, 0, 0, 0, 0, _A),
    "path_readlink": (3, *_ABC, HEAP, 9, _A),
    "path_remove_directory": (3, *_ABC),
    "path_rename": (3, *_ABC, 3, *_ABC),
    "path_symlink": (*_ABC, 3, TEXT),
    "path_unlink_file": (3, *_ABC),
    "poll_oneoff": (0, HEAP, 0, _A),
    "proc_exit": (1,),
    "sched_yield": (),
    "random_get": (HEAP, 9),
    "sock_accept": (1, 0, _A),
    "sock_recv": (1, _IOVS, 1, 0, _A, _B),
    "sock_send": (1, _IOVS, 1, 0, _A),
    "sock_shutdown": (1, 0),
}
"""Every host function with numbers that it can work with."""


def names(abi: str) -> list[str]:
    """The functions of an ABI version, each once."""
    return list(dict.fromkeys(row.name for row in HOST_FUNCTIONS if abi in row.abis))


def lying(name: str) -> Iterator[Call]:
    """One function with one number wrong at a time."""
    right = RIGHT[name]
    for index in range(len(right)):
        for lie in LIES:
            yield name, (*right[:index], lie, *right[index + 1 :])


def all_calls(abi: str, *, without: Collection[str] = ()) -> list[Call]:
    """Every function of an ABI version, first right, then with its lies."""
    told = [name for name in names(abi) if name not in without]
    return [call for name in told for call in ((name, RIGHT[name]), *lying(name))]
