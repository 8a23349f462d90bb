"""HTML elements whose text is escaped unless it is markup already, so that nobody can forget to escape."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from mlebench.text import clean


class Html(str):
    """Markup that is safe to insert; everything else is text and gets escaped."""

    __slots__ = ()


Content = Html | str | int | None


def text(value: object) -> Html:
    """Escape a value for use as text or in an attribute; markup passes as it is."""
    return value if isinstance(value, Html) else Html(escape(clean(str(value)), quote=True))


def element(name: str, *children: Content, **attributes: str | None) -> Html:
    """An element; attribute names lose a trailing underscore and turn inner ones into dashes."""
    shown = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{text(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    return Html(f"<{name}{shown}>{join(children)}</{name}>")


def join(children: Iterable[Content], separator: str = "") -> Html:
    """Children one after the other, none of them skipped but None."""
    return Html(separator.join(text(child) for child in children if child is not None))


def table(
    headings: Sequence[Content], rows: Iterable[Sequence[Content]], *, caption: str, class_: str | None = None
) -> Html:
    """A table that scrolls sideways on narrow screens; each row's first cell is its heading.

    Its caption stands outside of what scrolls: inside it would be as wide as the table, and be cut with it.
    """
    head = element("tr", *(element("th", heading, scope="col") for heading in headings))
    body = (
        element("tr", element("th", row[0], scope="row"), *(element("td", cell) for cell in row[1:])) for row in rows
    )
    whole = element("table", element("thead", head), element("tbody", *body), class_=class_, aria_label=caption)
    scrolled = element("div", whole, class_="scroll", role="region", aria_label=caption, tabindex="0")
    return element("div", element("p", caption, class_="caption"), scrolled, class_="table")
