"""An authority of our own, a server it vouches for, and a client: made with openssl, once a run."""

import ssl
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp


@dataclass(frozen=True)
class Certificates:
    """PEM files of an authority and of two holders of its certificates."""

    authority: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path

    def server_context(self, *, ask_client: bool = False) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(self.server, self.server_key)
        if ask_client:
            context.verify_mode = ssl.CERT_REQUIRED
            context.load_verify_locations(self.authority)
        return context


def openssl(*words: str | Path, data: bytes = b"") -> bytes:
    """Run openssl and give what it wrote."""
    done = subprocess.run(["openssl", *map(str, words)], input=data, capture_output=True, check=True)  # noqa: S607
    return done.stdout


@cache
def certificates() -> Certificates:
    """The same files for every test of this process."""
    folder = Path(mkdtemp(prefix="weft-certificates-"))
    curve = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
    authority, key = folder / "ca.crt", folder / "ca.key"
    ca = ("-subj", "/CN=weft test authority", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-x509", "-days", "2", *curve, "-keyout", key, "-out", authority, *ca)
    holders = {}
    for name, extension in (
        ("server", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth"),
        ("client", "extendedKeyUsage=clientAuth"),
    ):
        asked, given = folder / f"{name}.csr", folder / f"{name}.cert"
        held = folder / f"{name}.key"
        openssl("req", "-new", *curve, "-keyout", held, "-out", asked, "-subj", f"/CN={name}")
        (folder / f"{name}.ext").write_text(extension)
        words = ("-days", "2", "-CA", authority, "-CAkey", key, "-CAcreateserial")
        openssl("x509", "-req", "-in", asked, *words, "-out", given, "-extfile", folder / f"{name}.ext")
        holders[name] = given, held
    return Certificates(authority, *holders["server"], *holders["client"])
