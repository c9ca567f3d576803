"""Addresses that no request of ours may reach: what a cloud keeps for its own machines' secrets.

A name, a redirect or a token realm chosen by a stranger must not make us ask there. Loopback and private
networks are where many honest registries live; a service that wants them closed adds its own networks.
"""

import ipaddress
from collections.abc import Sequence

__all__ = ["CLOSED", "IpNetwork", "is_closed"]

IpNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

CLOSED: tuple[IpNetwork, ...] = tuple(
    ipaddress.ip_network(text)
    for text in (
        "169.254.0.0/16",  # link-local: the metadata service of most clouds
        "224.0.0.0/24",  # link-local multicast
        "100.100.100.200/32",  # Alibaba Cloud's metadata service
        "fe80::/10",
        "ff02::/16",
        "fd00:ec2::/32",  # Amazon's, over IPv6
    )
)


def is_closed(text: str, networks: Sequence[IpNetwork]) -> bool:
    """Whether ``text`` is an address in one of ``networks``; a name is not."""
    try:
        address = ipaddress.ip_address(text.strip("[]").partition("%")[0])
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in network for network in networks)
