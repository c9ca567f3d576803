"""Real registries as processes of ours: Debian's docker-registry and distribution 3, on ports of their own.

``running`` starts one with what it is told (TLS, passwords, tokens) and gives its host; it listens where the
system lets it and says so in its log. ``token_server`` gives the tokens, signed with openssl.
"""

import base64
import json
import re
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from parts import tool
from worlds.certificates import Certificates, openssl
from worlds.threads import Handler, answering

# bcrypt of "secret", cheap on purpose.
HTPASSWD = "me:$2b$04$GQ9jz3GTonhD2PBHE.C9Re0XYWXGxWahej0LZ3BNTqsWa3c4A94oi\n"
_LISTENING = re.compile(r"listening on (127\.0\.0\.1:\d+)")


@contextmanager
def running(
    kind: str, folder: Path, *, tls: Certificates | None = None, auth: str = "", realm: str = ""
) -> Iterator[str]:
    """``host:port`` of a registry called ``kind`` that keeps everything in ``folder``."""
    program = tool(kind, "registry")
    assert program is not None
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "htpasswd").write_text(HTPASSWD)
    config = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(folder / "data")}, "delete": {"enabled": True}},
        "http": {"addr": "127.0.0.1:0"},
    }
    if tls:
        config["http"] |= {"tls": {"certificate": str(tls.server), "key": str(tls.server_key)}}  # type: ignore[operator]
    if auth == "basic":
        config["auth"] = {"htpasswd": {"realm": "weft", "path": str(folder / "htpasswd")}}
    if auth == "token":
        bundle = str(folder / "signer.crt")
        config["auth"] = {
            "token": {"realm": realm, "service": "weft", "issuer": "weft", "rootcertbundle": bundle}
        }
    (folder / "config.yml").write_text(json.dumps(config))  # JSON is YAML
    log = folder / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [program, "serve", folder / "config.yml"],
            stdout=output,
            stderr=output,
            env={"OTEL_TRACES_EXPORTER": "none"},
        )
    try:
        yield _address(process, log)
    finally:
        process.kill()
        process.wait()


def _address(process: subprocess.Popen[bytes], log: Path) -> str:
    end = time.monotonic() + 20
    while time.monotonic() < end and process.poll() is None:
        if found := _LISTENING.search(log.read_text()):
            return found[1]
        time.sleep(0.02)
    raise AssertionError(f"the registry did not start:\n{log.read_text()}")


@contextmanager
def token_server(folder: Path, *, seconds: int = 300) -> Iterator[str]:
    """The URL of a token server that believes ``me:secret``; its certificate is ``folder/signer.crt``."""
    folder.mkdir(parents=True, exist_ok=True)
    key, certificate = folder / "signer.key", folder / "signer.crt"
    subject = ("-subj", "/CN=tokens", "-addext", "basicConstraints=critical,CA:TRUE")
    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", certificate, *subject)
    der = openssl("x509", "-in", certificate, "-outform", "DER")

    class Tokens(Handler):
        def respond(self) -> None:
            given = self.headers.get("Authorization", "")
            if given != f"Basic {base64.b64encode(b'me:secret').decode()}":
                self.answer(401)
                return
            query = parse_qs(urlsplit(self.path).query)
            token = _token(key, der, query["service"][0], query.get("scope", []), seconds)
            self.answer(body=json.dumps({"token": token, "expires_in": seconds}).encode())

    with answering(Tokens) as port:
        yield f"http://127.0.0.1:{port}/token"


def _token(key: Path, certificate: bytes, service: str, scopes: list[str], seconds: int) -> str:
    """A JWT as distribution wants it (RFC 7519, "Docker Registry v2 Bearer token specification")."""
    access = []
    for scope in scopes:
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        access.append({"type": kind, "name": name, "actions": actions.split(",")})
    now = int(time.time())
    header = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(certificate).decode()]}
    claims: dict[str, object] = {
        "iss": "weft",
        "sub": "me",
        "aud": service,
        "jti": uuid.uuid4().hex,
        "access": access,
    }
    claims |= {"iat": now, "nbf": now - 10, "exp": now + seconds}
    signed = ".".join(_segment(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{_segment(openssl('dgst', '-sha256', '-sign', key, data=signed.encode()))}"


def _segment(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")
