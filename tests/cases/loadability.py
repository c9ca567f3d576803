"""Modules with one thing right or wrong about them, what weft says of each, and what Envoy does.

Shared by the unit tests (does weft say this?) and the real ones (does Envoy do this?).
"""

from cases.modules import (
    Case,
    bad_signature,
    exporting,
    filter_with,
    mismatched,
    misshapen,
    missing,
    raw_imports,
    refused,
)
from modules.wasm_encoder import body as code
from modules.wasm_encoder import custom, limits, name, proxy_module, section, u, vec
from weft.wasm import Effect

__all__ = ["CASES", "Case"]

REFUSED, CRASHES, WARNING = Effect.REFUSED, Effect.CRASHES, Effect.WARNING
NO_INSTANCE = "Failed to create new Wasm instance"
NO_BYTECODE = "Failed to load Wasm bytecode"
UNKNOWN_ABI = "Missing or unknown Proxy-Wasm ABI version"
CORRUPTED = "Failed to parse corrupted Wasm module"
NO_MALLOC = "Wasm module is missing malloc function."

GOOD = (
    Case("the smallest filter", filter_with()),
    Case("0.1.0", filter_with(abi="0_1_0")),
    Case("0.2.0", filter_with(abi="0_2_0")),
    Case("proxy_on_memory_allocate", filter_with(allocator="proxy_on_memory_allocate")),
    Case(
        "malloc beside a wrong proxy_on_memory_allocate",
        filter_with(exports={"proxy_on_memory_allocate": "i64 -> i32"}),
    ),
    Case(
        "ABI marker of an odd type", filter_with(abi=None, exports={"proxy_abi_version_0_2_1": "i32 -> i64"})
    ),
    Case("main of any type without _initialize", filter_with(exports={"main": "f32 -> f32"})),
    Case(
        "_start of any type beside _initialize",
        filter_with(exports={"_initialize": "void -> void", "_start": "f32 -> f32"}),
    ),
    Case(
        "a name Envoy knows and never calls",
        filter_with(exports={"proxy_on_grpc_create_initial_metadata": "f32 -> f32"}),
    ),
    Case(
        "foreign functions of any type under 0.1.0",
        filter_with(abi="0_1_0", exports={"proxy_on_foreign_function": "f32 -> f32"}),
    ),
    Case("1 GiB of memory", filter_with(memory=limits(16384))),
    Case("memory that may grow to 4 GiB", filter_with(memory=limits(1, 65536))),
    Case("shared memory", filter_with(memory=limits(1, 2, shared=True))),
    Case("memory64", filter_with(memory=limits(1, 262144, wide=True))),
    Case("no memory and no need of one", filter_with(memory=None)),
    Case(
        "imported memory of any name",
        filter_with(memory=None, **raw_imports(name("a") + name("b") + b"\2" + limits(16384))),
    ),
    Case("imported table", filter_with(**raw_imports(name("env") + name("t") + b"\1\x6f" + limits(1)))),
    Case("reference types at the border", filter_with(exports={"helper": "funcref externref -> funcref"})),
    Case(
        "references that are never null", exporting(types=b"\x60" + vec([b"\x64\x70", b"\x64\x6f"]) + vec([]))
    ),
    Case("odd types inside", exporting(types=b"\x60" + vec([b"\x7b", b"\x6e", b"\x69"]) + vec([]))),
    Case("a garbage collected type", exporting(types=b"\x60" + vec([b"\x63\x6b"]) + vec([]))),
    Case("a tag of its own", exporting(extra=section(13, vec([b"\0\0"])))),
    Case("an exported global", exporting(name("g") + b"\3\0", extra=section(6, vec([b"\x7f\0\x41\1\x0b"])))),
    Case("an exported table", exporting(name("t") + b"\1\0", before=section(4, vec([b"\x70" + limits(1)])))),
    Case(
        "names that point nowhere and are not text",
        filter_with(tail=custom("name", section(1, vec([u(77) + name(b"\xff")])))),
    ),
    Case("broken producers", filter_with(tail=custom("producers", b"\xff\xff"))),
)

