"""Which URLs are asked at all: those that everybody reads in the same way. Pure.

Who may be asked, and who gets a credential, is decided by what Python reads in a URL; where a request goes is
what libcurl reads. It takes ``%31`` in a host for ``1``, and letters of other scripts for ours; Python drops
tabs. So hosts are plain names or addresses, all is visible ASCII, and a port is a number.
Addresses in other spellings (``127.1``) pass: who judges addresses knows them, and who connects sees them.
"""

import re
from urllib.parse import SplitResult, urlsplit

from weft.net.errors import HttpFailure

__all__ = ["read_url"]

_LAST_PORT = 65535
_MAX_SHOWN = 200
_PLAIN = re.compile(
    r"""https?://
    (?:[^\x00-\x20\x7f-\U0010ffff/?\#\\]*@)?
    (?:[a-z0-9_][a-z0-9._-]{0,254}|\[[0-9a-f:.]{2,45}(?:%[a-z0-9._-]{1,32})?\])
    (?::(?P<port>[0-9]{1,5}))?
    (?:[/?\#][!-~]{0,65535})?""",
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


def read_url(url: str) -> SplitResult:
    """The parts of an http(s) URL; raises ``HttpFailure`` for one that cannot be asked."""
    found = _PLAIN.fullmatch(url)
    if found and 0 < int(found["port"] or 1) <= _LAST_PORT:
        try:
            return urlsplit(url)
        except ValueError:  # brackets around what is no address
            pass
    shown = url.partition("?")[0].rpartition("@")[2][:_MAX_SHOWN]
    raise HttpFailure(f"not a URL that can be asked: {shown!a}", temporary=False)
