# SPDX-License-Identifier: Apache-2.0
"""Numbers of several rounds, ratios of them, and the table that they make."""

import dataclasses
import operator
import statistics


class Series:
    """The values of the rounds of one side."""

    def __init__(self, values):
        self.values = list(values)

    @property
    def median(self):
        return statistics.median(self.values)

    def over(self, other):
        """The ratio in each round: what disturbed both sides of a round divides out."""
        return Series(a / b for a, b in zip(self.values, other.values))

    def text(self, form="{:.2f}"):
        """Minimum, median and maximum."""
        if len(self.values) == 1:
            return form.format(self.values[0])
        return " / ".join(form.format(v) for v in (min(self.values), self.median, max(self.values)))


def alternate(rounds, sides):
    """Calls each side once in every round, every second round in reverse order: {name: Series}.

    sides: {name: function of the number of the round}.
    """
    taken = {name: [] for name in sides}
    for number in range(rounds):
        for name in sides if number % 2 == 0 else reversed(list(sides)):
            taken[name].append(sides[name](number))
    return {name: Series(values) for name, values in taken.items()}


COMPARE = {"≤": operator.le, "≥": operator.ge, "": None}


@dataclasses.dataclass
class Row:
    """One promise: `reach` is "≤ 1.03", or empty for what is only told."""
    work: str
    reach: str
    series: Series
    detail: str = ""
    form: str = "{:.2f}"

    @property
    def kept(self):
        sign, _, limit = self.reach.partition(" ")
        compare = COMPARE[sign]
        return "" if compare is None else "yes" if compare(self.series.median, float(limit.split()[0])) else "no"

    def cells(self):
        return [self.work, self.reach, self.series.text(self.form), self.kept, self.detail]


HEAD = ["work", "reach", "min / median / max", "reached", "sides"]


def line(cells):
    return "| " + " | ".join(cells) + " |\n"


def table(rows):
    """Markdown."""
    return line(HEAD) + line(["---"] * len(HEAD)) + "".join(line(row.cells()) for row in rows)


def merge(old, rows):
    """A table with the rows in place of those of the same work; what is new comes last."""
    lines = {text.split(" | ")[0]: text for text in old.splitlines(keepends=True)[2:]}
    for row in rows:
        text = line(row.cells())
        lines[text.split(" | ")[0]] = text
    return table([]) + "".join(lines.values())


def replace_table(text, rows):
    """The document with the rows in its table, which stands between two marks."""
    begin, end = "<!-- table -->\n", "<!-- end -->"
    before, _, rest = text.partition(begin)
    old, mark, after = rest.partition(end)
    if not mark:
        raise ValueError(f"no {begin.strip()} … {end}")
    return before + begin + merge(old, rows) + mark + after
