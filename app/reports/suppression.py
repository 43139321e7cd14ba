"""What may be told of groups of people, so that no answers together tell of fewer than `minimum` of them. PURE.

A *cell* is everybody who has certain values (at most four) of the dimensions of one *table*. The cells of a table are released
one after another, in an order that depends on nobody's questions, and each only if it keeps every *block* at `minimum` people or
more: blocks are the groups that can be told apart by the cells of the table released so far. Whatever is computed from a table,
by sums and differences of any number of its cells, is then a sum over whole blocks, of `minimum` people or of nobody; a cell that
was withheld cuts a block, and so is no such sum. Complementary suppression follows by itself.

Of several tables about the same people the number in two groups at once stays open by `minimum` at least: it may be anything
between the sum of both less everybody, and the smaller of them. For who knows besides which combinations of values do not occur
at all, every cell is weighed against the answers of all tables (`_Span`): one that would let a small group be computed is
withheld.

Of a block only its size is told, and of each trait how many have it, blurred at the ends: where hardly anybody or nearly
everybody does, bounds are told that leave open whether anybody, or everybody, does. All answers are computed from that.

That a group is empty is not protected: nobody is in it.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

MOST_TERMS = 4
LEAST_MINIMUM = 5

Term = tuple[str, str]
"""A dimension and one of its values."""
Terms = tuple[Term, ...]
"""In the order of the dimensions; empty for everybody."""
Bounds = tuple[int, int]
"""At least and at most so many; the same number twice where it is told exactly."""

_PRIME = (1 << 61) - 1


@dataclass(frozen=True, slots=True)
class Release:
    """What is told of one table. `blocks` are positions of people; `cells` the released ones, each as the blocks that make it."""

    blocks: Sequence[Sequence[int]]
    cells: Mapping[Terms, Sequence[int]]


def list_cells(people: Sequence[Sequence[str]], dimensions: Sequence[str]) -> dict[Terms, list[int]]:
    """Every cell that has anybody in it. `people` have one value for each dimension."""
    cells: dict[Terms, list[int]] = defaultdict(list)
    for position, values in enumerate(people):
        terms = tuple(zip(dimensions, values, strict=True))
        for size in range(MOST_TERMS + 1):
            for chosen in combinations(terms, size):
                cells[chosen].append(position)
    return dict(cells)


def release(
    people: Sequence[Sequence[str]], dimensions: Sequence[str], tables: Sequence[Sequence[str]], minimum: int
) -> list[Release]:
    """The cells that may be told, of each of `tables` (the dimensions in it): tables in their order, and in each the cells of
    fewer values first, then by the order of its dimensions, then the larger ones."""
    if not LEAST_MINIMUM <= minimum <= len(people):
        return [Release([], {}) for _ in tables]
    place = {dimension: number for number, dimension in enumerate(dimensions)}
    span = _Span(people, dimensions, minimum)
    return [
        _release_table([[values[place[each]] for each in table] for values in people], table, minimum, span)
        for table in tables
    ]


def _release_table(people: Sequence[Sequence[str]], table: Sequence[str], minimum: int, span: "_Span") -> Release:
    """Linear in the number of people: a cell is looked at person by person."""
    cells = list_cells(people, table)
    block_of = [0] * len(people)
    sizes = [len(people)]
    released = []
    for terms in sorted(cells, key=_order(cells, table)):
        parts: dict[int, list[int]] = defaultdict(list)
        for position in cells[terms]:
            parts[block_of[position]].append(position)
        cut = {block: part for block, part in parts.items() if len(part) < sizes[block]}
        is_small = any(min(len(part), sizes[block] - len(part)) < minimum for block, part in cut.items())
        if is_small or not span.admit(cut.values()):
            span.protect(cells[terms])
            continue
        released.append(terms)
        for block, part in cut.items():
            for position in part:
                block_of[position] = len(sizes)
            sizes[block] -= len(part)
            sizes.append(len(part))
    blocks: list[list[int]] = [[] for _ in sizes]
    for position, block in enumerate(block_of):
        blocks[block].append(position)
    return Release(blocks, {terms: sorted({block_of[each] for each in cells[terms]}) for terms in released})


def _order(
    cells: Mapping[Terms, Sequence[int]], dimensions: Sequence[str]
) -> Callable[[Terms], tuple[int, list[int], int, Terms]]:
    place = {dimension: number for number, dimension in enumerate(dimensions)}
    return lambda terms: (len(terms), [place[dimension] for dimension, _ in terms], -len(cells[terms]), terms)


_Vector = dict[int, int]


class _Span:
    """All that can be computed by sums and differences of what was admitted, for who knows which kinds of people (combinations
    of all values) there are; and the groups that must not be.

    Arithmetic is modulo a large prime: what whole numbers or fractions give, that gives too.
    """

    def __init__(self, people: Sequence[Sequence[str]], dimensions: Sequence[str], minimum: int) -> None:
        kinds = {kind: number for number, kind in enumerate(dict.fromkeys(map(tuple, people)))}
        self._kind_of = [kinds[tuple(person)] for person in people]
        self._rows: list[tuple[int, _Vector]] = []
        self._protected: dict[frozenset[int], _Vector] = {}
        for kind, count in Counter(self._kind_of).items():
            if count < minimum:
                self._protected[frozenset([kind])] = {kind: 1}
        for members in list_cells(people, dimensions).values():
            if len(members) < minimum:
                self.protect(members)
        self.admit([range(len(people))])

    def protect(self, members: Sequence[int]) -> None:
        """From here on nothing is admitted that would let this group be computed. One that can be already stays as it is."""
        kinds = frozenset(self._kind_of[position] for position in members)
        if kinds not in self._protected and (rest := self._reduce(dict.fromkeys(kinds, 1))):
            self._protected[kinds] = rest

    def admit(self, groups: Iterable[Sequence[int]]) -> bool:
        """Add these groups to what is told: all, or if a protected one could then be computed, none."""
        rows, protected = len(self._rows), self._protected
        for members in groups:
            row = self._reduce(dict.fromkeys({self._kind_of[position] for position in members}, 1))
            if not row:
                continue
            place = next(iter(row))
            inverse = pow(row[place], -1, _PRIME)
            row = {other: value * inverse % _PRIME for other, value in row.items()}
            changed = {
                each: _subtract(rest, rest[place], row) for each, rest in self._protected.items() if place in rest
            }
            self._rows.append((place, row))
            self._protected = {**self._protected, **changed}
            if not all(changed.values()):
                del self._rows[rows:]
                self._protected = protected
                return False
        return True

    def _reduce(self, vector: _Vector) -> _Vector:
        for place, row in self._rows:
            if factor := vector.get(place):
                vector = _subtract(vector, factor, row)
        return vector


def _subtract(vector: _Vector, factor: int, row: _Vector) -> _Vector:
    rest = dict(vector)
    for place, value in row.items():
        if left := (rest.get(place, 0) - factor * value) % _PRIME:
            rest[place] = left
        else:
            rest.pop(place, None)
    return rest


def blur(count: int, size: int) -> Bounds:
    """`count` of `size` people, or bounds of it where it is at most a tenth of them (or one), or lacks as little to all."""
    few = max(1, size // 10)
    if count <= few:
        return 0, few
    if count >= size - few:
        return size - few, size
    return count, count


def add_bounds(bounds: Iterable[Bounds]) -> Bounds:
    """Of several blocks together."""
    pairs = list(bounds)
    return sum(low for low, _ in pairs), sum(high for _, high in pairs)


def find_varied(people: Sequence[Sequence[str]], dimensions: Sequence[str]) -> list[int]:
    """Positions of the dimensions in which not everybody has the same value: of the others any answer tells of everybody."""
    columns = zip(*people, strict=True) if people else [()] * len(dimensions)
    return [position for position, column in enumerate(columns) if len(set(column)) > 1]


def merge_telling(groups: Mapping[str, Sequence[int]], people: Sequence[Sequence[str]], minimum: int) -> set[str]:
    """Which of `groups` (positions of people by name) are told apart no further: who is in them is known to everybody, and all
    of them, but for fewer than `minimum`, have one and the same value. What is left over together would be as telling if it were
    such a group too; then the smallest others go with it."""
    merged = {name for name, members in groups.items() if _is_telling(members, people, minimum)}
    while merged and merged != set(groups):
        if not _is_telling([position for name in merged for position in groups[name]], people, minimum):
            break
        merged.add(min(groups.keys() - merged, key=lambda name: (len(groups[name]), name)))
    return merged


def _is_telling(members: Sequence[int], people: Sequence[Sequence[str]], minimum: int) -> bool:
    columns = zip(*(people[position] for position in members), strict=True)
    return any(len(members) - max(Counter(column).values()) < minimum for column in columns)
