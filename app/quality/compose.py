"""A quality report from the facts of its window. PURE."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.achievements.lineage import pool_keys
from app.achievements.store import AchievementVersion
from app.openbadges.compose import quality_uri
from app.psychometrics.intervals import wilson
from app.psychometrics.statistic import Reason
from app.quality.bodies import (
    PooledVersion,
    QualityAchievement,
    QualityCount,
    QualityCriterion,
    QualityDecision,
    QualityPairs,
    QualityRate,
    QualityReport,
    QualityStatistic,
    QualityWindow,
    State,
)
from app.quality.facts import Counts, ReadTwice, WindowFacts
from app.quality.measure import DECISIONS, SCORES, Clusters, Method, measure, tell_interval, withhold
from app.quality.pooling import SMALL, may_be_told, rule_key
from app.quarters import Quarter
from app.readings.pairs import PairKind

PILOT_PAIRS, PILOT_SUBMISSIONS = 100, 20
"""With fewer random pairs of criterion scores, or from fewer submissions, a report is a pilot."""

METHODS: Mapping[str, str] = {
    "exact_agreement": "Share of pairs at the same level.",
    "adjacent_agreement": "Share of pairs at the same level or one level apart.",
    "cohen_kappa": "Cohen's kappa, unweighted: agreement beyond what two readers with these habits would reach by chance.",
    "weighted_kappa_quadratic": "Cohen's kappa with quadratic weights: the further apart, the worse.",
    "krippendorff_alpha_ordinal": "Krippendorff's alpha with his ordinal metric.",
    "krippendorff_alpha_nominal": "Krippendorff's alpha with his nominal metric, of awarded or not.",
    "gwet_ac1": "Gwet's AC1: unlike kappa it holds where nearly all work is at one level.",
    "wilson": "Wilson's score interval, where each pair is of another submission.",
    "cluster_bootstrap": "Percentile interval of 1000 resamples of whole submissions.",
    "no_disagreement": "All resamples are alike: there is too little disagreement for an interval.",
    "small_cell": f"Nothing is told of fewer than {SMALL} submissions.",
}
"""What the names in a report mean."""


def version_uri_of(version: AchievementVersion) -> str:
    assert version.document is not None
    return str(version.document["id"])


def report_uri(version: AchievementVersion, window: Quarter) -> str:
    """Where the report is served."""
    return quality_uri(version_uri_of(version), window.label)


def seed_of(version: AchievementVersion, window: Quarter) -> int:
    """The seed of a report's resamples. It follows from the report's address: nobody can choose one that looks good."""
    return int.from_bytes(hashlib.sha256(report_uri(version, window).encode()).digest()[:4])


def describe(version: AchievementVersion) -> QualityAchievement:
    """The version that a report is about."""
    assert version.content_hash is not None
    return QualityAchievement(
        id=version_uri_of(version), name=version.content["name"], version=version.version,
        content_hash=version.content_hash,
    )  # fmt: skip


def compose_report(facts: WindowFacts, version: AchievementVersion, state: State, seed: int | None) -> QualityReport:
    """The report of one of the versions. Without a `seed`, intervals that need resampling are `not_computed`."""
    counts = facts.counts.get(version.version, Counts())
    is_small = _is_small(facts, version.version, counts)
    scope = _Scope(facts, version, _list_pooled(facts, version), seed, is_small)
    random = scope.report("random")
    pilot = (random.criterion_pairs.n or 0) < PILOT_PAIRS or (random.submissions.n or 0) < PILOT_SUBMISSIONS
    window = facts.window
    return QualityReport(
        id=report_uri(version, window),
        state=state,
        window=QualityWindow(label=window.label, begins_at=window.starts_at, ends_at=window.ends_at),
        achievement=describe(version),
        sentence=_sentence(random, pilot),
        pilot=pilot,
        submissions_resolved=_tell_count(counts.resolved, is_small),
        readings=_tell_count(counts.readings, is_small),
        double_read=_tell_rate(counts, is_small),
        random=random,
        triggered=scope.report("triggered"),
        pooled=scope.pooled,
        methods=dict(METHODS),
    )


def _is_small(facts: WindowFacts, version: int, counts: Counts) -> bool:
    """Whether so little was read of the version itself that even counts could tell of one person."""
    read_twice = sum(each.version == version for each in facts.read_twice)
    return max(counts.readings, read_twice, counts.resolved) > 0 and max(read_twice, counts.resolved) < SMALL


def _list_pooled(facts: WindowFacts, version: AchievementVersion) -> list[PooledVersion]:
    pools, rule = pool_keys(version.content["rubric"]), rule_key(version.content["rubric"])
    pooled = []
    for earlier in facts.versions:
        if earlier.version >= version.version:
            continue
        theirs = set(pool_keys(earlier.content["rubric"]).values())
        shared = [key for key, pool in pools.items() if pool in theirs]
        if shared:
            same_rule = rule_key(earlier.content["rubric"]) == rule
            pooled.append(PooledVersion(version=earlier.version, criteria=shared, decision=same_rule))
    return pooled


@dataclass(frozen=True, slots=True)
class _Scope:
    """What one report may count, and how it is to be told."""

    facts: WindowFacts
    version: AchievementVersion
    pooled: list[PooledVersion]
    seed: int | None
    is_small: bool

    def report(self, kind: PairKind) -> QualityPairs:
        """The agreement in pairs of one kind."""
        rubric = self.version.content["rubric"]
        pools = pool_keys(rubric)
        read = [each for each in self.facts.read_twice if each.kind == kind]
        criteria, is_any_withheld = [], False
        for criterion in rubric["criteria"]:
            key, pool, levels = criterion["key"], pools[criterion["key"]], len(criterion["levels"])
            versions = [each.version for each in self.pooled if key in each.criteria]
            scored = [each for each in self._of(versions, read) if pool in each.scores]
            is_withheld = self._is_withheld(versions, scored)
            is_any_withheld |= is_withheld
            statistics = self._measure([[each.scores[pool]] for each in scored], levels, SCORES, is_withheld)
            criteria.append(
                QualityCriterion(
                    key=key, name=criterion["name"], levels=levels, pooled_versions=versions, statistics=statistics
                )
            )
        # What is withheld of one criterion must not follow from all together and the others.
        clusters = self._all_scores(read, pools)
        most = max(len(criterion["levels"]) for criterion in rubric["criteria"])
        return QualityPairs(
            submissions=_tell_count(len(clusters), is_any_withheld),
            criterion_pairs=_tell_count(sum(map(len, clusters)), is_any_withheld),
            overall=self._measure(clusters, most, SCORES, is_any_withheld),
            decision=self._report_decision(read),
            criteria=criteria,
        )

    def _report_decision(self, read: Sequence[ReadTwice]) -> QualityDecision:
        versions = [each.version for each in self.pooled if each.decision]
        decided = self._of(versions, read)
        is_withheld = self._is_withheld(versions, decided)
        statistics = self._measure([[each.decision] for each in decided], 2, DECISIONS, is_withheld)
        return QualityDecision(pooled_versions=versions, statistics=statistics)

    def _all_scores(self, read: Sequence[ReadTwice], pools: Mapping[str, str]) -> Clusters:
        """Of each submission the scores of criteria that are still the same."""
        of_version = {each.version: {pools[key] for key in each.criteria} for each in self.pooled}
        of_version[self.version.version] = set(pools.values())
        clusters = (
            [scores for pool, scores in each.scores.items() if pool in of_version.get(each.version, ())]
            for each in read
        )
        return [cluster for cluster in clusters if cluster]

    def _of(self, earlier: Sequence[int], read: Sequence[ReadTwice]) -> list[ReadTwice]:
        return [each for each in read if each.version in (*earlier, self.version.version)]

    def _is_withheld(self, earlier: Sequence[int], read: Sequence[ReadTwice]) -> bool:
        added = Counter(each.version for each in read)
        return self.is_small or not may_be_told([added[version] for version in (*earlier, self.version.version)])

    def _measure(
        self, clusters: Clusters, levels: int, methods: Sequence[Method], is_withheld: bool
    ) -> list[QualityStatistic]:
        return withhold(methods, "small_cell") if is_withheld else measure(clusters, levels, methods, self.seed)


def _tell_count(n: int, is_withheld: bool) -> QualityCount:
    return QualityCount(n=None, reason="small_cell") if is_withheld else QualityCount(n=n)


def _tell_rate(counts: Counts, is_withheld: bool) -> QualityRate:
    reason: Reason | None = "small_cell" if is_withheld else "no_data" if counts.resolved == 0 else None
    if is_withheld:
        return QualityRate(numerator=None, denominator=None, value=None, reason=reason)
    value = round(counts.double_read / counts.resolved, 6) if counts.resolved else None
    interval = tell_interval(wilson(counts.double_read, counts.resolved))
    return QualityRate(
        numerator=counts.double_read, denominator=counts.resolved, value=value, reason=reason, interval=interval
    )


def _sentence(random: QualityPairs, pilot: bool) -> str:
    exact = random.overall[0]
    if exact.reason == "small_cell":
        return (
            f"Too few readings to judge: of fewer than {SMALL} submissions that were drawn at random nothing is told."
        )
    if exact.value is None:
        return "Too few readings to judge: no work that was drawn at random was read twice in this window."
    told = (
        f"Two readers who knew nothing of each other gave the same level in {round(exact.value * 100)} of 100 cases: "
        f"{exact.n} pairs of scores, from {random.submissions.n} submissions drawn at random."
    )
    return f"Pilot, too few readings to judge. {told}" if pilot else told
