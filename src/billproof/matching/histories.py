"""Numbers that a log still knows (docs/matching.md, section 9).

Phones forget by number: who deletes a contact's calls, or a conversation, takes every entry with that number
out of that list. A number with an entry left was not deleted so; of one without, no log can tell.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from billproof.matching.columns import APP, MESSAGE, Stack

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

_TAILS = 10**8


def known_numbers(stack: Stack, counts: Ints, asking: Ints) -> Flags:
    """Which of the lines ``asking`` have a number that a log knows in the list that would hold their entry.

    ``counts`` are entries of each log and kind, as :class:`Coverage` has them.
    """
    entries, lines, forms = stack.entries, stack.lines, stack.forms
    found = np.zeros(len(asking), bool)
    if not len(asking) or not len(entries):
        return found
    bill = stack.logs.bill[entries.log]
    app = entries.kind == APP
    holds = np.stack([counts[:, 0] > 0, counts[:, 1:].any(axis=1)], axis=1)[entries.log]
    calls = np.where(app, holds[:, 0], entries.kind < MESSAGE)
    texts = np.where(app, holds[:, 1], entries.kind >= MESSAGE)
    groups = np.concatenate([bill[calls] * 2, bill[texts] * 2 + 1])
    numbers = np.concatenate([entries.number[calls], entries.number[texts]])
    size = len(forms.texts)
    known = np.unique(groups * size + numbers)
    groups, numbers = known // size, known % size
    group = lines.bill[asking] * 2 + (lines.kind[asking] >= MESSAGE)
    number = lines.number[asking]
    found = forms.whole[number] & np.isin(group * size + number, known)
    tail = forms.tails[number]
    long = forms.tails[numbers] >= 0
    found |= (tail >= 0) & np.isin(group * _TAILS + tail, (groups * _TAILS + forms.tails[numbers])[long])
    _fit_masks(stack, found, group, number, groups, numbers)
    return found


def _fit_masks(stack: Stack, found: Flags, group: Ints, number: Ints, groups: Ints, numbers: Ints) -> None:
    """Finds those too that may be a masked number, or whose mask a number fits."""
    forms = stack.forms
    hidden = forms.masked[numbers]
    left = np.flatnonzero(~found & ~forms.empty[number])
    masked = forms.masked[number[left]]
    cut: set[tuple[int, int]] = set()  # lengths of a masked number, and of what it shows
    for at in (*np.unique(numbers[hidden]).tolist(), *np.unique(number[left[masked]]).tolist()):
        text = forms.texts[at]
        cut.add((len(text), len(text.rstrip("x"))))
    for whole, shown in cut:
        heads: dict[bool, set[tuple[int, str]]] = {True: set(), False: set()}
        for of, at, x in zip(groups.tolist(), numbers.tolist(), hidden.tolist(), strict=True):
            text = forms.texts[at]
            if len(text) == whole and (not x or len(text.rstrip("x")) == shown):
                heads[x].add((of, text[:shown]))
        for place, x in zip(left.tolist(), masked.tolist(), strict=True):
            text = forms.texts[int(number[place])]
            if len(text) == whole and (not x or len(text.rstrip("x")) == shown):
                found[place] |= (int(group[place]), text[:shown]) in heads[not x]
