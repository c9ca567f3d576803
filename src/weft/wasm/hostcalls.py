"""What Envoy offers to a module: one row a host function.

Measured on the Envoy named here, row by row (tests/real/test_loadability_against_envoy.py does it again): a
module that imports every row of an ABI version loads, one that imports anything else does not. Being served
says that a module links, not that the function does something: most WASI functions answer "not supported".

Parameters are named as the proxy-wasm and WASI specifications name them; they are i32 unless marked.
"""

from dataclasses import dataclass

from weft.wasm.signatures import FuncType

__all__ = ["ABI_VERSIONS", "ENVOY_VERSION", "HOST_FUNCTIONS", "WASI_MODULES", "HostFunction", "served"]

ENVOY_VERSION = "1.40.0"
ABI_VERSIONS = ("0.1.0", "0.2.0", "0.2.1")
WASI_MODULES = ("wasi_unstable", "wasi_snapshot_preview1")


@dataclass(frozen=True, slots=True)
class HostFunction:
    """One function a module may import."""

    module: str
    name: str
    params: tuple[str, ...]
    signature: FuncType
    abis: tuple[str, ...] = ABI_VERSIONS
    """The ABI versions under which Envoy has it."""


def _row(
    module: str, name: str, params: str, *, result: bool = True, abis: tuple[str, ...] = ABI_VERSIONS
) -> HostFunction:
    """A row from ``"fd offset:i64 whence"``."""
    words = [word.partition(":") for word in params.split()]
    types = tuple(kind or "i32" for _, _, kind in words)
    signature = FuncType(types, ("i32",) if result else ())
    return HostFunction(module, name, tuple(word for word, *_ in words), signature, abis)


_PROXY = """
log: level message message_size
get_status: return_code return_message return_message_size
set_tick_period_milliseconds: period
get_current_time_nanoseconds: return_time
get_property: path path_size return_value return_value_size
set_property: path path_size value value_size
send_local_response: status details details_size body body_size headers headers_size grpc_status
get_shared_data: key key_size return_value return_value_size return_cas
set_shared_data: key key_size value value_size cas
register_shared_queue: name name_size return_queue
resolve_shared_queue: vm_id vm_id_size name name_size return_queue
dequeue_shared_queue: queue return_data return_data_size
enqueue_shared_queue: queue data data_size
get_header_map_value: map key key_size return_value return_value_size
add_header_map_value: map key key_size value value_size
replace_header_map_value: map key key_size value value_size
remove_header_map_value: map key key_size
get_header_map_pairs: map return_pairs return_pairs_size
set_header_map_pairs: map pairs pairs_size
get_header_map_size: map return_size
get_buffer_status: buffer return_length return_flags
get_buffer_bytes: buffer offset size return_data return_data_size
set_buffer_bytes: buffer offset size data data_size
http_call: cluster cluster_size headers headers_size body body_size trailers trailers_size timeout return_call
grpc_call: service service_size name name_size method method_size metadata metadata_size message \
message_size timeout return_call
grpc_stream: service service_size name name_size method method_size metadata metadata_size return_call
grpc_cancel: call
grpc_close: call
grpc_send: call message message_size end_of_stream
define_metric: type name name_size return_metric
increment_metric: metric offset:i64
record_metric: metric value:i64
get_metric: metric return_value
set_effective_context: context
done:
call_foreign_function: name name_size argument argument_size return_result return_result_size
"""
_PROXY_BY_ABI = (
    ("get_configuration", "return_configuration return_configuration_size", ("0.1.0",)),
    ("continue_request", "", ("0.1.0",)),
    ("continue_response", "", ("0.1.0",)),
    ("clear_route_cache", "", ("0.1.0",)),
    ("continue_stream", "stream_type", ("0.2.0", "0.2.1")),
    ("close_stream", "stream_type", ("0.2.0", "0.2.1")),
    ("get_log_level", "return_level", ("0.2.1",)),
)
# path_link and path_symlink are as Envoy has them: each lacks its last parameter, the new path's length, so
# a module that follows the WASI specification cannot import them. proc_raise does not exist at all.
_WASI = """
args_get: argv argv_buf
args_sizes_get: return_argc return_argv_buf_size
environ_get: environ environ_buf
environ_sizes_get: return_count return_buf_size
clock_res_get: id return_resolution
clock_time_get: id precision:i64 return_time
fd_advise: fd offset:i64 len:i64 advice
fd_allocate: fd offset:i64 len:i64
fd_close: fd
fd_datasync: fd
fd_fdstat_get: fd return_stat
fd_fdstat_set_flags: fd flags
fd_fdstat_set_rights: fd rights_base:i64 rights_inheriting:i64
fd_filestat_get: fd return_stat
fd_filestat_set_size: fd size:i64
fd_filestat_set_times: fd atim:i64 mtim:i64 flags
fd_pread: fd iovs iovs_len offset:i64 return_nread
fd_prestat_get: fd return_prestat
fd_prestat_dir_name: fd path path_len
fd_pwrite: fd iovs iovs_len offset:i64 return_nwritten
fd_read: fd iovs iovs_len return_nread
fd_readdir: fd buf buf_len cookie:i64 return_bufused
fd_renumber: fd to
fd_seek: fd offset:i64 whence return_offset
fd_sync: fd
fd_tell: fd return_offset
fd_write: fd iovs iovs_len return_nwritten
path_create_directory: fd path path_len
path_filestat_get: fd flags path path_len return_stat
path_filestat_set_times: fd flags path path_len atim:i64 mtim:i64 fst_flags
path_link: old_fd old_flags old_path old_path_len new_fd new_path
path_open: fd dirflags path path_len oflags rights_base:i64 rights_inheriting:i64 fdflags return_fd
path_readlink: fd path path_len buf buf_len return_bufused
path_remove_directory: fd path path_len
path_rename: fd old_path old_path_len new_fd new_path new_path_len
path_symlink: old_path old_path_len fd new_path
path_unlink_file: fd path path_len
poll_oneoff: in out nsubscriptions return_nevents
sched_yield:
random_get: buf buf_len
sock_accept: fd flags return_fd
sock_recv: fd ri_data ri_data_len ri_flags return_ro_datalen return_ro_flags
sock_send: fd si_data si_data_len si_flags return_so_datalen
sock_shutdown: fd how
"""


def _rows(module: str, prefix: str, table: str) -> list[HostFunction]:
    pairs = (line.split(":", 1) for line in table.strip().splitlines())
    return [_row(module, prefix + name, params) for name, params in pairs]


HOST_FUNCTIONS: tuple[HostFunction, ...] = (
    *_rows("env", "proxy_", _PROXY),
    *(_row("env", f"proxy_{name}", params, abis=abis) for name, params, abis in _PROXY_BY_ABI),
    _row("env", "pthread_equal", "left right"),
    _row("env", "emscripten_notify_memory_growth", "memory", result=False),
    *(
        row
        for module in WASI_MODULES
        for row in (*_rows(module, "", _WASI), _row(module, "proc_exit", "code", result=False))
    ),
)
_BY_NAME = {(row.module, row.name): row for row in HOST_FUNCTIONS}


def served(module: str, name: str) -> HostFunction | None:
    """The row of ``module.name``; its ``abis`` say under which versions Envoy has it."""
    return _BY_NAME.get((module, name))
