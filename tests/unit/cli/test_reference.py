"""The reference pages are the program."""

import reference


def test_the_command_page_is_the_program() -> None:
    assert reference.PAGE.read_text() == reference.render(), "run `make docs`"
