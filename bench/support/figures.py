# SPDX-License-Identifier: Apache-2.0
"""How benchmarks speak: one figure a line, name<TAB>value<TAB>unit, and what they sum up with."""
import statistics


def figure(name, value, unit):
    print(f"{name}\t{value:.6g}\t{unit}", flush=True)


def median(values):
    return statistics.median(values)


def percentile(values, share):
    """The value that `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def slope(points):
    """Least squares: units of y for one unit of x, of [(x, y)]; 0 where x does not vary."""
    if len(points) < 2:
        return 0.0
    middle_x = statistics.fmean(x for x, _ in points)
    middle_y = statistics.fmean(y for _, y in points)
    spread = sum((x - middle_x) ** 2 for x, _ in points)
    if spread == 0:
        return 0.0
    return sum((x - middle_x) * (y - middle_y) for x, y in points) / spread


class Rounds:
    """What each round of each case measured: medians are asked for by case and value."""

    def __init__(self):
        self.measured = {}

    def add(self, case, **values):
        for name, value in values.items():
            self.measured.setdefault((case, name), []).append(value)

    def __contains__(self, case):
        return any(key[0] == case for key in self.measured)

    def median(self, case, name="rate"):
        return median(self.measured[case, name])

    def median_of(self, calculate, *values):
        """The median of what `calculate` makes of each round's `values`, (case, name) each. The
        values of one round stand close in time, so a machine whose speed drifts does less harm
        than to the ratio of two medians."""
        return median([calculate(*each) for each in zip(*(self.measured[key] for key in values))])

    def ratio(self, of, to):
        """The median of the rounds' ratios of two rates."""
        return self.median_of(lambda a, b: a / b, (of, "rate"), (to, "rate"))
