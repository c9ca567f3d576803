"""The arguments that ``weft run`` and ``weft deploy envoy`` share."""

from collections.abc import Callable

import click

from weft.cli.options.trace import trace_option
from weft.cli.options.verify import verify_options

__all__ = ["run_options"]

_PORT = click.IntRange(0, 65535)

_FILTERS = (
    click.argument("sources", nargs=-1, required=True, metavar="DIR|REF|FILE.wasm..."),
    click.option("--config", "configs", multiple=True, metavar="TEXT|@FILE|-",
                 help="What the filter is told. Repeat it for several filters, in their order."),
    click.option("--id", "ids", multiple=True, metavar="NAME",
                 help="Name of the filter in logs and statistics; repeated like --config."),
    click.option("--root-id", "root_ids", multiple=True, metavar="NAME",
                 help="Default: the one in weft.toml or in the image; repeated like --config."),
    click.option("--failure", type=click.Choice(["closed", "open", "reload"]), default="closed",
                 show_default=True, help="When a filter crashes: 503, pass without it, or start it again."),
)  # fmt: skip
_TRAFFIC = (
    click.option("--upstream", metavar="URL",
                 help="Send requests there. Default: a server that answers with what reached it."),
    click.option("--cluster", "clusters", multiple=True, metavar="NAME=URL",
                 help="One more server, which filters may call by NAME."),
    click.option("--port", type=_PORT,
                 help="Where to listen; 0 takes a free port.  [default: 8080, or as in --bootstrap]"),
    click.option("--admin-port", type=_PORT,
                 help="Of Envoy's admin.  [default: a free port, or as in --bootstrap]"),
    click.option("-b", "--bootstrap", metavar="FILE|-",
                 help="Put the filters into this Envoy bootstrap (v3), before every router."),
    click.option("--out", metavar="FILE|-", help="Write the bootstrap there and run nothing."),
)  # fmt: skip
_PROCESS = (
    click.option("-y", "--yes", is_flag=True, help="Fetch a missing compiler or Envoy without asking."),
    click.option("--watch", is_flag=True, help="Exchange filters and configs as they change, live."),
    trace_option("decoded", help="Show every call between Envoy and the filters."),
    click.option("--envoy", metavar="PATH|VERSION",
                 help="The Envoy to run. Default: the first that is found."),
    click.option("-e", "--envoy-image", "image", metavar="IMAGE",
                 help="Run Envoy in this image, with docker or podman."),
    click.option("--envoy-run-args", "arguments", metavar="WORDS", default="",
                 help="More arguments for Envoy, quoted as for a shell."),
    click.option("--docker-run-args", "image_arguments", metavar="WORDS", default="",
                 help="More arguments for docker or podman run."),
    click.option("-o", "--output", "form", type=click.Choice(["text", "json"]), default="text",
                 show_default=True, help="json: a line with url, admin and pid once requests are answered."),
)  # fmt: skip


def run_options(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the arguments of ``weft run``."""
    command = verify_options(command)
    for option in reversed((*_FILTERS, *_TRAFFIC, *_PROCESS)):
        command = option(command)
    return command
