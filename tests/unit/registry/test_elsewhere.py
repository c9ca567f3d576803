"""Where a registry may send us. The first table is Istio's own (``validateAllRealms``), row by row."""

import pytest

from weft.registry.elsewhere import Misled, check_download, check_realm, check_upload, join, origin

REGISTRY = "https://registry.example.com"


@pytest.mark.parametrize(
    "realm",
    ["https://auth.example.com/token", "https://8.8.8.8/token", "https://auth.example.com:8443/t?a=b"],
)
def test_an_honest_realm_is_gone_to(realm: str) -> None:
    check_realm(realm, REGISTRY)


def test_a_plain_registry_may_have_a_plain_realm() -> None:
    check_realm("http://auth.example.com/token", "http://registry.example.com")


@pytest.mark.parametrize(
    ("realm", "reason"),
    [
        ("https://169.254.169.254/token", "it is a link-local address"),
        ("https://169.254.1.1/token", "it is a link-local address"),
        ("https://metadata.google.internal/token", "it is a cloud's metadata service"),
        ("https://metadata.google.internal./token", "it is a cloud's metadata service"),
        ("https://localhost:8080/token", "it is this machine"),
        ("https://www.localhost/token", "it is this machine"),
        ("https://127.0.0.1/token", "it is this machine"),
        ("https://127.0.0.5/token", "it is this machine"),
        ("https://0.0.0.0/token", "it is this machine"),
        ("https://127.1/token", "it is an address in disguise"),
        ("https://0x7f000001/token", "it is an address in disguise"),
        ("https://2130706433/token", "it is an address in disguise"),
        ("https://10.0.0.1/token", "it is an address of a private network"),
        ("https://192.168.1.1/token", "it is an address of a private network"),
        ("https://172.16.0.1/token", "it is an address of a private network"),
        ("https://100.64.0.1/token", "it is an address of a private network"),
        ("https://[::1]/token", "it is this machine"),
        ("https://[::ffff:127.0.0.1]/token", "it is this machine"),
        ("https://[fe80::1]/token", "it is a link-local address"),
        ("https://[fd00:ec2::254]/token", "it is an address of a private network"),
        ("https://[fc00::1]/token", "it is an address of a private network"),
        ("file:///etc/passwd", "it is neither http nor https"),
        ("gopher://auth.example.com/", "it is neither http nor https"),
        ("dict://auth.example.com/", "it is neither http nor https"),
        ("", "it is neither http nor https"),
        ("https:///token", "it names no host"),
        ("https://me:pw@auth.example.com/token", "it carries a user name"),
        ("https://auth.example.com:port/token", "it is no URL"),
        ("https://[::1/token", "it is no URL"),
        ("https://127.0.0.%31/token", "it is no URL"),
        ("https://loc%61lhost/token", "it is no URL"),
        ("https://localho\u017ft/token", "it is no URL"),
        ("https://127.0.0.\uff11/token", "it is no URL"),
        ("https://auth.example.com:99999/token", "it is no URL"),
        ("http://auth.example.com/token", "it is not encrypted, and the registry is"),
    ],
)
def test_a_realm_where_no_password_may_go_is_refused(realm: str, reason: str) -> None:
    with pytest.raises(Misled) as caught:
        check_realm(realm, REGISTRY)
    assert str(caught.value) == (
        f"registry.example.com sends us to {realm!r} for a token: {reason}; nothing was sent there"
    )
    assert not caught.value.temporary


@pytest.mark.parametrize(
    ("realm", "registry"),
    [
        ("http://localhost:5001/token", "http://localhost:5000"),
        ("http://127.0.0.1:5001/token", "http://localhost:5000"),
        ("http://127.0.0.1:5001/token", "https://localhost:5000"),
        ("https://10.1.2.3/token", "https://10.1.2.3"),
        ("https://10.1.2.3:8443/token", "https://10.1.2.3:5000"),
    ],
)
def test_a_registry_on_our_side_may_have_its_realm_beside_it(realm: str, registry: str) -> None:
    check_realm(realm, registry)


def test_an_upload_never_goes_to_a_private_network_of_ours() -> None:
    check_upload("https://uploads.example.com/x", REGISTRY)
    with pytest.raises(Misled, match="with an upload: it is an address of a private network"):
        check_upload("https://10.0.0.1/x?state=secret", REGISTRY)


def test_a_registry_behind_a_proxy_is_told_what_it_lacks() -> None:
    with pytest.raises(Misled) as caught:
        check_upload("http://registry.example.com/v2/f/blobs/uploads/1?state=x", REGISTRY)
    assert caught.value.hint == (
        "the registry does not know that it is reached over TLS: its proxy must set X-Forwarded-Proto"
    )
    with pytest.raises(Misled) as caught:
        check_upload("http://other.example.com/x", REGISTRY)
    assert caught.value.hint is None


def test_a_download_may_come_from_a_private_network_but_not_from_this_machine() -> None:
    check_download("https://10.0.0.1:9000/bucket/x?signature=secret", REGISTRY)
    with pytest.raises(Misled) as caught:
        check_download("https://127.0.0.1:9000/bucket/x?signature=secret", REGISTRY)
    assert str(caught.value) == (
        "registry.example.com sends us to 'https://127.0.0.1:9000/bucket/x' for a download: "
        "it is this machine; nothing was sent there"
    )


@pytest.mark.parametrize("target", ["https://h:99999/x", "//h:x/", "https://[::1/"])
def test_what_cannot_be_read_is_joined_to_nothing(target: str) -> None:
    with pytest.raises(Misled) as caught:
        join(f"{REGISTRY}/v2/", target, REGISTRY)
    assert str(caught.value) == (
        f"registry.example.com sends us to {target!r} to go on: it is no URL; nothing was sent there"
    )


def test_an_origin_is_scheme_host_and_port() -> None:
    assert origin("https://Hub.Example.com/x") == origin("https://hub.example.com:443/y")
    assert origin("https://hub.example.com") != origin("http://hub.example.com")
    assert origin("https://hub.example.com") != origin("https://hub.example.com:5000")