BAD = (
    Case(
        "no ABI version",
        filter_with(abi=None),
        [("abi", REFUSED, "exports no proxy_abi_version_*")],
        [UNKNOWN_ABI],
    ),
    Case(
        "a future ABI version",
        filter_with(abi="0_3_0"),
        [("abi", REFUSED, "claims ABI 0.3.0, which Envoy does not know")],
        [UNKNOWN_ABI],
    ),
    Case(
        "two ABI versions",
        filter_with(
            abi=None,
            exports={"proxy_abi_version_0_1_0": "void -> void", "proxy_abi_version_0_2_1": "void -> void"},
        ),
        [("abi", WARNING, "claims ABI 0.1.0, 0.2.1; Envoy takes 0.1.0")],
    ),
    Case(
        "the first of two ABI versions decides",
        filter_with(
            abi=None,
            exports={
                "proxy_abi_version_0_1_0": "void -> void",
                "proxy_abi_version_0_2_1": "void -> void",
                "proxy_on_request_headers": "i32 i32 i32 -> i32",
            },
        ),
        [
            ("abi", WARNING, "claims ABI 0.1.0, 0.2.1; Envoy takes 0.1.0"),
            (
                "callbacks",
                REFUSED,
                "proxy_on_request_headers is i32 i32 i32 -> i32, Envoy wants i32 i32 -> i32",
            ),
        ],
        [bad_signature("proxy_on_request_headers", "i32 i32 -> i32", "i32 i32 i32 -> i32")],
    ),
    refused(
        "broken names",
        "names",
        "the name section is broken: byte 122 (0x7a): ends too early",
        CORRUPTED,
        tail=custom("name", b"\1"),
    ),
    refused(
        "an absurd count of names",
        "names",
        "the name section is broken: byte 123 (0x7b): 1000 function names cannot stand in the 0 bytes left",
        CORRUPTED,
        tail=custom("name", section(1, u(1000))),
    ),
    missing("a function of nobody's", "env.abort", "imports env.abort, which Envoy does not have"),
    missing(
        "proc_raise",
        "wasi_snapshot_preview1.proc_raise",
        "imports wasi_snapshot_preview1.proc_raise, which Envoy does not have",
        signature="i32 -> i32",
    ),
    missing(
        "a function of a later version",
        "env.proxy_get_log_level",
        "imports env.proxy_get_log_level, which Envoy has only for ABI 0.2.1; the module claims 0.2.0",
        abi="0_2_0",
        signature="i32 -> i32",
    ),
    missing(
        "a function of an earlier version",
        "env.proxy_clear_route_cache",
        "imports env.proxy_clear_route_cache, which Envoy has only for ABI 0.1.0; the module claims 0.2.1",
        signature="void -> i32",
    ),
    mismatched(
        "path_link as WASI has it",
        "wasi_snapshot_preview1.path_link",
        "i32 i32 i32 i32 i32 i32 i32 -> i32",
        "i32 i32 i32 i32 i32 i32 -> i32",
    ),
    mismatched(
        "path_symlink as WASI has it",
        "wasi_snapshot_preview1.path_symlink",
        "i32 i32 i32 i32 i32 -> i32",
        "i32 i32 i32 i32 -> i32",
    ),
    mismatched("a log of two words", "env.proxy_log", "i32 i32 -> i32", "i32 i32 i32 -> i32"),
    mismatched("a log that gives nothing", "env.proxy_log", "i32 i32 i32 -> void", "i32 i32 i32 -> i32"),
    mismatched(
        "a log with a reference", "env.proxy_log", "externref funcref -> i32 i64", "i32 i32 i32 -> i32"
    ),
    refused(
        "an imported global",
        "imports",
        "imports env.g, a global, and Envoy offers none",
        "Failed to load Wasm module due to a missing import: env.g",
        **raw_imports(name("env") + name("g") + b"\3\x7f\0"),
    ),
    refused(
        "two imported tables",
        "imports",
        "imports several tables; Envoy gives one",
        NO_INSTANCE,
        **raw_imports(*[name("env") + name(t) + b"\1\x70" + limits(1) for t in "ab"]),
    ),
    refused(
        "more than 1 GiB of memory",
        "memory",
        "starts with 16385 pages of memory; Envoy allows 16384 (1 GiB)",
        NO_INSTANCE,
        memory=limits(16385),
    ),
    refused(
        "more than 1 GiB of imported memory",
        "memory",
        "starts with 16385 pages of memory; Envoy allows 16384 (1 GiB)",
        "Failed to initialize Wasm code",
        memory=None,
        **raw_imports(name("env") + name("memory") + b"\2" + limits(16385)),
    ),
    refused(
        "memory64 beyond V8",
        "memory",
        "has a memory64 of more than 262144 pages (16 GiB)",
        NO_BYTECODE,
        memory=limits(1, 262145, wide=True),
    ),
    refused(
        "imported shared memory",
        "memory",
        "imports a shared or 64-bit memory; the one Envoy gives is neither",
        NO_INSTANCE,
        memory=None,
        **raw_imports(name("env") + name("memory") + b"\2" + limits(1, 2, shared=True)),
    ),
    refused(
        "imported memory64",
        "memory",
        "imports a shared or 64-bit memory; the one Envoy gives is neither",
        NO_INSTANCE,
        memory=None,
        **raw_imports(name("env") + name("memory") + b"\2" + limits(1, wide=True)),
    ),
    refused(
        "two imported memories",
        "memory",
        "imports several memories; Envoy gives one",
        NO_INSTANCE,
        memory=None,
        **raw_imports(*[name("env") + name(m) + b"\2" + limits(1) for m in "ab"]),
    ),
    misshapen("_start with a result", "_start", "void -> i32", "void -> void", rule="entry"),
    misshapen("_initialize with a result", "_initialize", "void -> i32", "void -> void", rule="entry"),
    Case(
        "_initialize with a result beside a wrong _start",
        filter_with(exports={"_initialize": "void -> i32", "_start": "i32 -> void", "main": "f32 -> f32"}),
        [
            ("entry", REFUSED, "_initialize is void -> i32, Envoy wants void -> void"),
            ("entry", REFUSED, "_start is i32 -> void, Envoy wants void -> void"),
        ],
        [
            bad_signature("_initialize", "void -> void", "void -> i32"),
            bad_signature("_start", "void -> void", "i32 -> void"),
        ],
    ),
    misshapen(
        "main of a reactor", "main", "i32 -> i32", "i32 i32 -> i32", rule="entry", _initialize="void -> void"
    ),
    misshapen(
        "__main_void of a reactor",
        "__main_void",
        "i32 -> i32",
        "void -> i32",
        rule="entry",
        _initialize="void -> void",
    ),
    refused(
        "no allocator",
        "allocator",
        "exports neither malloc nor proxy_on_memory_allocate",
        NO_MALLOC,
        allocator=None,
    ),
    Case(
        "malloc of the wrong type",
        filter_with(allocator=None, exports={"malloc": "i64 -> i32"}),
        [
            ("allocator", REFUSED, "malloc is i64 -> i32, Envoy wants i32 -> i32"),
            ("allocator", REFUSED, "exports no allocator that Envoy can call"),
        ],
        [
            bad_signature("malloc", "i32 -> i32", "i64 -> i32"),
            NO_MALLOC,
        ],
    ),
    Case(
        "malloc of the wrong type beside a right proxy_on_memory_allocate",
        filter_with(
            allocator=None, exports={"malloc": "i64 -> i32", "proxy_on_memory_allocate": "i32 -> i32"}
        ),
        [("allocator", REFUSED, "malloc is i64 -> i32, Envoy wants i32 -> i32")],
        [bad_signature("malloc", "i32 -> i32", "i64 -> i32")],
    ),
    misshapen("headers as in 0.1.0", "proxy_on_request_headers", "i32 i32 -> i32", "i32 i32 i32 -> i32"),
    misshapen(
        "headers as in 0.2.0",
        "proxy_on_response_headers",
        "i32 i32 i32 -> i32",
        "i32 i32 -> i32",
        abi="0_1_0",
    ),
    misshapen("configure with one word", "proxy_on_configure", "i32 -> i32", "i32 i32 -> i32"),
    Case(
        "two callbacks of the wrong type",
        filter_with(exports={"proxy_on_log": "void -> void", "proxy_on_done": "i32 -> void"}),
        [
            ("callbacks", REFUSED, "proxy_on_done is i32 -> void, Envoy wants i32 -> i32"),
            ("callbacks", REFUSED, "proxy_on_log is void -> void, Envoy wants i32 -> void"),
        ],
        [
            bad_signature("proxy_on_done", "i32 -> i32", "i32 -> void"),
            bad_signature("proxy_on_log", "i32 -> void", "void -> void"),
        ],
    ),
    Case(
        "a misspelt callback",
        filter_with(exports={"proxy_on_request_header": "i32 i32 i32 -> i32"}),
        [("callbacks", WARNING, "exports proxy_on_request_header, which Envoy never calls")],
    ),
    Case(
        "no callback",
        proxy_module(),
        [("callbacks", WARNING, "exports no callback: Envoy runs it and nothing happens")],
    ),
)

