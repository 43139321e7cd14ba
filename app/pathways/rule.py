"""The rule of a pathway: what must have been earned, as data; whether it is met, and what is still missing. PURE.

A rule is a tree of two kinds of nodes over achievements:

    {"at_least": 2, "of": [member, …]}      so many of these (CTDL: a ComponentCondition, requiredNumber of targetComponent)
    {"all": [member, …]}                    all of these (a ComponentCondition whose requiredNumber is their count)

A member is an achievement (`{"achievement_id": …}`, any version unless `versions` names some), a group of the pathway
(`{"group": "literacy"}`, which stands for the achievements in it), or another node, which counts as one. "Four in all, one of
each domain, two from Literacy" is

    {"all": [{"at_least": 4, "of": [{"group": "literacy"}, {"group": "numeracy"}]},
             {"at_least": 1, "of": [{"group": "numeracy"}]},
             {"at_least": 2, "of": [{"group": "literacy"}]}]}

Within one node an achievement counts once, however often it was earned and however many groups it is in. It may count in several
nodes, unless they are the members of an `all` with `"each_badge_once": true`: then they share the badges out among them.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from app.errors import Fault

MAX_DEPTH = 5
MAX_MEMBERS = 1_000
"""Of all nodes together, with what groups stand for."""

Content = Mapping[str, Any]
"""`groups`: key -> {name, achievements}; `rule`: the root node."""

Earned = Mapping[str, Collection[int]]
"""Achievement id -> the versions of it that are held."""


@dataclass(frozen=True, slots=True)
class Step:
    """A node or an achievement, and how far somebody has come with it.

    `earned` of `needed` are there; `counted` are the achievements that count. `label` is what people call it.
    """

    pointer: str
    kind: Literal["achievement", "set", "all"]
    label: str | None
    met: bool
    earned: int
    needed: int
    counted: tuple[str, ...]
    sentence: str
    of: tuple["Step", ...] = ()

    @property
    def missing(self) -> int:
        return max(self.needed - self.earned, 0)


def evaluate(content: Content, earned: Earned, names: Mapping[str, str]) -> Step:
    """How far `earned` goes towards the rule. `names` are those of the achievements, for the sentences."""
    return _evaluate(content, content["rule"], "/rule", earned, names)


def list_achievements(content: Content) -> list[str]:
    """Ids of the achievements that the rule names, itself or by a group, each once."""
    return list(dict.fromkeys(member["achievement_id"] for _, member in _walk_achievements(content)))


def list_missing(step: Step) -> list[Step]:
    """What keeps a step from being met: each smallest set or achievement that is short."""
    if step.met:
        return []
    if step.kind == "all":
        return [short for each in step.of for short in list_missing(each)]
    return [step]


def find_faults(content: Content, published: Mapping[str, Collection[int]], own_id: str) -> list[Fault]:
    """What is wrong with a rule, where, and how to mend it.

    `published` are the published versions of the issuer's achievements that are named, retired ones too; `own_id` is the
    achievement that the pathway leads to.
    """
    faults = list(_find_faults_of_shape(content, content["rule"], "/rule", 1))
    for key, group in content["groups"].items():
        faults += _find_repeated(group["achievements"], f"/groups/{key}/achievements")
        if not group["achievements"]:
            faults.append(Fault(f"/groups/{key}/achievements", "is empty", "name achievements, or leave the group out"))
    members = list(_walk_achievements(content))
    if len(members) > MAX_MEMBERS:
        cure = "split the pathway: the badge of one may be a component of another"
        return [Fault("/rule", f"has more than {MAX_MEMBERS} members", cure)]
    for pointer, member in dict(members).items():
        faults += _find_faults_of_achievement(pointer, member, published, own_id)
    if not faults and not evaluate(content, published, {}).met:
        faults.append(Fault("/rule", "is not met by anybody, whatever they earn", "ask for fewer, or name more"))
    return faults


def _find_faults_of_shape(content: Content, node: Content, pointer: str, depth: int) -> Iterator[Fault]:
    if depth > MAX_DEPTH:
        cure = "make a pathway of the inner part: its badge may be a component of this one"
        yield Fault(pointer, f"lies more than {MAX_DEPTH} deep", cure)
        return
    place = f"{pointer}/{'all' if 'all' in node else 'of'}"
    members: Sequence[Content] = node.get("all", node.get("of", ()))
    if not members:
        yield Fault(place, "is empty", "name what is to be earned")
        return
    for position, member in enumerate(members):
        if "group" in member and member["group"] not in content["groups"]:
            known = ", ".join(content["groups"]) or "none"
            yield Fault(f"{place}/{position}/group", f"{member['group']} is not a group", f"the groups are: {known}")
        elif _is_node(member):
            yield from _find_faults_of_shape(content, member, f"{place}/{position}", depth + 1)
    yield from _find_repeated(members, place)
    size = len(_expand(content, members, place))
    if node.get("at_least", 0) > size:
        yield Fault(f"{pointer}/at_least", f"asks for {node['at_least']} of {size}", "ask for fewer, or name more")
    if node.get("each_badge_once"):
        for position, member in enumerate(members):
            if not _is_node(member) or "of" not in member or any(_is_node(each) for each in member["of"]):
                cure = "share badges out among sets (at_least, of) of achievements and groups only"
                yield Fault(f"{place}/{position}", "cannot take part in sharing out badges", cure)


def _find_repeated(members: Sequence[Content], place: str) -> Iterator[Fault]:
    seen: set[object] = set()
    for position, member in enumerate(members):
        key = member.get("achievement_id") or member.get("group")
        if key is not None and key in seen:
            yield Fault(f"{place}/{position}", "is named twice in the same set", "name it once: it counts once")
        seen.add(key)


def _find_faults_of_achievement(
    pointer: str, member: Content, published: Mapping[str, Collection[int]], own_id: str
) -> Iterator[Fault]:
    achievement_id, versions = member["achievement_id"], published.get(member["achievement_id"])
    if achievement_id == own_id:
        yield Fault(pointer, "is the badge of this pathway", "name what leads to it")
    elif versions is None:
        yield Fault(pointer, "is not an achievement of yours", "name one of your achievements by its id")
    elif not versions:
        yield Fault(pointer, "has no published version", "publish it first: until then nobody can earn it")
    else:
        for position, version in enumerate(member.get("versions", ())):
            if version not in versions:
                where = f"{pointer}/versions/{position}"
                yield Fault(where, f"version {version} is not published", "name published versions, or none for any")


def _is_node(member: Content) -> bool:
    return "of" in member or "all" in member


def _walk_achievements(content: Content) -> Iterator[tuple[str, Content]]:
    """Every achievement of the rule with its pointer; those of a group that is named twice come twice."""
    for key, group in content["groups"].items():
        yield from _members_of_group(key, group)
    yield from _walk_node(content["rule"], "/rule")


def _walk_node(node: Content, pointer: str) -> Iterator[tuple[str, Content]]:
    place = f"{pointer}/{'all' if 'all' in node else 'of'}"
    for position, member in enumerate(node.get("all", node.get("of", ()))):
        if _is_node(member):
            yield from _walk_node(member, f"{place}/{position}")
        elif "achievement_id" in member:
            yield f"{place}/{position}", member


def _members_of_group(key: str, group: Content) -> Iterator[tuple[str, Content]]:
    for position, member in enumerate(group["achievements"]):
        yield f"/groups/{key}/achievements/{position}", member


def _expand(content: Content, members: Sequence[Content], place: str) -> list[tuple[str, list[Content]]]:
    """The members with groups written out: each achievement once, with all the ways in which it is named."""
    found: dict[str, tuple[str, list[Content]]] = {}
    for position, member in enumerate(members):
        pointer = f"{place}/{position}"
        if "group" in member:
            group = content["groups"].get(member["group"], {"achievements": ()})
            written = list(_members_of_group(member["group"], group))
        else:
            written = [(pointer, member)]
        for where, each in written:
            found.setdefault(each.get("achievement_id", where), (where, []))[1].append(each)
    return list(found.values())


def _evaluate(content: Content, node: Content, pointer: str, earned: Earned, names: Mapping[str, str]) -> Step:
    kind: Literal["set", "all"] = "all" if "all" in node else "set"
    members = node["all"] if kind == "all" else node["of"]
    place = f"{pointer}/{'all' if kind == 'all' else 'of'}"
    steps = []
    for where, ways in _expand(content, members, place):
        if _is_node(ways[0]):
            steps.append(_evaluate(content, ways[0], where, earned, names))
        else:
            steps.append(_evaluate_achievement(where, ways, earned, names))
    if node.get("each_badge_once"):
        steps = _share_out(steps)
    step = Step(
        pointer=pointer,
        kind=kind,
        label=_label(content, node, members),
        met=False,
        earned=sum(each.met for each in steps),
        needed=len(steps) if kind == "all" else node["at_least"],
        counted=tuple(dict.fromkeys(id_ for each in steps for id_ in each.counted if each.met or kind == "all")),
        sentence="",
        of=tuple(steps),
    )
    step = replace(step, met=step.earned >= step.needed)
    return replace(step, sentence=_tell(step))


def _evaluate_achievement(pointer: str, ways: Sequence[Content], earned: Earned, names: Mapping[str, str]) -> Step:
    achievement_id = ways[0]["achievement_id"]
    held = earned.get(achievement_id, ())
    met = any(version in way.get("versions", held) for way in ways for version in held)
    label = names.get(achievement_id, achievement_id)
    sentence = f"{label}: {'earned' if met else 'not earned'}"
    return Step(
        pointer, "achievement", label, met, int(met), 1, (achievement_id,) if met else (), sentence
    )  # fmt: skip


def _label(content: Content, node: Content, members: Sequence[Content]) -> str | None:
    """The node's own name, or that of the one group it is about."""
    if node.get("name"):
        return str(node["name"])
    return str(content["groups"][members[0]["group"]]["name"]) if len(members) == 1 and "group" in members[0] else None


