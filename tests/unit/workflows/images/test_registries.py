"""What a command is told about its registries, and what stands in the environment."""

from pathlib import Path

import pytest

from weft.errors import UsageError
from weft.net import Trust
from weft.workflows.images.login import server_name
from weft.workflows.images.registries import Access, _network, open_registries

HOST = "hub.example.com"


def test_flags_are_for_the_registries_of_the_command_line_alone() -> None:
    access = Access(insecure=True, ca_file=Path("/ca.pem"), cert_file=Path("/c.pem"), key_file=Path("/k.pem"))
    network = _network({}, {HOST}, access)
    assert network.trust_for(HOST) == Trust(
        authorities=(Path("/ca.pem"),), certificate=Path("/c.pem"), key=Path("/k.pem"), insecure=True
    )
    assert network.trust_for("other.example.com") == Trust()


def test_the_environment_counts_for_all_it_names() -> None:
    env = {
        "WEFT_REGISTRY_INSECURE": f"{HOST}, lab:5000",
        "WEFT_REGISTRY_CA_FILE": "/company.pem",
        "SSL_CERT_FILE": "/system.pem",
    }
    network = _network(env, set(), Access())
    authorities = (Path("/system.pem"), Path("/company.pem"))
    assert network.trust_for("lab:5000") == Trust(authorities=authorities, insecure=True)
    assert network.trust_for("other.example.com") == Trust(authorities=authorities)


def test_a_flag_adds_to_what_the_environment_says() -> None:
    env = {"WEFT_REGISTRY_CA_FILE": "/company.pem"}
    network = _network(env, {HOST}, Access(ca_file=Path("/ca.pem")))
    assert network.trust_for(HOST).authorities == (Path("/company.pem"), Path("/ca.pem"))


async def test_a_password_needs_a_name() -> None:
    with pytest.raises(UsageError, match="a password without a user name"):
        async with open_registries({}, [HOST], Access(password="secret")):
            pass


def test_access_hides_the_password() -> None:
    assert "secret" not in repr(Access(username="me", password="secret"))


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("hub.example.com", "hub.example.com"),
        ("https://hub.example.com/", "hub.example.com"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
        ("localhost:5000", "localhost:5000"),
    ],
)
def test_a_registry_is_named_by_its_host(text: str, name: str) -> None:
    assert server_name(text) == name


@pytest.mark.parametrize("text", ["", "/", "https://", "hub.example.com/team/f"])
def test_what_is_no_host_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        server_name(text)
    assert str(caught.value) == f"{text!r} is not a registry"