LOG = ("env", "proxy_log", "i32 i32 i32 -> i32")
CALLS_LOG = code(b"\x41\2\x41\0\x41\4\x10\0\x1a\x41\1")
FATAL = (
    Case(
        "an exported function of SIMD",
        filter_with(exports={"helper": "v128 -> void"}),
        [("types", CRASHES, "exports helper, a function of v128")],
    ),
    Case(
        "an exported function of garbage collected references",
        exporting(name("helper") + b"\0\3", types=b"\x60" + vec([b"\x64\0", b"\x6e"]) + vec([])),
        [("types", CRASHES, "exports helper, a function of (ref 0), anyref")],
    ),
    Case(
        "an exported tag",
        exporting(name("oops") + b"\4\0", extra=section(13, vec([b"\0\0"]))),
        [("types", CRASHES, "exports oops, an exception tag")],
    ),
    Case(
        "an exported global of SIMD",
        exporting(name("g") + b"\3\0", extra=section(6, vec([b"\x7b\0\xfd\x0c" + bytes(16) + b"\x0b"]))),
        [("types", CRASHES, "exports g, a global of v128")],
    ),
    Case(
        "an exported table of garbage collected references",
        exporting(name("t") + b"\1\0", before=section(4, vec([b"\x6e" + limits(1)]))),
        [("types", CRASHES, "exports t, a table of anyref")],
    ),
    Case(
        "an imported function of SIMD",
        filter_with(imports=[("env", "simd", "i32 -> v128")]),
        [
            ("types", CRASHES, "imports env.simd, a function of v128"),
            ("imports", REFUSED, "imports env.simd, which Envoy does not have"),
        ],
    ),
    Case(
        "an imported tag",
        filter_with(abi="0_2_1", **raw_imports(name("env") + name("oops") + b"\4\0\0")),
        [("types", CRASHES, "imports env.oops, an exception tag")],
    ),
    Case(
        "a call to the host without memory",
        filter_with(
            export_memory=False,
            imports=[LOG],
            exports={"proxy_on_vm_start": "i32 i32 -> i32"},
            bodies={"proxy_on_vm_start": CALLS_LOG},
        ),
        [("memory", CRASHES, "calls the host but exports no memory: the first call kills Envoy")],
    ),
)

CASES = GOOD + BAD + FATAL
