"""Recognises texts in scripts that put no spaces between words."""

import re
from collections.abc import Sequence

_SAMPLED = 2000  # texts
_SHARE = 0.2  # of the letters, from which on texts count as written in such a script
_SPACES = 0.1  # for each letter; with more of them, the words are already separated
# Thai and Lao, Burmese, Khmer, Japanese kana, Chinese characters.
_LETTERS = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_LETTER = re.compile(f"[{_LETTERS}]")
_SPACED = re.compile(rf"[{_LETTERS}]\s+(?=[{_LETTERS}])")
_ANY = re.compile(r"[^\W\d_]")


def unspaced_share(texts: Sequence[str]) -> float:
    """Return the share of letters in scripts without spaces, 0 if there are spaces after all.

    Words are separated in some texts of such scripts, because a segmenter has separated them.
    """
    sample = texts[:: max(1, len(texts) // _SAMPLED)]
    letters = sum(len(_LETTER.findall(text)) for text in sample)
    if not letters or sum(len(_SPACED.findall(text)) for text in sample) > _SPACES * letters:
        return 0.0
    everything = letters + sum(len(_ANY.findall(_LETTER.sub("", text))) for text in sample)
    return letters / everything


def is_unspaced(texts: Sequence[str]) -> bool:
    """Return whether splitting texts into words would find whole sentences."""
    return unspaced_share(texts) >= _SHARE