def _share_out(sets: Sequence[Step]) -> list[Step]:
    """The sets with each badge counted in one of them only, so that as many places as possible are taken.

    A maximum matching of places and badges by augmenting paths.
    """
    fits = [[each.counted[0] for each in step.of if each.met] for step in sets]
    place_of: dict[str, int] = {}  # badge -> place
    set_of = [number for number, step in enumerate(sets) for _ in range(step.needed)]  # place -> set

    def take(place: int, tried: set[str]) -> bool:
        for badge in fits[set_of[place]]:
            if badge not in tried:
                tried.add(badge)
                if badge not in place_of or take(place_of[badge], tried):
                    place_of[badge] = place
                    return True
        return False

    for place in range(len(set_of)):
        take(place, set())
    counted = [
        tuple(badge for badge in fits[number] if badge in place_of and set_of[place_of[badge]] == number)
        for number in range(len(sets))
    ]
    shared = [
        replace(step, counted=mine, earned=len(mine), met=len(mine) >= step.needed)
        for step, mine in zip(sets, counted, strict=True)
    ]
    return [replace(step, sentence=_tell(step)) for step in shared]


def _tell(step: Step) -> str:
    if step.kind == "set":
        count = f"{min(step.earned, step.needed)} of {step.needed}"
        return count if step.label is None else f"{count} from {step.label}"
    counts, still = _tell_parts(step)
    wanting = " and ".join(what if number is None else f"{number} from {what}" for what, number in still.items())
    return "; ".join([*counts, *([f"still {wanting}"] if wanting else [])]) or "complete"


def _tell_parts(step: Step) -> tuple[list[str], dict[str, int | None]]:
    """Of an `all`: the counts of what has no name, and what is still wanting by its name (None: the thing itself)."""
    counts: list[str] = []
    still: dict[str, int | None] = {}
    for each in step.of:
        if each.kind == "set" and each.label is None:
            counts.append(each.sentence)
        elif each.met:
            continue
        elif each.kind == "set" and each.label is not None:
            still[each.label] = max(each.missing, still.get(each.label) or 0)
        elif each.kind == "all" and each.label is None:
            inner_counts, inner_still = _tell_parts(each)
            counts += inner_counts
            still |= inner_still
        else:
            still[str(each.label)] = None
    return counts, still
