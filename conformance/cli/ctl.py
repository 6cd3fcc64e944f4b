"""``bifente ctl``: one order to a live bench, answered on standard output."""

from __future__ import annotations

import json
from typing import Annotated, Any

import typer

from bifente.conformance.cli.app import Exit, app, err, fail, out
from bifente.conformance.cli.options import LangOption, chosen_lang


@app.command(context_settings={"allow_interspersed_args": True})
def ctl(
    order: Annotated[
        list[str] | None, typer.Argument(help="The order and its arguments, e.g. inject card-mute slot=cps (help).")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The whole answer, as JSON.")] = False,
    lang: LangOption = None,
) -> None:
    """Give an order to the live bench that the environment names, or to the only one of this user.

    bifente ctl help lists the orders. Exit code 0 when it was carried out, 1 when a wait saw nothing, 2 when the order
    is none or cannot be carried out.
    """
    from bifente.conformance.observation.channel.answers import OrderRefusedError
    from bifente.conformance.observation.channel.client import ChannelError, ControlChannel
    from bifente.conformance.observation.channel.words import in_words, known_of, read_words

    language = chosen_lang(lang)
    words = order or ["help"]
    try:
        channel = ControlChannel.found()
        known = known_of(channel.order("help"))
        name, given = read_words(words, known, list(channel.order("state")["slots"]))
        told: dict[str, Any] = channel.order(name, **given)
    except OrderRefusedError as error:
        said = in_words(error.plain(words[0]), language)[0].removeprefix("bifente: ")
        raise fail(said, Exit.BAD_INPUT) from None
    except ChannelError as error:
        if error.told is None:
            raise fail(str(error), Exit.BAD_INPUT) from None
        told = dict(error.told)
    if as_json:
        out.print(json.dumps(told, ensure_ascii=False), markup=False, soft_wrap=True, highlight=False)
    else:
        for line in in_words(told, language):
            (out if told["ok"] else err).print(line, markup=False, soft_wrap=True, highlight=False)
    if not told["ok"]:
        raise typer.Exit(Exit.BAD_INPUT)
    if told.get("seen") is False:
        raise typer.Exit(Exit.FAILED)
