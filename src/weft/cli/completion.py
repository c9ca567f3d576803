"""``weft completion``."""

import click

from weft.cli.console import Console

__all__ = ["completion"]

_VARIABLE = "_WEFT_COMPLETE"  # click looks for the program's name in this form


@click.command
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print shell completion.

    \b
    bash: weft completion bash > ~/.local/share/bash-completion/completions/weft
    zsh:  weft completion zsh > "${fpath[1]}/_weft"
    fish: weft completion fish > ~/.config/fish/completions/weft.fish
    """  # noqa: D301 - click wants a real backspace before lines it must not wrap
    from click.shell_completion import get_completion_class

    made = get_completion_class(shell)
    assert made is not None  # noqa: S101 - click knows the three shells
    console = context.find_object(Console)
    assert console is not None  # noqa: S101 - every run has one
    console.data(made(context.find_root().command, {}, "weft", _VARIABLE).source().rstrip("\n"))
