"""weft: the whole life of a proxy-wasm filter."""

__version__ = "0.1.0"
