"""Test a filter with code: the same host as ``weft test``, driven from Python.

::

    from weft.testing import Filter

    def test_the_header_is_added() -> None:
        with Filter.load("filter.wasm", root_id="my_filter", config={"name": "x-team"}) as adder:
            stream = adder.request("/shop")
            assert stream.respond(200).headers["x-team"] == "world"

Nothing happens by itself: time stands still until ``advance``, an upstream answers when ``respond`` says so,
a call of the filter when the test replies to it. A filter that traps raises ``FilterCrashed`` there.

This interface is public: what is in ``__all__`` stays as it is documented. Nobody inside weft imports it. The
plugin of pytest (``weft.testing.plugin``) has fixtures that build and load the project under test.

May import: ``weft.workflows``, ``weft.testhost``, ``weft.toolchains``, ``weft.base``, ``weft.errors``.
"""

from weft.errors import FilterRefused
from weft.testhost import LogLine
from weft.testing.call import Call
from weft.testing.crash import FilterCrashed
from weft.testing.filter import Filter
from weft.testing.message import Headers, Message
from weft.testing.stream import Stream

__all__ = ["Call", "Filter", "FilterCrashed", "FilterRefused", "Headers", "LogLine", "Message", "Stream"]
