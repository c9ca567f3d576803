"""How much of anything a module may have, and why.

Where a number is V8's own (the engine inside Envoy), a module beyond it would not load anyway. Every
count is checked against the bytes that are left before this table is asked, so a lie costs nothing.
"""

__all__ = [
    "MAX_DATA_SEGMENTS",
    "MAX_EXPORTS",
    "MAX_FUNCTIONS",
    "MAX_FUNCTION_BYTES",
    "MAX_GLOBALS",
    "MAX_IMPORTS",
    "MAX_MEMORIES",
    "MAX_MODULE_BYTES",
    "MAX_NAME_BYTES",
    "MAX_PAGES_32",
    "MAX_PAGES_64",
    "MAX_PARAMS",
    "MAX_RESULTS",
    "MAX_SECTIONS",
    "MAX_TABLES",
    "MAX_TYPES",
]

# What Istio's agent downloads at most; nobody can deploy a larger one there.
MAX_MODULE_BYTES = 256 * 1024 * 1024
# Ours: real modules have about twenty. Each costs an object here.
MAX_SECTIONS = 10_000

# V8's.
MAX_TYPES = 1_000_000
MAX_FUNCTIONS = 1_000_000
MAX_IMPORTS = 1_000_000
MAX_EXPORTS = 1_000_000
MAX_GLOBALS = 1_000_000
MAX_DATA_SEGMENTS = 100_000
MAX_MEMORIES = 100_000
MAX_TABLES = 100_000
MAX_PARAMS = 1_000
MAX_RESULTS = 1_000
MAX_NAME_BYTES = 100_000
MAX_FUNCTION_BYTES = 7_654_321

# The specification's: what an address can reach, in pages of 64 KiB.
MAX_PAGES_32 = 1 << 16
MAX_PAGES_64 = 1 << 48
