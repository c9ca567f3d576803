"""Bootstraps that weft writes or changes are taken by the real Envoy, and serve."""

import datetime as dt
import ipaddress
import json
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from conftest import Weft
from parts import envoy_binary
from weft.envoy import Native
from weft.mesh import default_bootstrap
from worlds.serving import ask, serving
from worlds.threads import Handler, answering

pytestmark = pytest.mark.real("envoy")

EVERYTHING = Path(__file__).parents[1] / "unit" / "mesh" / "golden" / "everything.in.yaml"


@pytest.fixture
def everything(tmp_path: Path) -> Path:
    """The bootstrap with every place for a connection manager, its sockets where this test may have them."""
    text = EVERYTHING.read_text().replace("/run/envoy-admin.sock", str(tmp_path / "admin.sock"))
    path = tmp_path / "everything.yaml"
    path.write_text(text.replace("port_value: 8080", "port_value: 0").replace('"::1"', "127.0.0.1"))
    return path


@pytest.fixture
def envoy() -> Native:
    path = envoy_binary()
    assert path
    return Native(path)


@pytest.mark.parametrize("form", ["yaml", "json"])
def test_what_out_prints_is_taken_by_envoy(
    weft: Weft, tiny: Path, tmp_path: Path, everything: Path, envoy: Native, form: str
) -> None:
    """From every kind of bootstrap, with texts that YAML readers guess about."""
    for words in ([], ["--bootstrap", everything], ["--upstream", "https://example.com"]):
        given = ("--config", "no", "--id", "y", "--root-id", "12:30", *words)
        result = weft("run", tiny, *given, "--out", "-", *(["-o", "json"] if form == "json" else []))
        assert result.code == 0, result.err
        file = tmp_path / f"out.{form}"
        file.write_text(result.out)
        command = envoy.command(["--mode", "validate", "--config-path", str(file)], tmp_path)
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        assert "wasm log 12:30 y: no\n" in done.stderr


def test_every_connection_manager_of_a_patched_bootstrap_runs_the_filter(
    tiny: Path, env: dict[str, str], tmp_path: Path, everything: Path
) -> None:
    words = (tiny, "--config", "there", "--bootstrap", everything, "--admin-port", "0")
    with serving(*words, env=env, folder=tmp_path) as run:
        answers = [ask(url, "GET", "/") for url in run.listeners()[:2]]
    assert [(answer.status, answer.header("x-tiny")) for answer in answers] == [(200, "there")] * 2


def test_every_listener_of_a_bootstrap_serves_and_the_first_is_told(
    tiny: Path, env: dict[str, str], tmp_path: Path
) -> None:
    bootstrap = default_bootstrap()
    bootstrap["static_resources"]["listeners"].append(
        {**bootstrap["static_resources"]["listeners"][0], "name": "second"}
    )
    file = tmp_path / "theirs.json"
    file.write_text(json.dumps(bootstrap))
    with serving(tiny, "--config", "x", "--bootstrap", file, env=env, folder=tmp_path) as run:
        urls = run.listeners()
        assert run.url == urls[0]
        assert [ask(url, "GET", "/").header("x-tiny") for url in urls] == ["x", "x"]


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    return new_certificate(tmp_path / "server.pem")


def new_certificate(file: Path) -> Path:
    """A certificate of its own for this machine's loopback address, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address, x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(signed.public_bytes(serialization.Encoding.PEM) + private)
    return file


@pytest.fixture
def secure(certificate: Path) -> Iterator[int]:
    """The port of a server that speaks TLS and answers with the host it was asked for."""

    class Echo(Handler):
        def respond(self) -> None:
            self.answer(body=self.headers["host"].encode())

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with answering(Echo, tls=context) as port:
        yield port


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_a_tls_upstream_is_checked_and_asked_by_its_name(
    tiny: Path, env: dict[str, str], tmp_path: Path, certificate: Path, secure: int, host: str
) -> None:
    words = (tiny, "--config", "x", "--upstream", f"https://{host}:{secure}")
    trusting = {**env, "SSL_CERT_FILE": str(certificate)}
    with serving(*words, env=trusting, folder=tmp_path) as run:
        answer = run.get("/")
    assert (answer.status, answer.body.decode()) == (200, f"{host}:{secure}")


def test_a_tls_upstream_that_nobody_vouches_for_is_not_asked(
    tiny: Path, env: dict[str, str], tmp_path: Path, secure: int
) -> None:
    words = (tiny, "--config", "x", "--upstream", f"https://127.0.0.1:{secure}")
    other = new_certificate(tmp_path / "other.pem")
    with serving(*words, env={**env, "SSL_CERT_FILE": str(other)}, folder=tmp_path) as run:
        answer = run.get("/")
        failures = run.stats("upstream.ssl.fail_verify_error")
    assert answer.status == 503
    assert failures.startswith("cluster.upstream.ssl.fail_verify_error: ")
    assert not failures.endswith(": 0\n")
