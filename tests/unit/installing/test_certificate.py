"""The webhook's certificate: made when it is needed, kept while it will do."""

import base64
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from weft.installing import Certificate, Installation, objects, webhook_host

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HERE = Installation()
HOST = webhook_host(HERE)
MADE = Certificate.issued(HOST, NOW)


def kept(secret: dict[str, Any], *, host: str = HOST, days: float = 0) -> Certificate | None:
    return Certificate.kept(secret, host, NOW + timedelta(days=days))


def test_a_certificate_is_for_the_service_of_the_installation() -> None:
    assert webhook_host(Installation(namespace="mesh")) == "weft-operator.mesh.svc"


def test_what_was_kept_is_used_again() -> None:
    assert kept(MADE.secret(HERE)) == MADE


@pytest.mark.parametrize(("days", "good"), [(0, True), (729, True), (731, False), (1100, False), (-1, False)])
def test_it_is_renewed_long_before_it_ends(days: float, *, good: bool) -> None:
    assert (kept(MADE.secret(HERE), days=days) is not None) == good


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(None, id="an empty secret"),
        pytest.param({}, id="no fields"),
        pytest.param({"tls.crt": "***", "tls.key": "***"}, id="no base64"),
        pytest.param(dict.fromkeys(("tls.crt", "tls.key"), base64.b64encode(b"x").decode()), id="no PEM"),
        pytest.param(
            {
                "tls.crt": base64.b64encode(MADE.certificate).decode(),
                "tls.key": base64.b64encode(Certificate.issued(HOST, NOW).key).decode(),
            },
            id="another key",
        ),
    ],
)
def test_what_cannot_be_used_is_not_kept(data: dict[str, str] | None) -> None:
    assert kept({"data": data}) is None


def test_a_certificate_of_another_namespace_is_not_kept() -> None:
    assert kept(MADE.secret(HERE), host="weft-operator.mesh.svc") is None


def test_a_server_can_use_it_and_a_client_trust_it(tmp_path: Path) -> None:
    (tmp_path / "crt").write_bytes(MADE.certificate)
    (tmp_path / "key").write_bytes(MADE.key)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(tmp_path / "crt", tmp_path / "key")
    client = ssl.create_default_context(cadata=MADE.certificate.decode())
    assert [held["notAfter"] for held in client.get_ca_certs()] == ["Dec 31 00:00:00 2028 GMT"]


def test_what_the_operator_applies_is_of_objects_that_are_installed() -> None:
    installed = {(one["kind"], one["metadata"]["name"]): one for one in objects(HERE)}
    secret, webhook = MADE.secret(HERE), MADE.webhook()
    assert ("Secret", secret["metadata"]["name"]) in installed
    configuration = installed["ValidatingWebhookConfiguration", webhook["metadata"]["name"]]
    assert [one["name"] for one in configuration["webhooks"]] == [one["name"] for one in webhook["webhooks"]]
    assert "caBundle" not in configuration["webhooks"][0]["clientConfig"]
    assert "data" not in installed["Secret", secret["metadata"]["name"]]
