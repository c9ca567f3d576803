"""The languages weft compiles, one module each."""
