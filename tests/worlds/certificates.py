"""An authority of our own, a server it vouches for, and a client: made with openssl, once a run."""

import ssl
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

_CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


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
    authority, key = folder / "ca.crt", folder / "ca.key"
    ca = ("-subj", "/CN=weft test authority", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-x509", "-days", "2", *_CURVE, "-keyout", key, "-out", authority, *ca)
    holders = [
        issue(folder, "server", "subjectAltName=IP:127.0.0.1,DNS:localhost\nextendedKeyUsage=serverAuth"),
        issue(folder, "client", "extendedKeyUsage=clientAuth"),
    ]
    return Certificates(authority, *holders[0], *holders[1])


def issue(folder: Path, name: str, extension: str, subject: str = "", *, days: int = 2) -> tuple[Path, Path]:
    """A certificate and its key, vouched for by the authority in ``folder``; negative ``days``: expired."""
    asked, given, held = folder / f"{name}.csr", folder / f"{name}.cert", folder / f"{name}.key"
    openssl("req", "-new", *_CURVE, "-keyout", held, "-out", asked, "-subj", subject or f"/CN={name}")
    (folder / f"{name}.ext").write_text(extension)
    words = ("-days", str(days), "-CA", folder / "ca.crt", "-CAkey", folder / "ca.key", "-CAcreateserial")
    openssl("x509", "-req", "-in", asked, *words, "-out", given, "-extfile", folder / f"{name}.ext")
    return given, held
