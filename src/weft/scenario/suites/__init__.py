"""Test suites of Google's Service Extensions as scenarios: they run unchanged. Pure.

A suite is a text in protobuf's text format (``textformat``) or the same in YAML (``yamlform``); both become
values that know their lines, are read by one table of fields (``fields``), and translated (``translate``).

The scenario of a test is what a proxy would live through: what a suite leaves out (a response without a
request) comes with the defaults of scenarios. What has no counterpart is refused with its line.
"""

from weft.scenario.suites.translate import is_suite, parse_suite
from weft.scenario.suites.tree import Place

__all__ = ["Place", "is_suite", "parse_suite"]
