"""Elements of a page, as HTML. Whatever comes from data is escaped here."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape

_EXCERPT = 420  # characters of a text that are visible without a click


def tiles(figures: Mapping[str, str]) -> str:
    """Return figures in a row, by their titles."""
    shown = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(title)}</span></div>'
        for title, value in figures.items()
    )
    return f'<div class="tiles">{shown}</div>'


def heading(title: str, note: str = "") -> str:
    """Return the title of a section, and a sentence about it."""
    below = f'<p class="muted">{escape(note)}</p>' if note else ""
    return f"<h2>{escape(title)}</h2>{below}"


def figures(drawn: Iterable[str]) -> Iterator[str]:
    """Yield figures, two in a row where the page is wide enough."""
    shown = [*drawn]
    if shown:
        yield '<div class="figures">'
        yield from shown
        yield "</div>"


def figure(title: str, caption: str, svg: str, *, full: bool = False, least: int = 0) -> str:
    """Return a figure with its title and caption.

    Parameters
    ----------
    title, caption, svg : str
    full : bool
        Whether it takes the whole width of the page.
    least : int
        Width in CSS pixels below which it would be illegible, so that it is scrolled instead.
    """
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    drawn = svg.replace("<svg ", f'<svg style="min-width:{least}px" ', 1) if least else svg
    kind = "card full" if full else "card"
    return (
        f'<figure class="{kind}"><h3>{escape(title)}</h3>{below}'
        f'<div class="scroll">{drawn}</div></figure>'
    )


def table(
    titles: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    numbers: Iterable[int] = (),
    card: bool = True,
) -> str:
    """Return a table.

    Parameters
    ----------
    titles, rows : sequence, iterable
    numbers : iterable of int
        Positions of the columns that are aligned to the right.
    card : bool
        Whether it stands on a card of its own.
    """
    opening = dict.fromkeys(numbers, ' class="number"')

    def cells(row: Sequence[str], tag: str) -> str:
        return "".join(
            f"<{tag}{opening.get(column, '')}>{escape(cell)}</{tag}>"
            for column, cell in enumerate(row)
        )

    body = "".join(f"<tr>{cells(row, 'td')}</tr>" for row in rows)
    drawn = (
        f'<table class="data"><thead><tr>{cells(titles, "th")}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
    return f'<div class="card scroll">{drawn}</div>' if card else drawn


def pairs(values: Mapping[str, str]) -> str:
    """Return names with their values, one in a row."""
    rows = "".join(
        f"<tr><th>{escape(name)}</th><td>{escape(value)}</td></tr>"
        for name, value in values.items()
    )
    return f'<table class="pairs">{rows}</table>'


def excerpt(text: str) -> str:
    """Return a text, with the end of a long one folded away."""
    # Many texts were copied from a page, and contain its line breaks.
    plain = re.sub(r"(\s*<br\s*/?>\s*)+", "\n", text).strip()
    if len(plain) <= _EXCERPT * 1.2:
        return f'<p class="text">{escape(plain)}</p>'
    cut = plain.rfind(" ", _EXCERPT // 2, _EXCERPT)
    cut = cut if cut > 0 else _EXCERPT
    return (
        f'<p class="text">{escape(plain[:cut])} …</p><details><summary>The rest</summary>'
        f'<p class="text">… {escape(plain[cut:].strip())}</p></details>'
    )


def percent(probability: float) -> str:
    """Return a probability in per cent; none is shown as certain."""
    return f"{probability:.1%}" if probability < 0.9995 else "more than 99.9%"
